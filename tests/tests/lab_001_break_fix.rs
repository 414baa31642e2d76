//! The course "Streams for Apache Kafka Break-Fix Lab", exercise by exercise, with tools and
//! clients of Kafka 3.7.0, which it uses. Each exercise has a cluster of its own.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use tests::labs::{BreakFix, Difference, Row, WHOLE_LOAD, Window, load};

/// How long a client may take to end once nothing stands in its way.
const PATIENCE: Duration = Duration::from_secs(120);

fn leaders(rows: &[Row]) -> BTreeMap<Option<i32>, usize> {
    let mut leaders = BTreeMap::new();
    for row in rows {
        *leaders.entry(row.leader).or_default() += 1;
    }
    leaders
}

/// "Inspect the topic configuration, ensuring that each of the brokers is the leader for two
/// partitions", all replicas in sync.
fn each_leads_two(desk: &BreakFix) -> Vec<Row> {
    let rows = desk.lab.describe("test-topic");
    let expected = BTreeMap::from([(Some(0), 2), (Some(1), 2), (Some(2), 2)]);
    assert_eq!(leaders(&rows), expected, "{rows:?}");
    assert!(rows.iter().all(Row::is_whole), "{rows:?}");
    rows
}

/// "Repeat the tests as many times as necessary, adding disruptions to your system if necessary":
/// first as the text has it, then with a disruption.
fn until_seen(
    what: &str,
    mut attempt: impl FnMut(bool) -> Difference,
    fits: fn(&Difference) -> bool,
) {
    let mut seen = Vec::new();
    for is_disturbed in [false, true, true] {
        seen.push(attempt(is_disturbed));
        println!("{what}: {seen:?}");
        if seen.last().is_some_and(fits) {
            return;
        }
    }
    panic!("{what}: {seen:?}");
}

#[test]
fn exercise_2_2_redelivery_waits_for_a_dynamic_member_and_not_for_a_static_one() {
    let desk = BreakFix::with_one_broker();
    let consumer = desk.consumer("mvn clean compile exec:java");
    consumer.wait_for_text("assigned [test-topic-0, test-topic-1, test-topic-2]");
    let mut producer = desk.producer("mvn clean compile exec:java");
    assert!(producer.wait_end(PATIENCE).success());
    assert_eq!(desk.lines("producer", "payload.log"), 100);
    desk.wait_for_lines("consumer", "payload.log", 100);
    desk.quit();
    consumer.wait_for_text("ended by quit");
    assert_eq!(desk.lines("consumer", "payload.log"), 100, "wc -l payload.log");
    assert_eq!(desk.compare(), Difference { sent: 100, lost: 0, repeated: 0 });

    // Part two: nothing is committed, the consumer is interrupted and started again.
    let no_commits = "mvn exec:java -Dconsumer.auto-commit=false";
    let mut consumer = desk.consumer(no_commits);
    consumer.wait_for_text("assigned [");
    let mut producer = desk.producer("mvn exec:java");
    assert!(producer.wait_end(PATIENCE).success());
    desk.wait_for_lines("consumer", "payload.log", 100);
    let (mut consumer, again) = interrupted_and_again(&desk, &mut consumer, no_commits, 200);
    assert!(again.is_almost_a_session(), "almost 45 seconds: {again:?}");
    dynamic_member_is_waited_for(&desk.broker(0).printed());

    // As a static member: the dynamic one is waited for, but not the static one.
    let fixed = "mvn exec:java -Dconsumer.auto-commit=false -Dconsumer.instance-id=12345";
    let (mut consumer, again) = interrupted_and_again(&desk, &mut consumer, fixed, 300);
    assert!(again.is_almost_a_session(), "a delay again: {again:?}");
    let (mut consumer, again) = interrupted_and_again(&desk, &mut consumer, fixed, 400);
    assert!(again.since_joining < Duration::from_secs(5), "immediately: {again:?}");
    static_member_is_known(&desk.broker(0).printed());
    consumer.ctrl_c();
}

