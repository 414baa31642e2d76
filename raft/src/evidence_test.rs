//! What is evidence that a broker's process is gone, and all that is none.

use protocol::records::metadata::{RegisterBrokerRecord, RegisteredEndpoint};

use super::*;

const BROKER: i32 = 1;
const EPOCH: i64 = 70;
const AT: ([u8; 4], u16) = ([10, 0, 0, 1], 9092);

fn at() -> SocketAddr {
    SocketAddr::from(AT)
}

fn endpoint(name: &'static str, port: u16) -> RegisteredEndpoint {
    RegisteredEndpoint {
        name: protocol::wire::StrBytes::from_static_str(name),
        host: protocol::wire::StrBytes::from_static_str("b1"),
        port,
        ..RegisteredEndpoint::default()
    }
}

fn broker(epoch: i64, fenced: bool, end_points: &[RegisteredEndpoint]) -> ClusterImage {
    let mut cluster = ClusterImage::default();
    cluster.replay_registration(&RegisterBrokerRecord {
        broker_id: BROKER,
        broker_epoch: epoch,
        fenced,
        end_points: end_points.to_vec(),
        ..Default::default()
    });
    cluster
}

/// A controller, one broker, and what the controller has asked of its host.
struct World {
    evidence: Evidence,
    now_ms: i64,
    check: Option<u64>,
    look: Option<(u64, i64, i64)>,
    fenced: Vec<i64>,
}

impl World {
    fn new() -> Self {
        let evidence = Evidence::new(9, Some("INSIDE".to_owned()));
        let mut world = Self { evidence, now_ms: 0, check: None, look: None, fenced: Vec::new() };
        world.registered(EPOCH, false);
        world
    }

    /// An active controller that hears of a broker whose address works.
    fn healthy() -> Self {
        let mut world = Self::new();
        world.now(|evidence, now_ms| evidence.became_active(now_ms));
        world.check(Outcome::Connected(at()));
        world.heard(5);
        world
    }

    fn now(&mut self, happens: impl FnOnce(&mut Evidence, i64) -> Vec<Action>) {
        for action in happens(&mut self.evidence, self.now_ms) {
            match action {
                Action::Check { broker_id, number, host, port } => {
                    assert_eq!((broker_id, &*host, port), (BROKER, "b1", 9092));
                    self.check = Some(number);
                }
                Action::Look { broker_id, number, address, wait_ms, patience_ms } => {
                    assert_eq!((broker_id, address), (BROKER, at()));
                    self.look = Some((number, wait_ms, patience_ms));
                }
                Action::StopLooking { broker_id } => {
                    assert_eq!(broker_id, BROKER);
                    self.look = None;
                }
                Action::Fence { broker_id, epoch, address } => {
                    assert_eq!((broker_id, address), (BROKER, at()));
                    self.look = None;
                    self.fenced.push(epoch);
                }
            }
        }
    }

    fn registered(&mut self, epoch: i64, fenced: bool) {
        let ends = [endpoint("OUTSIDE", 19_092), endpoint("INSIDE", 9092)];
        self.now(|evidence, now_ms| evidence.registered(&broker(epoch, fenced, &ends), now_ms));
    }

    fn check(&mut self, outcome: Outcome) {
        let number = self.check.take().expect("a check is under way");
        self.now(|evidence, now_ms| evidence.checked(BROKER, number, outcome, now_ms));
    }

    /// Time goes by until a check is due, and this comes of it.
    fn next_check(&mut self, outcome: Outcome) {
        self.now_ms = self.evidence.next_ms();
        self.now(|evidence, now_ms| evidence.time_passed(now_ms));
        self.check(outcome);
    }

    /// The look's pause is waited for, and this comes of it.
    fn look(&mut self, outcome: Outcome) {
        let (number, wait_ms, patience_ms) = self.look.expect("a look is under way");
        self.now_ms += wait_ms;
        self.now_ms += if outcome == Outcome::Unanswered { patience_ms } else { 0 };
        self.now(|evidence, now_ms| evidence.looked(BROKER, number, outcome, now_ms));
    }

    fn heard(&mut self, connection: u64) {
        self.now(|evidence, now_ms| evidence.heard(BROKER, EPOCH, connection, now_ms));
    }

    fn ended(&mut self, connection: u64) {
        self.now(|evidence, now_ms| evidence.heartbeats_ended(BROKER, connection, now_ms));
    }

    fn linked(&mut self) {
        self.now(|evidence, _| evidence.linked(BROKER));
    }

    fn link_ended(&mut self) {
        self.now(|evidence, now_ms| evidence.link_ended(BROKER, now_ms));
    }

