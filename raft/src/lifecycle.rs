//! A broker's life in the cluster: registered, caught up, unfenced, heartbeating, leaving.
//!
//! Says what the active controller is to be asked next and when, and takes its answers; the host
//! asks, and tells what happened ([`Turn`]). What moves it on is events (an image applied, an
//! answer); the heartbeat's interval only keeps the session. Kept true: one request is under way at
//! a time; a broker asks to be unfenced only when it is ready, and one that has asked to leave goes
//! on asking whatever becomes of its registration. Answers to `BrokerLifecycleManager`.

use protocol::ErrorCode;

use crate::planted::{Bug, is_planted};

/// How soon a broker that starts or leaves asks again when no event lets it ask sooner.
const PRESSING_MS: i64 = 20;
/// How long a broker that leaves goes without an active controller. Unlike Kafka, which waits five
/// minutes: when a whole cluster is stopped nobody is left to consent (docs/decisions/0115).
const ABANDONED_MS: i64 = 5_000;
/// How soon a request that was not answered is tried again, and a registration that the broker's
/// own former self stands in the way of, which the controller is about to give up.
const REFUSED_MS: i64 = 100;

/// Kafka's names of a broker's states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Starting,
    Recovery,
    /// The controller has unfenced the broker; its image does not show it yet.
    Unfencing,
    Running,
    PendingControlledShutdown,
    ShuttingDown,
}

/// What the active controller is to be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifecycleAsk {
    Register,
    Heartbeat { epoch: i64, want_fence: bool, want_shut_down: bool },
}

/// What a heartbeat was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// 0 for none.
    pub error_code: i16,
    pub is_caught_up: bool,
    pub is_fenced: bool,
    pub should_shut_down: bool,
}

/// What happened, for the host to say and to act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    Registered {
        epoch: i64,
    },
    NotRegistered {
        error_code: i16,
    },
    /// A heartbeat was answered with an error.
    Refused {
        error_code: i16,
    },
    CaughtUp,
    /// Who waits for the broker to serve need wait no longer.
    Unfenced,
    ShutdownBegun,
    /// The controller consents; it is not said before what it gave up is applied here.
    MayExit,
    /// No controller has answered for long: the broker goes without consent.
    Abandoned,
}

/// What a wish to stop leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaving {
    /// There is nothing that the controller could consent to.
    AtOnce,
    /// It is asked; what that began, if it did so now.
    Asks(Option<Turn>),
}

/// One broker's.
#[derive(Debug)]
pub struct Lifecycle {
    /// A node without the broker's role asks nothing.
    is_broker: bool,
    heartbeat_interval_ms: i64,
    controlled_shutdown: bool,
    state: State,
    /// Of the registration that holds.
    epoch: Option<i64>,
    /// The registration that holds lacks what the metadata have a place for by now.
    is_to_register_again: bool,
    /// The logs are recovered and clients may come.
    is_ready: bool,
    is_asking: bool,
    /// Something is to be told as soon as the request under way is answered.
    is_due_again: bool,
    next_ms: i64,
    /// When the controller was last heard of, or leaving began.
    last_answer_ms: i64,
}

impl Lifecycle {
    pub fn new(is_broker: bool, heartbeat_interval_ms: i64, controlled_shutdown: bool) -> Self {
        Self {
            is_broker,
            heartbeat_interval_ms,
            controlled_shutdown,
            state: State::Starting,
            epoch: None,
            is_to_register_again: false,
            is_ready: false,
            is_asking: false,
            is_due_again: false,
            next_ms: if is_broker { i64::MIN } else { i64::MAX },
            last_answer_ms: i64::MIN,
        }
    }

    /// Of the registration that holds.
    pub fn epoch(&self) -> Option<i64> {
        self.epoch
    }

    /// When [`Self::abandoned`] or [`Self::due`] has something at the latest.
    pub fn next_ms(&self) -> i64 {
        let next = if self.is_asking { i64::MAX } else { self.next_ms };
        next.min(self.abandoned_ms())
    }

