//! `kafka-groups`: lists groups of all types.
//!
//! Answers to org.apache.kafka.tools.GroupsCommand of Kafka 4.3.1, whose help is `help-4.3.1.txt`.

use std::io::Write;
use std::time::Duration;

use client::admin::{Admin, AdminError, Bootstrap, GroupFilter, GroupListing, GroupType};
use serde::Serialize;

use crate::java_order::{sort_by_hash, string_hash};
use crate::joptsimple::{Opt, OptionError, ParsedOptions, parse};
use crate::json;
use crate::session::{Session, SessionError, properties, settings};

const HELP: &str = include_str!("help-4.3.1.txt");
const USAGE: &str = "This tool helps to list groups of all types.";
/// How long the tool waits, whatever the client's own times are.
const PATIENCE: Duration = Duration::from_secs(30);

const OPTIONS: &[Opt] = &[
    Opt::switch("help"),
    Opt::switch("version"),
    Opt::value("bootstrap-server"),
    Opt::value("command-config"),
    Opt::switch("list"),
    Opt::value("group-type"),
    Opt::value("protocol"),
    Opt::switch("consumer"),
    Opt::switch("share"),
    Opt::switch("streams"),
    Opt::switch("json").beside(&["list"]),
];

/// Why nothing is listed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// These words, and the help below them.
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Words(&'static str),
    #[error("{0}")]
    Option(#[from] OptionError),
    #[error("{0}")]
    Session(SessionError),
    /// Said on stdout, as what the cluster says.
    #[error("{0}")]
    NotCreated(SessionError),
    #[error("{0}")]
    Admin(#[from] AdminError),
    /// Java's exception has no words.
    #[error("null")]
    TimedOut,
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Which groups are shown.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shown {
    kind: Option<GroupType>,
    protocol: Option<String>,
    consumer: bool,
    share: bool,
    streams: bool,
}

/// A row of what is listed.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GroupRow<'a> {
    group_id: &'a str,
    #[serde(rename = "type")]
    kind: Option<&'static str>,
    protocol: &'a str,
}

/// Runs the tool.
pub(crate) fn run(arguments: &[String], out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    let failure = match perform(arguments, out) {
        Ok(()) => return 0,
        Err(failure) => failure,
    };
    let _ = match failure {
        Failure::Usage(words) => writeln!(err, "{words}\n{}", HELP.trim_end_matches('\n')),
        // Streams that nobody reads any more are no reason to complain.
        Failure::Io(_) => Ok(()),
        Failure::NotCreated(_) | Failure::Admin(_) | Failure::TimedOut => {
            let words = failure.to_string();
            let words = words.lines().next().unwrap_or_default();
            writeln!(out, "Error while executing groups command : {words}")
        }
        Failure::Words(_) | Failure::Option(_) | Failure::Session(_) => writeln!(err, "{failure}"),
    };
    1
}

fn perform(arguments: &[String], out: &mut dyn Write) -> Result<(), Failure> {
    let usage = |words: String| Err(Failure::Usage(words));
    let given = parse(OPTIONS, arguments)
        .and_then(|given| given.check_required("bootstrap-server").map(|()| given));
    let given = match given {
        Ok(given) => given,
        Err(error) => return usage(error.to_string()),
    };
    if given.has("help") {
        return usage(USAGE.to_owned());
    }
    if given.has("version") {
        return Ok(writeln!(out, "{}", crate::KAFKA_RELEASE)?);
    }
    if !given.has("list") {
        return usage("Command must include exactly one action: --list.".to_owned());
    }
    let shown = shown(&given)?;
    let properties = properties(given.value("command-config")?).map_err(Failure::Session)?;
    let servers = given.value("bootstrap-server")?.unwrap_or_default();
    let opened = settings(&properties)
        .and_then(|settings| Session::open(Bootstrap::Servers, servers, settings, "AdminClient"));
    let mut session = opened.map_err(Failure::NotCreated)?;
    let groups = session.run(async |admin| list(admin, &shown).await)?;
    let rows: Vec<GroupRow<'_>> = groups.iter().map(GroupRow::of).collect();
    Ok(match given.has("json") {
        true => json::rows(rows, out),
        false => out.write_all(table(&rows).as_bytes()),
    }?)
}

fn shown(given: &ParsedOptions) -> Result<Shown, Failure> {
    let kind = given.value("group-type")?.map(GroupType::parse);
    if kind == Some(GroupType::Unknown) {
        return Err(Failure::Words("--group-type must be a valid group type."));
    }
    let apart: [(&str, [&str; 4]); 3] = [
        ("consumer", ["group-type", "protocol", "share", "streams"]),
        ("share", ["consumer", "group-type", "protocol", "streams"]),
        ("streams", ["consumer", "group-type", "protocol", "share"]),
    ];
    for (used, others) in apart {
        let other = others.into_iter().find(|other| given.has(used) && given.has(other));
        if let Some(other) = other {
            return Err(Failure::Usage(format!(
                "Option \"[{used}]\" can't be used with option \"[{other}]\""
            )));
        }
    }
    Ok(Shown {
        kind,
        protocol: given.value("protocol")?.map(str::to_owned),
        consumer: given.has("consumer"),
        share: given.has("share"),
        streams: given.has("streams"),
    })
}

async fn list(admin: &mut Admin, shown: &Shown) -> Result<Vec<GroupListing>, Failure> {
    let filter = GroupFilter::default();
    let listed = tokio::time::timeout(PATIENCE, admin.list_groups(&filter)).await;
    let mut groups = listed.map_err(|_| Failure::TimedOut)??;
    sort_by_hash(&mut groups, |group| string_hash(&group.group));
    groups.retain(|group| shown.includes(group));
    Ok(groups)
}

impl Shown {
    fn includes(&self, group: &GroupListing) -> bool {
        let is_protocol = |wanted: &String| *wanted == group.protocol_type;
        if self.kind.is_some() {
            return group.kind == self.kind && self.protocol.as_ref().is_none_or(is_protocol);
        }
        if let Some(protocol) = &self.protocol {
            return is_protocol(protocol);
        }
        if self.consumer {
            let is_simple = ["consumer", ""].contains(&group.protocol_type.as_str());
            return is_simple || group.kind == Some(GroupType::Consumer);
        }
        if self.share {
            return group.kind == Some(GroupType::Share);
        }
        !self.streams || group.kind == Some(GroupType::Streams)
    }
}

impl<'a> GroupRow<'a> {
    fn of(group: &'a GroupListing) -> Self {
        let kind = group.kind.map(GroupType::name);
        Self { group_id: &group.group, kind, protocol: &group.protocol_type }
    }
}

fn table(rows: &[GroupRow<'_>]) -> String {
    let cells = |row: &GroupRow<'_>| {
        [row.group_id, row.kind.unwrap_or_default(), row.protocol].map(str::to_owned)
    };
    let rows: Vec<[String; 3]> = rows.iter().map(cells).collect();
    let longest = rows.iter().flatten().map(|text| text.encode_utf16().count()).max();
    let width = longest.unwrap_or_default().max(20);
    let mut table = format!("{:<width$} {:<width$} {:<width$}\n", "GROUP", "TYPE", "PROTOCOL");
    for [group, kind, protocol] in rows {
        table.push_str(&format!("{group:<width$} {kind:<width$} {protocol:<width$} \n"));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str, kind: GroupType, protocol: &str) -> GroupListing {
        GroupListing {
            group: name.to_owned(),
            protocol_type: protocol.to_owned(),
            state: None,
            kind: Some(kind),
        }
    }

    #[test]
    fn groups_are_chosen_by_type_and_protocol() {
        let groups = [
            group("old", GroupType::Classic, "consumer"),
            group("simple", GroupType::Classic, ""),
            group("connect", GroupType::Classic, "connect"),
            group("new", GroupType::Consumer, "consumer"),
            group("shared", GroupType::Share, "share"),
            group("streams", GroupType::Streams, "streams"),
        ];
        let chosen = |shown: &Shown| {
            let chosen = groups.iter().filter(|group| shown.includes(group));
            chosen.map(|group| group.group.as_str()).collect::<Vec<_>>().join(" ")
        };
        let classic = Some(GroupType::Classic);
        let protocol = Some("connect".to_owned());
        let none = Shown::default;
        assert_eq!(chosen(&none()), "old simple connect new shared streams");
        assert_eq!(chosen(&Shown { kind: classic, ..none() }), "old simple connect");
        assert_eq!(chosen(&Shown { kind: classic, protocol, ..none() }), "connect");
        assert_eq!(chosen(&Shown { consumer: true, ..none() }), "old simple new");
        assert_eq!(chosen(&Shown { share: true, ..none() }), "shared");
        assert_eq!(chosen(&Shown { streams: true, ..none() }), "streams");
    }
}
