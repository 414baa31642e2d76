//! TLS of this node: what its listeners greet with, and what it connects with by itself. Replaced
//! while connections are open, which go on with what they began with.
//!
//! Kept true: what takes a place was checked as Kafka checks it (`security::tls`), and where it
//! cannot, what was there stays. A context is read again when its settings change, when an
//! administrator sets them again, and when one of its files changed; unlike Kafka, which looks at
//! files only when it is asked to (docs/decisions/0541). Kafka: `SslChannelBuilder`, `SslFactory`.

use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use client::Transport;
use config::broker::TlsListener;
use config::{BrokerConfig, SecurityProtocol};
use parking_lot::Mutex;
use security::tls::{ClientAuth, ClientContext, ServerConfig, TlsContext, TlsError, TlsSettings};

const TARGET: &str = "org.apache.kafka.common.security.ssl.SslFactory";

/// A listener whose TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
#[error("Listener {listener}: {error}")]
pub struct ListenerError {
    listener: String,
    error: TlsError,
}

/// All that speaks TLS.
#[derive(Debug, Default)]
pub(crate) struct Tls {
    secured: Vec<Secured>,
}

/// One listener: this node's own, or the controllers' that it connects to.
#[derive(Debug)]
struct Secured {
    listener: String,
    protocol: SecurityProtocol,
    /// Whether it is one of this node's own.
    is_served: bool,
    /// Whether brokers connect to one another through it.
    is_brokers: bool,
    current: Mutex<Loaded>,
    /// What is greeted with.
    server: Option<ArcSwap<ServerConfig>>,
    /// What is connected with, if this node does.
    client: Option<Arc<ClientContext>>,
}

#[derive(Debug)]
struct Loaded {
    context: Arc<TlsContext>,
    files: Modified,
}

/// When files were changed last.
type Modified = Vec<(String, Option<SystemTime>)>;

impl Tls {
    /// Reads what the configuration names.
    pub(crate) fn load(config: &BrokerConfig) -> Result<Self, ListenerError> {
        let secured = config.tls_listeners.iter().map(|listener| {
            Secured::load(config, listener)
                .map_err(|error| ListenerError { listener: listener.name.clone(), error })
        });
        Ok(Self { secured: secured.collect::<Result<_, _>>()? })
    }

    fn find(&self, listener: &str) -> Option<&Secured> {
        self.secured.iter().find(|secured| secured.listener == listener)
    }

    /// What a listener greets with; nothing where it does not speak TLS.
    pub(crate) fn server(&self, listener: &str) -> Option<Arc<ServerConfig>> {
        self.find(listener)?.server.as_ref().map(ArcSwap::load_full)
    }

    /// How this node connects to a listener of others.
    pub(crate) fn transport(&self, listener: &str) -> Transport {
        let client = self.find(listener).and_then(|secured| secured.client.clone());
        client.map_or(Transport::Plaintext, Transport::Tls)
    }

    /// How this node connects to controllers.
    pub(crate) fn to_controllers(&self, config: &BrokerConfig) -> Transport {
        let listener = config.controller_listener_names.first();
        listener.map(|listener| self.transport(listener)).unwrap_or_default()
    }

    /// The user that a certificate names, by a listener's rules. `None` is a certificate that
    /// nobody had to show.
    pub(crate) fn principal(
        &self,
        listener: &str,
        certificate: Option<&[u8]>,
    ) -> Result<Option<String>, String> {
        let (Some(secured), Some(certificate)) = (self.find(listener), certificate) else {
            return Ok(None);
        };
        let name = security::tls::subject_name(certificate).map_err(|error| error.to_string())?;
        let context = Arc::clone(&secured.current.lock().context);
        let mapped = context.settings().principal_mapping().name(&name);
        mapped.map(Some).map_err(|error| {
            format!("Failed to map name for '{name}' based on SSL principal mapping rules: {error}")
        })
    }

    /// Whether the node could go on with this configuration.
    pub(crate) fn check(&self, next: &BrokerConfig) -> Result<(), TlsError> {
        self.secured.iter().try_for_each(|secured| secured.next(next, true).map(drop))
    }

    /// Goes on with this configuration where its settings differ; `reads_again` where they do not,
    /// too.
    pub(crate) fn reconfigure(&self, next: &BrokerConfig, reads_again: bool) {
        for secured in &self.secured {
            secured.reconfigure(next, reads_again);
        }
    }

