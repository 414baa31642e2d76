//! What coordinators cost beside stock's: groups, transactions, share groups, and the log cleaner
//! that keeps their topics small.
//!
//! One file a load. Each kind is measured on a node (or three) of its own, formatted for it, the
//! kinds in turn round by round: a neighbour's noise falls on both.

pub mod cleaner;
pub mod commits;
pub mod loading;
pub mod members;
pub mod share;
pub mod topics;
pub mod transactions;

use std::path::PathBuf;
use std::time::Duration;

use super::BenchError;
use super::brokers::{Kind, Node};
use super::several::nodes::{COMBINED, Nodes};
use super::several::report::{Figure, Report};

pub const START_LIMIT: Duration = Duration::from_secs(120);

/// Where one kind's nodes go, and how much they are asked.
#[derive(Clone, Debug)]
pub struct Place {
    kind: Kind,
    dir: PathBuf,
    port: u16,
    is_quick: bool,
}

impl Place {
    /// A formatted node that is alone, with settings besides those of every measurement.
    pub fn node(&self, settings: &[&str]) -> Result<Node, BenchError> {
        let mut node = Node::alone(self.kind.clone(), self.dir.clone(), self.port);
        node.settings = settings.iter().map(|line| format!("{line}\n")).collect();
        node.format()?;
        Ok(node)
    }

    /// The first of the ports that are this kind's.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A folder beside the nodes' own, for what belongs to the load.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.dir.with_extension(name)
    }

    /// Three nodes with both roles, started.
    fn cluster(&self) -> Result<Nodes, BenchError> {
        let mut nodes = Nodes::new(&self.kind, &self.dir, self.port, COMBINED)?;
        nodes.start()?;
        Ok(nodes)
    }

    /// The whole amount, or that of a quick run.
    pub fn amount<T>(&self, whole: T, quick: T) -> T {
        if self.is_quick { quick } else { whole }
    }
}

/// One load, by the key that chooses it.
pub struct Experiment {
    pub key: &'static str,
    pub measure: fn(&Place) -> Result<Vec<Figure>, BenchError>,
}

pub const COORDINATORS: [Experiment; 7] = [
    Experiment { key: "loading", measure: loading::measure },
    Experiment { key: "classic", measure: members::measure_classic },
    Experiment { key: "consumer", measure: members::measure_consumer },
    Experiment { key: "commits", measure: commits::measure },
    Experiment { key: "transactions", measure: transactions::measure },
    Experiment { key: "cleaner", measure: cleaner::measure },
    Experiment { key: "share", measure: share::measure },
];

/// What is run.
#[derive(Clone)]
pub struct Session {
    /// The head of the table's first column.
    pub heading: &'static str,
    pub experiments: &'static [Experiment],
    pub is_quick: bool,
    pub rounds: u32,
    /// Keys of experiments; empty for all.
    pub cases: Vec<String>,
    pub dir: PathBuf,
    /// Each kind with the first of its ports.
    pub kinds: Vec<(Kind, u16)>,
}

impl Session {
    /// Everything, the kinds in turn. What fails is noted and costs nothing but itself.
    pub fn run(&self) -> Report {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let terms = format!(
            "{}Medians of {} rounds; {processors} processors for the nodes and the load.",
            if self.is_quick { "Quick: a tenth of the amounts. " } else { "" },
            self.rounds
        );
        let mut report = Report::new(self.heading, terms);
        let mut kinds: Vec<_> = self.kinds.iter().collect();
        let is_chosen =
            |key: &str| self.cases.is_empty() || self.cases.iter().any(|one| one == key);
        for experiment in self.experiments.iter().filter(|one| is_chosen(one.key)) {
            for _ in 0..self.rounds {
                for (kind, port) in &kinds {
                    self.measure(experiment, kind, *port, &mut report);
                }
                kinds.reverse();
            }
        }
        report
    }

    fn measure(&self, experiment: &Experiment, kind: &Kind, port: u16, report: &mut Report) {
        let name = match kind {
            Kind::Stock(_) => "stock",
            Kind::Gregor(_) | Kind::Earlier(_) => "gregor",
        };
        let place = Place {
            kind: kind.clone(),
            dir: self.dir.join(format!("{name}-{}", experiment.key)),
            port,
            is_quick: self.is_quick,
        };
        match (experiment.measure)(&place) {
            Ok(found) => report.keep(name, found),
            Err(error) => report.note(name, experiment.key, Err(error)),
        }
    }
}
