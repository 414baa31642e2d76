//! `describe`: the quorum in short, or replica by replica.
//!
//! Pure: the time comes in. Answers to `handleDescribeStatus`, `handleDescribeReplication` and
//! `ToolsUtils.prettyPrintTable`.

use client::admin::{QuorumDescription, QuorumReplica};
use protocol::Base64Uuid;
use serde::Serialize;
use uuid::Uuid;

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

/// `--status`: the quorum in short.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status<'a> {
    cluster_id: Option<&'a str>,
    leader_id: i32,
    leader_epoch: i32,
    high_watermark: i64,
    max_follower_lag: i64,
    max_follower_lag_time_ms: i64,
    current_voters: Vec<Member>,
    current_observers: Vec<Member>,
}

/// A node of the quorum, what it has told of its directory, and where it listens.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Member {
    id: i32,
    directory_id: Option<String>,
    endpoints: Vec<String>,
}

impl<'a> Status<'a> {
    /// Nothing where the leader is no voter.
    pub(super) fn of(cluster_id: Option<&'a str>, quorum: &QuorumDescription) -> Option<Self> {
        let voters = &quorum.voters;
        let leader = voters.iter().find(|voter| voter.id == quorum.leader_id)?;
        let last = voters.iter().min_by_key(|voter| voter.log_end_offset)?;
        let lag_ms = match (leader.last_caught_up, last.last_caught_up) {
            _ if std::ptr::eq(leader, last) => 0,
            (Some(leader), Some(last)) => leader - last,
            _ => -1,
        };
        let members = |replicas: &[QuorumReplica]| {
            replicas.iter().map(|replica| Member::of(quorum, replica)).collect()
        };
        Some(Self {
            cluster_id,
            leader_id: quorum.leader_id,
            leader_epoch: quorum.leader_epoch,
            high_watermark: quorum.high_watermark,
            max_follower_lag: leader.log_end_offset - last.log_end_offset,
            max_follower_lag_time_ms: lag_ms,
            current_voters: members(voters),
            current_observers: members(&quorum.observers),
        })
    }

    pub(super) fn text(&self, release: CliRelease) -> String {
        let listed = |members: &[Member]| match release.is_3_7() {
            true => ids(members),
            false => listed(members),
        };
        format!(
            "ClusterId:              {}\n\
             LeaderId:               {}\n\
             LeaderEpoch:            {}\n\
             HighWatermark:          {}\n\
             MaxFollowerLag:         {}\n\
             MaxFollowerLagTimeMs:   {}\n\
             CurrentVoters:          {}\n\
             CurrentObservers:       {}\n",
            self.cluster_id.unwrap_or("null"),
            self.leader_id,
            self.leader_epoch,
            self.high_watermark,
            self.max_follower_lag,
            self.max_follower_lag_time_ms,
            listed(&self.current_voters),
            listed(&self.current_observers),
        )
    }
}

