//! The clients that people write: Java clients shaped like the labs', run in the tool server on the
//! course's kafka-clients. What they print becomes facts that a test asserts.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::oracle::{Finished, Running, ToolServer, course_class_path};

/// One `topic,partition,offset,payload` line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Logged {
    pub partition: i32,
    pub offset: i64,
    pub payload: String,
}

/// Starts one of tests/java/course's clients with `name=value` words.
#[must_use]
pub fn start(main: &str, address: &str, options: &[&str]) -> Running {
    let mut args = vec![format!("bootstrap={address}")];
    args.extend(options.iter().map(|&option| option.to_owned()));
    ToolServer::shared().spawn_main(&course_class_path(), main, &args, "")
}

/// Runs one to its end.
///
/// # Panics
/// When it fails.
#[must_use]
pub fn run(main: &str, address: &str, options: &[&str]) -> String {
    ended(&start(main, address, options).finish())
}

/// What a client that ended well printed.
#[must_use]
pub fn ended(finished: &Finished) -> String {
    assert!(matches!(finished.code, 0 | 143), "a client failed: {finished:#?}");
    finished.stdout.clone()
}

/// The payload log in what a client printed, in its order.
#[must_use]
pub fn payload_log(printed: &str) -> Vec<Logged> {
    let logged = |line: &str| {
        let mut fields = line.splitn(4, ',');
        let _topic = fields.next()?;
        let partition = fields.next()?.parse().ok()?;
        let offset = fields.next()?.parse().ok()?;
        Some(Logged { partition, offset, payload: fields.next()?.to_owned() })
    };
    printed.lines().filter_map(logged).collect()
}

/// The payloads alone, sorted.
#[must_use]
pub fn payloads(log: &[Logged]) -> BTreeSet<String> {
    log.iter().map(|logged| logged.payload.clone()).collect()
}

/// The partitions that `assigned`, `revoked` or `lost` lines name, line by line, with their times.
#[must_use]
pub fn assignments(printed: &str, what: &str) -> Vec<(BTreeSet<i32>, u64)> {
    let parsed = |line: &str| {
        let rest = line.strip_prefix(what)?.strip_prefix(" [")?;
        let (numbers, rest) = rest.split_once("] after ")?;
        let partitions = numbers.split(", ").filter_map(|number| number.parse().ok()).collect();
        Some((partitions, rest.strip_suffix(" ms")?.parse().ok()?))
    };
    printed.lines().filter_map(parsed).collect()
}

/// Waits until a running client has printed what `fits`.
///
/// # Panics
/// When it has not within twenty seconds.
pub fn wait_for(running: &Running, what: &str, fits: impl Fn(&str) -> bool) -> String {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let printed = running.stdout_so_far();
        if fits(&printed) {
            return printed;
        }
        assert!(Instant::now() < deadline, "waited for {what}, it printed:\n{printed}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
