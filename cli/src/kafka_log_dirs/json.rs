//! Log directories as one line of JSON, its keys in the order of Java's hash maps.
//!
//! Pure. Answers to `formatAsJson` of LogDirsCommand, which gives a `HashMap` to Jackson.

use client::admin::LogDir;
use serde_json::Value;

use crate::java_order::{partition_hash_of, sort_by_hash, sort_with_capacity, string_hash};

/// The text of all brokers, with the replicas of these topics, or of all.
pub(super) fn text(mut brokers: Vec<(i32, Vec<LogDir>)>, topics: &[String]) -> String {
    sort_by_hash(&mut brokers, |(id, _)| *id);
    let brokers = brokers.into_iter().map(|(id, dirs)| {
        object(vec![("broker", id.to_string()), ("logDirs", log_dirs(dirs, topics))])
    });
    object(vec![("version", "1".to_owned()), ("brokers", array(brokers))])
}

fn log_dirs(mut dirs: Vec<LogDir>, topics: &[String]) -> String {
    let count = dirs.len();
    sort_with_capacity(&mut dirs, count, |dir| string_hash(&dir.path));
    array(dirs.into_iter().map(|dir| {
        let error = dir.error.map_or(Value::Null, |error| error.class().into());
        let mut replicas = dir.replicas;
        replicas.retain(|replica| topics.is_empty() || topics.contains(&replica.topic));
        sort_by_hash(&mut replicas, |replica| partition_hash_of(&replica.topic, replica.partition));
        let partitions = replicas.iter().map(|replica| {
            let name = Value::from(format!("{}-{}", replica.topic, replica.partition));
            object(vec![
                ("partition", name.to_string()),
                ("size", replica.size.to_string()),
                ("offsetLag", replica.offset_lag.to_string()),
                ("isFuture", replica.is_future.to_string()),
            ])
        });
        object(vec![
            ("logDir", Value::from(dir.path).to_string()),
            ("error", error.to_string()),
            ("partitions", array(partitions)),
        ])
    }))
}

fn array(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

fn object(mut fields: Vec<(&str, String)>) -> String {
    sort_by_hash(&mut fields, |(name, _)| string_hash(name));
    let fields = fields.iter().map(|(name, value)| format!("\"{name}\":{value}"));
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use client::admin::ReplicaInLogDir;

    use super::*;

    #[test]
    fn keys_and_replicas_stand_as_java_puts_them() {
        let replica = |topic: &str, partition| ReplicaInLogDir {
            topic: topic.to_owned(),
            partition,
            size: 7,
            offset_lag: 0,
            is_future: false,
        };
        let replicas = vec![replica("b", 0), replica("orders", 1), replica("orders", 0)];
        let dir = LogDir { path: "/a\"b".to_owned(), error: None, replicas, space: None };
        let expected = concat!(
            r#"{"brokers":[{"broker":1,"logDirs":[{"partitions":["#,
            r#"{"partition":"orders-0","size":7,"offsetLag":0,"isFuture":false},"#,
            r#"{"partition":"orders-1","size":7,"offsetLag":0,"isFuture":false}],"#,
            r#""error":null,"logDir":"/a\"b"}]}],"version":1}"#
        );
        assert_eq!(text(vec![(1, vec![dir])], &["orders".to_owned()]), expected);
    }
}
