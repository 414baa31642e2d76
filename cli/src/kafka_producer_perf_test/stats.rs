//! What the test measures, counted as `ProducerPerformance.Stats` counts it.
//!
//! Pure: times are milliseconds. At most 500,000 latencies are kept, every n-th.

/// Latencies that are kept at most.
const SAMPLES_MAX: u64 = 500_000;

#[derive(Debug)]
pub(super) struct Stats {
    start: u64,
    latencies: Vec<u32>,
    sampling: u64,
    interval: u64,
    count: u64,
    bytes: u64,
    latency_max: u32,
    latency_total: u64,
    window: Window,
    is_steady: bool,
    pub(super) is_quiet: bool,
}

#[derive(Debug, Default)]
struct Window {
    start: u64,
    count: u64,
    bytes: u64,
    latency_max: u32,
    latency_total: u64,
}

impl Stats {
    pub(super) fn new(now: u64, records: u64, interval: u64, is_steady: bool) -> Self {
        Self {
            start: now,
            latencies: Vec::new(),
            sampling: records / records.clamp(1, SAMPLES_MAX),
            interval,
            count: 0,
            bytes: 0,
            latency_max: 0,
            latency_total: 0,
            window: Window { start: now, ..Window::default() },
            is_steady,
            is_quiet: false,
        }
    }

    /// How many were delivered.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Counts a record that was delivered now; what is to be printed goes to `out`.
    pub(super) fn record(&mut self, latency: u32, bytes: u32, now: u64, out: &mut Vec<String>) {
        if self.count.is_multiple_of(self.sampling.max(1)) {
            self.latencies.push(latency);
        }
        self.count += 1;
        self.bytes += u64::from(bytes);
        self.latency_total += u64::from(latency);
        self.latency_max = self.latency_max.max(latency);
        self.window.count += 1;
        self.window.bytes += u64::from(bytes);
        self.window.latency_total += u64::from(latency);
        self.window.latency_max = self.window.latency_max.max(latency);
        let elapsed = now.saturating_sub(self.window.start);
        if elapsed < self.interval {
            return;
        }
        if self.is_steady && self.count == self.window.count {
            out.push("In steady state.".to_owned());
        }
        if !self.is_quiet {
            out.push(self.window.line(elapsed));
        }
        self.window = Window { start: now, ..Window::default() };
    }

    /// The line at the end.
    pub(super) fn total(&mut self, now: u64) -> String {
        let elapsed = now.saturating_sub(self.start) as f64;
        let (count, bytes) = (self.count as f64, self.bytes as f64);
        let [half, most, nearly, all] = self.percentiles();
        format!(
            "{}{} records sent, {} records/sec ({} MB/sec), {} ms avg latency, {} ms max latency, \
             {half} ms 50th, {most} ms 95th, {nearly} ms 99th, {all} ms 99.9th.",
            self.count,
            if self.is_steady { " steady state" } else { "" },
            fixed(1000.0 * count / elapsed, 6),
            fixed(1000.0 * bytes / elapsed / (1024.0 * 1024.0), 2),
            fixed(self.latency_total as f64 / count, 2),
            fixed(f64::from(self.latency_max), 2),
        )
    }

    fn percentiles(&mut self) -> [u32; 4] {
        self.latencies.sort_unstable();
        let size = self.latencies.len() as f64;
        [0.5, 0.95, 0.99, 0.999].map(|part: f64| {
            self.latencies.get((part * size) as usize).copied().unwrap_or_default()
        })
    }
}

impl Window {
    fn line(&self, elapsed: u64) -> String {
        let (elapsed, count) = (elapsed as f64, self.count as f64);
        format!(
            "{} records sent, {} records/sec ({} MB/sec), {} ms avg latency, {} ms max latency.",
            self.count,
            fixed(1000.0 * count / elapsed, 1),
            fixed(1000.0 * self.bytes as f64 / elapsed / (1024.0 * 1024.0), 2),
            fixed(self.latency_total as f64 / count, 1),
            fixed(f64::from(self.latency_max), 1),
        )
    }
}

/// Java's `%.nf`.
fn fixed(value: f64, digits: usize) -> String {
    match value.is_infinite() {
        true => "Infinity".to_owned(),
        false => format!("{value:.digits$}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_and_percentiles_are_counted_as_kafka_does() {
        let mut stats = Stats::new(1000, 100, 5000, false);
        let mut printed = Vec::new();
        for latency in 0..100 {
            stats.record(latency, 1000, 1500, &mut printed);
        }
        assert!(printed.is_empty());
        assert_eq!(
            stats.total(2000),
            "100 records sent, 100.000000 records/sec (0.10 MB/sec), 49.50 ms avg latency, 99.00 \
             ms max latency, 50 ms 50th, 95 ms 95th, 99 ms 99th, 99 ms 99.9th."
        );
        let nothing = Stats::new(0, 1, 5000, true).total(1);
        assert!(nothing.starts_with("0 steady state records sent, 0.000000 records/sec"));
        assert!(nothing.contains("NaN ms avg latency"), "{nothing}");
    }

    #[test]
    fn a_window_is_printed_when_its_time_is_over_and_a_quiet_one_is_not() {
        let mut stats = Stats::new(0, 1_000_000, 100, true);
        let mut printed = Vec::new();
        stats.record(5, 1_048_576, 50, &mut printed);
        stats.record(8, 1_048_576, 200, &mut printed);
        let line = "2 records sent, 10.0 records/sec (10.00 MB/sec), 6.5 ms avg latency, 8.0 ms \
                    max latency.";
        assert_eq!(printed, ["In steady state.", line]);
        stats.is_quiet = true;
        stats.record(1, 1, 301, &mut printed);
        assert_eq!(printed.len(), 2);
        assert_eq!(stats.latencies, [5, 1], "every second one is kept");
    }
}
