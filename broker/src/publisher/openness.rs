//! What would make a node that runs more open than its configuration says.
//!
//! Entries of access control are kept in the metadata and not enforced. Where an authorizer is
//! configured that allows everybody only as long as there are none, the first one is the end of
//! serving clients; so are dynamic settings that secure a listener. Controllers go on: the quorum
//! serves nodes, not clients. Without an authorizer entries mean nothing, as in Kafka.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use config::BrokerConfig;
use config::broker::Authorization;
use raft::image::MetadataImage;
use tokio::sync::watch;
use tokio::task::AbortHandle;

const TARGET: &str = "kafka.server.BrokerServer";

/// Why clients are not served, or no longer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TooOpen {
    #[error(
        "There are {entries} ACLs in the metadata, and authorizer.class.name={class} would enforce \
         them, which Gregor does not do yet: delete them (kafka-acls --remove at a stock node), \
         allow everybody with super.users=User:ANONYMOUS, or take authorizer.class.name out"
    )]
    Entries { entries: usize, class: String },
    #[error("Dynamic settings of this node: {0}")]
    Settings(config::ConfigError),
}

/// Judges a configuration, dynamic settings included, by the cluster's metadata.
pub(crate) fn judge(config: &BrokerConfig, image: &MetadataImage) -> Result<(), TooOpen> {
    config.check_start().map_err(TooOpen::Settings)?;
    let entries = image.acls().iter().len();
    match config.authorization() {
        Authorization::EverybodyWithoutEntries if entries > 0 => {
            let class = config.authorizer_class_name.clone();
            Err(TooOpen::Entries { entries, class })
        }
        _ => Ok(()),
    }
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
        let Err(reason) = judge(config, image) else { return };
        if self.has_closed.swap(true, Ordering::AcqRel) {
            return;
        }
        tracing::error!(target: TARGET, "{reason}. Clients are not served any more.");
        if let Some(client_listeners) = self.client_listeners.get() {
            client_listeners.close();
        }
    }

    fn warn_of_entries(&self, config: &BrokerConfig, image: &MetadataImage) {
        let mean_nothing = config.authorization() == Authorization::Unconfigured;
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
    use protocol::records::metadata::AccessControlEntryRecord;
    use raft::image::MetadataDelta;

    use super::*;

    fn of(more: &str) -> BrokerConfig {
        let text = format!(
            "node.id=1\nprocess.roles=broker,controller\n\
             listeners=PLAINTEXT://:9092,CONTROLLER://:9093\n\
             controller.listener.names=CONTROLLER\ncontroller.quorum.voters=1@localhost:9093\n\
             authorizer.class.name=kafka.security.authorizer.AclAuthorizer\n{more}"
        );
        let properties = Properties::parse(text.as_bytes()).unwrap();
        BrokerConfig::from_properties(&properties).unwrap().0
    }

    fn with_an_entry() -> MetadataImage {
        let empty = MetadataImage::default();
        let mut delta = MetadataDelta::new(&empty);
        delta.replay(&AccessControlEntryRecord::default().into()).unwrap();
        delta.after().clone()
    }

    #[test]
    fn entries_end_the_serving_of_clients_where_an_authorizer_would_enforce_them() {
        let (empty, one) = (MetadataImage::default(), with_an_entry());
        let while_none = of("allow.everyone.if.no.acl.found=true");
        let everybody = of("super.users=User:ANONYMOUS");
        assert_eq!(judge(&while_none, &empty), Ok(()));
        assert!(matches!(judge(&while_none, &one), Err(TooOpen::Entries { entries: 1, .. })));
        assert_eq!(judge(&everybody, &one), Ok(()));

        let watch = Watch::default();
        let (stopping, stopped) = watch::channel(false);
        watch.opened(ClientListeners { accepting: Vec::new(), stopping });
        watch.look(&while_none, &empty);
        assert!(!*stopped.borrow());
        watch.look(&while_none, &one);
        assert!(*stopped.borrow());
    }
}
