//! What a fetcher asks for, request by request.

use replica::FetchPosition;
use uuid::Uuid;

use super::plan::{Ask, Key, Plan, Wish, pause_ms};

const BACKOFF_MS: i64 = 1000;

fn key(partition: i32) -> Key {
    (Uuid::from_u128(7), partition)
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

/// Every partition is asked for at this offset.
fn ask_at(plan: &mut Plan<()>, now_ms: i64, offset: i64) -> Option<Ask> {
    plan.ask(now_ms, |_, ()| Wish::Fetch(at(offset)))
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
    plan.answered(0, 9);
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
    let wish = |key: &Key, (): &()| Wish::Fetch(at(if key.1 == 1 { 6 } else { 5 }));
    let second = plan.ask(0, wish).unwrap();
    assert_eq!((second.session_id, second.session_epoch, names(&second)), (9, 1, vec![1]));
    let third = plan.ask(0, wish).unwrap();
    assert_eq!((third.session_epoch, names(&third)), (2, vec![]));
}

#[test]
fn a_partition_that_is_forgotten_leaves_the_session_and_may_come_back() {
    let mut plan = in_session();
    plan.forget(key(0));
    let ask = ask_at(&mut plan, 0, 5).unwrap();
    assert_eq!((names(&ask), ask.forgotten), (vec![], vec![key(0)]));
    plan.forget(key(1));
    plan.follow(key(1), ());
    let ask = ask_at(&mut plan, 0, 5).unwrap();
    assert_eq!((names(&ask), ask.forgotten), (vec![1], vec![]));
}

#[test]
fn the_last_partition_to_go_is_told_and_then_there_is_nothing_to_ask() {
    let mut plan = in_session();
    plan.forget(key(0));
    plan.forget(key(1));
    let last = ask_at(&mut plan, 0, 5).unwrap();
    assert_eq!((last.session_id, last.forgotten), (9, vec![key(0), key(1)]));
    // A session without partitions is none any more.
    plan.answered(last.session_epoch, 0);
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
    let ask = ask_at(&mut plan, 0, 5).unwrap();
    assert_eq!((names(&ask), ask.forgotten), (vec![], vec![key(0)]));
    assert_eq!(plan.next_due_ms(), Some(10));
    assert_eq!(names(&ask_at(&mut plan, 10, 5).unwrap()), [0]);
    plan.failed(key(0), 10, BACKOFF_MS);
    assert_eq!(plan.next_due_ms(), Some(30));
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
    assert_eq!(plan.next_due_ms(), None);
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
    let ask = ask_at(&mut plan, 0, 5).unwrap();
    assert_eq!((ask.session_id, ask.session_epoch, names(&ask)), (9, 0, vec![0]));
    assert_eq!(ask.forgotten, []);
    // This leader has no room for sessions.
    plan.answered(0, 0);
    let ask = ask_at(&mut plan, 0, 5).unwrap();
    assert_eq!((ask.session_id, ask.session_epoch, names(&ask)), (0, 0, vec![0]));
}

#[test]
fn a_throttled_partition_is_looked_at_again_later() {
    let mut plan = in_session();
    plan.moved(key(0));
    let throttle = |key: &Key, (): &()| match key.1 {
        0 => Wish::Later(100),
        _ => Wish::Fetch(at(5)),
    };
    let ask = plan.ask(0, throttle).unwrap();
    assert_eq!((names(&ask), ask.forgotten), (vec![], vec![key(0)]));
    assert_eq!(plan.next_due_ms(), Some(100));
    assert_eq!(names(&ask_at(&mut plan, 100, 5).unwrap()), [0]);
}

#[test]
fn nobody_to_ask_is_asked_for_only_when_there_is_news() {
    let mut plan = in_session();
    plan.moved(key(0));
    let ask = plan.ask(0, |key, ()| match key.1 {
        0 => Wish::Never,
        _ => Wish::Fetch(at(5)),
    });
    assert_eq!(ask.unwrap().forgotten, [key(0)]);
    assert!(names(&ask_at(&mut plan, 1_000_000, 5).unwrap()).is_empty());
    plan.follow(key(0), ());
    assert_eq!(names(&ask_at(&mut plan, 1_000_000, 5).unwrap()), [0]);
}
