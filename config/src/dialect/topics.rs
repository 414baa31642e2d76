//! `KAFKA_CREATE_TOPICS`: `name:partitions:replicas[:cleanup.policy]`, several separated by commas,
//! blanks or newlines, or by what `KAFKA_CREATE_TOPICS_SEPARATOR` says.
//!
//! Answers to create-topics.sh of wurstmeister/kafka. Unlike that image, an entry that cannot be
//! read is a notice of its own, and the numbers may be left out: then the broker's defaults hold.

use super::{Notice, Variables};

/// A topic to create once the node serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTopic {
    pub name: String,
    /// `None` is num.partitions.
    pub partitions: Option<i32>,
    /// `None` is default.replication.factor.
    pub replication_factor: Option<i16>,
    pub cleanup_policy: Option<String>,
}

pub(super) fn wanted(variables: &Variables) -> (Vec<NewTopic>, Vec<Notice>) {
    let text = variables.filled("KAFKA_CREATE_TOPICS").unwrap_or_default();
    let separator = variables.get("KAFKA_CREATE_TOPICS_SEPARATOR").unwrap_or_default();
    let mut topics = Vec::new();
    let mut notices = Vec::new();
    for entry in entries(text, separator) {
        match parse(entry) {
            Ok(topic) => topics.push(topic),
            Err(why) => notices.push(Notice::BadTopic { entry: entry.to_owned(), why }),
        }
    }
    (topics, notices)
}

/// A separator may also be written as a shell would read it: `$'\n'`.
fn entries<'a>(text: &'a str, separator: &str) -> Vec<&'a str> {
    let separators: Vec<char> = match separator {
        "" => vec![',', '\n', ' ', '\t', '\r'],
        written if written.contains("\\n") => vec!['\n'],
        given => given.chars().collect(),
    };
    text.split(separators.as_slice()).map(str::trim).filter(|entry| !entry.is_empty()).collect()
}

fn parse(entry: &str) -> Result<NewTopic, &'static str> {
    let mut fields = entry.splitn(4, ':').map(str::trim);
    let name = fields.next().unwrap_or_default();
    if name.is_empty() {
        return Err("the name is missing");
    }
    let mut number = |wrong| match fields.next().filter(|text| !text.is_empty()) {
        None => Ok(None),
        Some(text) => match text.parse::<i32>() {
            Ok(number) if number > 0 => Ok(Some(number)),
            _ => Err(wrong),
        },
    };
    let partitions = number("the number of partitions is none")?;
    let replication_factor = number("the replication factor is none")?
        .map(i16::try_from)
        .transpose()
        .map_err(|_| "the replication factor is none")?;
    let cleanup_policy = fields.next().filter(|policy| !policy.is_empty()).map(str::to_owned);
    Ok(NewTopic { name: name.to_owned(), partitions, replication_factor, cleanup_policy })
}
