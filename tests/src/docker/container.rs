//! One container, and named volumes; both are removed when dropped.

use std::process::{Command, Output};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::{both, docker, docker_output, gregor_image, unique};
use crate::cluster::view::until;

/// A container that was started; it and its anonymous volumes are removed when dropped.
#[derive(Debug)]
pub struct Container {
    pub name: String,
}

/// A named volume.
#[derive(Debug)]
pub struct Volume {
    pub name: String,
}

impl Container {
    /// `docker run -d OPTIONS IMAGE COMMAND`, of the image under test.
    #[must_use]
    pub fn run(name: &str, options: &[&str], command: &[&str]) -> Self {
        let name = unique(name);
        let image = gregor_image();
        let words = [&["run", "-d", "--name", name.as_str()], options, &[image], command].concat();
        let container = Self { name: name.clone() };
        docker(&words);
        container
    }

    /// What the container printed so far, both streams.
    #[must_use]
    pub fn logs(&self) -> String {
        both(&docker_output(&["logs", &self.name]))
    }

    /// One field, by a template of `docker inspect`.
    #[must_use]
    pub fn inspect(&self, template: &str) -> String {
        docker(&["inspect", "--format", template, &self.name])
    }

    /// `docker exec`, whatever comes of it.
    #[must_use]
    pub fn exec(&self, command: &[&str]) -> Output {
        docker_output(&[&["exec", self.name.as_str()], command].concat())
    }

    /// Waits for a line that has these words, and gives it back.
    ///
    /// # Panics
    /// When it does not come within ten seconds, with what was printed instead.
    #[must_use]
    pub fn wait_for_line(&self, words: &str) -> String {
        let began = Instant::now();
        loop {
            let logs = self.logs();
            if let Some(line) = logs.lines().find(|line| line.contains(words)) {
                return line.to_owned();
            }
            assert!(began.elapsed() < Duration::from_secs(10), "no line \"{words}\" in:\n{logs}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the health check inside says that the node serves.
    pub fn wait_healthy(&self) {
        until(&format!("{} is healthy", self.name), Duration::from_secs(20), || {
            self.exec(&["gregor", "container", "health"]).status.success().then_some(())
        });
    }

    /// Waits for the end; the exit code.
    ///
    /// # Panics
    /// When it does not end within twenty seconds.
    #[must_use]
    pub fn wait_for_end(&self) -> i32 {
        until(&format!("{} ends", self.name), Duration::from_secs(20), || {
            (self.inspect("{{.State.Running}}") == "false").then_some(())
        });
        self.inspect("{{.State.ExitCode}}").parse().expect("a number")
    }

    /// Seconds from the start to the last line that was printed, as the engine got it.
    ///
    /// # Panics
    /// When nothing was printed.
    #[must_use]
    pub fn seconds_to_last_line(&self) -> f64 {
        let logs = both(&docker_output(&["logs", "--timestamps", &self.name]));
        let times = logs.lines().filter_map(|line| line.split(' ').next());
        let last = times.max().expect("a line").to_owned();
        let started = self.inspect("{{.State.StartedAt}}");
        // The engine writes down the start a moment after the process has begun.
        if last < started { 0.0 } else { seconds_until(&started, &last) }
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rm", "-f", "-v", &self.name]).output();
    }
}

impl Volume {
    #[must_use]
    pub fn new(name: &str) -> Self {
        let name = unique(name);
        docker(&["volume", "create", &name]);
        Self { name }
    }

    /// The words that mount it.
    #[must_use]
    pub fn at(&self, path: &str) -> String {
        format!("{}:{path}", self.name)
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["volume", "rm", "-f", &self.name]).output();
    }
}

/// Seconds between two points in time as the engine writes them (RFC 3339, UTC), of one day or of
/// two that follow each other.
///
/// # Panics
/// When one of them is in another form.
#[must_use]
pub fn seconds_until(from: &str, to: &str) -> f64 {
    over_midnight(of_day(to) - of_day(from))
}

/// Seconds from such a point in time until now.
///
/// # Panics
/// As `seconds_until` does.
#[must_use]
pub fn seconds_since(from: &str) -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64();
    over_midnight(now % DAY - of_day(from))
}

const DAY: f64 = 86_400.0;

fn over_midnight(seconds: f64) -> f64 {
    if seconds < 0.0 { seconds + DAY } else { seconds }
}

fn of_day(time: &str) -> f64 {
    let (_, clock) = time.split_once('T').expect("a date and a time");
    let fields = clock.trim_end_matches('Z').split(':');
    fields.fold(0.0, |sum, field| sum * 60.0 + field.parse::<f64>().expect("a number"))
}

#[cfg(test)]
mod tests {
    use super::seconds_until;

    #[test]
    fn times_of_the_engine_are_subtracted_over_midnight_too() {
        let between = |from, to| format!("{:.3}", seconds_until(from, to));
        assert_eq!(between("2026-11-28T12:00:00.5Z", "2026-11-28T12:01:02.75Z"), "62.250");
        assert_eq!(between("2026-11-28T23:59:59Z", "2026-11-29T00:00:01.123456789Z"), "2.123");
    }
}
