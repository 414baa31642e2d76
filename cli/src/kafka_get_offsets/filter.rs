//! Which partitions are asked for: patterns of topics with ranges of partitions.
//!
//! Answers to `TopicPartitionFilter` and to the rules of `--topic-partitions`. Pure.

use client::admin::TopicPartition;

use crate::kafka_topics::filter::Filter;
use crate::offsets::items;

/// Any rule may choose a partition.
pub(super) struct PartitionFilter(Vec<Rule>);

struct Rule {
    topics: Filter,
    partitions: Partitions,
}

enum Partitions {
    /// These; all where there are none.
    Among(Vec<i32>),
    One(i32),
    /// From the first up to the last, which is none of them.
    Range(i32, i32),
}

impl PartitionFilter {
    pub(super) fn of(
        rules: Option<&str>,
        topic: Option<&str>,
        partitions: Option<&str>,
    ) -> Result<Self, String> {
        if let Some(rules) = rules {
            let rules = items(rules).into_iter().map(|rule| {
                let wrong = |words| format!("org.apache.kafka.tools.TerseException: {words}");
                Rule::parse(rule, wrong)
            });
            return Ok(Self(rules.collect::<Result<_, _>>()?));
        }
        let given = partitions.unwrap_or_default();
        let numbers = items(given).into_iter().filter(|_| !given.is_empty()).map(str::parse);
        let numbers = numbers.collect::<Result<Vec<i32>, _>>().map_err(|_| {
            format!(
                "--partitions expects a comma separated list of numeric partition ids, but \
                 received: {given}"
            )
        })?;
        let topics = pattern(topic.unwrap_or(".*"))?;
        Ok(Self(vec![Rule { topics, partitions: Partitions::Among(numbers) }]))
    }

    pub(super) fn fits_topic(&self, topic: &str) -> bool {
        self.0.iter().any(|rule| rule.topics.fits(topic))
    }

    pub(super) fn fits(&self, partition: &TopicPartition) -> bool {
        self.0.iter().any(|rule| {
            rule.topics.fits(&partition.topic) && rule.partitions.contains(partition.partition)
        })
    }
}

fn pattern(text: &str) -> Result<Filter, String> {
    Filter::new(text).map_err(|pattern| format!("{pattern} is an invalid regex."))
}

impl Rule {
    /// `topic`, `topic:1`, `topic:1-3`, `topic:1-`, `:-3`.
    fn parse(rule: &str, wrong: impl Fn(String) -> String) -> Result<Self, String> {
        let invalid = || wrong(format!("Invalid rule specification: {rule}"));
        let (topic, partitions) = match rule.split_once(':') {
            Some((topic, partitions)) => (topic, Some(partitions)),
            None => (rule, None),
        };
        let number = |text: &str, otherwise: i32| match text {
            "" => Ok(otherwise),
            digits if digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().map_err(|_| format!("For input string: \"{digits}\""))
            }
            _ => Err(invalid()),
        };
        let partitions = match partitions {
            None | Some("") => Partitions::Range(0, i32::MAX),
            Some(range) => match range.split_once('-') {
                Some((from, to)) => Partitions::Range(number(from, 0)?, number(to, i32::MAX)?),
                None => Partitions::One(number(range, 0)?),
            },
        };
        let topics = pattern(if topic.is_empty() { ".*" } else { topic })?;
        Ok(Self { topics, partitions })
    }
}

impl Partitions {
    fn contains(&self, partition: i32) -> bool {
        match self {
            Self::Among(numbers) => numbers.is_empty() || numbers.contains(&partition),
            Self::One(number) => *number == partition,
            Self::Range(from, to) => (*from..*to).contains(&partition),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_choose_topics_and_partitions() {
        let table = [
            ("orders", "orders", 7, true),
            ("orders:1", "orders", 1, true),
            ("orders:1", "orders", 2, false),
            ("ord.*:1-3", "orders", 2, true),
            ("orders:1-3", "orders", 3, false),
            ("orders:2-", "orders", 1, false),
            (":-3", "payments", 2, true),
            ("a:0,b:1", "b", 1, true),
            ("a:0,b:1", "b", 0, false),
        ];
        for (rules, topic, number, fits) in table {
            let filter = PartitionFilter::of(Some(rules), None, None).ok().unwrap();
            let partition = TopicPartition { topic: topic.to_owned(), partition: number };
            assert_eq!(filter.fits(&partition), fits, "{rules} {partition}");
        }
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        let wrong = |rules, topic, partitions| {
            PartitionFilter::of(rules, topic, partitions).err().unwrap_or_default()
        };
        let expected = "org.apache.kafka.tools.TerseException: Invalid rule specification: a:b";
        assert_eq!(wrong(Some("a:b"), None, None), expected);
        assert_eq!(wrong(None, Some("["), None), "[ is an invalid regex.");
        let expected =
            "--partitions expects a comma separated list of numeric partition ids, but received: x";
        assert_eq!(wrong(None, None, Some("x")), expected);
    }
}
