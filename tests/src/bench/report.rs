//! What a session found, as the tables of docs/performance.md.
//!
//! A figure of several rounds is their median. Cost is the broker's processor time: per gigabyte
//! (10^9 bytes of record values) or per request; ratios are those of costs, smaller is better.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::BenchError;
use super::plan::{CASES, Case, Load, Measurement};
use super::start::StartTimes;

/// The block of single nodes, and that of clusters.
pub const ONE: &str = "bench";
pub const SEVERAL: &str = "bench-cluster";
/// The one of coordinators.
pub const COORDINATORS: &str = "bench-coordinators";
/// The one of TLS.
pub const SECURED: &str = "bench-secured";
/// The one of command-line tools.
pub const TOOLS: &str = "bench-tools";
const SUBJECTS: [&str; 3] = ["floor", "stock", "gregor"];

#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub struct ManyPartitions {
    pub created_s: f64,
    pub created_resident_bytes: u64,
    pub first_writes_s: f64,
    pub written_resident_bytes: u64,
    pub restart_first_ack_s: f64,
    pub restart_all_led_s: f64,
    pub restart_resident_bytes: u64,
    pub restart_all_written_s: f64,
    /// Infinite when it had to be killed.
    pub stop_s: f64,
}

#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Report {
    pub stock_version: String,
    /// What was run, as one line above the tables.
    pub terms: String,
    pub measurements: Vec<Measurement>,
    pub resident: BTreeMap<&'static str, u64>,
    pub starts: BTreeMap<&'static str, Vec<StartTimes>>,
    pub stops: BTreeMap<&'static str, f64>,
    pub many: BTreeMap<&'static str, ManyPartitions>,
    /// Seconds from exec to every group known, round by round.
    pub groups: BTreeMap<&'static str, Vec<f64>>,
    pub failures: Vec<String>,
}

impl Report {
    /// Takes a figure, or remembers why there is none.
    pub fn note<T>(
        &mut self,
        what: &str,
        found: Result<T, BenchError>,
        keep: impl FnOnce(&mut Self, T),
    ) {
        match found {
            Ok(value) => keep(self, value),
            Err(error) => {
                let line = format!("{what}: {error}");
                eprintln!("{line}");
                self.failures.push(line);
            }
        }
    }

    /// Everything between the markers.
    pub fn markdown(&self) -> String {
        let mut out = format!("{}\n\n", self.terms);
        // Writing to a String cannot fail.
        let _ = self
            .cost_table(&mut out)
            .and_then(|()| self.latency_table(&mut out))
            .and_then(|()| self.other_table(&mut out));
        for failure in &self.failures {
            let _ = writeln!(out, "- no figure: {failure}");
        }
        out
    }

    fn cost_table(&self, out: &mut String) -> std::fmt::Result {
        let version = &self.stock_version;
        writeln!(
            out,
            "| cost: broker's CPU | unit | floor | Kafka {version} | Gregor | of Kafka | of floor \
             | floor MB/s | Kafka MB/s | Gregor MB/s |\n|---|---|---|---|---|---|---|---|---|---|"
        )?;
        for case in self.measured_cases().filter(|case| !matches!(case.load, Load::Rate { .. })) {
            let small = case.load.is_by_request();
            let cost = |subject| {
                self.median(case, subject, |one| {
                    if small { one.cpu_micros_per_request() } else { one.cpu_seconds_per_gb() }
                })
            };
            let [floor, stock, gregor] = SUBJECTS.map(cost);
            let digits = if small { 1 } else { 2 };
            write!(
                out,
                "| {} | {} | {} | {} | {} | {} | {} |",
                case.title,
                if small { "µs/request" } else { "s/GB" },
                figure(floor, digits),
                figure(stock, digits),
                figure(gregor, digits),
                figure(ratio(gregor, stock), 2),
                figure(ratio(gregor, floor), 2),
            )?;
            for subject in SUBJECTS {
                let rate = self.median(case, subject, Measurement::megabytes_per_second);
                write!(out, " {} |", figure(rate, if small { 1 } else { 0 }))?;
            }
            writeln!(out)?;
        }
        writeln!(out)
    }

