//! The signals that stop a node: SIGTERM, SIGINT (Ctrl-C) and SIGHUP (the terminal is gone). All
//! three stop it alike, and cleanly; more of them change nothing, however impatient.
//!
//! A SIGHUP that the process was started to ignore (`nohup`) stays ignored, as in a JVM. Answers to
//! LoggingSignalHandler.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::node::server::StartError;

/// SIGHUP's bit in a mask of signals.
const HANGUP: u64 = 1;

/// What tells this process to stop.
pub struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
    /// Nothing where the process ignores it.
    hangup: Option<Signal>,
}

impl StopSignals {
    /// Listens from now on.
    pub fn register() -> Result<Self, StartError> {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let hangup =
            (!ignores_hangup(&status)).then(|| signal(SignalKind::hangup())).transpose()?;
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup,
        })
    }

    /// Resolves once for each signal.
    pub async fn recv(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => drop(hangup.recv().await),
                None => std::future::pending().await,
            }
        };
        let name = tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
            () = hangup => "SIGHUP",
        };
        tracing::info!(
            target: "org.apache.kafka.common.utils.LoggingSignalHandler",
            "Terminating process due to signal {name}",
        );
    }
}

/// Reads `SigIgn`, a mask in hexadecimal, out of /proc/PID/status.
fn ignores_hangup(status: &str) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & HANGUP != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_of_ignored_signals_is_read() {
        assert!(ignores_hangup("Name:\tgregor\nSigIgn:\t0000000000001001\nSigCgt:\t0\n"));
        assert!(!ignores_hangup("Name:\tgregor\nSigIgn:\t0000000000001000\nSigCgt:\t1\n"));
        assert!(!ignores_hangup(""));
    }
}
