//! `--reset-offsets`: where a share group shall start, shown or carried out.
//!
//! Answers to `resetOffsets`, `getPartitionsToReset` and `prepareOffsetsToReset`.

use client::admin::{Admin, AdminError, GroupState, OffsetSpec, TopicPartition};

use crate::group_command::{Failure, Streams};
use crate::java_order::{partition_hash, sort_by_hash};
use crate::joptsimple::ParsedOptions;
use crate::offsets::{self, Offsets};

const GROUP_ID_NOT_FOUND: i16 = 69;

pub(super) async fn run(
    given: &ParsedOptions,
    admin: &mut Admin,
    streams: &mut Streams<'_>,
) -> Result<(), Failure> {
    let group = given.value("group")?.unwrap_or_default().to_owned();
    let mut described = admin.describe_share_groups(std::slice::from_ref(&group)).await;
    match described.remove(&group) {
        Some(Ok(description))
            if [GroupState::Empty, GroupState::Dead].contains(&description.state) => {}
        Some(Ok(_)) => {
            return Err(Failure::Refused(format!("Share group '{group}' is not empty.")));
        }
        Some(Err(error)) if error.code() == Some(GROUP_ID_NOT_FOUND) => {}
        Some(Err(AdminError::IllegalArgument(words))) => return Err(Failure::Words(words)),
        Some(Err(error)) => return Err(Failure::Refused(error.to_string())),
        None => {}
    }
    let partitions = partitions(given, admin, &group).await?;
    offsets::check_valid(admin, &partitions).await?;
    let offsets = planned(given, admin, streams, &partitions).await?;
    if given.has("execute") && !given.has("dry-run") {
        let altered = admin.alter_share_group_offsets(&group, &offsets).await;
        altered.map_err(|error| Failure::plain(&error))?;
    }
    Ok(streams.out.write_all(offsets::table(&[(group, offsets)]).as_bytes())?)
}

async fn partitions(
    given: &ParsedOptions,
    admin: &mut Admin,
    group: &str,
) -> Result<Vec<TopicPartition>, Failure> {
    if given.has("topic") {
        return Ok(offsets::partitions_of(admin, &given.values("topic")).await?);
    }
    let mut answers = admin.share_group_offsets(&[group.to_owned()]).await;
    let starts = answers.remove(group).transpose().map_err(|error| Failure::plain(&error))?;
    let mut partitions: Vec<TopicPartition> =
        starts.unwrap_or_default().into_iter().map(|(partition, _)| partition).collect();
    sort_by_hash(&mut partitions, partition_hash);
    Ok(partitions)
}

async fn planned(
    given: &ParsedOptions,
    admin: &mut Admin,
    streams: &mut Streams<'_>,
    partitions: &[TopicPartition],
) -> Result<Offsets, Failure> {
    if given.has("to-earliest") {
        return Ok(offsets::listed(admin, partitions, OffsetSpec::Earliest).await?);
    }
    if given.has("to-latest") {
        return Ok(offsets::listed(admin, partitions, OffsetSpec::Latest).await?);
    }
    let dates = given.values("to-datetime");
    let millis = offsets::date_millis(dates.first().copied().unwrap_or_default())
        .map_err(|words| Failure::Words(format!("java.text.ParseException: {words}")))?;
    Ok(offsets::listed_by_time(admin, partitions, millis, streams.out).await?)
}
