//! Who of a group reads which partition: Kafka's assignors, which a classic group's leader applies.
//!
//! Pure. Answers to `RangeAssignor` and `RoundRobinAssignor` for members without racks. Unlike
//! Kafka: there is no sticky one (docs/decisions/0388).

use std::collections::BTreeMap;

use super::fetched::TopicPartition;

/// The ways of assigning that members can agree on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assignor {
    Range,
    RoundRobin,
}

/// A member as the leader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) id: String,
    pub(super) instance_id: Option<String>,
    pub(super) topics: Vec<String>,
}

/// Each member's partitions, by its id.
pub(super) type Assignments = BTreeMap<String, Vec<TopicPartition>>;

impl Assignor {
    /// By the name of Kafka's class.
    pub(super) fn of_class(class: &str) -> Option<Self> {
        match class.strip_prefix("org.apache.kafka.clients.consumer.")? {
            "RangeAssignor" => Some(Self::Range),
            "RoundRobinAssignor" => Some(Self::RoundRobin),
            _ => None,
        }
    }

    /// By the name that members of a group know it by.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        [Self::Range, Self::RoundRobin].into_iter().find(|assignor| assignor.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Range => "range",
            Self::RoundRobin => "roundrobin",
        }
    }

    /// `counts` holds how many partitions each topic has; a topic that is not there has none.
    pub(super) fn assign(
        self,
        mut members: Vec<Member>,
        counts: &BTreeMap<String, i32>,
    ) -> Assignments {
        // Static members come first, by their instance ids; the others by their member ids.
        members.sort_by(|a, b| order(a).cmp(&order(b)));
        let mut assignments: Assignments =
            members.iter().map(|member| (member.id.clone(), Vec::new())).collect();
        match self {
            Self::Range => range(&members, counts, &mut assignments),
            Self::RoundRobin => round_robin(&members, counts, &mut assignments),
        }
        assignments
    }
}

fn order(member: &Member) -> (bool, &str) {
    match &member.instance_id {
        Some(instance) => (false, instance),
        None => (true, &member.id),
    }
}

/// Of each topic, each member that wants it gets a stretch; the first ones get one more. Topics
/// come in the order of the `HashMap` that Kafka's leader has them in, which people see in the
/// order of what is read first.
fn range(members: &[Member], counts: &BTreeMap<String, i32>, assignments: &mut Assignments) {
    let mut buckets = 16;
    while counts.len() * 4 > buckets * 3 {
        buckets *= 2;
    }
    let mut topics: Vec<(&String, &i32)> = counts.iter().collect();
    topics.sort_by_key(|(topic, _)| {
        let hash = java_hash(topic).cast_unsigned();
        (hash ^ (hash >> 16)) as usize & (buckets - 1)
    });
    for (topic, count) in topics {
        let wanting: Vec<&Member> =
            members.iter().filter(|member| member.topics.contains(topic)).collect();
        let Ok(shares) = i32::try_from(wanting.len()) else { continue };
        if shares == 0 {
            continue;
        }
        let (each, more) = (count / shares, count % shares);
        let mut next = 0;
        for (at, member) in (0_i32..).zip(wanting) {
            let end = next + each + i32::from(at < more);
            if let Some(own) = assignments.get_mut(&member.id) {
                own.extend((next..end).map(|index| TopicPartition::new(topic.as_str(), index)));
            }
            next = end;
        }
    }
}

/// `String.hashCode`.
fn java_hash(text: &str) -> i32 {
    text.encode_utf16()
        .fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

/// All partitions in order go around the members; one who does not want the topic is passed over.
fn round_robin(members: &[Member], counts: &BTreeMap<String, i32>, assignments: &mut Assignments) {
    let mut turn = 0;
    for (topic, count) in counts {
        if !members.iter().any(|member| member.topics.contains(topic)) {
            continue;
        }
        for index in 0..*count {
            let around = (0..members.len()).filter_map(|step| {
                let at = (turn + step) % members.len();
                members.get(at).map(|member| (at, member))
            });
            let mut wanting = around.filter(|(_, member)| member.topics.contains(topic));
            let Some((at, member)) = wanting.next() else { continue };
            turn = at + 1;
            if let Some(own) = assignments.get_mut(&member.id) {
                own.push(TopicPartition::new(topic.as_str(), index));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: &str, instance: Option<&str>, topics: &[&str]) -> Member {
        let topics = topics.iter().map(|&topic| topic.to_owned()).collect();
        Member { id: id.to_owned(), instance_id: instance.map(str::to_owned), topics }
    }

    fn shown(assignments: &Assignments) -> String {
        let one = |(id, own): (&String, &Vec<TopicPartition>)| {
            let own: Vec<String> = own.iter().map(ToString::to_string).collect();
            format!("{id}: {}", own.join(" "))
        };
        assignments.iter().map(one).collect::<Vec<_>>().join(" | ")
    }

    fn counts(topics: &[(&str, i32)]) -> BTreeMap<String, i32> {
        topics.iter().map(|(topic, count)| ((*topic).to_owned(), *count)).collect()
    }

    #[test]
    fn ranges_are_stretches_of_each_topic_and_the_first_get_more() {
        let members = vec![member("b", None, &["t", "u"]), member("a", None, &["t"])];
        let found = Assignor::Range.assign(members, &counts(&[("t", 3), ("u", 2)]));
        assert_eq!(shown(&found), "a: t-0 t-1 | b: t-2 u-0 u-1");
        let members = vec![member("a", None, &["t"]), member("z", Some("i"), &["t"])];
        let found = Assignor::Range.assign(members, &counts(&[("t", 1)]));
        assert_eq!(shown(&found), "a:  | z: t-0", "static members come first");
    }

    #[test]
    fn topics_come_in_the_order_of_a_java_map() {
        let members = vec![member("a", None, &["greet", "greeting"])];
        let found = Assignor::Range.assign(members, &counts(&[("greet", 1), ("greeting", 1)]));
        assert_eq!(shown(&found), "a: greeting-0 greet-0");
    }

    #[test]
    fn partitions_go_around_those_who_want_them() {
        let members = vec![
            member("c", None, &["t", "u"]),
            member("a", None, &["t"]),
            member("b", None, &["t", "u"]),
        ];
        let found = Assignor::RoundRobin.assign(members, &counts(&[("t", 4), ("u", 3)]));
        assert_eq!(shown(&found), "a: t-0 t-3 | b: t-1 u-0 u-2 | c: t-2 u-1");
    }
}
