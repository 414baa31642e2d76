//! Waits for children that others left to this process.
//!
//! In a container the node is process 1, and inherits every process whose parent ended before it:
//! those of health checks, for one. Nobody else can wait for them, and until somebody does they
//! stay as zombies. A node has no children of its own; a process that has some, such as `gregor
//! cluster`, runs no node.

use rustix::process::{WaitOptions, getpid, wait};
use tokio::signal::unix::{SignalKind, signal};

/// Starts waiting where this process is the first of its container.
pub(crate) fn adopt() -> std::io::Result<()> {
    if !getpid().is_init() {
        return Ok(());
    }
    let mut ended = signal(SignalKind::child())?;
    tokio::spawn(async move {
        loop {
            // One signal may stand for several that ended, some of them before it was asked for.
            while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
            if ended.recv().await.is_none() {
                return;
            }
        }
    });
    Ok(())
}