    /// When this broker leaves without consent.
    fn abandoned_ms(&self) -> i64 {
        match self.state {
            State::PendingControlledShutdown => self.last_answer_ms.saturating_add(ABANDONED_MS),
            _ => i64::MAX,
        }
    }

    /// Whether the broker goes from now on without consent.
    pub fn abandoned(&mut self, now_ms: i64) -> Option<Turn> {
        if now_ms < self.abandoned_ms() {
            return None;
        }
        self.state = State::ShuttingDown;
        self.next_ms = i64::MAX;
        Some(Turn::Abandoned)
    }

    /// What to ask now. Its answer must be reported before there is anything else.
    pub fn due(&mut self, now_ms: i64) -> Option<LifecycleAsk> {
        if !self.is_broker || self.is_asking || now_ms < self.next_ms {
            return None;
        }
        self.is_asking = true;
        self.next_ms = now_ms.saturating_add(self.heartbeat_interval_ms);
        let registered = self.epoch.filter(|_| !self.is_to_register_again);
        let Some(epoch) = registered else { return Some(LifecycleAsk::Register) };
        Some(LifecycleAsk::Heartbeat {
            epoch,
            want_fence: !self.is_ready && !is_planted(Bug::UnfencesUnready),
            want_shut_down: self.state == State::PendingControlledShutdown,
        })
    }

    /// Something happened that the controller should hear of at once.
    pub fn ask_at_once(&mut self) {
        if !self.is_broker || self.state == State::ShuttingDown {
            return;
        }
        self.is_due_again = self.is_asking;
        self.next_ms = i64::MIN;
    }

    /// The registration that holds lacks something: it is sent again, and its epoch stays, as it is
    /// the same incarnation's. Answers to `BrokerRegistrationTracker`.
    pub fn register_again(&mut self) {
        if self.epoch.is_some() {
            self.is_to_register_again = true;
            self.ask_at_once();
        }
    }

    /// The connection by which heartbeats went has ended: the controller may wonder whether this
    /// broker lives. A request under way is sent again by itself.
    pub fn connection_ended(&mut self, now_ms: i64) {
        if !self.is_asking && self.epoch.is_some() && self.state != State::ShuttingDown {
            let soonest_ms = self.last_answer_ms.saturating_add(REFUSED_MS).max(now_ms);
            self.next_ms = self.next_ms.min(soonest_ms);
        }
    }

    /// Whether the broker knows the metadata up to its registration; so does a node without one.
    pub fn has_caught_up(&self) -> bool {
        !self.is_broker || self.state != State::Starting
    }

    /// The node has come further in the metadata.
    pub fn applied(&mut self) {
        let starting = self.epoch.is_some()
            && (self.state == State::Starting || self.is_ready && self.state == State::Recovery);
        if starting || self.state == State::PendingControlledShutdown {
            self.ask_at_once();
        }
    }

    /// There was no answer.
    pub fn unanswered(&mut self, now_ms: i64) {
        self.is_asking = false;
        self.is_due_again = false;
        self.next_ms = now_ms.saturating_add(REFUSED_MS);
    }

    /// A registration was answered: with an epoch, or an error's code.
    pub fn registered(&mut self, answer: Result<i64, i16>, now_ms: i64) -> Turn {
        self.is_asking = false;
        self.is_due_again = false;
        match answer {
            Ok(epoch) => {
                self.epoch = Some(epoch);
                self.is_to_register_again = false;
                self.next_ms = i64::MIN;
                if is_planted(Bug::ForgetsToLeave) && self.state != State::Starting {
                    self.state = State::Recovery;
                }
                Turn::Registered { epoch }
            }
            Err(error_code) => {
                if error_code == ErrorCode::DuplicateBrokerRegistration.code() {
                    self.next_ms = now_ms.saturating_add(REFUSED_MS);
                }
                Turn::NotRegistered { error_code }
            }
        }
    }

