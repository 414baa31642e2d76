//! What the kernel accounts to a broker's process, and processes that end with the benchmark.
//!
//! Processor time is user + system of all threads, ended ones included (/proc/PID/stat, in ticks of
//! 10 ms). Memory is what the process alone keeps: RssAnon + RssShmem of /proc/PID/status; pages of
//! mapped files belong to the page cache, which Kafka uses as much.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::BenchError;

/// User and system seconds of a process since it began.
pub fn cpu_seconds(pid: u32) -> Result<f64, BenchError> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    ticks(&stat)
        .map(|ticks| ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
        .ok_or_else(|| BenchError::Setup(format!("/proc/{pid}/stat: {stat}")))
}

/// Fields 14 and 15; counted after the name, which may hold spaces and brackets.
fn ticks(stat: &str) -> Option<u64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Bytes of memory that are no file's.
pub fn resident_bytes(pid: u32) -> Result<u64, BenchError> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    Ok(resident_kib(&status) * 1024)
}

fn resident_kib(status: &str) -> u64 {
    let value = |line: &str| line.split_whitespace().nth(1)?.parse::<u64>().ok();
    let counted = |line: &&str| line.starts_with("RssAnon:") || line.starts_with("RssShmem:");
    status.lines().filter(counted).filter_map(value).sum()
}

/// A child that does not outlive the value.
pub struct Server {
    child: Child,
    name: String,
}

impl Server {
    /// Starts a command with its output in a file, so that a failure can be read afterwards.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> Result<Self, BenchError> {
        let out = std::fs::OpenOptions::new().create(true).append(true).open(log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .map_err(|error| BenchError::Setup(format!("{name} does not start: {error}")))?;
        Ok(Self { child, name: name.to_owned() })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// An error when the process has ended by itself.
    pub fn check(&mut self) -> Result<(), BenchError> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => {
                Err(BenchError::Ended { what: self.name.clone(), status: status.to_string() })
            }
        }
    }

    /// SIGTERM, and SIGKILL when that is not enough; gives the time the stop took.
    pub fn stop(&mut self) -> Result<Duration, BenchError> {
        self.stop_within(Duration::from_secs(30))
    }

    /// The same with another patience.
    pub fn stop_within(&mut self, limit: Duration) -> Result<Duration, BenchError> {
        let began = Instant::now();
        self.signal(Signal::TERM);
        while began.elapsed() < limit {
            if self.child.try_wait()?.is_some() {
                return Ok(began.elapsed());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.kill();
        Err(BenchError::TooSlow("stopping a broker"))
    }

    /// kill -9, and its end awaited.
    pub fn kill(&mut self) {
        // Both fail only when the process is gone already, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = Pid::from_raw(self.child.id() as i32) {
            let _ = kill_process(pid, signal);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processor_ticks_are_found_behind_any_name() {
        let stat = "7 (a ) (b) S 1 7 7 0 -1 4194560 100 0 0 0 31 11 0 0 20 0 1 0 5 6 7";
        assert_eq!(ticks(stat), Some(42));
    }

    #[test]
    fn resident_memory_leaves_file_pages_out() {
        let status =
            "VmRSS:\t  900 kB\nRssAnon:\t  300 kB\nRssFile:\t  500 kB\nRssShmem:\t 100 kB\n";
        assert_eq!(resident_kib(status), 400);
    }

    #[test]
    fn this_process_has_used_memory_and_time_is_not_negative() {
        let pid = std::process::id();
        assert!(resident_bytes(pid).unwrap() > 0);
        assert!(cpu_seconds(pid).unwrap() >= 0.0);
    }
}
