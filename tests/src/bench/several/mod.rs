//! Clusters against each other: three stock nodes and three of Gregor's under the same load.
//!
//! Cost is what all nodes of a cluster used together, until the followers have caught up. One kind
//! runs at a time: six nodes at once would measure each other.

pub mod faults;
pub mod load;
pub mod nodes;
pub mod report;

use std::path::PathBuf;

use super::BenchError;
use super::brokers::Kind;
use nodes::Nodes;
use report::{Figure, Report};

/// What is run.
#[derive(Clone, Debug)]
pub struct Session {
    pub is_quick: bool,
    pub rounds: u32,
    pub with_cases: bool,
    pub with_many: bool,
    pub dir: PathBuf,
    /// Each kind with the first of its ports.
    pub kinds: Vec<(Kind, u16)>,
}

impl Session {
    /// Everything, one kind after the other. What fails is noted and costs nothing but itself.
    pub fn run(&self) -> Report {
        let mut report = Report::new("three nodes", self.terms());
        for (kind, port) in &self.kinds {
            let name = match kind {
                Kind::Stock(_) => "stock",
                Kind::Gregor(_) | Kind::Earlier(_) => "gregor",
            };
            if self.with_cases {
                let measured = self.cases(kind, *port, name, &mut report);
                report.note(name, "cases", measured);
            }
            for figure in faults::FIGURES {
                if figure.is_large && !self.with_many {
                    continue;
                }
                for _ in 0..if figure.is_large { 1 } else { self.rounds } {
                    let dir = self.dir.join(format!("{name}-{}", figure.key));
                    let nodes = Nodes::new(kind, &dir, *port, figure.shape);
                    match nodes.and_then(|nodes| (figure.measure)(nodes)) {
                        Ok(found) => report.keep(name, found),
                        Err(error) => report.note(name, figure.key, Err(error)),
                    }
                }
            }
        }
        report
    }

    fn terms(&self) -> String {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let volume = if self.is_quick { "0.3 GB or 15000" } else { "1.5 GB or 90000" };
        format!(
            "Three nodes, three replicas; {volume} small requests a case; medians of {} rounds; \
             {processors} processors for all nodes and the load.",
            self.rounds
        )
    }

    fn cases(
        &self,
        kind: &Kind,
        port: u16,
        name: &'static str,
        report: &mut Report,
    ) -> Result<(), BenchError> {
        let dir = self.dir.join(format!("{name}-cases"));
        let mut nodes = Nodes::new(kind, &dir, port, nodes::COMBINED)?;
        nodes.start()?;
        for case in &load::CASES {
            for _ in 0..self.rounds {
                match case.measure(&nodes, self.is_quick) {
                    Ok(found) => report.keep(name, found),
                    Err(error) => report.note(name, case.key, Err(error)),
                }
            }
        }
        let largest = nodes.resident_bytes()?.into_iter().max().unwrap_or_default();
        report
            .keep(name, vec![Figure::mebibytes("memory after these cases, largest node", largest)]);
        Ok(())
    }
}
