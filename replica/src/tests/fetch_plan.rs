//! What a fetcher asks for, request by request.

use protocol::ErrorCode;

use crate::fetch_plan::{FetchAsk, FetchPlan, NextFetch, pause_ms};
use crate::follower::FetchPosition;

type Key = (u128, i32);
type Ask = FetchAsk<Key>;
type Plan<T> = FetchPlan<Key, T>;

const BACKOFF_MS: i64 = 1000;

fn key(partition: i32) -> Key {
    (7, partition)
}

fn at(fetch_offset: i64) -> FetchPosition {
    FetchPosition {
        leader: 1,
        leader_epoch: 3,
        fetch_offset,
        last_fetched_epoch: 3,
        log_start_offset: 0,
    }
}

/// What is asked for; within a session it is answered at once.
fn ask(
    plan: &mut Plan<()>,
    now_ms: i64,
    next_fetch: impl Fn(&Key, &()) -> NextFetch,
) -> Option<Ask> {
    let asked = plan.ask(now_ms, next_fetch)?;
    if asked.session_epoch != 0 {
        assert!(plan.answered(asked.number, asked.session_id));
    }
    Some(asked)
}

/// Every partition is asked for at this offset.
fn ask_at(plan: &mut Plan<()>, now_ms: i64, offset: i64) -> Option<Ask> {
    ask(plan, now_ms, |_, ()| NextFetch::Fetch(at(offset)))
}

fn names(ask: &Ask) -> Vec<i32> {
    ask.changed.iter().map(|((_, partition), _)| *partition).collect()
}

/// Partitions 0 and 1 in session 9.
fn in_session() -> Plan<()> {
    let mut plan = Plan::new();
    plan.follow(key(0), ());
    plan.follow(key(1), ());
    let first = ask_at(&mut plan, 0, 5).unwrap();
    assert_eq!((first.session_id, first.session_epoch, names(&first)), (0, 0, vec![0, 1]));
    assert!(plan.answered(first.number, 9));
    plan
}

#[test]
fn with_nothing_to_follow_nothing_is_asked() {
    assert_eq!(ask_at(&mut Plan::new(), 0, 5), None);
}

#[test]
fn within_a_session_only_what_moved_is_asked_for() {
    let mut plan = in_session();
    plan.moved(key(0));
    plan.moved(key(1));
    let next_fetch = |key: &Key, (): &()| NextFetch::Fetch(at(if key.1 == 1 { 6 } else { 5 }));
    let second = ask(&mut plan, 0, next_fetch).unwrap();
    assert_eq!((second.session_id, second.session_epoch, names(&second)), (9, 1, vec![1]));
    let third = ask(&mut plan, 0, next_fetch).unwrap();
    assert_eq!((third.session_epoch, names(&third)), (2, vec![]));
}

#[test]
fn a_partition_that_is_forgotten_leaves_the_session_and_may_come_back() {
    let mut plan = in_session();
    plan.forget(key(0));
    let asked = ask_at(&mut plan, 0, 5).unwrap();
    assert_eq!((names(&asked), asked.forgotten), (vec![], vec![key(0)]));
    plan.forget(key(1));
    plan.follow(key(1), ());
    let asked = ask_at(&mut plan, 0, 5).unwrap();
    assert_eq!((names(&asked), asked.forgotten), (vec![1], vec![]));
}

#[test]
fn the_last_partition_to_go_is_told_and_then_there_is_nothing_to_ask() {
    let mut plan = in_session();
    plan.forget(key(0));
    plan.forget(key(1));
    let last = plan.ask(0, |_, ()| NextFetch::Fetch(at(5))).unwrap();
    assert_eq!((last.session_id, last.forgotten), (9, vec![key(0), key(1)]));
    // A session without partitions is none any more.
    plan.answered(last.number, 0);
    assert_eq!(ask_at(&mut plan, 0, 5), None);
    plan.follow(key(2), ());
    let first = ask_at(&mut plan, 0, 5).unwrap();
    assert_eq!((first.session_id, first.session_epoch, names(&first)), (0, 0, vec![2]));
}