/// When the hundred records came again.
#[derive(Debug)]
struct Again {
    since_ctrl_c: Duration,
    since_joining: Duration,
}

impl Again {
    /// The member that was interrupted has sent its last heartbeat up to three seconds before.
    fn is_almost_a_session(&self) -> bool {
        (40..=50).contains(&self.since_ctrl_c.as_secs())
    }
}

/// Ctrl-C, the command again, and the hundred records again.
fn interrupted_and_again(
    desk: &BreakFix,
    consumer: &mut Window,
    typed: &str,
    lines: usize,
) -> (Window, Again) {
    consumer.ctrl_c();
    let interrupted = Instant::now();
    let again = desk.consumer(typed);
    again.wait_for_text("(Re-)joining group");
    let joining = Instant::now();
    desk.wait_for_lines("consumer", "payload.log", lines);
    let since_ctrl_c = interrupted.elapsed();
    (again, Again { since_ctrl_c, since_joining: joining.elapsed() })
}

/// The last lines in the window of broker 0, step 4.
fn dynamic_member_is_waited_for(printed: &str) {
    for said in [
        "Dynamic member with unknown member id joins group test-app in Stable state",
        "to rejoin with this id",
        "Preparing to rebalance group test-app in state PreparingRebalance with old generation",
        "in group test-app has failed, removing it from the group",
        "Stabilized group test-app generation",
        "Assignment received from leader consumer-test-app-1-",
        "for group test-app for generation",
        "The group has 1 members, 0 of which are static",
    ] {
        assert!(printed.contains(said), "{said}:\n{printed}");
    }
}

/// Step 5.5.
fn static_member_is_known(printed: &str) {
    for said in [
        "Static member with groupInstanceId=12345 and unknown member id",
        "in Stable state. Replacing previously mapped member 12345-",
        "Static member which joins during Stable stage and doesn't affect",
    ] {
        assert!(printed.contains(said), "{said}:\n{printed}");
    }
}

#[test]
fn exercise_3_1_without_acknowledgements_records_are_lost() {
    let mut desk = BreakFix::with_three_brokers();
    for broker in 0..3 {
        desk.broker(broker).wait_for_text("Recorded new ZK controller, from now on will use node");
    }
    let attempt = |is_disturbed| {
        desk.remove_payload_logs();
        desk.create("--partitions 6 --replication-factor 1");
        each_leads_two(&desk);
        let mut producer = desk.producer(&sending_records("-Dproducer.acks=0", WHOLE_LOAD));
        desk.wait_for_lines("producer", "payload.log", WHOLE_LOAD / 100);
        for broker in [1, 2, 1] {
            if is_disturbed {
                desk.ctrl_c_after_a_stall(broker);
            } else {
                desk.ctrl_c(broker);
            }
            desk.start(broker);
            std::thread::sleep(Duration::from_millis(300));
        }
        desk.ctrl_c(1);
        // "With one of the brokers stopped, observe that the producer has halted."
        let halted_at = desk.wait_until_still("producer", "payload.log");
        assert!(producer.is_open() && halted_at < WHOLE_LOAD, "halted at {halted_at}");
        let rows = desk.lab.describe("test-topic");
        assert_eq!(leaders(&rows), BTreeMap::from([(None, 2), (Some(0), 2), (Some(2), 2)]));
        for row in &rows {
            let stays = if row.leader.is_none() { vec![1] } else { row.replicas.clone() };
            assert_eq!((&row.replicas, &row.isr), (&stays, &stays), "{row:?}");
        }
        desk.start(1);
        assert!(producer.wait_end(PATIENCE).success());
        let seen = desk.consume_and_compare("mvn exec:java -Dconsumer.auto-offset-reset=earliest");
        desk.delete();
        assert_eq!((seen.sent, seen.repeated), (WHOLE_LOAD, 0), "{seen:?}");
        seen
    };
    until_seen("lost without acknowledgements", attempt, |seen| seen.lost > 0);
}

/// The producer's command, with what stands for the text's number of records.
fn sending(options: &str) -> String {
    sending_records(options, load())
}

