//! Files of offsets: `topic,partition,offset` in each line.
//!
//! Answers to `parseResetPlan`.

use client::admin::TopicPartition;

use super::Failure;

pub(super) fn read(text: &str) -> Result<Vec<(TopicPartition, i64)>, Failure> {
    let wrong = |words: &str| Failure::thrown("java.text.ParseException", words);
    if text.is_empty() {
        return Err(wrong("Error parsing reset plan CSV file. It is empty,"));
    }
    let mut lines: Vec<&str> = text.split('\n').collect();
    while lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    let mut plan: Vec<(TopicPartition, i64)> = Vec::new();
    for line in lines {
        let mut parts: Vec<&str> = line.split(',').collect();
        while parts.last().is_some_and(|part| part.is_empty()) {
            parts.pop();
        }
        let [topic, partition, offset] = parts.as_slice() else {
            return Err(wrong(
                "Reset plan CSV file is not following the format `TOPIC,PARTITION,OFFSET`.",
            ));
        };
        let partition =
            TopicPartition { topic: (*topic).to_owned(), partition: number(partition)? };
        let offset = number(offset)?;
        plan.retain(|(known, _)| *known != partition);
        plan.push((partition, offset));
    }
    Ok(plan)
}

fn number<N: std::str::FromStr>(text: &str) -> Result<N, Failure> {
    let wrong = |_| {
        let words = format!("For input string: \"{text}\"");
        Failure::thrown("java.lang.NumberFormatException", words)
    };
    text.parse().map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_three_parts_and_the_last_of_a_partition_counts() {
        let shown = |text| match read(text) {
            Ok(plan) => plan
                .iter()
                .map(|(partition, offset)| format!("{partition}={offset}"))
                .collect::<Vec<_>>()
                .join(" "),
            Err(failure) => failure.to_string(),
        };
        assert_eq!(shown("t,0,5\nt,1,6\nt,0,7\n\n"), "t-1=6 t-0=7");
        assert!(shown("").contains("It is empty,"));
        for text in ["t,0", "t,0,5,6", "t,0,5\n\nt,1,6", "t,0,"] {
            assert!(shown(text).contains("is not following the format"), "{text}");
        }
        let expected = "ERROR: java.lang.NumberFormatException: For input string: \"x\"";
        assert_eq!(shown("t,x,1"), expected);
    }
}
