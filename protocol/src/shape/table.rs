//! The notation in which the shapes of requests are written.
//!
//! A field stands where it stands on the wire; `from`, `to`, `nullable` and `tag` say at which
//! versions and how, in the words of Kafka's schemas (`versions`, `nullableVersions`, `tag`).
//! Elements of an array carry the size of their struct in memory, so that the walk can count what
//! decoding would take.

/// A message has no flexible version.
pub(super) const NEVER: i16 = i16::MAX;

/// Open at the top.
const ALWAYS: i16 = i16::MAX;

/// How the body of a request is laid out at each of its versions.
#[derive(Debug, PartialEq, Eq)]
pub struct Shape {
    pub min_version: i16,
    pub max_version: i16,
    /// Greater than any version when there is none.
    pub first_flexible: i16,
    pub fields: &'static [Field],
}

#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    pub kind: Kind,
    pub from: i16,
    pub to: i16,
    /// May be null from this version on.
    pub nullable_from: i16,
    /// Stands among the tagged fields, under this tag.
    pub tag: Option<u32>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Kind {
    Fixed(Fixed),
    String,
    Bytes,
    Records,
    Struct(&'static [Field]),
    Array(Element),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fixed {
    Boolean,
    Int8,
    Int16,
    Uint16,
    Int32,
    Int64,
    Float64,
    Uuid,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Element {
    Fixed(Fixed),
    String,
    Struct { in_memory: usize, fields: &'static [Field] },
}

impl Fixed {
    pub fn size(self) -> usize {
        match self {
            Self::Boolean | Self::Int8 => 1,
            Self::Int16 | Self::Uint16 => 2,
            Self::Int32 => 4,
            Self::Int64 | Self::Float64 => 8,
            Self::Uuid => 16,
        }
    }
}

impl Field {
    pub fn exists_in(&self, version: i16) -> bool {
        self.from <= version && version <= self.to
    }

    pub fn nullable_in(&self, version: i16) -> bool {
        self.nullable_from <= version
    }

    const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, from: 0, to: ALWAYS, nullable_from: NEVER, tag: None }
    }

    pub(super) const fn from(mut self, version: i16) -> Self {
        self.from = version;
        self
    }

    pub(super) const fn to(mut self, version: i16) -> Self {
        self.to = version;
        self
    }

    pub(super) const fn nullable(mut self, from: i16) -> Self {
        self.nullable_from = from;
        self
    }

    pub(super) const fn tag(mut self, tag: u32) -> Self {
        self.tag = Some(tag);
        self
    }
}

pub(super) const fn request(
    min_version: i16,
    max_version: i16,
    first_flexible: i16,
    fields: &'static [Field],
) -> Shape {
    Shape { min_version, max_version, first_flexible, fields }
}

pub(super) const fn structure(name: &'static str, fields: &'static [Field]) -> Field {
    Field::new(name, Kind::Struct(fields))
}

pub(super) const fn array(name: &'static str, in_memory: usize, fields: &'static [Field]) -> Field {
    Field::new(name, Kind::Array(Element::Struct { in_memory, fields }))
}

macro_rules! field_constructors {
    ($($name:ident => $kind:expr;)*) => {$(
        pub(super) const fn $name(name: &'static str) -> Field {
            Field::new(name, $kind)
        }
    )*};
}

field_constructors! {
    boolean => Kind::Fixed(Fixed::Boolean);
    int8 => Kind::Fixed(Fixed::Int8);
    int16 => Kind::Fixed(Fixed::Int16);
    uint16 => Kind::Fixed(Fixed::Uint16);
    int32 => Kind::Fixed(Fixed::Int32);
    int64 => Kind::Fixed(Fixed::Int64);
    float64 => Kind::Fixed(Fixed::Float64);
    uuid => Kind::Fixed(Fixed::Uuid);
    string => Kind::String;
    bytes => Kind::Bytes;
    records => Kind::Records;
    int8s => Kind::Array(Element::Fixed(Fixed::Int8));
    int32s => Kind::Array(Element::Fixed(Fixed::Int32));
    int64s => Kind::Array(Element::Fixed(Fixed::Int64));
    uuids => Kind::Array(Element::Fixed(Fixed::Uuid));
    strings => Kind::Array(Element::String);
}
