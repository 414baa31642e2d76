//! Timeouts of transactions, and ids that nobody uses.

use super::super::*;
use super::harness::{Bench, producer};

#[test]
fn a_transaction_whose_time_is_up_is_aborted_and_its_producer_fenced() {
    for version in [TransactionVersion::V0, TransactionVersion::V2] {
        let mut bench = Bench::new(version);
        let who = bench.init("x").unwrap();
        bench.add("x", who, &[0]).unwrap();
        bench.pass(60_000);
        assert_eq!(bench.state("x"), TransactionState::Ongoing);
        bench.pass(10_000);
        assert_eq!(bench.state("x"), TransactionState::PrepareAbort);
        assert_eq!(bench.markers().producer, producer(1000, 1));
        bench.write_markers();
        assert!(bench.end("x", who, true).is_err());
        assert_eq!(bench.add("x", who, &[0]), Err(TransactionError::ProducerFenced));
        assert_eq!(bench.init("x"), Ok(producer(1000, 2)));
    }
}

#[test]
fn the_timeout_of_the_last_epoch_asks_for_an_id() {
    let mut bench = Bench::new(TransactionVersion::V2);
    while bench.init("x") != Ok(producer(1000, i16::MAX - 1)) {}
    let who = producer(1000, i16::MAX - 1);
    bench.add("x", who, &[0]).unwrap();
    bench.pass(70_001);
    let Some(Command::AbortWithNewId { transactional_id, producer: of }) = bench.commands.pop()
    else {
        panic!("{:?}", bench.commands)
    };
    assert_eq!(of, who);
    // For another producer it would be nothing.
    let stranger = producer(1000, 5);
    bench.run(|shard, now, out| shard.abort_with(&transactional_id, stranger, 77, now, out));
    assert_eq!(bench.state("x"), TransactionState::Ongoing);
    bench.run(|shard, now, out| shard.abort_with(&transactional_id, of, 77, now, out));
    bench.write_markers();
    assert_eq!(bench.standing("x").producer(), producer(77, 0));
    assert_eq!(bench.init("x"), Ok(producer(77, 1)));
}

#[test]
fn an_id_that_nobody_uses_is_forgotten_and_one_with_an_open_transaction_is_not() {
    let mut bench = Bench::new(TransactionVersion::V2);
    bench.init("idle").unwrap();
    let open = bench.init("open").unwrap();
    bench.pass(604_800_000 - 3_600_001);
    let used = bench.init("used").unwrap();
    bench.add("open", open, &[0]).unwrap();
    bench.pass(2 * 3_600_000);
    let ids: Vec<_> =
        bench.runtime.shard().transactions.iter().map(|(id, _)| id.to_string()).collect();
    assert_eq!(ids, ["open", "used"]);
    assert_eq!(bench.log.last().unwrap().value, None);
    bench.reload();
    assert_eq!(bench.runtime.shard().transactions.iter().count(), 2);
    assert_eq!(bench.add("used", used, &[0]), Ok(()));
    // The id is anybody's again.
    let again = bench.init("idle").unwrap();
    assert_eq!(again.producer_epoch, 0);
    assert!(again.producer_id > used.producer_id);
}
