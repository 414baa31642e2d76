//! `kafka-metadata-quorum`: describes the quorum of controllers and changes who votes in it.
//!
//! Answers to org.apache.kafka.tools.MetadataQuorumCommand of Kafka 4.3.1, whose help is in the
//! text files. `command_line` reads, `describe` prints, `controller` reads the file of a new one.

mod command_line;
mod controller;
mod describe;

use std::io::Write;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use client::admin::{AdminError, Bootstrap};
use config::Properties;
use protocol::Base64Uuid;

use self::controller::Controller;
use crate::arguments::ParsedOptions;
use crate::json;
use crate::release::CliRelease;
use crate::session::{Session, SessionError, properties, settings};
use crate::subcommands::{Given, Refused};

/// What keeps a command from doing what it is asked.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Words(String),
    /// Java prints an error that came by a future with its class before its words.
    #[error("{}: {}", .0.class(), .0)]
    Asked(#[from] AdminError),
    #[error("{0}")]
    Session(#[from] SessionError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl From<String> for Failure {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

/// Runs the tool; the exit code is 0 or 1.
pub(crate) fn run(
    release: CliRelease,
    arguments: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> i32 {
    let given = match command_line::read(release, arguments) {
        Ok(given) => given,
        Err(Refused::Help(text)) => {
            let _ = out.write_all(text.as_bytes());
            // argparse4j ends 3.7's tool itself.
            return release.either(1, 0);
        }
        Err(Refused::Version) => {
            let _ = writeln!(out, "{}", release.version());
            return 0;
        }
        Err(Refused::Wrong { help, problem }) => {
            let complaint = command_line::complaint(release, help, &problem);
            let _ = err.write_all(complaint.as_bytes());
            return 1;
        }
    };
    match execute(release, &given, out) {
        Ok(()) => 0,
        // Streams that nobody reads any more are no reason to complain.
        Err(Failure::Io(_)) => 1,
        Err(failure) => {
            let _ = writeln!(err, "{failure}");
            1
        }
    }
}

fn execute(release: CliRelease, given: &Given, out: &mut dyn Write) -> Result<(), Failure> {
    let file = given.tool.value("command-config");
    if let Some(path) = file.filter(|path| !Path::new(path).exists()) {
        return Err(Failure::Words(format!("Properties file {path} does not exists!")));
    }
    let properties = properties(file)?;
    let (bootstrap, list) = match given.tool.value("bootstrap-server") {
        Some(list) => (Bootstrap::Servers, list),
        None => {
            let list = given.tool.value("bootstrap-controller").unwrap_or_default();
            (Bootstrap::Controllers, list)
        }
    };
    let mut session = Session::open(bootstrap, list, settings(&properties)?, "AdminClient")?;
    let options = &given.options;
    match given.command {
        "describe" => describe(release, options, &mut session, out),
        "add-controller" => {
            if file.is_none() {
                return Err(Failure::Words(
                    "You must supply the configuration file of the controller you are adding when \
                     using add-controller."
                        .to_owned(),
                ));
            }
            add(&properties, options.is_set("dry-run"), &mut session, out)
        }
        _ => remove(options, &mut session, out),
    }
}

fn describe(
    release: CliRelease,
    options: &ParsedOptions,
    session: &mut Session,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let words = |words: &str| Err(Failure::Words(words.to_owned()));
    let is_human = options.is_set("human-readable");
    let is_json = options.is_set("json");
    // Java takes the leader out of a list that does not hold it.
    let no_leader = || Failure::Words("No value present".to_owned());
    match (options.is_set("status"), options.is_set("replication")) {
        (true, true) => words(
            "Only one of --status or --replication should be specified with describe \
                 sub-command",
        ),
        (false, false) => {
            words("One of --status or --replication must be specified with describe sub-command")
        }
        (true, false) if is_human => {
            words("The option --human-readable is only supported along with --replication")
        }
        (true, false) => {
            let cluster = session.run(async |admin| admin.describe_cluster(false).await)?;
            let quorum = session.run(async |admin| admin.describe_quorum().await)?;
            let status = describe::Status::of(cluster.cluster_id.as_deref(), &quorum);
            let status = status.ok_or_else(no_leader)?;
            Ok(match is_json {
                true => json::object(&status, out),
                false => out.write_all(status.text(release).as_bytes()),
            }?)
        }
        (false, true) => {
            let quorum = session.run(async |admin| admin.describe_quorum().await)?;
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let now = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
            let rows = describe::replication(&quorum).ok_or_else(no_leader)?;
            if is_json {
                return Ok(json::rows(rows, out)?);
            }
            let table = describe::replication_table(release, &rows, is_human.then_some(now))?;
            Ok(out.write_all(table.as_bytes())?)
        }
    }
}

fn add(
    properties: &Properties,
    is_dry_run: bool,
    session: &mut Session,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let Controller { id, directory_id, endpoints } = Controller::read(properties)?;
    if !is_dry_run {
        session.run(async |admin| admin.add_voter(id, directory_id.0, &endpoints).await)?;
    }
    let done = if is_dry_run { "DRY RUN of adding" } else { "Added" };
    let endpoints: Vec<String> = endpoints.iter().map(ToString::to_string).collect();
    let endpoints = endpoints.join(", ");
    Ok(writeln!(
        out,
        "{done} controller {id} with directory id {directory_id} and endpoints: {endpoints}"
    )?)
}

fn remove(
    options: &ParsedOptions,
    session: &mut Session,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let id = options.value("controller-id").and_then(|id| id.parse::<i32>().ok());
    let id = id.unwrap_or_default();
    if id < 0 {
        return Err(Failure::Words(format!("Invalid negative --controller-id: {id}")));
    }
    let text = options.value("controller-directory-id").unwrap_or_default();
    let directory = directory_id(text)
        .map_err(|problem| format!("Failed to parse --controller-directory-id: {problem}"))?;
    let is_dry_run = options.is_set("dry-run");
    if !is_dry_run {
        session.run(async |admin| admin.remove_voter(id, directory.0).await)?;
    }
    let done = if is_dry_run { "DRY RUN of removing " } else { "Removed " };
    Ok(writeln!(out, "{done} KRaft controller {id} with directory id {directory}")?)
}

/// `Uuid.fromString`, with the words of Java's decoder.
fn directory_id(text: &str) -> Result<Base64Uuid, String> {
    if text.chars().count() > 24 {
        let start: String = text.chars().take(24).collect();
        return Err(format!(
            "Input string with prefix `{start}` is too long to be decoded as a base64 UUID"
        ));
    }
    let is_digit = |c: char| c.is_ascii_alphanumeric() || "-_=".contains(c);
    if let Some(wrong) = text.chars().find(|c| !is_digit(*c)) {
        return Err(format!("Illegal base64 character {:x}", u32::from(wrong)));
    }
    let digits = text.trim_end_matches('=').len();
    match (Base64Uuid::parse(text), digits % 4) {
        (Some(id), _) => Ok(id),
        (None, 1) => Err("Last unit does not have enough valid bits".to_owned()),
        (None, _) => Err(format!(
            "Input string `{text}` decoded as {} bytes, which is not equal to the expected 16 \
             bytes of a base64-encoded UUID",
            digits * 3 / 4
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::directory_id;

    #[test]
    fn directory_ids_are_base64_of_sixteen_bytes() {
        let id = "MvDxzVmcRsaTz33bUuRU6A";
        assert_eq!(directory_id(id).map(|id| id.to_string()), Ok(id.to_owned()));
        for (text, words) in [
            ("AA!A", "Illegal base64 character 21"),
            ("AAAAA", "Last unit does not have enough valid bits"),
            (
                "AAAA",
                "Input string `AAAA` decoded as 3 bytes, which is not equal to the expected 16 \
                 bytes of a base64-encoded UUID",
            ),
        ] {
            assert_eq!(directory_id(text), Err(words.to_owned()));
        }
    }
}
