//! The native tool of groups of Kafka Streams says and does what stock's does.

use tests::beside::{compare, compare_changes};
use tests::golden::{check, check_native, recording, tool};
use tests::native::run;
use tests::server::{Kind, Server};
use tests::streams_member::{Part, StreamsMember};

const TOOL: &str = "kafka-streams-groups --bootstrap-server SERVER";

#[test]
fn a_command_line_is_read_and_refused_as_by_stock() {
    check("tools/streams-groups-none-4.3.1");
    if !recording() {
        check_native(Kind::Gregor, "tools/streams-groups-none-4.3.1");
    }
}

#[test]
fn where_there_is_no_group_it_reads_and_refuses_as_stock_does() {
    match recording() {
        true => check("tools/streams-groups-4.3.1"),
        false => check_native(Kind::Gregor, "tools/streams-groups-4.3.1"),
    }
}

#[test]
fn a_node_without_such_groups_is_asked_as_by_stock() {
    if recording() {
        return;
    }
    let server = Server::start(Kind::Gregor, &[]);
    for words in [
        "--list",
        "--list --state Empty",
        "--describe --all-groups",
        "--describe --group g",
        "--describe --group g --state",
        "--delete --group g",
        "--delete --all-groups",
        "--delete-offsets --group g --input-topic t",
        "--delete-offsets --group g --all-input-topics",
        "--reset-offsets --group g --input-topic t --to-latest --execute",
    ] {
        compare(&server, &format!("{TOOL} {words}"));
    }
}

/// The order of the states is another in each JVM.
#[test]
fn a_state_that_no_such_group_has_is_refused() {
    let words = ["--bootstrap-server", "localhost:1", "--list", "--state", "stable,Unknown"];
    let refused = run("kafka-streams-groups", &words.map(str::to_owned), "");
    let said = "Invalid state list 'stable,Unknown'. Valid states are: Stable, Dead, Empty, \
                Assigning, Reconciling, NotReady\n";
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.starts_with(&format!("{said}Option ")), "{}", refused.stderr);
}

fn node(kind: Kind) -> Server {
    let settings = ["group.streams.initial.rebalance.delay.ms=0", "num.partitions=2"];
    let mut server = Server::prepare(kind, &settings.map(str::to_owned));
    server.stock = Some("4.3.1".to_owned());
    server.start_again();
    let create = "kafka-topics@4.3.1 --bootstrap-server SERVER --create --topic orders";
    assert_eq!(tool(&server, create, "").code, 0);
    let produce = "kafka-console-producer@4.3.1 --bootstrap-server SERVER --topic orders";
    assert_eq!(tool(&server, produce, "1\n2\n3\n").code, 0);
    server
}

/// Joins a group, whose internal topics the broker makes then.
fn member(server: &Server, group: &str, name: &str) -> StreamsMember {
    let [changelog, repartition] =
        ["store-changelog", "by-key-repartition"].map(|end| format!("{group}-{end}"));
    let parts = [
        Part { id: "0", sources: &["orders"], sinks: &[&repartition], ..Part::default() },
        Part {
            id: "1",
            changelogs: &[&changelog, "odd-changelog"],
            repartitioned: &[&repartition],
            ..Part::default()
        },
    ];
    StreamsMember::join(&server.address(), group, name, &parts)
}

#[test]
fn groups_with_members_are_shown_and_left_alone_as_by_stock() {
    if !recording() {
        [Kind::Stock, Kind::Gregor].into_iter().for_each(shown_and_left_alone);
    }
}

fn shown_and_left_alone(kind: Kind) {
    let server = node(kind);
    let ours = |words: &str| compare(&server, &format!("{TOOL} {words}"));
    let lost = Part { id: "0", sources: &["nothing"], ..Part::default() };
    let waiting = StreamsMember::join(&server.address(), "waiting", "m", &[lost]);
    for words in ["--state", "--members", "--offsets", "--state --verbose"] {
        ours(&format!("--describe --group waiting {words}"));
    }
    ours("--reset-offsets --group waiting --all-input-topics --to-latest --dry-run");
    waiting.leave();
    let delete = format!("{TOOL} --delete --group waiting").replacen(' ', "@4.3.1 ", 1);
    assert_eq!(tool(&server, &delete, "").code, 0);

    let mut first = member(&server, "app", "first");
    first.settle();
    for words in [
        "--list",
        "--list --state",
        "--list --state stable",
        "--describe --group app --state",
        "--describe --group app --state --verbose",
        "--describe --group app --members",
        "--describe --group app --members --verbose",
        "--describe --group app",
        "--describe --group app --offsets --verbose",
        "--describe --group app --group app --group nobody",
        "--describe --all-groups",
        "--delete --group app --group nobody --delete-all-internal-topics",
        "--delete --all-groups",
        "--reset-offsets --group app --input-topic orders --to-latest --execute",
        "--reset-offsets --all-groups --all-input-topics --to-latest --dry-run",
        "--delete-offsets --group app --input-topic orders",
        "--delete-offsets --group app --all-input-topics",
    ] {
        ours(words);
    }
    let shown = ours("--describe --group app --members").stdout;
    assert!(shown.contains("ACTIVE: 0:[0,1]; 1:[0,1]; "), "{shown}");
    first.leave();
    for words in ["", "--state", "--members", "--state --verbose"] {
        ours(&format!("--describe --group app {words}"));
    }
}

