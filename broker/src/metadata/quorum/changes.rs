//! What the quorum tells the broker: one image after the other, each acknowledged when applied.

use std::sync::Arc;

use raft::image::{Changes as Names, MetadataImage};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::QuorumStartError;
use super::command::Command;

/// The cluster became this.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) image: Arc<MetadataImage>,
    /// What differs from the image before.
    pub(crate) changes: Names,
    pub(crate) applied: Acknowledgement,
}

/// To be sent when a change is applied; requests that caused it are answered then.
#[derive(Debug)]
pub(crate) struct Acknowledgement {
    offset: i64,
    commands: UnboundedSender<Command>,
}

impl Acknowledgement {
    pub(super) fn new(offset: i64, commands: UnboundedSender<Command>) -> Self {
        Self { offset, commands }
    }

    pub(crate) fn send(self) {
        // A quorum that has stopped waits for nobody.
        let _ = self.commands.send(Command::Applied { offset: self.offset });
    }
}

/// All changes in their order.
#[derive(Debug)]
pub(crate) struct Changes(UnboundedReceiver<Change>);

impl Changes {
    pub(super) fn new(receiver: UnboundedReceiver<Change>) -> Self {
        Self(receiver)
    }

    /// The first image: everything in it is new. Who asks applies it before it goes on.
    pub(crate) async fn first(&mut self) -> Result<Change, QuorumStartError> {
        let first = self.0.recv().await.ok_or(QuorumStartError::Ended)?;
        let Acknowledgement { offset, commands } = &first.applied;
        Acknowledgement::new(*offset, commands.clone()).send();
        Ok(first)
    }

    /// The next change; `None` when the quorum has stopped.
    pub(crate) async fn next(&mut self) -> Option<Change> {
        self.0.recv().await
    }
}