#[test]
fn an_answer_to_an_older_question_is_no_answer_to_a_newer_one() {
    let mut plan = in_session();
    plan.moved(key(0));
    let newer = ask_at(&mut plan, 0, 8).unwrap();
    assert!(plan.asked(&key(0), newer.number - 1).is_none());
    assert_eq!(plan.asked(&key(0), newer.number).map(|(_, position)| position), Some(at(8)));
    assert_eq!(plan.asked(&key(1), newer.number - 1).map(|(_, position)| position), Some(at(5)));
}

#[test]
fn what_fails_pauses_longer_each_time_and_others_go_on() {
    let mut plan = in_session();
    plan.failed(key(0), 0, BACKOFF_MS);
    let asked = ask_at(&mut plan, 0, 5).unwrap();
    assert_eq!((names(&asked), asked.forgotten), (vec![], vec![key(0)]));
    assert_eq!(plan.next_due_ms(0), Some(10));
    assert_eq!(names(&ask_at(&mut plan, 10, 5).unwrap()), [0]);
    plan.failed(key(0), 10, BACKOFF_MS);
    assert_eq!(plan.next_due_ms(0), Some(30));
    assert!(!names(&ask_at(&mut plan, 29, 5).unwrap()).contains(&0));
    let pauses: Vec<_> = (0..9).map(|failures| pause_ms(failures, BACKOFF_MS)).collect();
    assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
    assert_eq!(pause_ms(u32::MAX, BACKOFF_MS), 1000);
}

#[test]
fn news_of_a_partition_ends_its_pause() {
    let mut plan = in_session();
    plan.failed(key(0), 0, BACKOFF_MS);
    assert!(!plan.has_news());
    plan.follow(key(0), ());
    assert_eq!(plan.next_due_ms(0), None);
    assert!(!plan.has_news(), "the session knows a position of it still");
    assert_eq!(names(&ask_at(&mut plan, 0, 6).unwrap()), [0]);
}

#[test]
fn only_what_no_request_has_asked_for_is_news_and_only_in_a_session() {
    let mut plan = Plan::new();
    plan.follow(key(0), ());
    assert!(!plan.has_news(), "there is no session to add it to");
    let mut plan = in_session();
    assert!(!plan.has_news());
    plan.moved(key(0));
    assert!(!plan.has_news());
    plan.follow(key(2), ());
    assert!(plan.has_news());
    assert_eq!(names(&ask_at(&mut plan, 0, 5).unwrap()), [2]);
    assert!(!plan.has_news());
}

#[test]
fn a_new_session_is_told_everything() {
    let mut plan = in_session();
    plan.forget(key(1));
    plan.begin_session(9);
    let asked = ask_at(&mut plan, 0, 5).unwrap();
    assert_eq!((asked.session_id, asked.session_epoch, names(&asked)), (9, 0, vec![0]));
    assert_eq!(asked.forgotten, []);
    // This leader has no room for sessions.
    assert!(plan.answered(asked.number, 0));
    let asked = ask_at(&mut plan, 0, 5).unwrap();
    assert_eq!((asked.session_id, asked.session_epoch, names(&asked)), (0, 0, vec![0]));
}

#[test]
fn a_throttled_partition_is_looked_at_again_later() {
    let mut plan = in_session();
    plan.moved(key(0));
    let throttle = |key: &Key, (): &()| match key.1 {
        0 => NextFetch::Later(100),
        _ => NextFetch::Fetch(at(5)),
    };
    let asked = ask(&mut plan, 0, throttle).unwrap();
    assert_eq!((names(&asked), asked.forgotten), (vec![], vec![key(0)]));
    assert_eq!(plan.next_due_ms(0), Some(100));
    assert_eq!(names(&ask_at(&mut plan, 100, 5).unwrap()), [0]);
}

#[test]
fn nobody_to_ask_is_asked_for_only_when_there_is_news() {
    let mut plan = in_session();
    plan.moved(key(0));
    let asked = ask(&mut plan, 0, |key, ()| match key.1 {
        0 => NextFetch::Never,
        _ => NextFetch::Fetch(at(5)),
    });
    assert_eq!(asked.unwrap().forgotten, [key(0)]);
    assert!(names(&ask_at(&mut plan, 1_000_000, 5).unwrap()).is_empty());
    plan.follow(key(0), ());
    assert_eq!(names(&ask_at(&mut plan, 1_000_000, 5).unwrap()), [0]);
}

