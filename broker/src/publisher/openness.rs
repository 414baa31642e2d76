//! What would make a node that runs more open than its configuration says.
//!
//! Dynamic settings that secure a listener end the serving of clients. Controllers go on: the
//! quorum serves nodes, not clients. Without an authorizer entries of access control mean nothing,
//! as in Kafka.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use config::BrokerConfig;
use raft::image::MetadataImage;
use tokio::sync::watch;
use tokio::task::AbortHandle;

const TARGET: &str = "kafka.server.BrokerServer";

/// Why clients are not served, or no longer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Dynamic settings of this node: {0}")]
pub struct TooOpen(config::ConfigError);

/// Judges a configuration, dynamic settings included.
pub(crate) fn judge(config: &BrokerConfig) -> Result<(), TooOpen> {
    config.check_start().map_err(TooOpen)
}

/// Ends the clients' listeners and their connections.
#[derive(Debug)]
pub(crate) struct ClientListeners {
    pub(crate) accepting: Vec<AbortHandle>,
    pub(crate) stopping: watch::Sender<bool>,
}

impl ClientListeners {
    fn close(&self) {
        self.accepting.iter().for_each(AbortHandle::abort);
        // Nobody may be connected.
        self.stopping.send_replace(true);
    }
}

/// Watches the metadata of a node that runs.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    client_listeners: OnceLock<ClientListeners>,
    has_closed: AtomicBool,
    has_warned: AtomicBool,
}

impl Watch {
    /// Clients are served now, through these.
    pub(crate) fn opened(&self, client_listeners: ClientListeners) {
        // A node opens its listeners once.
        let _ = self.client_listeners.set(client_listeners);
    }

    /// Looks at the metadata after a change, and stops serving clients where that must be.
    pub(crate) fn look(&self, config: &BrokerConfig, image: &MetadataImage) {
        self.warn_of_entries(config, image);
        let Err(reason) = judge(config) else { return };
        if self.has_closed.swap(true, Ordering::AcqRel) {
            return;
        }
        tracing::error!(target: TARGET, "{reason}. Clients are not served any more.");
        if let Some(client_listeners) = self.client_listeners.get() {
            client_listeners.close();
        }
    }

    fn warn_of_entries(&self, config: &BrokerConfig, image: &MetadataImage) {
        let mean_nothing = config.authorizer().is_none();
        let entries = image.acls().iter().len();
        if mean_nothing && entries > 0 && !self.has_warned.swap(true, Ordering::AcqRel) {
            tracing::warn!(
                target: TARGET,
                "There are {entries} ACLs in the metadata, and no authorizer.class.name: nobody \
                 obeys them",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use config::Properties;

    use super::*;

    fn of(more: &str) -> BrokerConfig {
        let text = format!(
            "node.id=1\nprocess.roles=broker,controller\n\
             listeners=PLAINTEXT://:9092,CONTROLLER://:9093\n\
             controller.listener.names=CONTROLLER\n\
             controller.quorum.voters=1@localhost:9093\n{more}"
        );
        let properties = Properties::parse(text.as_bytes()).unwrap();
        BrokerConfig::from_properties(&properties).unwrap().0
    }

    #[test]
    fn what_is_not_kept_ends_the_serving_of_clients() {
        let (kept, not_kept) = (of(""), of("authorizer.class.name=a.Ranger"));
        let image = MetadataImage::default();
        let watch = Watch::default();
        let (stopping, stopped) = watch::channel(false);
        watch.opened(ClientListeners { accepting: Vec::new(), stopping });
        watch.look(&kept, &image);
        assert!(!*stopped.borrow());
        watch.look(&not_kept, &image);
        assert!(*stopped.borrow());
    }
}
