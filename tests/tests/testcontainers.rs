//! Testcontainers, unmodified: each library starts our image in place of the one that it names, and
//! a client of its language writes and reads.
//!
//! Set is only what the libraries need where nothing can be pulled: no reaper, no checks, and the
//! version of the engine's API for Java.

use tests::testcontainers::{Case, Library, outcomes};

/// Seconds from the start script to the line that its library waits for.
const BOUND: f64 = 1.0;

const TMP: &str = "/tmp/testcontainers_start.sh";
const UNFENCED: &str = "Transitioning from RECOVERY to RUNNING";
const STARTED: &str = "[KafkaServer id=1] started";

/// The libraries' own classes for Java, in KRaft mode.
const JAVA: [Case; 4] = [
    Case { name: "apache", script: TMP, waits_for: UNFENCED },
    Case { name: "confluent", script: TMP, waits_for: UNFENCED },
    Case { name: "listener", script: TMP, waits_for: UNFENCED },
    Case { name: "kraft", script: TMP, waits_for: UNFENCED },
];

fn passes(library: Library, cases: &[Case]) {
    for (case, outcome) in cases.iter().zip(outcomes(library, cases)) {
        let (name, log) = (case.name, &outcome.log);
        println!("{library:?} {name}: {:.3} s from the start script to its line", outcome.seconds);
        assert_eq!(outcome.consumed, "100 in order", "{library:?} {name}:\n{log}");
        assert!(outcome.seconds <= BOUND, "{library:?} {name}: {} s:\n{log}", outcome.seconds);
    }
}

#[test]
fn java_1_21_starts_every_class_that_it_has_for_kafka() {
    passes(Library::Java1, &JAVA);
}

#[test]
fn java_2_starts_every_class_that_it_has_for_kafka() {
    passes(Library::Java2, &JAVA);
}

#[test]
fn java_starts_the_embedded_zookeeper_of_its_old_class() {
    let embedded = [Case { name: "zookeeper", script: TMP, waits_for: STARTED }];
    passes(Library::Java1, &embedded);
    passes(Library::Java2, &embedded);
}

#[test]
fn python_starts_its_container_in_kraft_mode() {
    let script = "/tc-start.sh";
    passes(Library::Python, &[Case { name: "kraft", script, waits_for: "Kafka Server started" }]);
}

#[test]
fn python_starts_its_container_with_zookeeper_inside() {
    let script = "/tc-start.sh";
    passes(Library::Python, &[Case { name: "zookeeper", script, waits_for: STARTED }]);
}

#[test]
fn go_starts_its_container_with_a_cluster_id_and_without() {
    let script = "/usr/sbin/testcontainers_start.sh";
    let case = |name| Case { name, script, waits_for: UNFENCED };
    passes(Library::Go, &[case("kraft"), case("cluster-id")]);
}

#[test]
fn node_starts_its_container_in_kraft_mode() {
    passes(Library::Node, &[Case { name: "kraft", script: TMP, waits_for: STARTED }]);
}

#[test]
fn node_starts_its_container_with_zookeeper_inside_and_beside_it() {
    let case = |name| Case { name, script: TMP, waits_for: STARTED };
    passes(Library::Node, &[case("embedded"), case("zookeeper")]);
}
