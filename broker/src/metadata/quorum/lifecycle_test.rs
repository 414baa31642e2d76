//! A broker's life, step by step: what it asks, when, and what the answers make of it.

use config::{BrokerConfig, Properties};
use protocol::ErrorCode;
use protocol::messages::{BrokerHeartbeatResponse, BrokerRegistrationResponse};
use tokio::sync::oneshot;

use super::lifecycle::{Due, Lifecycle};
use super::tests::TestNode;

const INTERVAL_MS: i64 = 2_000;

fn lifecycle() -> Lifecycle {
    let node = TestNode::new(&[]);
    Lifecycle::new(&node.config, &node.dir())
}

fn registered(epoch: i64) -> BrokerRegistrationResponse {
    BrokerRegistrationResponse::default().with_broker_epoch(epoch)
}

fn heard(caught_up: bool, fenced: bool) -> BrokerHeartbeatResponse {
    BrokerHeartbeatResponse { is_caught_up: caught_up, is_fenced: fenced, ..Default::default() }
}

/// What a heartbeat says: epoch, offset, whether to be fenced, whether to shut down.
fn heartbeat(due: Option<Due>) -> (i64, i64, bool, bool) {
    let Some(Due::Heartbeat(asked)) = due else { panic!("no heartbeat: {due:?}") };
    (asked.broker_epoch, asked.current_metadata_offset, asked.want_fence, asked.want_shut_down)
}

fn running(now_ms: i64) -> Lifecycle {
    let mut life = lifecycle();
    assert!(matches!(life.due(5, now_ms), Some(Due::Register(_))));
    life.registered(&registered(7), now_ms);
    let (answer, _) = oneshot::channel();
    life.serve(answer);
    heartbeat(life.due(7, now_ms));
    assert!(!life.heard(&heard(true, false), now_ms));
    life.unfenced();
    life
}

#[test]
fn a_broker_registers_catches_up_gets_ready_and_is_unfenced() {
    let mut life = lifecycle();
    let Some(Due::Register(request)) = life.due(3, 100) else { panic!("nothing to ask") };
    assert_eq!(request.broker_id.0, 1);
    assert_eq!(life.due(3, 100), None, "one request at a time");
    life.registered(&registered(7), 110);
    assert_eq!(heartbeat(life.due(3, 110)), (7, 3, true, false));
    life.heard(&heard(false, true), 120);
    assert!(!life.has_caught_up());
    assert_eq!(life.due(3, 120), None, "nothing has happened");
    life.applied();
    assert_eq!(heartbeat(life.due(7, 121)), (7, 7, true, false));
    life.heard(&heard(true, true), 122);
    assert!(life.has_caught_up());
    let (answer, mut answered) = oneshot::channel();
    life.serve(answer);
    assert_eq!(heartbeat(life.due(7, 123)), (7, 7, false, false));
    life.heard(&heard(true, false), 124);
    assert!(life.is_unfencing() && answered.try_recv().is_err(), "the image must show it first");
    life.unfenced();
    assert!(answered.try_recv().is_ok());
    assert_eq!(life.next_ms(), 124 + INTERVAL_MS);
}

#[test]
fn what_happens_while_a_request_is_under_way_is_told_right_behind_it() {
    let mut life = running(0);
    life.ask_at_once();
    heartbeat(life.due(8, 10));
    life.ask_at_once();
    assert_eq!(life.due(9, 11), None);
    life.heard(&heard(true, false), 12);
    assert_eq!(heartbeat(life.due(9, 12)), (7, 9, false, false));
    life.heard(&heard(true, false), 13);
    assert_eq!(life.next_ms(), 13 + INTERVAL_MS);
}

