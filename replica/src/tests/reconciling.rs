//! What is done again when a partition is not what the metadata says.

use super::*;

const LED: Assigned = Assigned {
    leader: 1,
    leader_epoch: 5,
    partition_epoch: 50,
    in_sync: true,
    can_leave: true,
    eligible: false,
};
const FOLLOWED: Assigned = Assigned { leader: 2, ..LED };
const LEADERLESS: Assigned = Assigned { leader: -1, ..LED };

const LEADS: Standing = Standing {
    leads: true,
    leader: -1,
    leader_epoch: 5,
    partition_epoch: 50,
    halted: false,
    fetched_from: None,
    damaged: None,
};
const FOLLOWS: Standing = Standing { leads: false, leader: 2, fetched_from: Some(2), ..LEADS };

type Case = (&'static str, Option<Assigned>, Presence, Step);

fn check(cases: &[Case]) {
    for (case, assigned, present, step) in cases {
        assert_eq!(reconcile(1, assigned.as_ref(), present), *step, "{case}");
    }
}

#[test]
fn a_replica_that_is_not_open_or_was_not_told_its_role_is_opened_and_told() {
    let open = Presence::Open;
    check(&[
        ("led", Some(LED), open(LEADS), Step::Nothing),
        ("followed", Some(FOLLOWED), open(FOLLOWS), Step::Nothing),
        ("could not be opened", Some(LED), Presence::Absent, Step::Open),
        ("could not be opened, followed", Some(FOLLOWED), Presence::Absent, Step::Open),
        ("its directory failed", Some(LED), Presence::Offline, Step::Nothing),
        ("elected, and could not begin its epoch", Some(LED), open(FOLLOWS), Step::Apply),
        (
            "elected again, and could not begin its epoch",
            Some(Assigned { leader_epoch: 6, partition_epoch: 51, ..LED }),
            open(LEADS),
            Step::Apply,
        ),
        (
            "its in-sync set changed, and it was not told",
            Some(Assigned { partition_epoch: 51, ..LED }),
            open(LEADS),
            Step::Apply,
        ),
        ("somebody else leads, and it was not told", Some(FOLLOWED), open(LEADS), Step::Apply),
        (
            "it follows somebody else",
            Some(FOLLOWED),
            open(Standing { leader: 3, fetched_from: Some(3), ..FOLLOWS }),
            Step::Apply,
        ),
        (
            "it knows more than the metadata that was applied",
            Some(FOLLOWED),
            open(Standing { leader_epoch: 6, partition_epoch: 51, ..LEADS }),
            Step::Nothing,
        ),
        ("reassigned, and not closed", None, open(FOLLOWS), Step::Remove),
        ("not ours", None, Presence::Absent, Step::Nothing),
        ("not ours, in a directory that failed", None, Presence::Offline, Step::Nothing),
    ]);
}

#[test]
fn whoever_is_followed_is_fetched_from_and_nobody_else() {
    let open = Presence::Open;
    check(&[
        (
            "its fetcher has ended",
            Some(FOLLOWED),
            open(Standing { fetched_from: None, ..FOLLOWS }),
            Step::Fetch,
        ),
        (
            "it is fetched from somebody else",
            Some(FOLLOWED),
            open(Standing { fetched_from: Some(3), ..FOLLOWS }),
            Step::Fetch,
        ),
        ("its log failed", Some(FOLLOWED), open(Standing { halted: true, ..FOLLOWS }), Step::Wait),
        (
            "it leads, and is fetched",
            Some(LED),
            open(Standing { fetched_from: Some(2), ..LEADS }),
            Step::Unfollow,
        ),
        (
            "nobody leads, and it is fetched",
            Some(LEADERLESS),
            open(Standing { leader: -1, ..FOLLOWS }),
            Step::Unfollow,
        ),
        (
            "nobody leads",
            Some(LEADERLESS),
            open(Standing { leader: -1, fetched_from: None, ..FOLLOWS }),
            Step::Nothing,
        ),
    ]);
}

#[test]
fn a_damaged_replica_gives_way_and_begins_anew_unless_it_may_be_elected() {
    let led = Presence::Open(Standing { damaged: Some(4), ..LEADS });
    let followed = Presence::Open(Standing { damaged: Some(4), ..FOLLOWS });
    let left = Assigned { in_sync: false, ..FOLLOWED };
    check(&[
        ("it leads, and others are in sync", Some(LED), led, Step::LeaveInSync),
        ("it follows, in sync", Some(FOLLOWED), followed, Step::LeaveInSync),
        ("the last one in sync", Some(Assigned { can_leave: false, ..LED }), led, Step::Keep),
        ("out of sync", Some(left), followed, Step::Refill),
        (
            "out of sync, in the leadership in which it still fetched",
            Some(left),
            Presence::Open(Standing { damaged: Some(5), ..FOLLOWS }),
            Step::Keep,
        ),
        (
            "out of sync, but eligible",
            Some(Assigned { eligible: true, ..left }),
            followed,
            Step::Keep,
        ),
        ("out of sync, nobody leads", Some(Assigned { leader: -1, ..left }), followed, Step::Apply),
        (
            "out of sync, nobody leads, and it knows",
            Some(Assigned { leader: -1, ..left }),
            Presence::Open(Standing {
                damaged: Some(4),
                leader: -1,
                fetched_from: None,
                ..FOLLOWS
            }),
            Step::Keep,
        ),
        (
            "it was not told yet that it has left",
            Some(Assigned { partition_epoch: 51, ..left }),
            led,
            Step::Apply,
        ),
        ("reassigned away", None, followed, Step::Remove),
    ]);
}

#[test]
fn a_leader_that_could_not_begin_its_epoch_leads_once_it_is_told_again() {
    let cluster = Cluster::new();
    let mut partition = Partition::new(MemoryLog::with(0, &[(4, 3)]), 0, settings(1));
    partition.follow(&Registration { leader: 2, ..registration(1, 4, &[1, 2]) });
    let elected = registration(1, 5, &[1, 2]);
    let assigned = LED;
    partition.log_mut().broken = true;
    assert_eq!(partition.apply(&elected, &cluster.at(0)), Err("disk"));
    let step = |partition: &Partition<MemoryLog>| {
        reconcile(1, Some(&assigned), &Presence::Open(partition.standing(None, None)))
    };
    assert_eq!((partition.leads(), step(&partition)), (false, Step::Apply));
    partition.log_mut().broken = false;
    partition.apply(&elected, &cluster.at(0)).unwrap();
    assert_eq!((partition.leads(), step(&partition)), (true, Step::Nothing));
}

#[test]
fn a_log_that_became_shorter_by_failing_holds_no_more_committed_than_it_has() {
    let cluster = Cluster::new();
    let mut partition = Partition::new(MemoryLog::with(0, &[(4, 6)]), 5, settings(1));
    partition.follow(&Registration { leader: 2, ..registration(1, 5, &[1, 2]) });
    let position = partition.fetch_position().expect("somebody leads");
    // What a cut leaves that could not be finished.
    partition.log_mut().broken = true;
    partition.log_mut().records.truncate(2);
    let position = FetchPosition { fetch_offset: 2, ..position };
    let diverging = Diverging { epoch: 4, end_offset: 2 };
    assert_eq!(partition.diverged(&position, diverging, -1, &cluster.at(0)), Err("disk"));
    assert_eq!(partition.high_watermark(), 2);
}
