//! What one kind and the other were measured to cost, as a table of docs/performance.md: that of
//! clusters, and that of coordinators.

use std::fmt::Write;

use super::super::BenchError;
use super::super::report::{figure, median, ratio};

/// One measured value of one row.
#[derive(Clone, Debug)]
pub struct Figure {
    pub title: String,
    pub unit: &'static str,
    pub digits: usize,
    pub value: f64,
}

impl Figure {
    #[must_use]
    pub fn new(title: &str, unit: &'static str, digits: usize, value: f64) -> Self {
        Self { title: title.to_owned(), unit, digits, value }
    }

    #[must_use]
    pub fn mebibytes(title: &str, bytes: u64) -> Self {
        Self::new(title, "MiB", 0, bytes as f64 / f64::from(1 << 20))
    }
}

/// All values, in the order in which their rows first came.
#[derive(Clone, Debug)]
pub struct Report {
    /// The head of the table's first column.
    heading: &'static str,
    /// How much was run, as one line above the table.
    terms: String,
    found: Vec<(&'static str, Figure)>,
    failures: Vec<String>,
}

impl Report {
    #[must_use]
    pub fn new(heading: &'static str, terms: String) -> Self {
        Self { heading, terms, found: Vec::new(), failures: Vec::new() }
    }

    pub fn keep(&mut self, subject: &'static str, figures: Vec<Figure>) {
        for figure in figures {
            eprintln!("{subject:8} {:60} {:10.2} {}", figure.title, figure.value, figure.unit);
            self.found.push((subject, figure));
        }
    }

    /// Remembers why there is no figure.
    pub fn note(&mut self, subject: &str, what: &str, found: Result<(), BenchError>) {
        if let Err(error) = found {
            let line = format!("{what} on {subject}: {error}");
            eprintln!("{line}");
            self.failures.push(line);
        }
    }

    /// Everything between the markers.
    #[must_use]
    pub fn markdown(&self, stock_version: &str) -> String {
        let mut out = format!(
            "{}\n\n| {} | unit | Kafka {stock_version} | Gregor | of Kafka |\n\
             |---|---|---|---|---|\n",
            self.terms, self.heading
        );
        let mut rows: Vec<&Figure> = Vec::new();
        for (_, found) in &self.found {
            if !rows.iter().any(|row| row.title == found.title) {
                rows.push(found);
            }
        }
        for row in rows {
            let of = |subject: &str| {
                let own = self.found.iter().filter(|(name, _)| *name == subject);
                let own = own.filter(|(_, found)| found.title == row.title);
                median(own.map(|(_, found)| found.value).collect())
            };
            let (stock, gregor) = (of("stock"), of("gregor"));
            let cells = [figure(stock, row.digits), figure(gregor, row.digits)].join(" | ");
            let share = figure(ratio(gregor, stock), 3);
            let _ = writeln!(out, "| {} | {} | {cells} | {share} |", row.title, row.unit);
        }
        out.push('\n');
        for failure in &self.failures {
            let _ = writeln!(out, "- no figure: {failure}");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::{Figure, Report};

    #[test]
    fn rows_are_medians_beside_each_other() {
        let mut report = Report::new("three nodes", String::new());
        for value in [3.0, 1.0, 2.0] {
            report.keep("stock", vec![Figure::new("start", "s", 1, value * 10.0)]);
            report.keep("gregor", vec![Figure::new("start", "s", 1, value)]);
        }
        let table = report.markdown("4.3.1");
        assert!(table.contains("| start | s | 20.0 | 2.0 | 0.100 |"), "{table}");
    }
}
