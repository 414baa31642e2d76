//! Java's transactional producers and consumers on Gregor alone: coordinator, partitions, groups.

use tests::cluster::transaction_copies::{begin, read, run};
use tests::cluster::{Cluster, Layout};

const RECORDS: usize = 300;

fn started() -> (Cluster, String) {
    let layout = Layout::combined(1)
        .line("transaction.state.log.replication.factor=1")
        .line("transaction.state.log.min.isr=1")
        .line("offsets.topic.replication.factor=1");
    let cluster = Cluster::start(layout);
    let view = cluster.view();
    view.create("from", &[&[1], &[1]], &[]);
    view.create("to", &[&[1], &[1], &[1]], &[]);
    let bootstrap = cluster.bootstrap().join(",");
    (cluster, bootstrap)
}

#[test]
fn copies_in_transactions_are_exact_by_both_protocols() {
    for version in ["3.7.0", "4.3.1"] {
        let (_cluster, bootstrap) = started();
        run(version, &["fill", &bootstrap, "from", &RECORDS.to_string()]);
        run(version, &["copy", &bootstrap, "from", "to", "copier"]);
        assert_eq!(read(version, &bootstrap, "to"), (0..RECORDS).collect(), "{version}");
    }
}

#[test]
fn a_copy_goes_on_exactly_when_its_coordinator_is_killed() {
    let (mut cluster, bootstrap) = started();
    run("4.3.1", &["fill", &bootstrap, "from", &RECORDS.to_string()]);
    let copying = begin("4.3.1", &["copy", &bootstrap, "from", "to", "copier"]);
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    cluster.kill(1);
    cluster.start_again(1);
    let copied = copying.finish();
    assert_eq!(copied.code, 0, "{copied:#?}");
    assert_eq!(read("4.3.1", &bootstrap, "to"), (0..RECORDS).collect());
}