fn sending_records(options: &str, records: usize) -> String {
    format!("mvn exec:java {options} -Dproducer.num-records-per-roll={records}")
}

const FROM_THE_BEGINNING: &str = "mvn exec:java -Dconsumer.auto-offset-reset=earliest";

#[test]
fn exercise_3_2_replicas_alone_do_not_keep_records_without_acknowledgements() {
    let mut desk = BreakFix::with_three_brokers();
    let attempt = |is_disturbed| {
        desk.remove_payload_logs();
        desk.create("--partitions 6 --replication-factor 2");
        let before = each_leads_two(&desk);
        let mut producer = desk.producer(&sending("-Dproducer.acks=0"));
        desk.wait_for_lines("producer", "payload.log", load() / 20);
        if is_disturbed {
            desk.ctrl_c_after_a_stall(1);
        } else {
            desk.ctrl_c(1);
        }
        // "Observe that the producer keeps sending": to its end, with the broker away.
        let led = desk.lab.describe_until("test-topic", |row| !row.isr.contains(&1));
        assert!(producer.wait_end(PATIENCE).success());
        for (row, before) in led.iter().zip(&before) {
            assert_eq!(row.replicas, before.replicas, "the assignment has not changed");
            assert!(row.leader.is_some_and(|leader| leader != 1), "{row:?}");
        }
        desk.start(1);
        let restored = desk.lab.describe_until("test-topic", Row::is_whole);
        assert_eq!(leaders(&restored), leaders(&led), "the leaders have not changed");
        let seen = desk.consume_and_compare(FROM_THE_BEGINNING);
        desk.delete();
        assert_eq!((seen.sent, seen.repeated), (load(), 0), "{seen:?}");
        seen
    };
    until_seen("lost with acks=0 and replicas", attempt, |seen| seen.lost > 0);
}

#[test]
fn exercise_3_2_acknowledgements_of_the_leader_alone_do_not_keep_records() {
    let mut desk = BreakFix::with_three_brokers();
    // It must still send when the tool has seen the first broker's leaders move: some seconds.
    let records = 3 * load();
    let attempt = |is_disturbed| {
        desk.remove_payload_logs();
        desk.create("--partitions 6 --replication-factor 2");
        each_leads_two(&desk);
        let mut producer = desk.producer(&sending_records("-Dproducer.acks=1", records));
        desk.wait_for_lines("producer", "payload.log", load() / 20);
        desk.pkill(1);
        desk.lab.describe_until("test-topic", |row| row.leader != Some(1));
        if is_disturbed {
            desk.stalled(&[0], |desk| desk.pkill(2));
        } else {
            desk.pkill(2);
        }
        // "Observe the producer again stopped sending."
        let halted_at = desk.wait_until_still("producer", "payload.log");
        assert!(producer.is_open() && halted_at < records, "halted at {halted_at}");
        for row in desk.lab.describe("test-topic") {
            assert_eq!(row.leader, row.replicas.contains(&0).then_some(0), "{row:?}");
        }
        // "Restart the last one of the two": it alone may lead what the two had.
        desk.start(2);
        assert!(producer.wait_end(PATIENCE).success());
        desk.start(1);
        desk.lab.describe_until("test-topic", Row::is_whole);
        let seen = desk.consume_and_compare(FROM_THE_BEGINNING);
        desk.delete();
        assert_eq!(seen.sent, records, "{seen:?}");
        seen
    };
    until_seen("lost with acks=1", attempt, |seen| seen.lost > 0);
}

