//! `describe`: the quorum in short, or replica by replica.
//!
//! Pure: the time comes in. Answers to `handleDescribeStatus`, `handleDescribeReplication` and
//! `ToolsUtils.prettyPrintTable`.

use client::admin::{QuorumDescription, QuorumReplica};
use protocol::Base64Uuid;

use crate::pretty_table::pretty_table;
use crate::release::CliRelease;

const HEADERS: [&str; 7] = [
    "NodeId",
    "DirectoryId",
    "LogEndOffset",
    "Lag",
    "LastFetchTimestamp",
    "LastCaughtUpTimestamp",
    "Status",
];

/// `--status`.
pub(super) fn status(
    release: CliRelease,
    cluster_id: &str,
    quorum: &QuorumDescription,
) -> Option<String> {
    let listed = |replicas: &[QuorumReplica]| match release.is_3_7() {
        true => ids(replicas),
        false => listed(quorum, replicas),
    };
    let voters = &quorum.voters;
    let leader = voters.iter().find(|voter| voter.id == quorum.leader_id)?;
    let last = voters.iter().min_by_key(|voter| voter.log_end_offset)?;
    let lag_ms = match (leader.last_caught_up, last.last_caught_up) {
        _ if std::ptr::eq(leader, last) => 0,
        (Some(leader), Some(last)) => leader - last,
        _ => -1,
    };
    Some(format!(
        "ClusterId:              {cluster_id}\n\
         LeaderId:               {}\n\
         LeaderEpoch:            {}\n\
         HighWatermark:          {}\n\
         MaxFollowerLag:         {}\n\
         MaxFollowerLagTimeMs:   {lag_ms}\n\
         CurrentVoters:          {}\n\
         CurrentObservers:       {}\n",
        quorum.leader_id,
        quorum.leader_epoch,
        quorum.high_watermark,
        leader.log_end_offset - last.log_end_offset,
        listed(voters),
        listed(&quorum.observers),
    ))
}

/// `[1,2]`, as before KIP-853.
fn ids(replicas: &[QuorumReplica]) -> String {
    let ids: Vec<String> = replicas.iter().map(|replica| replica.id.to_string()).collect();
    format!("[{}]", ids.join(","))
}

/// `[{"id": 1, "directoryId": "…", "endpoints": ["CONTROLLER://a:1"]}]`.
fn listed(quorum: &QuorumDescription, replicas: &[QuorumReplica]) -> String {
    let one = |replica: &QuorumReplica| {
        let mut fields = vec![format!("\"id\": {}", replica.id)];
        if !replica.directory_id.is_nil() {
            fields.push(format!("\"directoryId\": \"{}\"", Base64Uuid(replica.directory_id)));
        }
        let known = quorum.endpoints.iter().find(|(id, _)| *id == replica.id);
        let endpoints = known.map_or(&[][..], |(_, endpoints)| endpoints.as_slice());
        if !endpoints.is_empty() {
            let endpoints: Vec<String> =
                endpoints.iter().map(|endpoint| format!("\"{endpoint}\"")).collect();
            fields.push(format!("\"endpoints\": [{}]", endpoints.join(", ")));
        }
        format!("{{{}}}", fields.join(", "))
    };
    format!("[{}]", replicas.iter().map(one).collect::<Vec<_>>().join(", "))
}

/// `--replication`; with `now` in milliseconds since 1970, how long ago things were. Nothing where
/// the leader is no voter; the words of what is wrong with a clock.
pub(super) fn replication(
    release: CliRelease,
    quorum: &QuorumDescription,
    now: Option<i64>,
) -> Option<Result<String, String>> {
    let leader = quorum.voters.iter().find(|voter| voter.id == quorum.leader_id)?;
    let followers = quorum.voters.iter().filter(|voter| voter.id != quorum.leader_id);
    let rows = [(leader, "Leader")]
        .into_iter()
        .chain(followers.map(|voter| (voter, "Follower")))
        .chain(quorum.observers.iter().map(|observer| (observer, "Observer")));
    let rows: Result<Vec<[String; 7]>, String> =
        rows.map(|(replica, status)| row(replica, status, leader.log_end_offset, now)).collect();
    Some(rows.map(|rows| table(release, &rows)))
}

