//! `kafka-acls`: who may do what, listed, added and removed.
//!
//! Answers to org.apache.kafka.tools.AclCommand of Kafka 4.3.1, whose help is `help-4.3.1.txt`.
//! `options` judges the command line, `entries` says what it means.
//!
//! Unlike Kafka, whose JVM has no console where stdin is no terminal and ends with that: the answer
//! to a question is read from stdin whatever it is.

mod entries;
mod options;

use std::collections::BTreeMap;
use std::io::{BufRead, Write};

use client::admin::{
    AccessControlEntry, AclBinding, Admin, AdminError, Bootstrap, ResourcePattern,
};
use serde::Serialize;

use self::entries::{of_resources, pattern_type, principals, resources};
use self::options::{Action, OPTIONS};
use crate::joptsimple::{OptionError, ParsedOptions};
use crate::json::Report;
use crate::refused::{Refused, read};
use crate::session::{Session, SessionError, properties, settings};

const HELP: &str = include_str!("help-4.3.1.txt");

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
pub(crate) fn run(arguments: &[String], out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    let (given, action) = match read(OPTIONS, arguments, options::check) {
        Ok(checked) => checked,
        Err(refused) => return refused.answer(HELP, out, err),
    };
    let mut report = Report::new(given.has("json"), out, err);
    let done = open(&given, &mut report).and_then(|mut session| {
        session.run(async |admin| match action {
            Action::Add => add(&given, admin, report.out).await,
            Action::Remove => remove(&given, admin, report.out).await,
            Action::List => {
                list(&given, admin, &mut report).await?;
                Ok(report.end()?)
            }
        })
    });
    match done {
        Ok(()) => 0,
        // Streams that nobody reads any more are no reason to complain.
        Err(Failure::Io(_)) => 1,
        Err(Failure::Refused(refused)) => refused.answer(HELP, out, err),
        Err(failure) => {
            let _ = writeln!(out, "Error while executing ACL command: {failure}");
            1
        }
    }
}

fn open(given: &ParsedOptions, report: &mut Report<'_>) -> Result<Session, Failure> {
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

async fn add(given: &ParsedOptions, admin: &mut Admin, out: &mut dyn Write) -> Result<(), Failure> {
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
    for (pattern, entries) in all {
        let existing = admin.describe_acls(&pattern).await?;
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
            writeln!(out, "Adding ACLs for resource `{pattern}`: \n {shown}\n")?;
            admin.create_acls(&new).await?;
        }
    }
    Ok(())
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
                "Are you sure you want to remove ACLs: \n {}\n from resource filter `{filter}`? \
                 (y/n)",
                lines(entries.iter())
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
        return show(&known, |_| true, report);
    }
    for principal in principals {
        report.heading(&format!("ACLs for principal `{principal}`\n"))?;
        show(&known, |entry| entry.principal == principal, report)?;
    }
    Ok(())
}

fn show(
    known: &BTreeMap<ResourcePattern, Vec<AccessControlEntry>>,
    is_shown: impl Fn(&AccessControlEntry) -> bool,
    report: &mut Report<'_>,
) -> Result<(), Failure> {
    for (resource, entries) in known {
        let mut shown: Vec<_> = entries.iter().filter(|entry| is_shown(entry)).collect();
        shown.sort_unstable();
        if !shown.is_empty() {
            let rows = shown.iter().map(|entry| AclRow::of(resource, entry));
            report.rows(rows, || {
                let shown = lines(shown.iter().copied());
                format!("Current ACLs for resource `{resource}`:\n{shown}\n\n")
            })?;
        }
    }
    Ok(())
}