    fn latency_table(&self, out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            "| latency in ms: p50 / p99 / p99.9 | floor | Kafka | Gregor |\n|---|---|---|---|"
        )?;
        let timed =
            |case: &&Case| matches!(case.load, Load::Rate { .. }) || case.load.is_by_request();
        for case in self.measured_cases().filter(timed) {
            write!(out, "| {} |", case.title)?;
            for subject in SUBJECTS {
                let at = |pick: fn(&Measurement) -> u32| {
                    self.median(case, subject, |one| f64::from(pick(one)) / 1000.0)
                };
                write!(
                    out,
                    " {} / {} / {} |",
                    figure(at(|one| one.moved.latency.p50_us), 2),
                    figure(at(|one| one.moved.latency.p99_us), 2),
                    figure(at(|one| one.moved.latency.p999_us), 2),
                )?;
            }
            writeln!(out)?;
        }
        writeln!(out)
    }

    fn other_table(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "| | unit | Kafka | Gregor | of Kafka |\n|---|---|---|---|---|")?;
        for row in &ROWS {
            let (stock, gregor) = ((row.of)(self, "stock"), (row.of)(self, "gregor"));
            if stock.is_none() && gregor.is_none() {
                continue;
            }
            let cells = [figure(stock, row.digits), figure(gregor, row.digits)].join(" | ");
            let ratio = figure(ratio(gregor, stock), 3);
            writeln!(out, "| {} | {} | {cells} | {ratio} |", row.title, row.unit)?;
        }
        writeln!(out)
    }

    fn many(&self, subject: &str, pick: fn(&ManyPartitions) -> f64) -> Option<f64> {
        self.many.get(subject).map(pick)
    }

    fn measured_cases(&self) -> impl Iterator<Item = &'static Case> {
        CASES.iter().filter(|case| self.measurements.iter().any(|one| one.case == case.key))
    }

    pub(super) fn median(
        &self,
        case: &Case,
        subject: &str,
        figure: impl Fn(&Measurement) -> f64,
    ) -> Option<f64> {
        let own = |one: &&Measurement| one.case == case.key && one.subject == subject;
        median(self.measurements.iter().filter(own).map(figure).collect())
    }
}

/// A figure that is not one of a case.
struct Row {
    title: &'static str,
    unit: &'static str,
    digits: usize,
    of: fn(&Report, &str) -> Option<f64>,
}

const fn row(
    title: &'static str,
    unit: &'static str,
    digits: usize,
    of: fn(&Report, &str) -> Option<f64>,
) -> Row {
    Row { title, unit, digits, of }
}

const ROWS: [Row; 14] = [
    row("memory after these cases", "MiB", 0, |report, name| {
        report.resident.get(name).map(|bytes| mebibytes(*bytes))
    }),
    row("memory, the most after one of them", "MiB", 0, |report, name| {
        let own = report.measurements.iter().filter(|one| one.subject == name);
        own.map(|one| one.resident_bytes).max().map(mebibytes)
    }),
    row("start: exec to acknowledged Produce", "ms", 1, |report, name| {
        let starts = report.starts.get(name)?.iter();
        median(starts.map(|times| times.acknowledged_ms).collect())
    }),
    row("stop: SIGTERM to exit", "ms", 0, |report, name| report.stops.get(name).copied()),
    row("5,000 partitions created and led", "s", 2, |report, name| {
        report.many(name, |many| many.created_s)
    }),
    row("a first record in each of them", "s", 2, |report, name| {
        report.many(name, |many| many.first_writes_s)
    }),
    row("after kill -9: exec to first acknowledged Produce", "s", 2, |report, name| {
        report.many(name, |many| many.restart_first_ack_s)
    }),
    row("… to all 5,000 led", "s", 2, |report, name| {
        report.many(name, |many| many.restart_all_led_s)
    }),
    row("… to a record in each", "s", 2, |report, name| {
        report.many(name, |many| many.restart_all_written_s)
    }),
    row("100,000 groups known again after kill -9", "s", 2, |report, name| {
        median(report.groups.get(name)?.clone())
    }),
    row("stop with 5,000: SIGTERM to exit", "s", 2, |report, name| {
        report.many(name, |many| many.stop_s)
    }),
    row("memory with 5,000 created", "MiB", 0, |report, name| {
        report.many(name, |many| mebibytes(many.created_resident_bytes))
    }),
    row("memory with 5,000 written", "MiB", 0, |report, name| {
        report.many(name, |many| mebibytes(many.written_resident_bytes))
    }),
    row("memory started again", "MiB", 0, |report, name| {
        report.many(name, |many| mebibytes(many.restart_resident_bytes))
    }),
];

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Of an even number the lower middle: a figure that was measured.
pub(super) fn median(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_unstable_by(f64::total_cmp);
    figures.get(figures.len().saturating_sub(1) / 2).copied()
}