#[test]
fn one_request_waits_and_one_hurries_it() {
    let mut plan = in_session();
    let next_fetch = |_: &Key, (): &()| NextFetch::Fetch(at(5));
    let waiting = plan.ask(0, next_fetch).unwrap();
    plan.moved(key(0));
    assert_eq!(plan.ask(0, next_fetch), None, "what moved is for the next request");
    plan.follow(key(2), ());
    let hurrying = plan.ask(0, next_fetch).unwrap();
    assert_eq!((names(&hurrying), hurrying.session_epoch), (vec![2], waiting.session_epoch + 1));
    plan.follow(key(3), ());
    assert_eq!(plan.ask(0, next_fetch), None, "two are under way");
    assert_eq!(plan.oldest_in_flight(), Some(waiting.number));
    assert!(!plan.answered(hurrying.number, 9), "answers come in their order");
    assert!(plan.answered(waiting.number, 9) && plan.answered(hurrying.number, 9));
    assert_eq!(names(&plan.ask(0, next_fetch).unwrap()), [3]);
}

#[test]
fn with_the_connection_goes_what_was_under_way_and_the_next_pauses_longer_each_time() {
    let mut plan = in_session();
    let next_fetch = |_: &Key, (): &()| NextFetch::Fetch(at(5));
    let under_way = plan.ask(0, next_fetch).unwrap();
    assert!(plan.is_first_failure());
    plan.lost(0, BACKOFF_MS);
    assert!(!plan.answered(under_way.number, 9), "an answer to what was given up");
    assert_eq!((plan.ask(9, next_fetch), plan.next_due_ms(9)), (None, Some(10)));
    let again = plan.ask(10, next_fetch).unwrap();
    assert_eq!((again.session_id, again.session_epoch, names(&again)), (9, 0, vec![0, 1]));
    plan.lost(10, BACKOFF_MS);
    assert!(!plan.is_first_failure());
    assert_eq!(plan.next_due_ms(10), Some(30));
    plan.failed(key(0), 10, BACKOFF_MS);
    plan.retry();
    assert_eq!(
        names(&plan.ask(11, next_fetch).unwrap()),
        [0, 1],
        "news of the leader ends all pauses"
    );
}

#[test]
fn a_session_that_is_refused_begins_anew_at_once_and_another_refusal_is_waited_out() {
    let next_fetch = |_: &Key, (): &()| NextFetch::Fetch(at(5));
    let table = [
        (ErrorCode::FetchSessionIdNotFound, 0, true),
        (ErrorCode::InvalidFetchSessionEpoch, 9, true),
        (ErrorCode::FetchSessionTopicIdError, 9, true),
        (ErrorCode::UnknownServerError, 9, false),
    ];
    for (code, ended, at_once) in table {
        let mut plan = in_session();
        let asked = plan.ask(0, next_fetch).unwrap();
        assert!(!plan.refused(asked.number + 1, code, 0, BACKOFF_MS), "nobody asked that");
        assert!(plan.refused(asked.number, code, 0, BACKOFF_MS));
        let next = plan.ask(0, next_fetch);
        assert_eq!(next.is_some(), at_once, "{code:?}");
        let next = next.or_else(|| plan.ask(10, next_fetch)).unwrap();
        let told = (next.session_id, next.session_epoch, names(&next));
        assert_eq!(told, (ended, 0, vec![0, 1]), "{code:?}");
    }
}

#[test]
fn a_leader_without_room_for_a_session_is_followed_all_the_same() {
    let mut plan = Plan::new();
    plan.follow(key(0), ());
    plan.follow(key(1), ());
    for offset in [5, 6, 7] {
        let next_fetch = |_: &Key, (): &()| NextFetch::Fetch(at(offset));
        let asked = plan.ask(0, next_fetch).unwrap();
        assert_eq!((asked.session_id, asked.session_epoch, names(&asked)), (0, 0, vec![0, 1]));
        assert!(plan.answered(asked.number, 0));
        let about = plan.asked(&key(1), asked.number).map(|(_, position)| position);
        assert_eq!(about, Some(at(offset)), "what the answer says is taken");
        plan.moved(key(1));
    }
}
