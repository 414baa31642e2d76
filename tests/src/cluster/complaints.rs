//! What stock nodes complain of beside Gregor's.

use super::{Cluster, log};
use crate::server::Kind;

/// The ERROR and FATAL lines of the stock nodes: none about Gregor, but for those that stock alone
/// writes too: controllers of each other's requests while one is elected and not active yet, starts
/// (and is asked for its versions before it has a quorum) or stops, and of the last one's stop,
/// which waits five seconds for somebody to take over.
///
/// # Panics
/// When there are others.
pub fn complaints(cluster: &Cluster) {
    for plan in cluster.layout.nodes.iter().filter(|plan| plan.kind == Kind::Stock) {
        let output = cluster.output(plan.id);
        assert!(output.contains(" INFO "), "stock node {} logs", plan.id);
        for level in ["ERROR", "FATAL"] {
            let mut said = log::lines_at(&output, level);
            said.retain(|line| {
                let cause = log::line_after(&output, line);
                let usual = [
                    "NotControllerException",
                    "event queue is shutting down",
                    "\"kafka.server.ControllerServer.raftManager()\" is null",
                    "featuresPublisher()\" is null",
                ];
                let is_usual = usual.iter().any(|usual| cause.contains(usual));
                let is_own = ["softwareName=apache-kafka-java", "Graceful shutdown of RaftClient"]
                    .iter()
                    .any(|own| line.contains(own));
                !is_usual && !is_own
            });
            assert_eq!(said, Vec::<&str>::new(), "node {}", plan.id);
        }
    }
}
