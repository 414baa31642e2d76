//! Every request of the transaction coordinator in every version, right and wrong: whole answers,
//! byte for byte what stock Kafka says (times masked).

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::time::{Duration, Instant};

use protocol::messages::add_partitions_to_txn_request::{
    AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction,
};
use protocol::messages::*;
use protocol::wire::{Request, StrBytes};
use tests::server::Server;
use tests::topic::{create, init_producer_id};
use tests::wire::Client;
use tests::{facts, mask};

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn id(id: &str) -> TransactionalId {
    TransactionalId(text(id))
}

/// Who writes, as the coordinator said.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Producer {
    id: i64,
    epoch: i16,
}

/// Asks one server and writes down what it says.
struct Asker<'a> {
    server: &'a Server,
    client: Client,
    said: Vec<(String, String)>,
}

impl Asker<'_> {
    fn ask<R: Request>(&mut self, case: &str, version: i16, request: &R) -> R::Response
    where
        R::Response: Debug,
    {
        self.ask_sorted(case, version, request, |_| {})
    }

    /// The same for an answer whose order is a hash map's.
    fn ask_sorted<R: Request>(
        &mut self,
        case: &str,
        version: i16,
        request: &R,
        sort: impl FnOnce(&mut R::Response),
    ) -> R::Response
    where
        R::Response: Debug,
    {
        let answer = self.client.call(version, request);
        let mut answer = answer.unwrap_or_else(|error| panic!("{case} v{version}: {error}"));
        sort(&mut answer);
        let said = format!("{answer:?}").replace(", unknown_tagged_fields: {}", "");
        let said = mask::usual(&said, self.server);
        let said = mask::number_after("transaction_start_time_ms: ", &said);
        // A fact has no such sign of its own.
        self.said.push((format!("{case} v{version}"), said.replace(": ", "=")));
        answer
    }

    fn init(&mut self, case: &str, version: i16, request: &InitProducerIdRequest) -> Producer {
        let answer = self.ask(case, version, request);
        Producer { id: answer.producer_id.0, epoch: answer.producer_epoch }
    }

    /// The first FindCoordinator makes the topic; it is asked for until it serves.
    fn find(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        let request = FindCoordinatorRequest::default()
            .with_key_type(1)
            .with_coordinator_keys(vec![text("x")]);
        let found = |client: &mut Client| client.call(6, &request).expect("an answer");
        while found(&mut self.client).coordinators[0].error_code != 0 {
            assert!(Instant::now() < deadline, "no coordinator");
            std::thread::sleep(Duration::from_millis(50));
        }
        let describe = DescribeTransactionsRequest::default().with_transactional_ids(vec![id("x")]);
        let loading = |client: &mut Client| {
            let answer = client.call(0, &describe).expect("an answer");
            matches!(answer.transaction_states[0].error_code, 14..=16)
        };
        while loading(&mut self.client) {
            assert!(Instant::now() < deadline, "the coordinator does not load");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn init_request(transactional_id: &str) -> InitProducerIdRequest {
    InitProducerIdRequest::default()
        .with_transactional_id(Some(id(transactional_id)))
        .with_transaction_timeout_ms(60_000)
}

fn expecting(request: InitProducerIdRequest, producer: Producer) -> InitProducerIdRequest {
    request.with_producer_id(ProducerId(producer.id)).with_producer_epoch(producer.epoch)
}

fn finds(asker: &mut Asker<'_>) {
    for version in 1..=6 {
        let request = FindCoordinatorRequest::default().with_key_type(1);
        let request = match version < 4 {
            true => request.with_key(text("x")),
            false => request.with_coordinator_keys(vec![text("x"), text("")]),
        };
        asker.ask("find", version, &request);
    }
}

fn inits(asker: &mut Asker<'_>, version: i16) {
    let name = format!("init-{version}");
    let request = init_request(&name);
    asker.init("a new id", version, &request);
    let producer = asker.init("taken over", version, &request);
    if version >= 3 {
        asker.init("goes on", version, &expecting(request.clone(), producer));
        asker.init("goes on, repeated", version, &expecting(request.clone(), producer));
        let newest = Producer { epoch: producer.epoch + 1, ..producer };
        for (case, stranger) in [
            ("an epoch of before", Producer { epoch: producer.epoch - 1, ..producer }),
            ("an epoch to come", Producer { epoch: producer.epoch + 7, ..producer }),
            ("another's id", Producer { id: 77_777, ..newest }),
        ] {
            asker.init(case, version, &expecting(request.clone(), stranger));
        }
        asker.init("an id without epoch", version, &request.clone().with_producer_id(7.into()));
        asker.init("an epoch without id", version, &request.clone().with_producer_epoch(7));
        let unknown = init_request(&format!("unknown-{version}"));
        asker.init("expected of nobody", version, &expecting(unknown, producer));
    }
    for timeout_ms in [i32::MIN, 0, 900_000, 900_001, i32::MAX] {
        let request = request.clone().with_transaction_timeout_ms(timeout_ms);
        asker.init(&format!("a timeout of {timeout_ms}"), version, &request);
    }
    asker.init("an empty id", version, &init_request(""));
}

fn topics(partitions: &[(&str, &[i32])]) -> Vec<AddPartitionsToTxnTopic> {
    let topic = |(name, partitions): &(&str, &[i32])| {
        AddPartitionsToTxnTopic::default()
            .with_name(TopicName(text(name)))
            .with_partitions(partitions.to_vec())
    };
    partitions.iter().map(topic).collect()
}

fn add_request(
    transactional_id: &str,
    producer: Producer,
    partitions: &[(&str, &[i32])],
) -> AddPartitionsToTxnRequest {
    AddPartitionsToTxnRequest::default()
        .with_v3_and_below_transactional_id(id(transactional_id))
        .with_v3_and_below_producer_id(ProducerId(producer.id))
        .with_v3_and_below_producer_epoch(producer.epoch)
        .with_v3_and_below_topics(topics(partitions))
}

fn sort_added(answer: &mut AddPartitionsToTxnResponse) {
    answer.results_by_transaction.sort_by(|a, b| a.transactional_id.cmp(&b.transactional_id));
    let of_transactions =
        answer.results_by_transaction.iter_mut().map(|result| &mut result.topic_results);
    for topics in of_transactions.chain([&mut answer.results_by_topic_v3_and_below]) {
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        for topic in topics {
            topic.results_by_partition.sort_by_key(|result| result.partition_index);
        }
    }
}

fn adds_of_clients(asker: &mut Asker<'_>, version: i16) {
    let name = format!("add-{version}");
    let known = asker.init(&format!("before adds of v{version}"), 4, &init_request(&name));
    let stranger = Producer { id: 77_777, epoch: 0 };
    let old = Producer { epoch: known.epoch - 1, ..known };
    let orders: &[(&str, &[i32])] = &[("orders", &[0, 1])];
    for (case, name, producer, partitions) in [
        ("add to nobody's", "nobody", known, orders),
        ("add to an empty id's", "", known, orders),
        ("add by a stranger", &name, stranger, orders),
        ("add by an epoch of before", &name, old, orders),
        ("add what is not there", &name, known, &[("orders", &[0, 9]), ("nothing", &[0])]),
        ("add to a topic of Kafka's", &name, known, &[("__transaction_state", &[0])]),
        ("add", &name, known, orders),
        ("add again", &name, known, &[("orders", &[1])]),
        ("add nothing", &name, known, &[]),
    ] {
        let request = add_request(name, producer, partitions);
        asker.ask_sorted(case, version, &request, sort_added);
    }
    describe(asker, &format!("after adds of v{version}"), &[&name]);
}

fn adds_of_brokers(asker: &mut Asker<'_>, version: i16) {
    let [one, two] = ["one", "two"].map(|which| format!("leader-{which}-{version}"));
    let first =
        asker.init(&format!("before adds of brokers of v{version}"), 4, &init_request(&one));
    let second =
        asker.init(&format!("before adds of brokers, too, of v{version}"), 4, &init_request(&two));
    let transaction = |name: &str, producer: Producer, verify_only, partitions| {
        AddPartitionsToTxnTransaction::default()
            .with_transactional_id(id(name))
            .with_producer_id(ProducerId(producer.id))
            .with_producer_epoch(producer.epoch)
            .with_verify_only(verify_only)
            .with_topics(topics(partitions))
    };
    let orders: &[(&str, &[i32])] = &[("orders", &[0])];
    let both: &[(&str, &[i32])] = &[("orders", &[0, 1])];
    for (case, transactions) in [
        ("verify before", vec![transaction(&one, first, true, orders)]),
        (
            "add for two",
            vec![transaction(&one, first, false, orders), transaction(&two, second, false, both)],
        ),
        (
            "verify both, one too much",
            vec![transaction(&one, first, true, both), transaction(&two, second, true, both)],
        ),
        (
            "verify an internal topic",
            vec![transaction(&one, first, true, &[("__transaction_state", &[0])])],
        ),
        ("verify for a stranger", vec![transaction(&one, second, true, orders)]),
        (
            "verify an epoch to come",
            vec![transaction(&one, Producer { epoch: first.epoch + 1, ..first }, true, orders)],
        ),
        ("verify nobody's", vec![transaction("nobody", first, true, orders)]),
        ("verify an empty id's", vec![transaction("", first, true, orders)]),
        (
            "verify what is not there",
            vec![transaction(&one, first, true, &[("nothing", &[0]), ("orders", &[0])])],
        ),
    ] {
        let request = AddPartitionsToTxnRequest::default().with_transactions(transactions);
        asker.ask_sorted(case, version, &request, sort_added);
    }
}

fn add_offsets(asker: &mut Asker<'_>, version: i16) {
    let name = format!("offsets-{version}");
    let known = asker.init(&format!("before offsets of v{version}"), 4, &init_request(&name));
    let old = Producer { epoch: known.epoch - 1, ..known };
    for (case, name, producer) in [
        ("offsets of nobody's", "nobody", known),
        ("offsets of an empty id's", "", known),
        ("offsets by an epoch of before", &name, old),
        ("offsets by a stranger", &name, Producer { id: 77_777, epoch: 0 }),
        ("offsets", &name, known),
        ("offsets again", &name, known),
    ] {
        let request = AddOffsetsToTxnRequest::default()
            .with_transactional_id(id(name))
            .with_producer_id(ProducerId(producer.id))
            .with_producer_epoch(producer.epoch)
            .with_group_id(GroupId(text("g")));
        asker.ask(case, version, &request);
    }
    describe(asker, &format!("after offsets of v{version}"), &[&name]);
}

/// Ends of transactions that no partition takes part in.
fn empty_ends(asker: &mut Asker<'_>, version: i16) {
    let name = format!("end-{version}");
    let mut known = asker.init(&format!("before ends of v{version}"), 4, &init_request(&name));
    let request = |name: &str, producer: Producer, is_commit| {
        EndTxnRequest::default()
            .with_transactional_id(id(name))
            .with_producer_id(ProducerId(producer.id))
            .with_producer_epoch(producer.epoch)
            .with_committed(is_commit)
    };
    for is_commit in [true, false] {
        let said = if is_commit { "commit" } else { "abort" };
        let old = Producer { epoch: known.epoch - 1, ..known };
        for (case, name, producer) in [
            ("nobody's", "nobody", known),
            ("an empty id's", "", known),
            ("by an epoch of before", &name, old),
            ("by an epoch to come", &name, Producer { epoch: known.epoch + 1, ..known }),
            ("by a stranger", &name, Producer { id: 77_777, epoch: 0 }),
        ] {
            let case = format!("{said} {case}");
            asker.ask(&case, version, &request(name, producer, is_commit));
        }
        asker.ask(&format!("{said} of nothing"), version, &request(&name, known, is_commit));
    }
    if version < 5 {
        return;
    }
    for turn in 1..=3 {
        let old = known;
        known.epoch += 1;
        until_complete(asker, &name);
        for (case, producer) in [("repeated", old), ("of nothing", known)] {
            let commit = request(&name, producer, true);
            asker.ask(&format!("commit {case}, turn {turn}"), version, &commit);
            let abort = request(&name, producer, false);
            asker.ask(&format!("abort {case}, turn {turn}"), version, &abort);
        }
    }
}

fn until_complete(asker: &mut Asker<'_>, name: &str) {
    let request = DescribeTransactionsRequest::default().with_transactional_ids(vec![id(name)]);
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let answer = asker.client.call(0, &request).expect("an answer");
        if answer.transaction_states[0].transaction_state.starts_with("Complete") {
            return;
        }
        assert!(Instant::now() < deadline, "{answer:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn describe(asker: &mut Asker<'_>, case: &str, names: &[&str]) {
    let names = names.iter().map(|name| id(name)).collect();
    let request = DescribeTransactionsRequest::default().with_transactional_ids(names);
    asker.ask_sorted(case, 0, &request, |answer| {
        for state in &mut answer.transaction_states {
            state.topics.sort_by(|a, b| a.topic.cmp(&b.topic));
            state.topics.iter_mut().for_each(|topic| topic.partitions.sort_unstable());
        }
    });
}

fn lists(asker: &mut Asker<'_>) {
    let all = ListTransactionsRequest::default();
    let states = |names: &[&str]| {
        let names = names.iter().map(|name| text(name)).collect();
        ListTransactionsRequest::default().with_state_filters(names)
    };
    let ids = |ids: &[i64]| {
        let ids = ids.iter().map(|id| ProducerId(*id)).collect();
        ListTransactionsRequest::default().with_producer_id_filters(ids)
    };
    let pattern = |pattern: &str| all.clone().with_transactional_id_pattern(Some(text(pattern)));
    for (since, case, request) in [
        (0, "all", all.clone()),
        (0, "Ongoing", states(&["Ongoing"])),
        (0, "Empty and CompleteAbort", states(&["Empty", "CompleteAbort"])),
        (0, "unknown states", states(&["ongoing", "Dead", "PrepareEpochFence", "ongoing"])),
        (0, "an unknown state and a known one", states(&["x", "Ongoing"])),
        (0, "producers", ids(&[1, 2, 77_777])),
        (1, "a duration of hours", all.clone().with_duration_filter(3_600_000)),
        (1, "any duration", all.clone().with_duration_filter(-5)),
        (2, "an empty pattern", pattern("")),
        (2, "a pattern", pattern("add-[0-2]")),
        (2, "a part of ids", pattern("add")),
        (2, "what is no pattern", pattern("(add")),
        (2, "a pattern of nothing", pattern("nothing.*")),
    ] {
        for version in since..=2 {
            asker.ask_sorted(&format!("list {case}"), version, &request, |answer| {
                answer
                    .transaction_states
                    .sort_by(|a, b| a.transactional_id.cmp(&b.transactional_id));
                answer.unknown_state_filters.sort();
            });
        }
    }
}

#[test]
fn the_transaction_coordinator_answers_as_stock_does_in_every_version() {
    let server = Server::start(facts::kind(), &[]);
    let mut client = Client::connect(&server.address()).expect("the listener accepts");
    create(&mut client, "orders", 2);
    let mut asker = Asker { server: &server, client, said: Vec::new() };
    asker.find();
    // Stock fetches its first producer ids only now (docs/decisions/0070).
    init_producer_id(&mut asker.client).expect("a producer id");
    finds(&mut asker);
    for version in 0..=5 {
        inits(&mut asker, version);
    }
    for version in 0..=3 {
        adds_of_clients(&mut asker, version);
    }
    for version in 4..=5 {
        adds_of_brokers(&mut asker, version);
    }
    for version in 0..=4 {
        add_offsets(&mut asker, version);
    }
    for version in 0..=5 {
        empty_ends(&mut asker, version);
    }
    describe(&mut asker, "describe", &["add-0", "nobody", ""]);
    lists(&mut asker);
    let names: BTreeSet<&String> = asker.said.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), asker.said.len(), "each case has its name");
    facts::check(
        "transactions/every-version",
        "Answers of stock Kafka's transaction coordinator, times masked.",
        &asker.said,
    );
}