#[test]
fn a_registration_that_is_refused_or_forgotten_is_tried_again() {
    let mut life = lifecycle();
    life.due(0, 0);
    let duplicate = ErrorCode::DuplicateBrokerRegistration.code();
    life.registered(&registered(-1).with_error_code(duplicate), 10);
    assert_eq!(life.epoch(), None);
    assert_eq!(life.due(0, 109), None);
    assert!(matches!(life.due(0, 110), Some(Due::Register(_))));
    let inconsistent = ErrorCode::InconsistentClusterId.code();
    life.registered(&registered(-1).with_error_code(inconsistent), 120);
    assert_eq!(life.due(0, 119 + INTERVAL_MS - 10), None, "nothing changes soon");
    assert!(matches!(life.due(0, 110 + INTERVAL_MS), Some(Due::Register(_))));
    life.registered(&registered(7), 111);
    for code in [ErrorCode::StaleBrokerEpoch, ErrorCode::BrokerIdNotRegistered] {
        heartbeat(life.due(7, 112));
        life.heard(&BrokerHeartbeatResponse { error_code: code.code(), ..heard(false, true) }, 113);
        assert!(matches!(life.due(7, 113), Some(Due::Register(_))), "{code:?}");
        life.registered(&registered(9), 114);
    }
    heartbeat(life.due(9, 115));
    let busy = ErrorCode::NotController.code();
    life.heard(&BrokerHeartbeatResponse { error_code: busy, ..heard(false, true) }, 116);
    assert_eq!((life.epoch(), life.due(9, 116)), (Some(9), None), "another error is passing");
}

#[test]
fn a_broker_leaves_when_the_controller_consents() {
    let mut life = running(0);
    let (answer, mut answered) = oneshot::channel();
    life.leave(answer, 100);
    assert_eq!(heartbeat(life.due(7, 100)), (7, 7, false, true));
    assert!(!life.heard(&heard(true, false), 101));
    assert!(life.next_ms() < 101 + INTERVAL_MS, "it asks again soon");
    life.applied();
    assert_eq!(heartbeat(life.due(9, 105)), (7, 9, false, true));
    assert!(
        life.heard(&BrokerHeartbeatResponse { should_shut_down: true, ..heard(true, true) }, 106)
    );
    assert!(answered.try_recv().is_err(), "the host says when");
    life.may_stop();
    assert!(answered.try_recv().is_ok());
    life.ask_at_once();
    assert_eq!(life.due(9, 1_000_000), None, "who has left says nothing more");
}

#[test]
fn a_broker_that_nobody_answers_any_more_leaves_by_itself() {
    let mut life = running(0);
    let (answer, mut answered) = oneshot::channel();
    life.leave(answer, 100);
    heartbeat(life.due(7, 100));
    assert_eq!(life.due(7, 5_099), None);
    assert!(answered.try_recv().is_err());
    assert_eq!(life.next_ms(), 5_100);
    assert_eq!(life.due(7, 5_100), None);
    assert!(answered.try_recv().is_ok());
}

#[test]
fn nothing_is_asked_for_where_there_is_nothing_to_give_up() {
    let (answer, mut answered) = oneshot::channel();
    lifecycle().leave(answer, 0);
    assert!(answered.try_recv().is_ok(), "not unfenced yet");
    let node = TestNode::new(&[]);
    let mut properties = Properties::new();
    for (name, value) in [
        ("process.roles", "controller"),
        ("node.id", "1"),
        ("controller.quorum.voters", "1@localhost:19159"),
        ("listeners", "CONTROLLER://localhost:19159"),
        ("controller.listener.names", "CONTROLLER"),
    ] {
        properties.set(name, value);
    }
    let (config, _) = BrokerConfig::from_properties(&properties).unwrap();
    let mut controller = Lifecycle::new(&config, &node.dir());
    assert!(controller.has_caught_up());
    controller.ask_at_once();
    assert_eq!(controller.due(0, 0), None);
}

#[test]
fn a_broker_whose_connection_ends_says_at_once_that_it_lives() {
    let mut life = running(1_000);
    assert_eq!(life.due(7, 1_500), None);
    life.connection_ended(1_500);
    assert_eq!(heartbeat(life.due(7, 1_500)), (7, 7, false, false));
    life.connection_ended(1_501);
    assert_eq!(life.due(7, 1_501), None, "what is under way is sent again by itself");
    life.heard(&heard(true, false), 1_510);
    // A controller that hangs up after each answer is not asked without a pause.
    life.connection_ended(1_511);
    assert_eq!((life.due(7, 1_511), life.next_ms()), (None, 1_610));
    heartbeat(life.due(7, 1_610));
    // Who waits for its unfencing or starts has its own reasons to ask.
    let mut starting = lifecycle();
    let first = starting.next_ms();
    starting.connection_ended(5);
    assert_eq!(starting.next_ms(), first);
}