pub(super) fn ratio(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    one.zip(other).map(|(one, other)| one / other)
}

pub(super) fn figure(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}"))
}

/// The document with everything between `<!-- name:begin -->` and `<!-- name:end -->` replaced.
pub fn put_between_markers(document: &str, name: &str, block: &str) -> Result<String, BenchError> {
    let (begin, end) = (format!("<!-- {name}:begin -->"), format!("<!-- {name}:end -->"));
    let parts = document.split_once(&begin).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(&end)?;
        Some((before, after))
    });
    let (before, after) =
        parts.ok_or_else(|| BenchError::Setup(format!("no {begin} … {end} in the document")))?;
    Ok(format!("{before}{begin}\n{}\n{end}{after}", block.trim_end()))
}

#[cfg(test)]
mod tests {
    use super::super::latency::Percentiles;
    use super::super::produce::Moved;
    use super::*;

    fn measured(subject: &'static str, cpu_seconds: f64) -> Measurement {
        let moved = Moved {
            payload_bytes: 2_000_000_000,
            records: 2_000_000,
            requests: 2000,
            seconds: 4.0,
            latency: Percentiles::default(),
        };
        Measurement { case: "acks1", subject, cpu_seconds, resident_bytes: 0, moved }
    }

    #[test]
    fn costs_are_per_gigabyte_and_compared_with_stock_and_floor() {
        let measurements =
            vec![measured("floor", 2.0), measured("stock", 6.0), measured("gregor", 2.4)];
        let report = Report { measurements, ..Report::default() };
        let table = report.markdown();
        assert!(
            table.contains("| 1.00 | 3.00 | 1.20 | 0.40 | 1.20 | 500 | 500 | 500 |"),
            "{table}"
        );
    }

    #[test]
    fn a_missing_figure_is_a_dash_and_its_reason_stands_below() {
        let mut report = Report { measurements: vec![measured("stock", 6.0)], ..Report::default() };
        report.note("lz4 on gregor", Err::<(), _>(BenchError::TooSlow("it")), |_, ()| ());
        let table = report.markdown();
        assert!(table.contains("| – | 3.00 | – | – | – |"), "{table}");
        assert!(table.contains("- no figure: lz4 on gregor"), "{table}");
    }

    #[test]
    fn the_block_between_the_markers_is_replaced_and_nothing_else() {
        let of = |one: &str, two: &str| {
            format!(
                "head\n<!-- bench:begin -->\n{one}\n<!-- bench:end -->\ntail\n\
                 <!-- bench-cluster:begin -->\n{two}\n<!-- bench-cluster:end -->\n"
            )
        };
        let changed = put_between_markers(&of("old", "old"), ONE, "new\n\n").unwrap();
        assert_eq!(changed, of("new", "old"));
        let changed = put_between_markers(&of("old", "old"), SEVERAL, "new").unwrap();
        assert_eq!(changed, of("old", "new"));
        assert!(put_between_markers("nothing", ONE, "new").is_err());
    }

    #[test]
    fn the_median_is_a_measured_figure() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![2.0, 1.0]), Some(1.0));
        assert_eq!(median(Vec::new()), None);
    }
}
