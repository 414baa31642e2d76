//! A token that an endpoint gave, kept as long as somebody logs in with it, and asked for anew
//! before it expires.
//!
//! ```text
//! who logs in ──▶ token at hand? ──▶ shows it
//!                      ▲ no: waits, or hears why there is none
//!           keeper (a task): asks ─▶ sleeps until it is due ─▶ asks ...
//! ```
//! Kept true: whoever logs in with the same keys shows the same token, as by Kafka's
//! `LoginManager`; who has a token that has not expired never waits; an endpoint that failed is
//! asked again 10 s later, and not by each connection. A login with which nobody came for the life
//! of a token is forgotten. The keeper lives on the runtime of whoever asked first; where that ends
//! another begins. Unlike Kafka: a node starts without a token, and its connections wait. Answers
//! to `ExpiringCredentialRefreshingLogin`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use security::Secret;
use security::sasl::oauthbearer::{AGAIN_AFTER_MS, AccessToken, EndpointLogin};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::clock::wall_ms;
use super::login::drawn;
use super::token_endpoint;

const TARGET: &str = "org.apache.kafka.common.security.oauthbearer.internals.expiring.\
    ExpiringCredentialRefreshingLogin";

/// A keeper that ended with its runtime is noticed so soon.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// All logins of the process with which somebody came lately.
static LOGINS: Mutex<Vec<Arc<RefreshingLogin>>> = Mutex::new(Vec::new());

struct RefreshingLogin {
    login: EndpointLogin,
    state: Mutex<State>,
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    token: Option<Held>,
    /// Why there is none, until the endpoint is asked again.
    failed: Option<String>,
    keeper: Option<JoinHandle<()>>,
    /// Somebody came since the endpoint was asked last.
    is_used: bool,
}

struct Held {
    token: AccessToken,
    /// Shown until then: clocks differ, and the server decides about a token that came too late.
    until_ms: i64,
}

/// The token to log in with now.
pub(super) async fn token(login: &EndpointLogin) -> Result<Secret, String> {
    let own = RefreshingLogin::of(login);
    let mut changed = own.changed.subscribe();
    loop {
        changed.borrow_and_update();
        if let Some(found) = own.at_hand() {
            return found;
        }
        // Either way the next look tells.
        let _ = tokio::time::timeout(LOOK_AGAIN, changed.changed()).await;
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl RefreshingLogin {
    fn of(login: &EndpointLogin) -> Arc<Self> {
        let mut logins = locked(&LOGINS);
        if let Some(known) = logins.iter().find(|known| known.login == *login) {
            return Arc::clone(known);
        }
        if login.endpoint.url.to_ascii_lowercase().starts_with("http:") {
            tracing::warn!(
                target: TARGET,
                "{} is asked without TLS: whoever is on the way reads the client's secret",
                login.endpoint.url
            );
        }
        let (changed, _) = watch::channel(());
        let own = Arc::new(Self { login: login.clone(), state: Mutex::default(), changed });
        logins.push(Arc::clone(&own));
        own
    }

    /// A token, or why there is none; nothing while the endpoint is asked.
    fn at_hand(self: &Arc<Self>) -> Option<Result<Secret, String>> {
        let mut state = locked(&self.state);
        state.is_used = true;
        if state.keeper.as_ref().is_none_or(JoinHandle::is_finished) {
            state.failed = None;
            state.keeper = Some(tokio::spawn(Arc::clone(self).keep()));
        }
        let now = wall_ms();
        let held = state.token.as_ref().filter(|held| now < held.until_ms);
        held.map(|held| Ok(held.token.text.clone())).or_else(|| state.failed.clone().map(Err))
    }

    async fn keep(self: Arc<Self>) {
        loop {
            locked(&self.state).is_used = false;
            let retrieved = token_endpoint::retrieve(&self.login).await;
            let due_ms = self.take(retrieved);
            self.changed.send_replace(());
            let wait_ms = u64::try_from(due_ms.saturating_sub(wall_ms())).unwrap_or_default();
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            let mut state = locked(&self.state);
            if !state.is_used {
                drop(state);
                locked(&LOGINS).retain(|known| !Arc::ptr_eq(known, &self));
                return;
            }
            state.failed = None;
        }
    }

    /// Goes on with what came; when to ask again.
    fn take(&self, retrieved: Result<AccessToken, String>) -> i64 {
        let now = wall_ms();
        let again_ms = now.saturating_add(AGAIN_AFTER_MS);
        let mut state = locked(&self.state);
        match retrieved {
            Ok(token) => {
                let draw = drawn().map_or(0.0, |[draw]: [u8; 1]| f64::from(draw) / 256.0);
                let due_ms = self.login.refresh.due_ms(&token, now, draw);
                tell(&token, now, due_ms);
                let until_ms = token.expires_at_ms.max(again_ms);
                state.token = Some(Held { token, until_ms });
                due_ms
            }
            Err(why) => {
                tracing::warn!(
                    target: TARGET,
                    "LoginException during login; will sleep {} seconds before trying again: \
                     {why}",
                    AGAIN_AFTER_MS / 1000
                );
                state.failed = Some(format!(
                    "An internal error occurred while retrieving token from callback handler: \
                     {why}"
                ));
                again_ms
            }
        }
    }
}

fn tell(token: &AccessToken, now: i64, due_ms: i64) {
    let principal = token.principal.escape_debug();
    let left = token.expires_at_ms.saturating_sub(now) / 1000;
    match now > token.expires_at_ms {
        true => tracing::error!(
            target: TARGET,
            "[Principal={principal}]: the token has expired {} s ago. This may indicate a clock \
             skew problem. Check that this host's and remote host's clocks are in sync.",
            -left
        ),
        false => tracing::info!(
            target: TARGET,
            "[Principal={principal}]: Expiring credential valid for {left} s; re-login in {} s",
            due_ms.saturating_sub(now) / 1000
        ),
    }
}
