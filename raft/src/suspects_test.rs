//! Tables of what is waited for and who is listed: losses, words of the controller and clocks.

use protocol::records::metadata::{
    BrokerRegistrationChangeRecord, MetadataRecord, RegisterBrokerRecord, UnregisterBrokerRecord,
};

use super::*;
use crate::image::{MetadataDelta, MetadataImage};

const SESSION_MS: i64 = 9_000;

/// A broker's registration in an image.
#[derive(Debug, Clone, Copy)]
enum State {
    Up,
    Fenced,
    /// Fenced at the end of a controlled shutdown.
    Left,
}

use State::{Fenced as Fence, Left, Up};

/// A cluster of brokers 1, 2, …, each with its epoch.
fn cluster(brokers: &[(i64, State)]) -> MetadataImage {
    let mut delta = MetadataDelta::new(&MetadataImage::default());
    for (id, (epoch, state)) in (1..).zip(brokers) {
        let registered = RegisterBrokerRecord {
            broker_id: id,
            broker_epoch: *epoch,
            fenced: matches!(state, Fence | Left),
            in_controlled_shutdown: matches!(state, Left),
            ..Default::default()
        };
        delta.replay(&MetadataRecord::from(registered)).unwrap();
    }
    delta.after().clone()
}

fn changed(image: &MetadataImage, record: impl Into<MetadataRecord>) -> MetadataImage {
    let mut delta = MetadataDelta::new(image);
    delta.replay(&record.into()).unwrap();
    delta.after().clone()
}

fn fence(image: &MetadataImage, id: i32, fenced: i8) -> MetadataImage {
    let broker_epoch = image.cluster().broker(id).unwrap().broker_epoch;
    let change = BrokerRegistrationChangeRecord {
        broker_id: id,
        broker_epoch,
        fenced,
        ..Default::default()
    };
    changed(image, change)
}

fn applied(
    suspects: &mut Suspects,
    (before, after): (&MetadataImage, &MetadataImage),
    heard_ms: Option<i64>,
    now_ms: i64,
) {
    suspects.moving_on(before.cluster(), after.cluster(), |_| heard_ms, now_ms);
    suspects.moved_on(after.cluster());
}

#[test]
fn an_answer_that_names_a_lost_leader_waits_a_quarter_of_a_second_at_most() {
    let image = cluster(&[(10, Up), (11, Up), (12, Fence)]);
    // Who was lost at 1000, whom the answer names, when it was asked for, what time it is; until
    // when it waits.
    type Row = (&'static [i32], &'static [i32], i64, i64, Option<i64>);
    let rows: &[Row] = &[
        (&[], &[1, 2], 1000, 1000, None),
        (&[2], &[], 1000, 1000, None),
        (&[2], &[1, 3, -1], 1000, 1000, None),
        (&[2], &[1, 2], 1000, 1000, Some(1250)),
        (&[2], &[2], 990, 1000, Some(1240)),
        (&[2], &[2], 1000, 1249, Some(1250)),
        (&[2], &[2], 1000, 1250, None),
        // One that is asked later waits again, but not for ever.
        (&[2], &[2], 1600, 1600, Some(1850)),
        (&[2], &[2], 1900, 1900, Some(2000)),
        (&[2], &[2], 2000, 2000, None),
        (&[1, 2], &[2, 1], 1900, 1900, Some(2000)),
        // What became of it is known, or nobody knows it.
        (&[3], &[3], 1000, 1000, None),
        (&[4], &[4], 1000, 1000, None),
    ];
    for (lost, named, asked_ms, now_ms, expected) in rows {
        let mut suspects = Suspects::new(SESSION_MS);
        for id in *lost {
            suspects.lost(*id, image.cluster(), 1000);
        }
        let waits = suspects.waits_until(named.iter().copied(), *asked_ms, *now_ms);
        assert_eq!(waits, *expected, "lost {lost:?} named {named:?} at {asked_ms}, {now_ms}");
    }
}

#[test]
fn attempts_that_fail_prolong_no_suspicion_and_an_answer_ends_it() {
    let image = cluster(&[(10, Up)]);
    let mut suspects = Suspects::new(SESSION_MS);
    suspects.lost(1, image.cluster(), 1000);
    suspects.lost(1, image.cluster(), 1900);
    assert_eq!(suspects.waits_until([1], 1950, 1950), Some(2000), "the first loss counts");
    assert_eq!(suspects.waits_until([1], 2100, 2100), None);
    suspects.heard(1);
    assert!(suspects.is_empty());
    suspects.lost(1, image.cluster(), 3000);
    assert_eq!(suspects.waits_until([1], 3000, 3000), Some(3250), "a loss of its own");
    suspects.heard(1);
    assert_eq!(suspects.waits_until([1], 3000, 3000), None);
}

