//! The table of records and their fields.
//!
//! ```text
//! metadata 2 TopicRecord 0 flexible 0+     topic, type, name, versions, flexible versions
//!  name string 0+                          a field: name, type, versions,
//!  topicId uuid 0+ null=1+ tag=0@1+        where it may be null, its tag and the versions that
//!                                          have it as one, default=…
//!  endPoints [] 0+                         an array of structs, whose fields stand below
//! ```
//! Versions are `0+`, `1-3` or `2`. One more space in front for each struct that a field is in.

use std::sync::OnceLock;

use super::read::JsonError;

const TABLE: &str = include_str!("schemas-4.3.1.txt");

/// Where a record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    Metadata,
    GroupKey,
    GroupValue,
    TransactionKey,
    TransactionValue,
    ShareKey,
    ShareValue,
    /// By itself.
    Message,
}

impl Topic {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "metadata" => Self::Metadata,
            "group-key" => Self::GroupKey,
            "group-value" => Self::GroupValue,
            "transaction-key" => Self::TransactionKey,
            "transaction-value" => Self::TransactionValue,
            "share-key" => Self::ShareKey,
            "share-value" => Self::ShareValue,
            "message" => Self::Message,
            _ => return None,
        })
    }
}

/// A range of versions, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Versions {
    first: i16,
    last: i16,
}

impl Versions {
    const NONE: Self = Self { first: 0, last: -1 };

    pub(super) fn contains(self, version: i16) -> bool {
        (self.first..=self.last).contains(&version)
    }

    fn read(text: &str) -> Option<Self> {
        if text == "none" {
            return Some(Self::NONE);
        }
        let (first, last) = match (text.strip_suffix('+'), text.split_once('-')) {
            (Some(first), _) => (first.parse().ok()?, i16::MAX),
            (None, Some((first, last))) => (first.parse().ok()?, last.parse().ok()?),
            (None, None) => (text.parse().ok()?, text.parse().ok()?),
        };
        Some(Self { first, last })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Bool,
    Int8,
    Int16,
    Uint16,
    Int32,
    Uint32,
    Int64,
    Float64,
    Uuid,
    String,
    Bytes,
    Struct,
}

impl Type {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "bool" => Self::Bool,
            "int8" => Self::Int8,
            "int16" => Self::Int16,
            "uint16" => Self::Uint16,
            "int32" => Self::Int32,
            "uint32" => Self::Uint32,
            "int64" => Self::Int64,
            "float64" => Self::Float64,
            "uuid" => Self::Uuid,
            "string" => Self::String,
            "bytes" | "records" => Self::Bytes,
            "" | "struct" => Self::Struct,
            _ => return None,
        })
    }
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) of: Type,
    pub(super) is_array: bool,
    pub(super) versions: Versions,
    pub(super) nullable: Versions,
    pub(super) tag: Option<u32>,
    pub(super) tagged: Versions,
    /// As the schema writes it; empty where it says none.
    pub(super) default: String,
    /// Of the struct that it is, or whose array.
    pub(super) fields: Vec<Self>,
}

impl Field {
    fn read(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let (name, of, versions) = (words.next()?, words.next()?, words.next()?);
        let mut field = Self {
            name: name.to_owned(),
            of: Type::named(of.strip_prefix("[]").unwrap_or(of))?,
            is_array: of.starts_with("[]"),
            versions: Versions::read(versions)?,
            nullable: Versions::NONE,
            tag: None,
            tagged: Versions::NONE,
            default: String::new(),
            fields: Vec::new(),
        };
        for word in words {
            match word.split_once('=')? {
                ("null", versions) => field.nullable = Versions::read(versions)?,
                ("tag", tag) => {
                    let (tag, versions) = tag.split_once('@')?;
                    field.tag = Some(tag.parse().ok()?);
                    field.tagged = Versions::read(versions)?;
                }
                ("default", value) => value.clone_into(&mut field.default),
                _ => return None,
            }
        }
        Some(field)
    }
}

#[derive(Debug)]
pub(super) struct Schema {
    pub(super) topic: Topic,
    /// The number of the record's kind; -1 for a message.
    pub(super) key: i16,
    pub(super) name: String,
    pub(super) versions: Versions,
    pub(super) flexible: Versions,
    pub(super) fields: Vec<Field>,
}

impl Schema {
    fn read(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        Some(Self {
            topic: Topic::named(words.next()?)?,
            key: words.next()?.parse().ok()?,
            name: words.next()?.to_owned(),
            versions: Versions::read(words.next()?)?,
            flexible: Versions::read(words.nth(1)?)?,
            fields: Vec::new(),
        })
    }

    /// The version, if there is one of this number.
    pub(super) fn readable(&self, version: i16) -> Result<i16, JsonError> {
        match self.versions.contains(version) {
            true => Ok(version),
            false => Err(JsonError::Unversioned { name: self.name.clone(), version }),
        }
    }
}

/// Every record; a line that is none ends the table.
pub(super) fn schemas() -> &'static [Schema] {
    static SCHEMAS: OnceLock<Vec<Schema>> = OnceLock::new();
    SCHEMAS.get_or_init(|| read(TABLE))
}

pub(super) fn read(table: &str) -> Vec<Schema> {
    let mut schemas: Vec<Schema> = Vec::new();
    for line in table.lines() {
        let text = line.trim_start_matches(' ');
        let depth = line.len() - text.len();
        if depth == 0 {
            let Some(schema) = Schema::read(text) else { break };
            schemas.push(schema);
            continue;
        }
        let mut fields = schemas.last_mut().map(|schema| &mut schema.fields);
        for _ in 1..depth {
            fields = fields.and_then(|fields| fields.last_mut()).map(|last| &mut last.fields);
        }
        let (Some(fields), Some(field)) = (fields, Field::read(text)) else { break };
        fields.push(field);
    }
    schemas
}