    /// A heartbeat was answered.
    pub fn heard(&mut self, answer: Heard, now_ms: i64) -> Option<Turn> {
        self.is_asking = false;
        self.last_answer_ms = now_ms;
        let again = std::mem::take(&mut self.is_due_again);
        if answer.error_code != 0 {
            self.refused(answer.error_code, now_ms);
            return Some(Turn::Refused { error_code: answer.error_code });
        }
        let after = |wait_ms: i64| now_ms.saturating_add(wait_ms);
        self.next_ms = if again { i64::MIN } else { after(self.heartbeat_interval_ms) };
        match self.state {
            State::Starting => {
                let turn = answer.is_caught_up.then_some(Turn::CaughtUp);
                if answer.is_caught_up {
                    self.state = State::Recovery;
                }
                if self.is_ready && !answer.is_fenced {
                    self.state = State::Unfencing;
                }
                turn
            }
            State::Recovery if self.is_ready && !answer.is_fenced => {
                self.state = State::Unfencing;
                None
            }
            State::PendingControlledShutdown if answer.should_shut_down => {
                self.state = State::ShuttingDown;
                self.next_ms = i64::MAX;
                Some(Turn::MayExit)
            }
            State::PendingControlledShutdown => {
                self.next_ms = self.next_ms.min(after(PRESSING_MS));
                None
            }
            _ => None,
        }
    }

    fn refused(&mut self, error_code: i16, now_ms: i64) {
        let forgotten =
            [ErrorCode::StaleBrokerEpoch.code(), ErrorCode::BrokerIdNotRegistered.code()];
        if forgotten.contains(&error_code) && !is_planted(Bug::KeepsStaleEpoch) {
            // The controller does not know this registration: register again.
            self.epoch = None;
            self.next_ms = i64::MIN;
        } else {
            self.unanswered(now_ms);
        }
    }

    /// The logs are recovered and clients may come: from now on heartbeats ask to be unfenced.
    /// Whether they may come already.
    pub fn serve(&mut self) -> bool {
        self.is_ready = true;
        let is_running = self.state == State::Running;
        if !is_running {
            self.ask_at_once();
        }
        is_running
    }

    /// The broker wants to stop. Leaving takes the controller's consent, unless there is nothing
    /// that it could consent to.
    pub fn leave(&mut self, now_ms: i64) -> Leaving {
        let asks = self.controlled_shutdown
            && matches!(self.state, State::Running | State::PendingControlledShutdown);
        if !asks {
            return Leaving::AtOnce;
        }
        let mut turn = None;
        if self.state == State::Running {
            self.state = State::PendingControlledShutdown;
            self.last_answer_ms = now_ms;
            turn = Some(Turn::ShutdownBegun);
        }
        self.ask_at_once();
        Leaving::Asks(turn)
    }

    /// Whether the image that shows this broker unfenced is waited for.
    pub fn is_unfencing(&self) -> bool {
        self.state == State::Unfencing
    }

