//! Whether an application is at work: members that its group still has.
//!
//! Answers to `maybeDeleteActiveConsumers`. Where Java's sets have no order, partitions are sorted
//! (docs/decisions/0372).

use std::time::Duration;

use client::admin::{Admin, AdminError, AdminSettings, GroupMember, TopicPartition};

use super::{Failure, Streams};

const GROUP_ID_NOT_FOUND: i16 = 69;
const UNKNOWN_MEMBER_ID: i16 = 25;
const RETRIES: u32 = 3;
/// How long a description may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Refuses to go on while there are members, or makes them leave.
pub(super) async fn see_to(
    admin: &mut Admin,
    settings: &AdminSettings,
    group: &str,
    is_forced: bool,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let mut retries = 0;
    loop {
        let members = members(admin, settings, group).await?;
        if members.is_empty() {
            return Ok(());
        }
        if !is_forced {
            return Err(still_active(group, &members));
        }
        writeln!(streams.out, "Force deleting all active members in the group: {group}")?;
        let left = admin.remove_group_members(group, &members).await?;
        let failure = left.into_iter().find_map(|(shown, result)| Some((shown, result.err()?)));
        match failure {
            None => return Ok(()),
            // It may have left by itself: that is looked at again.
            Some((_, error)) if error.code() == Some(UNKNOWN_MEMBER_ID) && retries < RETRIES => {
                retries += 1;
            }
            Some((shown, _)) => {
                return Err(Failure::thrown(
                    "java.util.concurrent.ExecutionException",
                    format!(
                        "org.apache.kafka.common.KafkaException: Encounter exception when trying \
                         to remove: {shown}"
                    ),
                ));
            }
        }
    }
}

/// The members of a group; none where there is no such group.
async fn members(
    admin: &mut Admin,
    settings: &AdminSettings,
    group: &str,
) -> Result<Vec<GroupMember>, Failure> {
    admin.limit_calls(PATIENCE);
    let mut described = admin.describe_consumer_groups(&[group.to_owned()]).await;
    admin.limit_calls(settings.call_timeout);
    let absent = || AdminError::Unusable(format!("no answer tells of group {group}"));
    match described.remove(group).unwrap_or_else(|| Err(absent())) {
        Ok(description) => Ok(description.members),
        Err(error) if error.code() == Some(GROUP_ID_NOT_FOUND) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

fn still_active(group: &str, members: &[GroupMember]) -> Failure {
    let members: Vec<String> = members.iter().map(shown).collect();
    Failure::thrown(
        "java.lang.IllegalStateException",
        format!(
            "Consumer group '{group}' is still active and has following members: [{}]. Make sure \
             to stop all running application instances before running the reset tool. You can use \
             option '--force' to remove active members from the group.",
            members.join(", ")
        ),
    )
}

/// A member as Java's `MemberDescription` shows itself.
fn shown(member: &GroupMember) -> String {
    fn or_null<T: ToString>(value: Option<T>) -> String {
        value.map_or_else(|| "null".to_owned(), |value| value.to_string())
    }
    let generation = member.generation.as_ref();
    let target = generation.map_or_else(
        || "Optional.empty".to_owned(),
        |generation| format!("Optional[{}]", assignment(&generation.target)),
    );
    format!(
        "(memberId={}, groupInstanceId={}, rackId={}, clientId={}, host={}, assignment={}, \
         targetAssignment={target}, memberEpoch={}, upgraded={})",
        member.member_id,
        or_null(member.instance_id.as_ref()),
        or_null(member.rack.as_ref()),
        member.client_id,
        member.host,
        assignment(&member.assigned),
        or_null(generation.map(|generation| generation.epoch)),
        or_null(generation.and_then(|generation| generation.is_upgraded)),
    )
}

fn assignment(partitions: &[TopicPartition]) -> String {
    let mut partitions: Vec<&TopicPartition> = partitions.iter().collect();
    partitions.sort();
    let partitions: Vec<String> = partitions.iter().map(ToString::to_string).collect();
    format!("(topicPartitions={})", partitions.join(","))
}

#[cfg(test)]
mod tests {
    use client::admin::MemberGeneration;

    use super::*;

    #[test]
    fn a_member_is_shown_as_java_shows_it() {
        let partition = |partition| TopicPartition { topic: "orders".to_owned(), partition };
        let classic = GroupMember {
            member_id: "m".to_owned(),
            instance_id: None,
            rack: None,
            client_id: "c".to_owned(),
            host: "/h".to_owned(),
            assigned: vec![partition(1), partition(0)],
            generation: None,
        };
        let expected = "(memberId=m, groupInstanceId=null, rackId=null, clientId=c, host=/h, \
                        assignment=(topicPartitions=orders-0,orders-1), \
                        targetAssignment=Optional.empty, memberEpoch=null, upgraded=null)";
        assert_eq!(shown(&classic), expected);
        let generation =
            MemberGeneration { epoch: 4, target: vec![partition(0)], is_upgraded: Some(true) };
        let new = GroupMember {
            instance_id: Some("first".to_owned()),
            rack: Some("a".to_owned()),
            generation: Some(generation),
            assigned: Vec::new(),
            ..classic
        };
        let expected = "(memberId=m, groupInstanceId=first, rackId=a, clientId=c, host=/h, \
                        assignment=(topicPartitions=), \
                        targetAssignment=Optional[(topicPartitions=orders-0)], memberEpoch=4, \
                        upgraded=true)";
        assert_eq!(shown(&new), expected);
    }
}