#[test]
fn exercise_3_3_enough_replicas_in_sync_keep_every_record() {
    let mut desk = BreakFix::with_three_brokers();
    let acks_all = sending("-Dproducer.acks=all");
    desk.create("--partitions 6 --replication-factor 2 --config min.insync.replicas=2");
    each_leads_two(&desk);
    let mut producer = desk.producer(&acks_all);
    desk.wait_for_lines("producer", "payload.log", load() / 20);
    desk.ctrl_c(1);
    producer.wait_for_text("Error: NOT_ENOUGH_REPLICAS");
    desk.start(1);
    assert!(producer.wait_end(PATIENCE).success());
    desk.delete();

    // The text goes on with the payload log of the first topic; it would be the whole difference.
    desk.remove_payload_logs();
    desk.create("--partitions 6 --replication-factor 3 --config min.insync.replicas=2");
    each_leads_two(&desk);
    let mut producer = desk.producer(&acks_all);
    desk.wait_for_lines("producer", "payload.log", load() / 20);
    desk.ctrl_c(1);
    desk.ctrl_c(2);
    let warned = producer.wait_for_text("Error: NOT_ENOUGH_REPLICAS");
    assert!(warned.contains("retrying ("), "{warned}");
    let stopped_at = desk.wait_until_still("producer", "payload.log");
    assert!(producer.is_open() && stopped_at < load(), "stopped at {stopped_at}");
    desk.start(2);
    assert!(producer.wait_end(PATIENCE).success());
    let rows = desk.lab.describe("test-topic");
    assert!(rows.iter().all(|row| row.isr.len() == 2 && !row.isr.contains(&1)), "{rows:?}");
    let seen = desk.consume_and_compare(FROM_THE_BEGINNING);
    assert_eq!(seen, Difference { sent: load(), lost: 0, repeated: 0 });
    desk.delete();
}

#[test]
fn exercise_3_4_idempotence_keeps_records_from_being_repeated() {
    let mut desk = BreakFix::with_three_brokers();
    desk.create("--partitions 6 --replication-factor 3 --config min.insync.replicas=2");
    let eager = "-Dproducer.idempotent=false -Dproducer.max-inflight=1000 \
        -Dproducer.linger=1000 -Dproducer.acks=1";
    let attempt = |is_disturbed| {
        desk.remove_payload_logs();
        let mut producer = desk.producer(&sending(eager));
        let stop = if is_disturbed { BreakFix::pkill } else { ended };
        interrupt(&mut desk, &mut producer, stop);
        let seen = desk.consume_and_compare(FROM_THE_BEGINNING);
        assert_eq!(seen.sent, load(), "{seen:?}");
        seen
    };
    until_seen("repeated without idempotence", attempt, |seen| seen.repeated > 0);

    let mut producer = desk.producer(&sending(""));
    interrupt(&mut desk, &mut producer, ended);
    let seen = desk.consume_and_compare("mvn exec:java");
    assert_eq!(seen, Difference { sent: load(), lost: 0, repeated: 0 });
    desk.delete();
}

/// "While the producer is sending, stop and restart various brokers several times in rapid
/// succession."
fn interrupt(desk: &mut BreakFix, producer: &mut Window, stop: fn(&mut BreakFix, usize)) {
    desk.wait_for_lines("producer", "payload.log", load() / 20);
    for broker in [1, 2, 0, 1, 2, 0] {
        if producer.is_open() {
            stop(desk, broker);
            desk.start(broker);
            desk.lab.describe_until("test-topic", Row::is_whole);
        }
    }
    assert!(producer.wait_end(PATIENCE).success());
}

/// Ctrl-C, whatever time it takes.
fn ended(desk: &mut BreakFix, broker: usize) {
    desk.ctrl_c(broker);
}