#[test]
fn the_metadata_ends_a_suspicion_by_what_it_says_of_the_broker() {
    let image = cluster(&[(10, Up), (11, Up)]);
    let registered_anew = RegisterBrokerRecord {
        broker_id: 1,
        broker_epoch: 20,
        fenced: false,
        ..Default::default()
    };
    let unregistered =
        UnregisterBrokerRecord { broker_id: 1, broker_epoch: 10, ..Default::default() };
    let rows = [
        ("nothing of it", fence(&image, 2, 1), true),
        ("fenced", fence(&image, 1, 1), false),
        ("in another epoch", changed(&image, registered_anew), false),
        ("unregistered", changed(&image, unregistered), false),
    ];
    for (what, after, waits) in rows {
        let mut suspects = Suspects::new(SESSION_MS);
        suspects.lost(1, image.cluster(), 1000);
        applied(&mut suspects, (&image, &after), None, 1010);
        assert_eq!(suspects.waits_until([1], 1020, 1020).is_some(), waits, "{what}");
    }
}

#[test]
fn an_answer_waits_until_the_word_can_be_seen() {
    let (up, fenced) = (cluster(&[(10, Up)]), cluster(&[(10, Fence)]));
    let mut suspects = Suspects::new(SESSION_MS);
    suspects.lost(1, up.cluster(), 1000);
    suspects.moving_on(up.cluster(), fenced.cluster(), |_| None, 1010);
    assert_eq!(suspects.waits_until([1], 1000, 1020), Some(1250), "it would be given from before");
    assert!(suspects.is_listed(1, 1020), "nobody may see it fenced and not listed");
    suspects.moved_on(fenced.cluster());
    assert_eq!(suspects.waits_until([1], 1000, 1020), None);
    assert!(suspects.is_listed(1, 1020));
}

#[test]
fn a_loss_of_a_later_registration_is_another_one() {
    let mut suspects = Suspects::new(SESSION_MS);
    suspects.lost(1, cluster(&[(10, Up)]).cluster(), 1000);
    suspects.lost(1, cluster(&[(20, Up)]).cluster(), 5000);
    assert_eq!(suspects.waits_until([1], 5000, 5000), Some(5250));
}

#[test]
fn who_is_fenced_is_listed_until_its_session_would_have_ended() {
    // How it became fenced, when it was last heard at the time of the fencing (10,000), and until
    // when it is listed, if at all.
    let rows = [
        ("killed", Fence, Some(9_990), Some(18_990)),
        ("not heard by this node", Fence, None, Some(19_000)),
        ("silent for a while", Fence, Some(4_000), Some(13_000)),
        ("its session has run out", Fence, Some(1_000), None),
        ("stopped", Left, Some(9_990), Some(11_000)),
        ("stopped, silent for a while", Left, Some(1_500), Some(10_500)),
        ("stopped, silent for long", Left, Some(1_000), None),
    ];
    for (what, how, heard_ms, until_ms) in rows {
        let (before, after) = (cluster(&[(10, Up), (11, Up)]), cluster(&[(10, how), (11, Up)]));
        let mut suspects = Suspects::new(SESSION_MS);
        applied(&mut suspects, (&before, &after), heard_ms, 10_000);
        assert_eq!(suspects.is_listed(1, 10_000), until_ms.is_some(), "{what}");
        assert!(!suspects.is_listed(2, 10_000), "{what}: it is not fenced");
        if let Some(until_ms) = until_ms {
            assert!(suspects.is_listed(1, until_ms - 1), "{what}");
            assert!(!suspects.is_listed(1, until_ms), "{what}");
        }
    }
}

#[test]
fn who_was_fenced_before_or_comes_back_is_not_listed() {
    let (up, fenced) = (cluster(&[(10, Up)]), cluster(&[(10, Fence)]));
    let mut suspects = Suspects::new(SESSION_MS);
    applied(&mut suspects, (&MetadataImage::default(), &fenced), None, 1000);
    applied(&mut suspects, (&fenced, &fenced), None, 1000);
    assert!(suspects.is_empty(), "nobody knows since when");
    applied(&mut suspects, (&up, &fenced), None, 2000);
    applied(&mut suspects, (&fenced, &fenced), None, 3000);
    assert!(suspects.is_listed(1, 3000), "another change leaves it");
    let registered = cluster(&[(20, Fence)]);
    applied(&mut suspects, (&fenced, &registered), None, 4000);
    assert!(suspects.is_empty(), "its successor starts, and is listed when it is unfenced");
    applied(&mut suspects, (&up, &fenced), None, 5000);
    applied(&mut suspects, (&fenced, &up), None, 6000);
    assert!(suspects.is_empty(), "unfenced");
    applied(&mut suspects, (&up, &fenced), None, 7000);
    applied(&mut suspects, (&fenced, &fenced), None, 7000 + SESSION_MS);
    assert!(suspects.is_empty(), "nothing is kept of who is not listed any more");
}

#[test]
fn who_is_fenced_already_is_no_suspect() {
    let mut suspects = Suspects::new(SESSION_MS);
    suspects.lost(1, cluster(&[(10, Fence)]).cluster(), 1000);
    assert!(suspects.is_empty());
}