    /// The unfencing is committed and applied here.
    pub fn unfenced(&mut self) -> Option<Turn> {
        if self.state != State::Unfencing {
            return None;
        }
        self.state = State::Running;
        Some(Turn::Unfenced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL_MS: i64 = 2_000;
    const WELL: Heard =
        Heard { error_code: 0, is_caught_up: true, is_fenced: false, should_shut_down: false };

    fn heartbeat(epoch: i64, want_fence: bool, want_shut_down: bool) -> Option<LifecycleAsk> {
        Some(LifecycleAsk::Heartbeat { epoch, want_fence, want_shut_down })
    }

    /// Registered in epoch 7 and unfenced.
    fn running() -> Lifecycle {
        let mut life = Lifecycle::new(true, INTERVAL_MS, true);
        assert_eq!(life.due(0), Some(LifecycleAsk::Register));
        assert_eq!(life.registered(Ok(7), 0), Turn::Registered { epoch: 7 });
        assert_eq!(life.due(0), heartbeat(7, true, false), "not ready yet");
        let fenced = Heard { is_fenced: true, ..WELL };
        assert_eq!(life.heard(fenced, 0), Some(Turn::CaughtUp));
        assert!(!life.serve());
        assert_eq!(life.due(0), heartbeat(7, false, false));
        assert_eq!(life.heard(WELL, 0), None);
        assert!(life.is_unfencing());
        assert_eq!(life.unfenced(), Some(Turn::Unfenced));
        life
    }

    #[test]
    fn an_epoch_that_is_over_is_given_up_and_another_error_is_passing() {
        let table = [
            (ErrorCode::StaleBrokerEpoch, None),
            (ErrorCode::BrokerIdNotRegistered, None),
            (ErrorCode::NotController, Some(7)),
            (ErrorCode::UnknownServerError, Some(7)),
        ];
        for (code, epoch) in table {
            let mut life = running();
            life.ask_at_once();
            assert_eq!(life.due(10), heartbeat(7, false, false));
            let refused = Heard { error_code: code.code(), ..WELL };
            assert_eq!(life.heard(refused, 11), Some(Turn::Refused { error_code: code.code() }));
            assert_eq!(life.epoch(), epoch, "{code:?}");
            let next = if epoch.is_none() { i64::MIN } else { 11 + REFUSED_MS };
            assert_eq!(life.next_ms(), next, "{code:?}");
        }
    }

    #[test]
    fn a_registration_that_lacks_something_is_sent_until_it_is_answered_and_the_life_goes_on() {
        let mut life = running();
        life.ask_at_once();
        assert_eq!(life.due(10), heartbeat(7, false, false));
        life.register_again();
        assert_eq!((life.due(10), life.epoch()), (None, Some(7)), "one request at a time");
        life.heard(WELL, 11);
        assert_eq!(life.due(11), Some(LifecycleAsk::Register));
        life.unanswered(12);
        assert_eq!(life.due(12 + REFUSED_MS), Some(LifecycleAsk::Register));
        assert_eq!(life.registered(Ok(7), 200), Turn::Registered { epoch: 7 });
        assert_eq!(life.due(200), heartbeat(7, false, false));
        assert_eq!(life.heard(WELL, 201), None, "it runs as before");
        let mut starting = Lifecycle::new(true, INTERVAL_MS, true);
        starting.register_again();
        assert_eq!(starting.due(0), Some(LifecycleAsk::Register));
        starting.registered(Ok(3), 0);
        assert_eq!(starting.due(0), heartbeat(3, true, false), "once");
    }

    #[test]
    fn who_wants_to_stop_still_does_when_it_has_registered_again() {
        let mut life = running();
        assert_eq!(life.leave(10), Leaving::Asks(Some(Turn::ShutdownBegun)));
        assert_eq!(life.leave(11), Leaving::Asks(None));
        assert_eq!(life.due(11), heartbeat(7, false, true));
        life.heard(Heard { error_code: ErrorCode::StaleBrokerEpoch.code(), ..WELL }, 12);
        assert_eq!(life.due(12), Some(LifecycleAsk::Register));
        life.registered(Ok(9), 13);
        assert_eq!(life.due(13), heartbeat(9, false, true));
        assert_eq!(life.heard(WELL, 14), None);
        assert_eq!(life.next_ms(), 14 + PRESSING_MS);
        assert_eq!(life.due(34), heartbeat(9, false, true));
        let consent = Heard { should_shut_down: true, ..WELL };
        assert_eq!(life.heard(consent, 35), Some(Turn::MayExit));
        life.ask_at_once();
        assert_eq!((life.due(i64::MAX - 1), life.next_ms()), (None, i64::MAX));
    }

    #[test]
    fn whom_nobody_answers_goes_without_consent_and_who_never_served_at_once() {
        let mut life = running();
        life.leave(100);
        assert!(life.due(100).is_some());
        assert_eq!(life.abandoned(99 + ABANDONED_MS), None);
        assert_eq!(life.abandoned(100 + ABANDONED_MS), Some(Turn::Abandoned));
        assert_eq!(Lifecycle::new(true, INTERVAL_MS, true).leave(0), Leaving::AtOnce);
        let mut uncontrolled = Lifecycle::new(true, INTERVAL_MS, false);
        assert_eq!(uncontrolled.leave(0), Leaving::AtOnce);
        let mut controller = Lifecycle::new(false, INTERVAL_MS, true);
        controller.ask_at_once();
        assert!(controller.has_caught_up());
        assert_eq!((controller.due(0), controller.leave(0)), (None, Leaving::AtOnce));
    }
}