impl Member {
    fn of(quorum: &QuorumDescription, replica: &QuorumReplica) -> Self {
        let known = quorum.endpoints.iter().find(|(id, _)| *id == replica.id);
        let endpoints = known.map_or(&[][..], |(_, endpoints)| endpoints.as_slice());
        Self {
            id: replica.id,
            directory_id: directory_id(replica),
            endpoints: endpoints.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Nothing where the node has told none.
fn directory_id(replica: &QuorumReplica) -> Option<String> {
    let id = replica.directory_id;
    (!id.is_nil()).then(|| Base64Uuid(id).to_string())
}

/// `[1,2]`, as before KIP-853.
fn ids(members: &[Member]) -> String {
    let ids: Vec<String> = members.iter().map(|member| member.id.to_string()).collect();
    format!("[{}]", ids.join(","))
}

/// `[{"id": 1, "directoryId": "…", "endpoints": ["CONTROLLER://a:1"]}]`.
fn listed(members: &[Member]) -> String {
    let one = |member: &Member| {
        let mut fields = vec![format!("\"id\": {}", member.id)];
        if let Some(id) = &member.directory_id {
            fields.push(format!("\"directoryId\": \"{id}\""));
        }
        if !member.endpoints.is_empty() {
            let endpoints: Vec<String> =
                member.endpoints.iter().map(|endpoint| format!("\"{endpoint}\"")).collect();
            fields.push(format!("\"endpoints\": [{}]", endpoints.join(", ")));
        }
        format!("{{{}}}", fields.join(", "))
    };
    format!("[{}]", members.iter().map(one).collect::<Vec<_>>().join(", "))
}

/// A row of `--replication`. Times are milliseconds since 1970.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReplicaRow {
    node_id: i32,
    directory_id: Option<String>,
    log_end_offset: i64,
    lag: i64,
    last_fetch_timestamp: Option<i64>,
    last_caught_up_timestamp: Option<i64>,
    status: &'static str,
}

/// The leader, the other voters, and who only follows. Nothing where the leader is no voter.
pub(super) fn replication(quorum: &QuorumDescription) -> Option<Vec<ReplicaRow>> {
    let leader = quorum.voters.iter().find(|voter| voter.id == quorum.leader_id)?;
    let followers = quorum.voters.iter().filter(|voter| voter.id != quorum.leader_id);
    let rows = [(leader, "Leader")]
        .into_iter()
        .chain(followers.map(|voter| (voter, "Follower")))
        .chain(quorum.observers.iter().map(|observer| (observer, "Observer")));
    let row = |(replica, status): (&QuorumReplica, _)| ReplicaRow {
        node_id: replica.id,
        directory_id: directory_id(replica),
        log_end_offset: replica.log_end_offset,
        lag: leader.log_end_offset - replica.log_end_offset,
        last_fetch_timestamp: replica.last_fetch,
        last_caught_up_timestamp: replica.last_caught_up,
        status,
    };
    Some(rows.map(row).collect())
}

/// The rows as text; with `now` in milliseconds since 1970, how long ago things were. The words of
/// what is wrong with a clock.
pub(super) fn replication_table(
    release: CliRelease,
    rows: &[ReplicaRow],
    now: Option<i64>,
) -> Result<String, String> {
    let rows: Result<Vec<[String; 7]>, String> = rows.iter().map(|row| cells(row, now)).collect();
    Ok(table(release, &rows?))
}

fn cells(row: &ReplicaRow, now: Option<i64>) -> Result<[String; 7], String> {
    let none = || Base64Uuid(Uuid::nil()).to_string();
    Ok([
        row.node_id.to_string(),
        row.directory_id.clone().unwrap_or_else(none),
        row.log_end_offset.to_string(),
        row.lag.to_string(),
        when(row.last_fetch_timestamp, "last fetch", now)?,
        when(row.last_caught_up_timestamp, "last caught up", now)?,
        row.status.to_owned(),
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
        let quorum = quorum();
        let status = Status::of(Some("id"), &quorum).unwrap();
        let json = serde_json::to_string(&status).unwrap();
        let voters = r#""currentVoters":[{"id":1,"directoryId":null,"endpoints":["C://[::1]:9"]}"#;
        assert!(json.contains(voters) && json.contains(r#""maxFollowerLag":20,"#), "{json}");
        let status = status.text(CliRelease::V4_3);
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
        let rows = replication(&quorum()).unwrap();
        let json = serde_json::to_string(&rows[0]).unwrap();
        let expected = concat!(
            r#"{"nodeId":2,"directoryId":null,"logEndOffset":100,"lag":0,"#,
            r#""lastFetchTimestamp":null,"lastCaughtUpTimestamp":1000,"status":"Leader"}"#
        );
        assert_eq!(json, expected);
        let shown = |now| replication_table(CliRelease::V4_3, &rows, Some(now));
        let table = shown(1500).unwrap();
        let rows: Vec<Vec<&str>> =
            table.lines().map(|line| line.split('\t').map(str::trim).collect()).collect();
        let id = "AAAAAAAAAAAAAAAAAAAAAA";
        assert_eq!(rows[1], ["2", id, "100", "0", "-1", "500 ms ago", "Leader", ""]);
        assert_eq!(rows[2], ["1", id, "80", "20", "-1", "1100 ms ago", "Follower", ""]);
        let drifted = shown(500).unwrap_err();
        assert!(drifted.ends_with("Current timestamp is 500, last caught up timestamp is 1000"));
    }
}