#[test]
fn exercise_4_1_offsets_committed_too_early_lose_records() {
    let desk = BreakFix::with_three_brokers();
    desk.create("--partitions 6");
    let mut producer = desk.producer("mvn exec:java -Dproducer.num-records-per-roll=1500");
    assert!(producer.wait_end(PATIENCE).success());
    let mut consumer = desk.consumer(
        "mvn exec:java -Dconsumer.auto-offset-reset=earliest \
           -Dconsumer.ack-every-x-msgs=50 -Dconsumer.wait-after-record=200 \
           -Dconsumer.instance-id=12345 -Dconsumer.local-id=1",
    );
    let printed = consumer.wait_for_text("committed after 50 records");
    consumer.ctrl_c();
    let batch = printed.lines().find_map(|line| line.strip_prefix("received "));
    let batch = batch.and_then(|line| line.split(' ').next()?.parse::<usize>().ok());
    let logged = desk.lines("consumer", "payload-1.log");
    assert!((50..60).contains(&logged), "the processed records: {logged}");

    let mut consumer = desk.consumer(
        "mvn exec:java -Dconsumer.auto-offset-reset=earliest \
           -Dconsumer.instance-id=12345 -Dconsumer.local-id=2",
    );
    let _ = consumer.wait_for_text("received ");
    let _ = desk.wait_until_still("consumer", "payload-2.log");
    desk.quit();
    assert!(consumer.wait_end(PATIENCE).success());
    // What the first batch had beyond the records that were processed is committed and gone.
    let lost = batch.expect("a first batch") - logged;
    assert_eq!(desk.compare(), Difference { sent: 1500, lost, repeated: 0 });
    assert!(lost > 0, "the first batch was larger than 50");
    desk.delete();
}

#[test]
fn exercise_4_2_offsets_committed_too_late_repeat_records() {
    let mut desk = BreakFix::with_three_brokers();
    for broker in 0..3 {
        desk.stop(broker);
        let file = format!("broker{broker}.properties");
        desk.lab.edit(&file, |text| {
            format!(
                "{text}group.consumer.min.heartbeat.interval.ms=500\n\
                 group.consumer.min.session.timeout.ms=500\n\
                 group.min.session.timeout.ms=500\n"
            )
        });
    }
    (0..3).for_each(|broker| desk.start(broker));
    let configs = desk.lab.sees(
        "./kafka/bin/kafka-configs.sh --bootstrap-server localhost:9092 \
           --entity-type brokers --describe --all",
    );
    for broker in 0..3 {
        assert!(configs.contains(&format!("All configs for broker {broker} are:")), "{configs}");
    }
    for setting in
        ["consumer.min.heartbeat.interval", "consumer.min.session.timeout", "min.session.timeout"]
    {
        let shown = format!("  group.{setting}.ms=500 ");
        assert_eq!(configs.matches(&shown).count(), 3, "{shown}: {configs}");
    }

    desk.create("--partitions 6");
    let mut producer = desk.producer("mvn exec:java -Dproducer.num-records-per-roll=50000");
    assert!(producer.wait_end(PATIENCE).success());
    let lazy = |id: u8| {
        format!(
            "mvn exec:java -Dconsumer.auto-offset-reset=earliest \
               -Dconsumer.ac-interval=30000 -Dconsumer.assignment-strategy=rr \
               -Dconsumer.session-timeout=1000 -Dconsumer.heartbeat-interval=500 \
               -Dconsumer.wait-after-batch=2500 -Dconsumer.fetch-min-bytes=16374 \
               -Dconsumer.max-poll-recs=5000 -Dconsumer.payload-trunc=false \
               -Dconsumer.local-id={id}"
        )
    };
    let mut first = desk.consumer(&lazy(1));
    desk.wait_for_lines("consumer", "payload-1.log", 1);
    let mut second = desk.consumer(&lazy(2));
    desk.wait_for_lines("consumer", "payload-2.log", 5_000);
    second.ctrl_c();
    std::thread::sleep(Duration::from_millis(3_500));
    assert!(first.is_open());
    let mut second = desk.consumer(&lazy(2));
    let _ = second.wait_for_text("assigned [");
    for log in ["payload-1.log", "payload-2.log"] {
        let _ = desk.wait_until_still_for(Duration::from_secs(4), "consumer", log);
    }
    desk.quit();
    let began = Instant::now();
    while first.is_open() && second.is_open() {
        assert!(began.elapsed() < PATIENCE, "nobody has quit");
        std::thread::sleep(Duration::from_millis(50));
    }
    desk.quit();
    assert!(first.wait_end(PATIENCE).success() && second.wait_end(PATIENCE).success());
    let seen = desk.compare();
    assert!(seen.sent == 50_000 && seen.lost == 0 && seen.repeated > 0, "{seen:?}");
    desk.delete();
}