    fn active(&mut self) {
        self.now(|evidence, now_ms| evidence.became_active(now_ms));
    }
}

#[test]
fn a_broker_is_gone_when_its_connection_ended_and_the_address_that_worked_refuses() {
    let mut world = World::healthy();
    world.ended(5);
    assert_eq!(world.look.map(|(_, wait_ms, _)| wait_ms), Some(0), "in that moment");
    world.look(Outcome::Refused);
    assert_eq!(world.look.map(|(_, wait_ms, _)| wait_ms), Some(20), "it may be heard yet");
    assert_eq!(world.fenced, [0_i64; 0]);
    world.look(Outcome::Refused);
    assert_eq!((world.now_ms, &world.fenced[..]), (20, &[EPOCH][..]));
}

#[test]
fn a_listener_that_closes_a_moment_after_the_connection_is_looked_at_again_at_once() {
    let mut world = World::healthy();
    world.ended(5);
    // The attempt is taken by the listener's queue and ends with it; the next is swallowed.
    world.look(Outcome::Connected(at()));
    world.look(Outcome::Ended);
    world.look(Outcome::Unanswered);
    world.look(Outcome::Refused);
    // Its container's address goes away.
    world.look(Outcome::Unanswered);
    assert_eq!(world.fenced, [EPOCH]);
    assert!(world.now_ms <= 250, "{} ms", world.now_ms);
}

type Story = fn(&mut World);

/// What happens to a broker that lives, after `World::healthy`.
fn assert_nobody_is_fenced(stories: &[(&str, Story)]) {
    for (what, happens) in stories {
        let mut world = World::healthy();
        happens(&mut world);
        assert_eq!(world.fenced, [0_i64; 0], "{what}");
    }
}

#[test]
fn what_comes_of_attempts_is_no_evidence_but_a_refusal_after_which_nothing_was_heard() {
    assert_nobody_is_fenced(&[
        ("its address does not answer", |world| {
            world.ended(5);
            (0..40).for_each(|_| world.look(Outcome::Unanswered));
        }),
        ("max.connections: taken, then closed", |world| {
            world.ended(5);
            for _ in 0..40 {
                world.look(Outcome::Connected(at()));
                world.look(Outcome::Ended);
            }
        }),
        ("descriptors of this process ran out", |world| {
            world.ended(5);
            (0..40).for_each(|_| world.look(Outcome::Untried));
        }),
        ("a heartbeat came between two refusals", |world| {
            world.ended(5);
            world.look(Outcome::Refused);
            let (number, _, _) = world.look.expect("a look");
            world.heard(6);
            world.now_ms += 20;
            world.now(|evidence, at| evidence.looked(BROKER, number, Outcome::Refused, at));
            world.active();
        }),
        ("it was reached after a refusal", |world| {
            world.ended(5);
            world.look(Outcome::Refused);
            world.look(Outcome::Connected(at()));
            world.look(Outcome::Ended);
            world.look(Outcome::Unanswered);
        }),
        ("a half-open connection ends after its successor spoke", |world| {
            world.heard(6);
            world.ended(5);
            assert_eq!(world.look, None);
        }),
        ("the quorum's connection to it is open", |world| {
            world.linked();
            world.ended(5);
            assert_eq!(world.look, None);
        }),
    ]);
}

#[test]
fn who_is_connected_or_whose_address_did_not_work_is_not_looked_at() {
    assert_nobody_is_fenced(&[
        ("its address refused while it spoke", |world| {
            world.next_check(Outcome::Refused);
            world.now_ms += LATE_MS;
            world.heard(5);
            world.ended(5);
            assert_eq!(world.look, None);
        }),
        ("its name did not resolve while it was connected", |world| {
            world.next_check(Outcome::Unanswered);
            world.next_check(Outcome::Unanswered);
            world.ended(5);
            assert_eq!(world.look, None);
        }),
        ("its address has not been tried for long", |world| {
            world.now_ms += WORKED_MS + 1;
            world.ended(5);
            assert_eq!(world.look, None);
        }),
        ("it registered anew", |world| {
            world.ended(5);
            world.look(Outcome::Refused);
            let (number, _, _) = world.look.expect("a look");
            world.registered(EPOCH + 1, false);
            world.now_ms += 20;
            world.now(|evidence, at| evidence.looked(BROKER, number, Outcome::Refused, at));
        }),
        ("it is fenced already", |world| {
            world.registered(EPOCH, true);
            world.ended(5);
            assert_eq!(world.look, None);
        }),
        ("who held the heartbeats' connection spoke of another epoch", |world| {
            world.ended(5);
            world.look(Outcome::Connected(at()));
            world.now(|evidence, at| evidence.heard(BROKER, EPOCH - 1, 8, at));
            world.ended(8);
        }),
    ]);
}

