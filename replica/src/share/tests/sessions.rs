//! Share sessions in tables.

use super::ShareSessionError::*;
use super::*;
use uuid::Uuid;

fn id(partition: i32) -> SharePartitionId {
    SharePartitionId { topic_id: Uuid::from_u128(7), partition }
}

fn key(member: &str) -> ShareSessionKey {
    ShareSessionKey { group: Arc::from("g"), member: Arc::from(member) }
}

fn sessions(most: usize) -> ShareSessions {
    ShareSessions::new(ShareSessionsLimits { sessions: most })
}

#[test]
fn a_session_goes_from_epoch_to_epoch_and_knows_its_partitions() {
    let mut all = sessions(2);
    let m = key("m");
    assert_eq!(all.fetch(&m, 1, &[], &[], false, 1), Err(NotFound));
    assert_eq!(all.fetch(&m, -1, &[], &[], false, 1), Err(NotFound));
    assert_eq!(all.fetch(&m, 0, &[id(0)], &[], true, 1), Err(AcknowledgesAtFirst));
    assert_eq!(all.fetch(&m, 0, &[id(0), id(1)], &[], false, 1), Ok(vec![id(0), id(1)]));
    assert_eq!(all.fetch(&m, 2, &[], &[], false, 1), Err(InvalidEpoch));
    assert_eq!(all.fetch(&m, 1, &[id(2)], &[id(0)], true, 1), Ok(vec![id(1), id(2)]));
    assert_eq!(all.acknowledge(&m, 0), Err(InvalidEpoch));
    assert_eq!(all.acknowledge(&m, 1), Err(InvalidEpoch));
    assert_eq!(all.acknowledge(&m, 2), Ok(()));
    assert_eq!((all.acknowledge(&m, -1), all.partition_count()), (Ok(()), 2));
    assert_eq!(all.fetch(&m, -1, &[id(5)], &[], true, 1), Ok(vec![]));
    assert_eq!(all.end(&m), Some(vec![id(1), id(2)]));
    assert_eq!((all.acknowledge(&m, -1), all.end(&m)), (Err(NotFound), None));
}

#[test]
fn there_are_no_more_sessions_than_may_be_and_one_may_begin_anew() {
    let mut all = sessions(1);
    assert!(all.fetch(&key("m"), 0, &[], &[], false, 1).is_ok());
    assert_eq!(all.fetch(&key("n"), 0, &[], &[], false, 2), Err(LimitReached));
    assert!(all.fetch(&key("m"), 0, &[], &[], false, 3).is_ok());
    assert_eq!(all.len(), 1);
}

#[test]
fn a_connection_ends_its_own_session_only_and_the_last_one_empties_the_group() {
    let mut all = sessions(10);
    for (member, connection) in [("m", 1), ("n", 2), ("m", 3)] {
        all.fetch(&key(member), 0, &[id(0)], &[], false, connection).expect("a session");
    }
    assert_eq!(all.disconnected(1), None, "m has gone on with another connection");
    assert_eq!(all.emptied(1), None);
    assert_eq!(all.disconnected(2), Some(key("n")));
    all.end(&key("n"));
    assert_eq!(all.emptied(2), None);
    assert_eq!(all.end(&key("m")).map(|had| had.len()), Some(1), "m ends it itself");
    assert_eq!(all.disconnected(3), None);
    assert_eq!(all.emptied(3).as_deref(), Some("g"));
    assert_eq!((all.disconnected(4), all.emptied(4)), (None, None));
}

#[test]
fn an_answer_tells_what_is_new_and_what_had_an_error_once_more() {
    let mut all = sessions(1);
    let m = key("m");
    all.fetch(&m, 0, &[id(0), id(1)], &[], false, 1).expect("a session");
    assert!(!all.tells(&m, id(0), false, false));
    assert!(all.tells(&m, id(0), true, false));
    assert!(all.tells(&m, id(1), false, true));
    assert!(all.tells(&m, id(1), false, false), "the error is gone");
    assert!(!all.tells(&m, id(1), false, false));
    let fetched = all.fetch(&m, 1, &[id(2)], &[], false, 1).expect("goes on");
    assert_eq!(fetched, [id(1), id(0), id(2)], "what had records comes later");
    assert!(all.tells(&m, id(2), false, false), "it is new");
    assert!(all.is_next_after(&m, 1) && !all.is_next_after(&m, 0));
}