fn row(
    replica: &QuorumReplica,
    status: &str,
    end: i64,
    now: Option<i64>,
) -> Result<[String; 7], String> {
    Ok([
        replica.id.to_string(),
        Base64Uuid(replica.directory_id).to_string(),
        replica.log_end_offset.to_string(),
        (end - replica.log_end_offset).to_string(),
        when(replica.last_fetch, "last fetch", now)?,
        when(replica.last_caught_up, "last caught up", now)?,
        status.to_owned(),
    ])
}

fn when(time: Option<i64>, what: &str, now: Option<i64>) -> Result<String, String> {
    match (time, now) {
        (None, _) => Ok("-1".to_owned()),
        (Some(time), None) => Ok(time.to_string()),
        (Some(time), Some(now)) if (1..=now).contains(&time) => {
            Ok(format!("{} ms ago", now - time))
        }
        (Some(time), Some(now)) => Err(format!(
            "Error while computing relative time, possible drift in system clock.\nCurrent \
             timestamp is {now}, {what} timestamp is {time}"
        )),
    }
}

fn table(release: CliRelease, rows: &[[String; 7]]) -> String {
    // Directories have ids since KIP-853.
    let is_shown = HEADERS.map(|header| !(release.is_3_7() && header == "DirectoryId"));
    let shown = |texts: &[String]| {
        let texts = texts.iter().zip(is_shown).filter(|(_, is_shown)| *is_shown);
        texts.map(|(text, _)| text.clone()).collect::<Vec<String>>()
    };
    let headers = HEADERS.iter().zip(is_shown).filter(|(_, is_shown)| *is_shown);
    let headers: Vec<&str> = headers.map(|(header, _)| *header).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(|row| shown(row)).collect();
    pretty_table(&headers, &rows)
}

#[cfg(test)]
mod tests {
    use client::admin::VoterEndpoint;
    use uuid::Uuid;

    use super::*;

    fn quorum() -> QuorumDescription {
        let replica = |id, log_end_offset, last_caught_up| QuorumReplica {
            id,
            directory_id: Uuid::nil(),
            log_end_offset,
            last_fetch: None,
            last_caught_up,
        };
        let endpoint = VoterEndpoint { listener: "C".to_owned(), host: "::1".to_owned(), port: 9 };
        QuorumDescription {
            leader_id: 2,
            leader_epoch: 5,
            high_watermark: 90,
            voters: vec![replica(1, 80, Some(400)), replica(2, 100, Some(1000))],
            observers: Vec::new(),
            endpoints: vec![(1, vec![endpoint])],
        }
    }

    #[test]
    fn the_status_tells_how_far_the_last_voter_lags() {
        let status = status(CliRelease::V4_3, "id", &quorum()).unwrap();
        for line in [
            "LeaderId:               2",
            "MaxFollowerLag:         20",
            "MaxFollowerLagTimeMs:   600",
            "CurrentVoters:          [{\"id\": 1, \"endpoints\": [\"C://[::1]:9\"]}, {\"id\": 2}]",
            "CurrentObservers:       []",
        ] {
            assert!(status.lines().any(|said| said == line), "{line} in {status}");
        }
    }

    #[test]
    fn replicas_stand_in_a_table_the_leader_first() {
        let table = replication(CliRelease::V4_3, &quorum(), Some(1500)).unwrap().unwrap();
        let rows: Vec<Vec<&str>> =
            table.lines().map(|line| line.split('\t').map(str::trim).collect()).collect();
        let id = "AAAAAAAAAAAAAAAAAAAAAA";
        assert_eq!(rows[1], ["2", id, "100", "0", "-1", "500 ms ago", "Leader", ""]);
        assert_eq!(rows[2], ["1", id, "80", "20", "-1", "1100 ms ago", "Follower", ""]);
        let drifted = replication(CliRelease::V4_3, &quorum(), Some(500)).unwrap().unwrap_err();
        assert!(drifted.ends_with("Current timestamp is 500, last caught up timestamp is 1000"));
    }
}
