//! `kafka-acls`: who may do what, listed, added and removed.
//!
//! Answers to org.apache.kafka.tools.AclCommand of Kafka 4.3.1, whose help is `help-4.3.1.txt`, and
//! to kafka.admin.AclCommand of 3.7.0, which lists what there is behind every change.
//! `options` judges the command line, `entries` says what it means.
//!
//! Unlike Kafka, whose JVM has no console where stdin is no terminal and ends with that: the answer
//! to a question is read from stdin whatever it is. An authorizer that 3.7 asks itself, beside the
//! brokers (`--authorizer-properties zookeeper.connect=…`), keeps its entries in a ZooKeeper, and
//! none is asked here.

mod entries;
mod options;

use std::collections::BTreeMap;
use std::io::{BufRead, Write};

use client::admin::{
    AccessControlEntry, AclBinding, Admin, AdminError, Bootstrap, ResourcePattern,
};
use serde::Serialize;

use self::entries::{Entries, of_resources, pattern_type, principals, resources};
use self::options::{Action, DEPRECATED, OPTIONS, asks_authorizer};
use crate::joptsimple::{OptionError, ParsedOptions};
use crate::json::Report;
use crate::refused::{Refused, read_in};
use crate::release::CliRelease;
use crate::session::{Session, SessionError, properties, settings};

/// The help of a release.
const fn help(release: CliRelease) -> &'static str {
    release.either(include_str!("help-3.7.0.txt"), include_str!("help-4.3.1.txt"))
}

/// Why a command that got past its options failed.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// With the help below it.
    #[error("{0:?}")]
    Refused(Refused),
    #[error("{0}")]
    Option(#[from] OptionError),
    #[error("{0}")]
    Words(String),
    /// As Java shows the cause of a future that failed.
    #[error("{class}: {0}", class = .0.class())]
    Asked(#[from] AdminError),
    #[error("{0}")]
    Session(String),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

impl From<SessionError> for Failure {
    fn from(error: SessionError) -> Self {
        Self::Session(error.to_string().lines().next().unwrap_or_default().to_owned())
    }
}

/// A row of what is listed: an entry with its resource.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AclRow<'a> {
    resource_type: &'static str,
    name: Option<&'a str>,
    pattern_type: &'static str,
    principal: &'a str,
    host: &'a str,
    operation: &'static str,
    permission_type: &'static str,
}

impl<'a> AclRow<'a> {
    fn of(pattern: &'a ResourcePattern, entry: &'a AccessControlEntry) -> Self {
        Self {
            resource_type: pattern.resource_type.constant(),
            name: pattern.name.as_deref(),
            pattern_type: pattern.pattern_type.constant(),
            principal: &entry.principal,
            host: &entry.host,
            operation: entry.operation.constant(),
            permission_type: entry.permission_type.constant(),
        }
    }
}

/// Runs the tool.
pub(crate) fn run(
    release: CliRelease,
    arguments: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> i32 {
    let (given, action) = match read_in(release, OPTIONS, arguments, options::check) {
        Ok(checked) => checked,
        Err(refused) => return refused.answer_in(release, help(release), out, err),
    };
    let mut report = Report::new(given.has("json"), out, err);
    let done = open(&given, action, &mut report).and_then(|mut session| {
        session.run(async |admin| {
            match action {
                Action::Add => add(&given, admin, report.out).await?,
                Action::Remove => remove(&given, admin, report.out).await?,
                Action::List => {}
            }
            if action == Action::List || release.is_3_7() {
                list(&given, admin, &mut report).await?;
            }
            match action {
                Action::List => Ok(report.end()?),
                Action::Add | Action::Remove => Ok(()),
            }
        })
    });
    match done {
        Ok(()) => 0,
        // Streams that nobody reads any more are no reason to complain.
        Err(Failure::Io(_)) => 1,
        Err(Failure::Refused(refused)) => refused.answer_in(release, help(release), out, err),
        Err(failure) => {
            let _ = writeln!(out, "Error while executing ACL command: {failure}");
            1
        }
    }
}

/// Why an authorizer that is named by its properties is not asked.
fn beside_brokers(given: &ParsedOptions) -> Result<Failure, Failure> {
    const DEFAULT: &str = "kafka.security.authorizer.AclAuthorizer";
    let typed = given.values("authorizer-properties");
    if let Some(key) = typed.iter().find(|typed| !typed.contains('=')) {
        return Ok(Failure::Words(format!("Missing value for key {key}}}")));
    }
    properties(given.value("zk-tls-config-file")?)?;
    let words = match given.value("authorizer")? {
        Some(class) if class != DEFAULT => class,
        _ if typed.iter().any(|typed| typed.starts_with("zookeeper.connect=")) => {
            "There is no ZooKeeper to ask: use --bootstrap-server"
        }
        _ => "Missing required configuration `zookeeper.connect` which has no default value.",
    };
    Ok(Failure::Words(words.to_owned()))
}

fn open(
    given: &ParsedOptions,
    action: Action,
    report: &mut Report<'_>,
) -> Result<Session, Failure> {
    if asks_authorizer(given) {
        writeln!(report.err, "{DEPRECATED}")?;
        return Err(beside_brokers(given)?);
    }
    if given.release().is_3_7() && action == Action::Add {
        additions(given)?;
    }
    let file = given.value("command-config")?;
    if file.is_none() && given.has("command-config") {
        report.remark("Did not load any properties since the property file is not specified")?;
    }
    let settings = settings(&properties(file)?)?;
    let (bootstrap, list) = match given.value("bootstrap-server")? {
        Some(list) => (Bootstrap::Servers, list),
        None => {
            let list = given.value("bootstrap-controller")?.unwrap_or_default();
            (Bootstrap::Controllers, list)
        }
    };
    Ok(Session::open(bootstrap, list, settings, "AdminClient")?)
}

/// What shall be added, which must be something of resources that are named.
fn additions(given: &ParsedOptions) -> Result<Entries, Failure> {
    use client::admin::PatternType::{Literal, Prefixed};
    let pattern_type = pattern_type(given)?;
    let usage = |words: String| Failure::Refused(Refused::Usage(words));
    if ![Literal, Prefixed].contains(&pattern_type) {
        return Err(usage(format!(
            "A '--resource-pattern-type' value of '{pattern_type}' is not valid when adding acls."
        )));
    }
    let all = of_resources(given)?;
    if all.iter().any(|(_, entries)| entries.is_empty()) {
        return Err(usage(
            "You must specify one of: --allow-principal, --deny-principal when trying to add ACLs."
                .to_owned(),
        ));
    }
    Ok(all)
}

async fn add(given: &ParsedOptions, admin: &mut Admin, out: &mut dyn Write) -> Result<(), Failure> {
    let is_old = given.release().is_3_7();
    for (pattern, entries) in additions(given)? {
        // 3.7 adds what is there already again.
        let existing = if is_old { Vec::new() } else { admin.describe_acls(&pattern).await? };
        let mut new = Vec::new();
        for entry in entries {
            let binding = AclBinding { pattern: pattern.clone(), entry };
            match existing.contains(&binding) {
                true => writeln!(out, "Acl {binding} already exists.")?,
                false => new.push(binding),
            }
        }
        if !new.is_empty() {
            let shown = lines(new.iter().map(|binding| &binding.entry));
            let space = space(given);
            writeln!(out, "Adding ACLs for resource `{pattern}`: \n {shown}{space}\n")?;
            admin.create_acls(&new).await?;
        }
    }
    Ok(())
}

/// What 3.7 has behind lines.
fn space(given: &ParsedOptions) -> &'static str {
    given.release().either(" ", "")
}

fn lines<'a>(entries: impl Iterator<Item = &'a AccessControlEntry>) -> String {
    entries.map(|entry| format!("\t{entry}")).collect::<Vec<_>>().join("\n")
}

