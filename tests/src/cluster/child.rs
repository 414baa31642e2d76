//! A process that does not outlive the test, however the test ends.
//!
//! The kernel kills it when the *thread* that started it ends (PDEATHSIG), and tests start nodes
//! from threads that come and go; so one thread that lives as long as the test process starts all.

use std::fs::File;
use std::path::Path;
use std::process::{Child as Process, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// A started command; it is killed when dropped.
#[derive(Debug)]
pub struct Child {
    process: Process,
}

type Started = std::io::Result<Process>;
/// A command to start, and where to say how that went.
type Order = (Command, Sender<Started>);

impl Child {
    /// Starts a command with its output at the end of a file.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(command: &Command, output: &Path) -> Self {
        Self::start_reading(command, output, Stdio::null())
    }

    /// The same for one that is typed to.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start_typed(command: &Command, output: &Path) -> (Self, ChildStdin) {
        let mut child = Self::start_reading(command, output, Stdio::piped());
        let stdin = child.process.stdin.take().expect("its stdin is piped");
        (child, stdin)
    }

    fn start_reading(command: &Command, output: &Path, stdin: Stdio) -> Self {
        let log = File::options().append(true).create(true).open(output).expect("a log file");
        let mut bound = Command::new("setpriv");
        bound.args(["--pdeathsig", "KILL", "--"]).arg(command.get_program());
        bound.args(command.get_args()).stdin(stdin);
        if let Some(folder) = command.get_current_dir() {
            bound.current_dir(folder);
        }
        bound.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        bound.stdout(log.try_clone().expect("a second handle")).stderr(log);
        let (answer, started) = channel();
        let starter = starter().lock().expect("no start panicked");
        starter.send((bound, answer)).expect("the starting thread lives");
        let process = started.recv().expect("the starting thread lives");
        Self { process: process.unwrap_or_else(|e| panic!("{command:?} (by setpriv): {e}")) }
    }

    /// How it ended, when it did.
    pub fn exit_status(&mut self) -> Option<ExitStatus> {
        self.process.try_wait().expect("a child can be asked")
    }

    /// kill -9, and its end awaited.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        // A child that has ended needs no signal; whoever waits for it learns that.
        let _ = kill_process(Pid::from_child(&self.process), signal);
    }

    /// Waits for its end; how long that took.
    ///
    /// # Panics
    /// When it takes longer than `patience`.
    pub fn wait(&mut self, patience: Duration) -> Duration {
        let began = Instant::now();
        while self.exit_status().is_none() {
            assert!(began.elapsed() < patience, "not ended within {patience:?}");
            std::thread::sleep(Duration::from_millis(1));
        }
        began.elapsed()
    }

    /// Whether a SIGSTOP has reached every thread.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid()));
        let mut tasks = tasks.expect("the child lives").filter_map(Result::ok);
        tasks.all(|task| {
            // A thread that has ended meanwhile has no line any more.
            let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
            stat.rsplit_once(") ").is_none_or(|(_, state)| state.starts_with('T'))
        })
    }

    /// The process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}

fn starter() -> &'static Mutex<Sender<Order>> {
    static STARTER: OnceLock<Mutex<Sender<Order>>> = OnceLock::new();
    STARTER.get_or_init(|| {
        let (sender, commands) = channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, answer) in commands {
                let _ = answer.send(command.spawn());
            }
        });
        Mutex::new(sender)
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::Child;

    #[test]
    fn a_child_lives_on_when_the_thread_that_asked_for_it_ends() {
        let folder = tempfile::tempdir().expect("a folder");
        let output = folder.path().join("out");
        let mut sleep = Command::new("sleep");
        sleep.arg("20");
        let asked = std::thread::spawn(move || Child::start(&sleep, &output));
        let mut child = asked.join().expect("started");
        std::thread::sleep(std::time::Duration::from_millis(50));
        assert_eq!(child.exit_status(), None);
    }
}
