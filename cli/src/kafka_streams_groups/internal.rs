//! The topics that groups of Streams have made for themselves.
//!
//! Answers to `retrieveInternalTopics`.

use std::collections::BTreeMap;

use client::admin::{Admin, AdminError, StreamsGroupDescription};

use crate::group_command::Streams;
use crate::java_order::{sort_by_hash, string_hash};
use crate::streams_topics::is_internal;

/// The internal topics of each group that has any.
pub(super) async fn topics(
    admin: &mut Admin,
    groups: &[String],
    streams: &mut Streams<'_>,
) -> std::io::Result<BTreeMap<String, Vec<String>>> {
    let mut answers: Vec<_> = admin.describe_streams_groups(groups).await.into_iter().collect();
    sort_by_hash(&mut answers, |(group, _)| string_hash(group));
    let described: Result<Vec<_>, AdminError> =
        answers.into_iter().map(|(_, answer)| answer).collect();
    let described = match described {
        Ok(described) => described,
        Err(AdminError::UnsupportedVersion { .. }) => {
            say_unsupported(admin, groups, streams).await?;
            return Ok(BTreeMap::new());
        }
        Err(error) => {
            let class = error.class();
            streams.error(&format!("Retrieving internal topics failed due to {class}: {error}"))?;
            return Ok(BTreeMap::new());
        }
    };
    let mut found = BTreeMap::new();
    for group in &described {
        let (own, foreign): (Vec<String>, Vec<String>) =
            made_by(group).into_iter().partition(|topic| is_internal(topic, &group.group));
        for topic in foreign {
            streams.error(&format!(
                "The internal topic '{topic}' is not inferred as internal and thus will not be \
                 deleted with the group '{}'.",
                group.group
            ))?;
        }
        if !own.is_empty() {
            found.insert(group.group.clone(), own);
        }
    }
    Ok(found)
}

/// What the topology of a group names as made by it.
fn made_by(group: &StreamsGroupDescription) -> Vec<String> {
    let parts = || group.subtopologies.iter();
    let is_source = |topic: &String| parts().any(|part| part.source_topics.contains(topic));
    let made = parts().flat_map(|part| {
        let sorted = |topics: &[String]| {
            let mut topics = topics.to_vec();
            sort_by_hash(&mut topics, |topic| string_hash(topic));
            topics
        };
        let mut made = sorted(&part.repartition_source_topics);
        made.extend(sorted(&part.state_changelog_topics));
        made
    });
    made.filter(|topic| !is_source(topic)).collect()
}

async fn say_unsupported(
    admin: &mut Admin,
    groups: &[String],
    streams: &mut Streams<'_>,
) -> std::io::Result<()> {
    let Ok(listed) = admin.list_topics().await else {
        return streams.error(
            "Retrieving internal topics is not supported by the broker version. Use \
             'kafka-topics.sh' to list and delete the group's internal topics.",
        );
    };
    let mut topics: Vec<String> = listed
        .into_iter()
        .map(|topic| topic.name)
        .filter(|topic| groups.iter().any(|group| is_internal(topic, group)))
        .collect();
    sort_by_hash(&mut topics, |topic| string_hash(topic));
    streams.error(&format!(
        "Retrieving internal topics is not supported by the broker version.\nInternal topics: \
         ({}).\nUse 'kafka-topics.sh' to delete the group's internal topics.",
        topics.join(",")
    ))
}

#[cfg(test)]
mod tests {
    use client::admin::{GroupState, StreamsSubtopology};

    use super::*;

    #[test]
    fn what_one_part_reads_from_another_is_no_topic_of_its_own() {
        let part = |sources: &[&str], changelogs: &[&str], repartitioned: &[&str]| {
            let owned = |topics: &[&str]| topics.iter().map(|t| (*t).to_owned()).collect();
            StreamsSubtopology {
                id: "0".to_owned(),
                source_topics: owned(sources),
                state_changelog_topics: owned(changelogs),
                repartition_source_topics: owned(repartitioned),
            }
        };
        let group = StreamsGroupDescription {
            group: "app".to_owned(),
            state: GroupState::Empty,
            coordinator: 1,
            group_epoch: 1,
            assignment_epoch: 1,
            topology_epoch: 0,
            subtopologies: vec![
                part(&["orders", "table"], &["app-a-changelog", "table"], &[]),
                part(&[], &["app-b-changelog"], &["app-x-repartition"]),
            ],
            members: Vec::new(),
        };
        let expected = ["app-a-changelog", "app-x-repartition", "app-b-changelog"];
        assert_eq!(made_by(&group), expected);
    }
}
