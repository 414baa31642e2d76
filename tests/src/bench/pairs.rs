//! An earlier build against this one, round by round: what the ratio of their costs was.
//!
//! A round gives one pair, measured one after the other; who is first changes with each. The
//! interval is that of the middle half of the pairs. Three per cent is noise.

use std::fmt::Write;

use super::plan::{CASES, Case, Measurement};
use super::report::Report;

/// The costs' ratios of one case, this build's by the earlier one's, ascending.
#[derive(Clone, Debug, PartialEq)]
pub struct Ratios(Vec<f64>);

impl Ratios {
    /// Of measurements in the order in which they were taken.
    pub fn of(case: &Case, measurements: &[Measurement]) -> Self {
        let costs = |subject: &str| {
            let of_case = measurements.iter().filter(|one| one.case == case.key);
            let costs = of_case.filter(|one| one.subject == subject).map(Measurement::cost);
            costs.collect::<Vec<f64>>()
        };
        let pairs = costs("earlier").into_iter().zip(costs("gregor"));
        Self::new(pairs.map(|(earlier, now)| now / earlier).collect())
    }

    fn of_groups(report: &Report) -> Self {
        let seconds = |name| report.groups.get(name).cloned().unwrap_or_default().into_iter();
        Self::new(seconds("earlier").zip(seconds("gregor")).map(|(old, now)| now / old).collect())
    }

    fn new(mut ratios: Vec<f64>) -> Self {
        ratios.sort_by(f64::total_cmp);
        Self(ratios)
    }

    /// The ratio that `part` of the pairs stay below; between two pairs, their mix.
    fn at(&self, part: f64) -> f64 {
        let place = part * self.0.len().saturating_sub(1) as f64;
        let (below, above) = (place.floor() as usize, place.ceil() as usize);
        match (self.0.get(below), self.0.get(above)) {
            (Some(below), Some(above)) => below + (above - below) * place.fract(),
            _ => f64::NAN,
        }
    }
}

/// The table of all cases that were measured.
pub fn markdown(report: &Report) -> String {
    let mut out =
        "| broker's CPU, this build by the earlier one | pairs | median | middle half | all \
                   |\n|---|---|---|---|---|\n"
            .to_owned();
    let mut rows: Vec<(&str, Ratios)> =
        CASES.iter().map(|case| (case.title, Ratios::of(case, &report.measurements))).collect();
    rows.push(("seconds until 100,000 groups are known again", Ratios::of_groups(report)));
    for (title, ratios) in rows.iter().filter(|(_, ratios)| !ratios.0.is_empty()) {
        let [least, low, median, high, most] = [0.0, 0.25, 0.5, 0.75, 1.0].map(|at| ratios.at(at));
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "| {} | {} | {median:.3} | {low:.3} … {high:.3} | {least:.3} … {most:.3} |",
            title,
            ratios.0.len(),
        );
    }
    out
}

impl Measurement {
    /// Processor seconds for each request of a small one, for each gigabyte of any other.
    fn cost(&self) -> f64 {
        let case = CASES.iter().find(|case| case.key == self.case);
        match case.map(|case| case.load) {
            Some(load) if load.is_by_request() => self.cpu_micros_per_request(),
            _ => self.cpu_seconds_per_gb(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_the_pairs_is_told_and_how_far_they_lie_apart() {
        let ratios = Ratios::new(vec![1.2, 0.9, 1.0, 1.1]);
        let shown = [0.0, 0.25, 0.5, 1.0].map(|at| format!("{:.3}", ratios.at(at)));
        assert_eq!(shown, ["0.900", "0.975", "1.050", "1.200"]);
        assert!(Ratios::new(Vec::new()).at(0.5).is_nan());
    }
}