#[test]
fn groups_without_members_are_moved_and_deleted_as_by_stock() {
    if recording() {
        return;
    }
    let server = node(Kind::Gregor);
    for group in ["app-1", "app-2"] {
        let mut member = member(&server, group, "m");
        member.settle();
        member.leave();
    }
    let plan = server.folder().join("plan.csv");
    std::fs::write(&plan, "orders,0,1\norders,1,0\n").expect("a file");
    let changes = |words: &str| compare_changes(&server, &format!("{TOOL} {words}"), "app");
    let reset = "--reset-offsets --group GROUP";
    changes(&format!("{reset} --input-topic orders --to-latest --dry-run"));
    changes(&format!("{reset} --all-input-topics --to-latest --dry-run"));
    changes(&format!("{reset} --from-file {} --execute", plan.display()));
    for scenario in [
        "--to-latest",
        "--to-earliest",
        "--to-current",
        "--to-offset 2",
        "--to-offset 2 --to-offset 1",
        "--shift-by 1",
        "--shift-by -9",
        "--to-datetime 2001-01-01T00:00:00.000",
        "--to-datetime 2201-01-01T00:00:00.000",
        "--to-datetime yesterday",
        "--by-duration PT1H",
        "--by-duration PT0S",
    ] {
        changes(&format!("{reset} --all-input-topics {scenario} --dry-run"));
    }
    changes(&format!("{reset} --input-topic orders:0 --to-latest --execute"));
    changes(&format!("{reset} --input-topic orders:0 --to-current --dry-run --export"));
    compare(
        &server,
        &format!(
            "{TOOL} --reset-offsets --all-groups --all-input-topics --to-current --dry-run --export"
        ),
    );
    changes(&format!("{reset} --input-topic orders:x --to-current --dry-run"));
    changes(&format!("{reset} --input-topic orders:7 --to-current --dry-run"));
    changes(&format!("{reset} --input-topic nothing --to-current --dry-run"));
    changes(&format!("{reset} --to-current --dry-run"));
    changes(&format!(
        "{reset} --all-input-topics --to-earliest --execute --delete-internal-topic \
         GROUP-store-changelog"
    ));
    changes(&format!(
        "{reset} --all-input-topics --to-earliest --execute --delete-internal-topic nothing"
    ));
    changes("--delete-offsets --group GROUP --input-topic orders:0 --input-topic nothing");
    changes("--delete-offsets --group GROUP --all-input-topics");
    changes("--delete --group GROUP --group nobody --delete-all-internal-topics");
    compare(&server, &format!("{TOOL} --list"));
    let listed = "kafka-topics@4.3.1 --bootstrap-server SERVER --list";
    let topics = tool(&server, listed, "").stdout;
    assert!(!topics.contains("-repartition"), "{topics}");
}

#[test]
fn a_group_that_made_no_topics_goes_as_with_stock() {
    if recording() {
        return;
    }
    let server = node(Kind::Gregor);
    for group in ["bare-1", "bare-2", "lean-1", "lean-2"] {
        let part = Part { id: "0", sources: &["orders"], ..Part::default() };
        let mut member = StreamsMember::join(&server.address(), group, "m", &[part]);
        member.settle();
        member.leave();
    }
    let changes = |words: &str, name: &str| {
        compare_changes(&server, &format!("{TOOL} {words}"), name);
    };
    changes(
        "--reset-offsets --group GROUP --all-input-topics --to-latest --execute \
         --delete-all-internal-topics",
        "bare",
    );
    changes("--delete --group GROUP --delete-all-internal-topics", "bare");
    changes("--delete --group GROUP", "lean");
    compare(&server, &format!("{TOOL} --delete --all-groups"));
}
