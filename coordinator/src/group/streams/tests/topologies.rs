//! Topologies and the topics that there are: what is missing, what does not fit, what is to be
//! made.

use super::super::super::tests::consumer_bench::Cluster;
use super::super::super::tests::harness::text;
use super::super::super::*;
use super::super::configured_topology::ConfiguredTopology;
use super::super::topology::StreamsTopology;
use super::bench::*;
use protocol::records::group::StreamsSubtopologyValue;

fn configured(
    parts: &[StreamsSubtopologyValue],
    topics: &[(&str, i32)],
) -> Result<ConfiguredTopology, GroupError> {
    let topology = StreamsTopology::new(topology(parts)).unwrap();
    ConfiguredTopology::new(&topology, &*Cluster::of(1, topics))
}

fn problem(parts: &[StreamsSubtopologyValue], topics: &[(&str, i32)]) -> (i8, String) {
    let problem = configured(parts, topics).unwrap().problem.unwrap();
    (problem.code(), problem.to_string())
}

/// A word count: lines are split, words repartitioned and counted.
fn word_count() -> [StreamsSubtopologyValue; 2] {
    let mut split = part("0", &["lines"]);
    split.repartition_sink_topics.push(text("words"));
    let mut count = part("1", &[]);
    count.repartition_source_topics.push(internal("words", 0));
    count.state_changelog_topics.push(internal("counts", 0));
    [split, count]
}

#[test]
fn internal_topics_have_as_many_partitions_as_what_flows_into_them() {
    let configured = configured(&word_count(), &[("lines", 3)]).unwrap();
    let tasks: Vec<i32> =
        configured.subtopologies.unwrap().values().map(|part| part.tasks).collect();
    assert_eq!(tasks, [3, 3]);
    let mut missing: Vec<(&str, i32)> =
        configured.missing.iter().map(|topic| (topic.name.as_str(), topic.partitions)).collect();
    missing.sort_unstable();
    assert_eq!(missing, [("counts", 3), ("words", 3)]);
    assert_eq!(
        configured.problem.unwrap().to_string(),
        "Internal topics are missing: counts, words"
    );
}

#[test]
fn a_topology_is_ready_when_all_its_topics_are_there() {
    let all = [("lines", 3), ("words", 3), ("counts", 3)];
    assert!(configured(&word_count(), &all).unwrap().ready().is_some());
    let wrong = [("lines", 3), ("words", 3), ("counts", 2)];
    let why = "Existing topic counts has different number of partitions: expected 3, found 2";
    assert_eq!(problem(&word_count(), &wrong), (2, why.to_owned()));
}

#[test]
fn sources_that_are_missing_are_named_the_first_three_of_them() {
    let parts = [part("0", &["e", "d", "c", "b", "a"])];
    let why = "Source topics b, c, d and 1 additional topics are missing.";
    assert_eq!(problem(&parts, &[("a", 1)]), (1, why.to_owned()));
}

#[test]
fn topics_that_are_joined_have_equally_many_partitions() {
    let mut join = part("0", &["left", "right"]);
    join.copartition_groups.push(together(&[0, 1], &[]));
    let why = "Following topics do not have the same number of partitions: [{left=2, right=3}]";
    assert_eq!(problem(&[join], &[("left", 2), ("right", 3)]), (2, why.to_owned()));

    // A repartition topic follows what it is joined with.
    let [mut split, mut count] = word_count();
    split.subtopology_id = text("s");
    count.source_topics.push(text("known"));
    count.copartition_groups.push(together(&[0], &[0]));
    let made = configured(&[split, count.clone()], &[("lines", 3), ("known", 5)]).unwrap();
    assert!(made.missing.iter().all(|topic| topic.partitions == 5), "{:?}", made.missing);

    count.repartition_source_topics[0].partitions = 4;
    let why = "Number of partitions [4] of repartition topic [words] doesn't match number of \
               partitions [5] of the source topic.";
    assert_eq!(problem(&[count], &[("known", 5)]), (2, why.to_owned()));
}

