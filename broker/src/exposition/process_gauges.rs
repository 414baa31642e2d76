//! What the process itself takes, by the names that Prometheus' own clients use, and what it reads
//! and writes on disks, by Kafka's.

use std::sync::LazyLock;

use metrics::{MetricName, Reading, Registry};
use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

/// Fields of /proc/self/stat behind the program's name, which may have blanks: proc(5).
const UTIME: usize = 11;
const STIME: usize = 12;
const START_TIME: usize = 19;
const VIRTUAL_BYTES: usize = 20;
const RESIDENT_PAGES: usize = 21;

/// Fields of /proc/self/io, and what Kafka calls them.
const IO: [(&str, &str); 2] =
    [("read_bytes", "linux-disk-read-bytes"), ("write_bytes", "linux-disk-write-bytes")];

/// When the machine was booted, in seconds of the wall's clock.
static BOOTED: LazyLock<Option<u64>> = LazyLock::new(|| {
    let stat = std::fs::read_to_string("/proc/stat").ok()?;
    stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()
});

/// Has the registry ask the system.
pub(super) fn show(registry: &Registry) {
    registry.collector(|| read().unwrap_or_default());
}

fn read() -> Option<Vec<(MetricName, Reading)>> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<u64> = numbers(&stat);
    let of = |index: usize| fields.get(index).copied().unwrap_or(0);
    #[allow(clippy::cast_precision_loss)]
    let seconds = |ticks: u64| ticks as f64 / clock_ticks_per_second() as f64;
    let gauge = |kind, name, value: u64| {
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        (MetricName::new("process", kind, name), Reading::Value(value))
    };
    let number =
        |kind, name, value| (MetricName::new("process", kind, name), Reading::Number(value));
    let mut readings = vec![
        number("cpu", "seconds_total", seconds(of(UTIME) + of(STIME))),
        gauge("resident", "memory_bytes", of(RESIDENT_PAGES) * page_size() as u64),
        gauge("virtual", "memory_bytes", of(VIRTUAL_BYTES)),
    ];
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        readings.push(gauge("open", "fds", open.count() as u64));
    }
    if let Some(most) = getrlimit(Resource::Nofile).current {
        readings.push(gauge("max", "fds", most));
    }
    // As Kafka tells it: `LinuxIoMetricsCollector`.
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    for (field, name) in IO {
        let mut lines = io.lines().filter_map(|line| line.split_once(": "));
        if let Some((_, bytes)) = lines.find(|(name, _)| name == &field) {
            let bytes = bytes.trim().parse().unwrap_or(i64::MAX);
            let name = MetricName::new("kafka.server", "KafkaServer", name);
            readings.push((name, Reading::Value(bytes)));
        }
    }
    if let Some(booted) = *BOOTED {
        #[allow(clippy::cast_precision_loss)]
        let started = booted as f64 + seconds(of(START_TIME));
        readings.push(number("start_time", "seconds", started));
    }
    Some(readings)
}

/// The numbers behind the name; what is none counts as 0.
fn numbers(stat: &str) -> Vec<u64> {
    let behind = stat.rsplit_once(')').map_or(stat, |(_, behind)| behind);
    behind.split_whitespace().map(|word| word.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_tells_its_memory_its_files_and_when_it_began() {
        let read = metrics::prometheus::exposition(&read().unwrap());
        let value = |name: &str| -> f64 {
            let line = read.lines().find(|line| line.starts_with(&format!("{name} ")));
            line.unwrap_or_else(|| panic!("{name}: {read}"))
                .split_once(' ')
                .unwrap()
                .1
                .parse()
                .unwrap()
        };
        assert!(value("process_resident_memory_bytes") > 100_000.0);
        assert!(value("process_virtual_memory_bytes") > value("process_resident_memory_bytes"));
        assert!(value("process_open_fds") >= 3.0);
        assert!(value("process_max_fds") >= value("process_open_fds"));
        assert!(value("kafka_server_kafkaserver_linux_disk_write_bytes") >= 0.0);
        assert!(value("process_start_time_seconds") > 1.7e9);
        assert!(value("process_cpu_seconds_total") >= 0.0);
    }

    #[test]
    fn a_name_with_blanks_and_brackets_shifts_nothing() {
        assert_eq!(numbers("1 (a b) c) S 2 3"), [0, 2, 3]);
    }
}