    /// Reads contexts again whose files changed since they were read.
    pub(crate) fn reread_changed(&self, config: &BrokerConfig) {
        for secured in &self.secured {
            let mut current = secured.current.lock();
            let now = modified(current.context.settings());
            if now == current.files || now.iter().any(|(_, changed)| changed.is_none()) {
                continue;
            }
            // One that cannot be used is spoken of once, not until it is mended.
            current.files = now;
            drop(current);
            secured.reconfigure(config, true);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.secured.is_empty()
    }
}

impl Secured {
    fn load(config: &BrokerConfig, listener: &TlsListener) -> Result<Self, TlsError> {
        let TlsListener { name: listener, protocol, is_served } = listener;
        let (protocol, is_served) = (*protocol, *is_served);
        let is_brokers =
            config.process_roles.broker && *listener == config.inter_broker_listener_name;
        let is_controllers =
            config.controller_listener_names.first().is_some_and(|name| name == listener);
        let context = read(config, listener, protocol)?;
        if is_brokers {
            context.check_handshake(&context)?;
        }
        let server = match is_served {
            true => Some(ArcSwap::new(context.server()?)),
            false => None,
        };
        let client = match is_brokers || is_controllers {
            true => Some(Arc::new(ClientContext::new(context.client()?))),
            false => None,
        };
        let files = modified(context.settings());
        let current = Mutex::new(Loaded { context: Arc::new(context), files });
        let listener = listener.clone();
        Ok(Self { listener, protocol, is_served, is_brokers, current, server, client })
    }

    /// What would take the present context's place; nothing where there is nothing new.
    fn next(
        &self,
        config: &BrokerConfig,
        reads_again: bool,
    ) -> Result<Option<TlsContext>, TlsError> {
        let present = Arc::clone(&self.current.lock().context);
        let settings = settings(config, &self.listener, self.protocol)?;
        if !reads_again && present.settings().names_the_same(&settings) {
            return Ok(None);
        }
        let next = TlsContext::load(settings, &|path| std::fs::read(path))?;
        present.check_replacement(&next, self.is_brokers)?;
        Ok(Some(next))
    }

    fn reconfigure(&self, config: &BrokerConfig, reads_again: bool) {
        match self.next(config, reads_again).and_then(|next| self.replace(next)) {
            Ok(true) => tracing::info!(
                target: TARGET,
                "Created new SSL engine builder for listener {}, stores {}",
                self.listener,
                self.stores(),
            ),
            Ok(false) => {}
            Err(error) => tracing::error!(
                target: TARGET,
                "The former keys and certificates of listener {} stay: {error}",
                self.listener,
            ),
        }
    }

    fn stores(&self) -> String {
        let current = self.current.lock();
        current.context.settings().files().collect::<Vec<_>>().join(", ")
    }

    fn replace(&self, next: Option<TlsContext>) -> Result<bool, TlsError> {
        let Some(next) = next else { return Ok(false) };
        // Both or none.
        let server = if self.is_served { Some(next.server()?) } else { None };
        let client = if self.client.is_some() { Some(next.client()?) } else { None };
        if let (Some(place), Some(server)) = (&self.server, server) {
            place.store(server);
        }
        if let (Some(place), Some(client)) = (&self.client, client) {
            place.replace(client);
        }
        let files = modified(next.settings());
        *self.current.lock() = Loaded { context: Arc::new(next), files };
        Ok(true)
    }
}

/// The keys as they are for one listener.
fn settings(
    config: &BrokerConfig,
    listener: &str,
    protocol: SecurityProtocol,
) -> Result<TlsSettings, TlsError> {
    const CLIENT_AUTH: &str = "ssl.client.auth";
    let value = |name: &str| config.of_listener(listener, name).and_then(|value| value.text());
    let settings = TlsSettings::read(value)?;
    // Kafka asks clients of SASL_SSL for certificates only where it is said of their listener.
    let is_own = config.is_set_for_listener(listener, CLIENT_AUTH);
    Ok(match protocol == SecurityProtocol::SaslSsl && !is_own {
        true => settings.with_client_auth(ClientAuth::None),
        false => settings,
    })
}

fn read(
    config: &BrokerConfig,
    listener: &str,
    protocol: SecurityProtocol,
) -> Result<TlsContext, TlsError> {
    let settings = settings(config, listener, protocol)?;
    TlsContext::load(settings, &|path| std::fs::read(path))
}

fn modified(settings: &TlsSettings) -> Modified {
    let changed = |path: &str| std::fs::metadata(path).and_then(|file| file.modified()).ok();
    settings.files().map(|path| (path.to_owned(), changed(path))).collect()
}
