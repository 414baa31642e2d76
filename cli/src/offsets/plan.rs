//! Files of offsets: `topic,partition,offset` for one group, with the group before it for several.
//!
//! Answers to `CsvUtils` and `parseResetPlan`, whose Jackson puts into quotes what is longer than
//! 24 characters or holds what might need them. A column that a line lacks is 0, as there. Unlike
//! Kafka: a mistake is one line, without Jackson's place in its own source
//! (docs/decisions/0370).

use client::admin::TopicPartition;

use super::Offsets;
use crate::java_order::{partition_hash, sort_by_hash};

/// The longest text that Jackson looks into before it puts quotes around it.
const LOOKED_INTO: usize = 24;

/// Writes the lines of groups; the group's name only where there are several.
pub(crate) fn write(groups: &[(String, Offsets)], with_group: bool) -> String {
    let lines = groups.iter().flat_map(|(group, offsets)| {
        offsets.iter().map(move |(partition, offset)| {
            let group = if with_group { quoted(group) + "," } else { String::new() };
            format!("{group}{},{},{offset}\n", quoted(&partition.topic), partition.partition)
        })
    });
    lines.collect()
}

fn quoted(text: &str) -> String {
    let is_special = |c: char| c < '-';
    match text.chars().count() > LOOKED_INTO || text.contains(is_special) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

/// Reads the plan of each group. `only` is the group where one alone is chosen, for which lines may
/// lack a name.
pub(crate) fn read(text: &str, only: Option<&str>) -> Result<Vec<(String, Offsets)>, String> {
    let mut lines: Vec<&str> = text.split('\n').collect();
    while lines.len() > 1 && lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    let is_without_group = lines.first().is_some_and(|line| record(line, 3).is_ok());
    let mut groups: Vec<(String, Offsets)> = Vec::new();
    for line in lines {
        let (group, partition, offset) = match only.filter(|_| is_without_group) {
            Some(group) => {
                let (_, partition, offset) = record(line, 3)?;
                (group.to_owned(), partition, offset)
            }
            None => record(line, 4)?,
        };
        let at = groups.iter().position(|(known, _)| *known == group).unwrap_or(groups.len());
        if at == groups.len() {
            groups.push((group, Vec::new()));
        }
        let Some((_, offsets)) = groups.get_mut(at) else { continue };
        offsets.retain(|(known, _)| *known != partition);
        offsets.push((partition, offset));
    }
    for (_, offsets) in &mut groups {
        sort_by_hash(offsets, |(partition, _)| partition_hash(partition));
    }
    Ok(groups)
}

/// Group (where there is a column for it), partition and offset of one line.
fn record(line: &str, columns: usize) -> Result<(String, TopicPartition, i64), String> {
    let line = line.trim_end_matches('\r');
    if line.is_empty() {
        return Err("No content to map due to end-of-input".to_owned());
    }
    let values = values(line);
    if let Some(extra) = values.get(columns) {
        let length = extra.chars().count();
        return Err(format!(
            "Too many entries: expected at most {columns} (value #{columns} ({length} chars) \
             \"{extra}\")"
        ));
    }
    let mut values = values.into_iter();
    let group = if columns == 4 { values.next().unwrap_or_default() } else { String::new() };
    let topic = values.next().unwrap_or_default();
    let partition = number(values.next(), "int")?;
    let offset = number(values.next(), "long")?;
    Ok((group, TopicPartition { topic, partition }, offset))
}

fn number<N: std::str::FromStr + Default>(text: Option<String>, kind: &str) -> Result<N, String> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(N::default()) };
    let wrong = |_| {
        format!(
            "Cannot deserialize value of type `{kind}` from String \"{text}\": not a valid \
             `{kind}` value"
        )
    };
    text.trim().parse().map_err(wrong)
}

/// The values of a line; quotes go, and two of them within quotes are one.
fn values(line: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut is_quoted = false;
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let Some(value) = values.last_mut() else { break };
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                value.push('"');
            }
            '"' if is_quoted || value.is_empty() => is_quoted = !is_quoted,
            ',' if !is_quoted => values.push(String::new()),
            _ => value.push(letter),
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(topic: &str, partition: i32) -> TopicPartition {
        TopicPartition { topic: topic.to_owned(), partition }
    }

    #[test]
    fn what_is_written_is_read() {
        let long = "a-topic-whose-name-is-longer-than-24";
        let one = vec![("g".to_owned(), vec![(partition("t", 0), 5), (partition(long, 1), 6)])];
        let text = write(&one, false);
        assert_eq!(text, format!("t,0,5\n\"{long}\",1,6\n"));
        assert_eq!(read(&text, Some("g")).unwrap(), one);
        let several = vec![
            ("a".to_owned(), vec![(partition("t", 0), 5)]),
            ("b,c".to_owned(), vec![(partition("t", 0), 7)]),
        ];
        let text = write(&several, true);
        assert_eq!(text, "a,t,0,5\n\"b,c\",t,0,7\n");
        assert_eq!(read(&text, None).unwrap(), several);
        assert_eq!(read(&text, Some("a")).unwrap(), several, "names count where they stand");
    }

    #[test]
    fn a_line_that_lacks_columns_has_zeroes_and_one_with_more_is_refused() {
        assert_eq!(
            read("t,1", Some("g")).unwrap(),
            [("g".to_owned(), vec![(partition("t", 1), 0)])]
        );
        let extra = read("g,t,1,2,3", None).unwrap_err();
        assert_eq!(extra, "Too many entries: expected at most 4 (value #4 (1 chars) \"3\")");
        let wrong = read("g,t,x,2", Some("g")).unwrap_err();
        assert!(wrong.starts_with("Cannot deserialize value of type `int`"), "{wrong}");
        assert_eq!(read("", Some("g")).unwrap_err(), "No content to map due to end-of-input");
    }
}
