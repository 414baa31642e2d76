//! Somebody logs in to read: HTTP Basic, as a user of PLAIN at some listener of this node, or with
//! the password that a SCRAM credential in the metadata was made of.
//!
//! Kept true: one password is looked at at a time, whose cost nobody can multiply; who fails waits
//! (connection.failed.authentication.delay.ms); nothing of a header is logged.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use parking_lot::Mutex;
use security::sasl::BasicLogin;
use security::sasl::scram::{Decoy, ScramCredential};

use crate::broker::Broker;
use crate::clock::monotonic;
use crate::net::authenticator::Authenticator;
use crate::net::log_rate_limiter::LogRateLimiter;
use crate::requests::authorizer::{Operation, Resource};
use crate::requests::requester::Client;

/// What lines about decisions call the listener and what is asked for.
const LISTENER: &str = "metrics";
const REQUEST: &str = "metrics.listen";

/// Made up for names that nobody has; the same as long as the process runs.
static DECOY: LazyLock<Decoy> = LazyLock::new(|| {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).expect("the system has random bytes");
    Decoy::new(seed)
});

/// Why somebody reads nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// He did not say who he is, or it is not true.
    Unknown,
    /// Entries are not loaded.
    NotReady,
    /// He may not describe the cluster.
    Denied,
}

/// Who logs in here.
#[derive(Debug)]
pub(super) struct Logins {
    turn: tokio::sync::Mutex<()>,
    failures: Mutex<LogRateLimiter<()>>,
}

impl Logins {
    pub(super) fn new() -> Self {
        Self { turn: tokio::sync::Mutex::default(), failures: Mutex::default() }
    }

    /// Whether who sent this header may read.
    pub(super) async fn admit(
        &self,
        broker: &Arc<Broker>,
        peer: SocketAddr,
        header: Option<&str>,
    ) -> Result<(), Refusal> {
        // Browsers ask once without any, to hear that they must.
        let header = header.ok_or(Refusal::Unknown)?;
        let Some(user) = self.user(broker, header).await else {
            self.note_failure(peer);
            let delay_ms = broker.config.current().connection_failed_authentication_delay_ms;
            let delay = Duration::from_millis(u64::try_from(delay_ms).unwrap_or_default());
            tokio::time::sleep(delay).await;
            return Err(Refusal::Unknown);
        };
        let client = Client::new(Arc::from(LISTENER), peer, Authenticator::user(&user), 0);
        if !broker.policies.authorizer.is_ready_for(&client) {
            return Err(Refusal::NotReady);
        }
        let policies = &broker.policies;
        let may = policies.authorize(&client, REQUEST, Operation::Describe, Resource::Cluster);
        if may { Ok(()) } else { Err(Refusal::Denied) }
    }

    /// The user that a header proves.
    async fn user(&self, broker: &Arc<Broker>, header: &str) -> Option<String> {
        let login = BasicLogin::parse(header)?;
        let turn = self.turn.lock().await;
        let broker = Arc::clone(broker);
        // Passwords are hashed thousands of times over.
        let judged = tokio::task::spawn_blocking(move || {
            let config = broker.config.current();
            let plain = config.sasl.listeners().map(|listener| listener.settings.plain_users());
            let scram = |mechanism: security::sasl::scram::ScramMechanism, user: &str| {
                let record = broker.quorum.scram_credential(mechanism.id(), user)?;
                Some(ScramCredential {
                    salt: record.salt.to_vec(),
                    stored_key: record.stored_key.to_vec(),
                    server_key: record.server_key.to_vec(),
                    iterations: record.iterations,
                })
            };
            login.is_proven(plain, scram, &DECOY).then_some(login.user)
        });
        let user = judged.await.ok().flatten();
        drop(turn);
        user
    }

    fn note_failure(&self, peer: SocketAddr) {
        let ip = peer.ip().to_canonical();
        let Some(unsaid) = self.failures.lock().of(ip, (), monotonic()) else { return };
        let before = match unsaid {
            0 => String::new(),
            count => format!(" ({count} more like it before)"),
        };
        tracing::info!(
            target: "org.apache.kafka.common.network.Selector",
            "Failed authentication with /{ip} at metrics.listen (Authentication failed: Invalid \
             username or password){before}",
        );
    }
}
