//! What the container was given: its environment, with the `K=V` arguments over it, mounted files
//! and the outputs of commands.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use config::dialect::{Dialect, ImageEnvironment, Variables};

use super::asked::Asked;
use super::failure::Failure;
use super::files::below;
use super::log::LOG;

/// The variables and the dialect that they mean.
pub(super) struct ContainerSettings {
    pub(super) dialect: Dialect,
    pub(super) reason: String,
    pub(super) variables: Variables,
}

pub(super) fn hear(asked: &Asked) -> ContainerSettings {
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    let own = std::env::vars_os().map(|(name, value)| (text(name), text(value)));
    let mut pairs: Vec<(String, String)> = own.collect();
    if asked.root == Path::new("/") {
        pairs.extend(of_first_process());
    }
    pairs.retain(|(name, _)| !asked.settings.iter().any(|(set, _)| set == name.trim()));
    pairs.extend(asked.settings.iter().cloned());
    let variables = Variables::read(pairs);
    let (dialect, reason) = Dialect::resolve(asked.dialect.0, &variables);
    ContainerSettings { dialect, reason: reason.to_string(), variables }
}

/// Variables with blanks in their names, as the engine set them: shells that stand between the
/// engine and this process do not pass them on.
fn of_first_process() -> Vec<(String, String)> {
    let environment = std::fs::read("/proc/1/environ").unwrap_or_default();
    let text = String::from_utf8_lossy(&environment).into_owned();
    let pairs = text.split('\0').filter_map(|entry| entry.split_once('='));
    pairs
        .filter(|(name, _)| name.trim() != *name)
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

/// Everything that the dialect wants to know.
pub(super) fn gather(heard: ContainerSettings, root: &Path) -> Result<ImageEnvironment, Failure> {
    let ContainerSettings { dialect, variables, .. } = heard;
    let mut files = BTreeMap::new();
    for path in dialect.wanted_files(&variables) {
        let place = below(root, &path);
        match std::fs::read(&place) {
            Ok(bytes) => {
                files.insert(path, bytes);
            }
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {}
            Err(cause) => return Err(Failure::Unreadable { path: place, cause }),
        }
    }
    let mut outputs = BTreeMap::new();
    for wanted in dialect.wanted_commands(&variables) {
        outputs.insert(wanted.variable, output(wanted.variable, &wanted.text, &variables)?);
    }
    Ok(ImageEnvironment { variables, files, outputs, hostname: hostname() })
}

fn output(variable: &str, text: &str, variables: &Variables) -> Result<String, Failure> {
    tracing::info!(target: LOG, "Running {variable}");
    let output = shell(text, variables)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|cause| Failure::NoShell { variable: variable.to_owned(), cause })?;
    let printed = String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned();
    if !output.status.success() {
        let status = output.status.to_string();
        return Err(Failure::Command { variable: variable.to_owned(), status });
    }
    Ok(printed)
}

/// `sh -c TEXT` with the variables as they are meant.
pub(super) fn shell(text: &str, variables: &Variables) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(text).envs(variables.iter());
    command
}

fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