#[test]
fn an_address_that_never_worked_here_is_not_looked_at() {
    for outcome in [Outcome::Refused, Outcome::Unanswered, Outcome::Untried] {
        let mut world = World::new();
        world.active();
        world.heard(5);
        world.check(outcome);
        world.ended(5);
        assert_eq!((world.look, world.fenced.is_empty()), (None, true), "{outcome:?}");
    }
}

#[test]
fn a_check_that_ends_after_the_connection_still_counts() {
    let mut world = World::new();
    world.active();
    world.heard(5);
    world.ended(5);
    assert_eq!(world.look, None);
    world.check(Outcome::Connected(at()));
    world.look(Outcome::Refused);
    world.look(Outcome::Refused);
    assert_eq!(world.fenced, [EPOCH]);
}

#[test]
fn a_new_controller_fences_nobody_whom_it_has_not_heard_of() {
    let mut world = World::new();
    world.check(Outcome::Connected(at()));
    world.active();
    world.next_check(Outcome::Refused);
    world.next_check(Outcome::Refused);
    assert_eq!((world.look, world.fenced.is_empty()), (None, true));
}

#[test]
fn a_new_controller_acts_on_what_it_saw_of_the_node_that_led_before() {
    let mut world = World::new();
    world.check(Outcome::Connected(at()));
    world.linked();
    world.link_ended();
    world.look(Outcome::Refused);
    world.look(Outcome::Refused);
    assert_eq!(world.fenced, [0_i64; 0], "another decides");
    world.now_ms += 40;
    world.active();
    assert_eq!(world.fenced, [EPOCH]);

    // The election was quicker than the look.
    let mut world = World::new();
    world.check(Outcome::Connected(at()));
    world.linked();
    world.link_ended();
    world.look(Outcome::Refused);
    world.active();
    assert_eq!(world.fenced, [0_i64; 0]);
    world.look(Outcome::Refused);
    assert_eq!(world.fenced, [EPOCH]);
}

#[test]
fn what_a_controller_saw_before_it_was_active_does_not_hold_for_ever() {
    let stories: [(&str, Story); 4] = [
        ("too long ago", |world| world.now_ms += HELD_MS + 1),
        ("the node is connected again", World::linked),
        ("it took a connection", |world| {
            world.look(Outcome::Connected(at()));
        }),
        ("it registered anew", |world| world.registered(EPOCH + 1, false)),
    ];
    for (what, happens) in stories {
        let mut world = World::new();
        world.check(Outcome::Connected(at()));
        world.linked();
        world.link_ended();
        world.look(Outcome::Refused);
        world.look(Outcome::Refused);
        happens(&mut world);
        world.active();
        assert_eq!(world.fenced, [0_i64; 0], "{what}");
    }
}

#[test]
fn a_controller_that_stepped_down_looks_for_nobody_by_heartbeats() {
    let mut world = World::healthy();
    world.now(|evidence, _| evidence.became_inactive());
    world.ended(5);
    assert_eq!(world.look, None);
    world.heard(5);
    world.ended(5);
    assert_eq!(world.look, None);
}

#[test]
fn attempts_become_rarer() {
    let mut world = World::healthy();
    world.ended(5);
    let mut patience = Vec::new();
    for _ in 0..7 {
        patience.push(world.look.expect("a look").2);
        world.look(Outcome::Unanswered);
    }
    assert_eq!(patience, [50, 100, 200, 400, 800, 1000, 1000]);
    world.look(Outcome::Connected(at()));
    let mut pauses = Vec::new();
    for _ in 0..8 {
        world.look(Outcome::Ended);
        pauses.push(world.look.expect("a look").1);
    }
    assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 500, 500]);
}

#[test]
fn the_inter_broker_listener_is_the_named_one_or_the_only_one() {
    let (inside, outside) = (endpoint("INSIDE", 1), endpoint("OUTSIDE", 2));
    let both = [outside.clone(), inside];
    let only = [outside];
    let cases: [(&[RegisteredEndpoint], Option<&str>, Option<u16>); 5] = [
        (&both, Some("INSIDE"), Some(1)),
        (&both, Some("PLAINTEXT"), None),
        (&both, None, None),
        (&only, Some("INSIDE"), Some(2)),
        (&[], Some("INSIDE"), None),
    ];
    for (end_points, name, port) in cases {
        let image = broker(EPOCH, false, end_points);
        let found = inter_broker(image.broker(BROKER).expect("it"), name);
        assert_eq!(found.map(|(_, port)| port), port, "{name:?} of {end_points:?}");
    }
}
