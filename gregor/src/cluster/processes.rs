//! The processes of a local cluster's nodes: started, signalled, looked at.
//!
//! A node is a process of its own, in a process group of its own, so that Ctrl-C in the terminal
//! reaches whoever started it and not the node. Everything goes by the node's pid file, so any
//! terminal can do it.

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::layout::Node;

/// How often a process that shall end is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// What became of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Running(Pid),
    /// Stopped by a signal, and waiting for the one to go on.
    Paused(Pid),
    Stopped,
}

impl State {
    pub(crate) fn pid(self) -> Option<Pid> {
        match self {
            Self::Running(pid) | Self::Paused(pid) => Some(pid),
            Self::Stopped => None,
        }
    }
}

/// Looks at the process that the node's pid file names.
pub(crate) fn state(node: &Node) -> State {
    let pid = fs::read_to_string(node.pid_path()).ok();
    let pid = pid.and_then(|text| Pid::from_raw(text.trim().parse().ok()?));
    let Some(pid) = pid else { return State::Stopped };
    let process = format!("/proc/{}", pid.as_raw_nonzero());
    let own = node.properties_path();
    let words = fs::read(format!("{process}/cmdline")).unwrap_or_default();
    let own = own.as_os_str().as_encoded_bytes();
    // One that is just being started, or has ended, has no words, and one that is ending not all of
    // them, each of which ends with a zero; its status tells which.
    let is_ours = !words.ends_with(&[0]) || words.split(|byte| *byte == 0).any(|word| word == own);
    if !is_ours {
        return State::Stopped;
    }
    // The state stands behind the name, which may hold anything but ends with the last bracket.
    let status = fs::read_to_string(format!("{process}/stat")).unwrap_or_default();
    match status.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()) {
        Some('T' | 't') => State::Paused(pid),
        Some('Z' | 'X') | None => State::Stopped,
        Some(_) => State::Running(pid),
    }
}

/// Starts the node; whoever has the child may wait for it.
pub(crate) fn start(node: &Node) -> io::Result<Child> {
    let log = File::options().create(true).append(true).open(node.log_path())?;
    let child = Command::new(std::env::current_exe()?)
        .arg("kafka-server-start")
        .arg(node.properties_path())
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .spawn()?;
    fs::write(node.pid_path(), child.id().to_string())?;
    Ok(child)
}

/// Sends a signal to a process that was there a moment ago.
pub(crate) fn signal(pid: Pid, signal: Signal) {
    // One that has ended meanwhile needs none.
    let _ = kill_process(pid, signal);
}

/// Has the node stop as on a SIGTERM, or at once when that takes longer than `patience`. Returns
/// whether it stopped by itself.
pub(crate) fn stop(node: &Node, patience: Duration) -> bool {
    let state = state(node);
    let Some(pid) = state.pid() else { return true };
    signal(pid, Signal::TERM);
    if matches!(state, State::Paused(_)) {
        signal(pid, Signal::CONT);
    }
    if ended(node, patience) {
        return true;
    }
    kill(node);
    false
}

/// Ends the node without giving it a chance to do anything.
pub(crate) fn kill(node: &Node) {
    if let Some(pid) = state(node).pid() {
        signal(pid, Signal::KILL);
        ended(node, Duration::from_secs(5));
    }
}

fn ended(node: &Node, patience: Duration) -> bool {
    let deadline = Instant::now() + patience;
    while state(node) != State::Stopped {
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(LOOK);
    }
    true
}

/// The last lines that a node wrote.
pub(crate) fn last_lines(node: &Node, count: usize) -> Vec<String> {
    let text = fs::read(node.log_path()).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(count);
    lines.iter().skip(from).map(|line| (*line).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::cluster::layout::Role;

    fn node(directory: &Path) -> Node {
        let directory = directory.to_owned();
        Node { id: 1, role: Role::Broker, port: 1, rack: None, directory }
    }

    /// A process that looks like a node's: it has the properties file among its words.
    fn sleeper(node: &Node) -> Child {
        fs::write(node.properties_path(), "").unwrap();
        let child = Command::new("tail")
            .arg("-f")
            .arg(node.properties_path())
            .process_group(0)
            .spawn()
            .unwrap();
        fs::write(node.pid_path(), child.id().to_string()).unwrap();
        child
    }

    #[test]
    fn a_process_is_paused_goes_on_and_is_killed() {
        let directory = tempfile::tempdir().unwrap();
        let node = node(directory.path());
        assert_eq!(state(&node), State::Stopped);
        let mut child = sleeper(&node);
        let waited_for = |wanted: fn(State) -> bool| {
            let deadline = Instant::now() + Duration::from_secs(5);
            while !wanted(state(&node)) && Instant::now() < deadline {
                std::thread::sleep(LOOK);
            }
            state(&node)
        };
        let State::Running(pid) = waited_for(|state| matches!(state, State::Running(_))) else {
            panic!("it does not run");
        };
        signal(pid, Signal::STOP);
        assert_eq!(waited_for(|state| matches!(state, State::Paused(_))), State::Paused(pid));
        signal(pid, Signal::CONT);
        assert_eq!(waited_for(|state| matches!(state, State::Running(_))), State::Running(pid));
        kill(&node);
        assert_eq!(state(&node), State::Stopped);
        child.wait().unwrap();
    }

    #[test]
    fn a_number_that_the_system_gave_to_somebody_else_is_no_node() {
        let directory = tempfile::tempdir().unwrap();
        let node = node(directory.path());
        fs::write(node.pid_path(), std::process::id().to_string()).unwrap();
        assert_eq!(state(&node), State::Stopped);
        assert!(stop(&node, Duration::ZERO));
    }
}