async fn remove(
    given: &ParsedOptions,
    admin: &mut Admin,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    for (filter, entries) in of_resources(given)? {
        let question = match entries.is_empty() {
            true => format!(
                "Are you sure you want to delete all ACLs for resource filter `{filter}`? (y/n)"
            ),
            false => format!(
                "Are you sure you want to remove ACLs: \n {}{}\n from resource filter `{filter}`? \
                 (y/n)",
                lines(entries.iter()),
                space(given)
            ),
        };
        if given.has("force") || is_confirmed(&question, out)? {
            admin.delete_acls(&filter, &entries).await?;
        }
    }
    Ok(())
}

fn is_confirmed(question: &str, out: &mut dyn Write) -> Result<bool, Failure> {
    writeln!(out, "{question}")?;
    out.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim_end_matches(['\r', '\n']).eq_ignore_ascii_case("y"))
}

async fn list(
    given: &ParsedOptions,
    admin: &mut Admin,
    report: &mut Report<'_>,
) -> Result<(), Failure> {
    let mut filters = resources(given)?;
    let principals = principals(given, "principal")?;
    if filters.is_empty() {
        filters.push(ResourcePattern::ANY);
    }
    let mut known = BTreeMap::<ResourcePattern, Vec<AccessControlEntry>>::new();
    for filter in &filters {
        for AclBinding { pattern, entry } in admin.describe_acls(filter).await? {
            let entries = known.entry(pattern).or_default();
            if !entries.contains(&entry) {
                entries.push(entry);
            }
        }
    }
    if principals.is_empty() {
        return show(&known, |_| true, given.release(), report);
    }
    for principal in principals {
        report.heading(&format!("ACLs for principal `{principal}`\n"))?;
        show(&known, |entry| entry.principal == principal, given.release(), report)?;
    }
    Ok(())
}

fn show(
    known: &BTreeMap<ResourcePattern, Vec<AccessControlEntry>>,
    is_shown: impl Fn(&AccessControlEntry) -> bool,
    release: CliRelease,
    report: &mut Report<'_>,
) -> Result<(), Failure> {
    for (resource, entries) in known {
        let mut shown: Vec<_> = entries.iter().filter(|entry| is_shown(entry)).collect();
        shown.sort_unstable();
        if !shown.is_empty() {
            let rows = shown.iter().map(|entry| AclRow::of(resource, entry));
            report.rows(rows, || {
                let shown = lines(shown.iter().copied());
                match release.is_3_7() {
                    true => format!("Current ACLs for resource `{resource}`: \n {shown} \n\n"),
                    false => format!("Current ACLs for resource `{resource}`:\n{shown}\n\n"),
                }
            })?;
        }
    }
    Ok(())
}