#[test]
fn repartition_topics_that_are_joined_follow_the_one_that_is_fixed_or_the_largest() {
    let mut split = part("0", &["small"]);
    split.repartition_sink_topics.push(text("a"));
    let mut other = part("1", &["large"]);
    other.repartition_sink_topics.push(text("b"));
    let mut join = part("2", &[]);
    join.repartition_source_topics = vec![internal("a", 0), internal("b", 0)];
    join.copartition_groups.push(together(&[], &[0, 1]));
    let topics = [("small", 2), ("large", 6)];
    let made = configured(&[split.clone(), other.clone(), join.clone()], &topics).unwrap();
    assert!(made.missing.iter().all(|topic| topic.partitions == 6), "{:?}", made.missing);
    join.repartition_source_topics[0].partitions = 4;
    let made = configured(&[split, other, join], &topics).unwrap();
    assert!(made.missing.iter().all(|topic| topic.partitions == 4), "{:?}", made.missing);
}

#[test]
fn topologies_that_no_topics_would_do_for_are_refused() {
    let refused = |parts: &[StreamsSubtopologyValue]| {
        configured(parts, &[("lines", 1)]).unwrap_err().to_string()
    };
    let [split, count] = word_count();
    assert_eq!(
        refused(&[count]),
        "Failed to compute number of partitions for all repartition topics, because a repartition \
         source topic is never used as a sink topic."
    );
    let mut circle = part("0", &[]);
    circle.repartition_source_topics.push(internal("x", 0));
    circle.repartition_sink_topics.push(text("x"));
    assert_eq!(
        refused(&[circle]),
        "Failed to compute number of partitions for all repartition topics. There may be loops in \
         the topology that cannot be resolved."
    );
    assert_eq!(refused(&[split, part("1", &[])]), "No source topics found for subtopology 1");
}

#[test]
fn a_group_begins_when_its_internal_topics_have_been_made() {
    let mut bench = bench();
    bench.cluster = Cluster::of(1, &[("lines", 2)]);
    let first = bench.try_beat_streams(&joins_with("a", &word_count())).unwrap();
    assert_eq!(first.statuses[0].code(), 3);
    assert_eq!(first.missing_topics.len(), 2);
    assert_eq!(bench.described_streams().state, "NotReady");
    let topology = bench.described_streams().topology;
    assert_eq!(topology.subtopologies[1].repartition_source_topics[0].partitions, 0);
    bench.change_topics(2, &[("lines", 2), ("words", 2), ("counts", 2)]);
    let second = bench.try_beat_streams(&stays("a", first.member_epoch)).unwrap();
    assert_eq!((second.statuses, second.missing_topics), (vec![], vec![]));
    let tasks: usize = second.tasks.unwrap().active.values().map(|of| of.len()).sum();
    assert_eq!(tasks, 4);
    let group = bench.described_streams();
    assert_eq!(group.state, "Stable");
    assert_eq!(group.topology.subtopologies[1].repartition_source_topics[0].partitions, 2);
    assert_eq!(names(&group.topology.subtopologies[0].source_topics), ["lines"]);
}

#[test]
fn a_group_whose_source_goes_gives_up_its_tasks() {
    let mut bench = bench();
    bench.beat_streams(&joins("a"));
    bench.cluster = Cluster::of(2, &[]);
    let changed = [text("words")].into();
    let image = std::sync::Arc::clone(&bench.cluster);
    bench.run(|shard, _, _| shard.metadata_changed(&image, &changed, false));
    let answer = bench.try_beat_streams(&has("a", 2, &[0, 1, 2, 3])).unwrap();
    assert_eq!((told(&answer), answer.statuses[0].code()), ((2, Some(vec![])), 1));
    assert_eq!(bench.described_streams().state, "NotReady");
    assert_eq!(bench.beat_streams(&has("a", 2, &[])).0, 3);
}

#[test]
fn a_member_with_an_older_topology_is_told_so() {
    let mut bench = bench();
    let mut newer = joins("a");
    newer.topology.as_mut().unwrap().epoch = 3;
    bench.beat_streams(&newer);
    let why = "The member's topology epoch 0 is behind the group's topology epoch 3.";
    assert_eq!(bench.streams_statuses(&joins("b")), [(0, why.to_owned())]);
}
