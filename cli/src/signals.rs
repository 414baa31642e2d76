//! Signals that ask a tool to end: Java's shutdown hook, and the exit code that a JVM has after
//! each.

use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGINT, SIGTERM and SIGHUP, taken from now on.
pub(crate) struct EndSignals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl EndSignals {
    /// Must be called on a runtime.
    pub(crate) fn take() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for one: the exit code.
    pub(crate) async fn next(&mut self) -> i32 {
        tokio::select! {
            _ = self.interrupt.recv() => 130,
            _ = self.terminate.recv() => 143,
            _ = self.hangup.recv() => 129,
        }
    }
}

/// On the first of them runs the hook, then ends the process as a JVM does.
pub(crate) fn on_interrupt(hook: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let entered = runtime.enter();
    let mut signals = EndSignals::take()?;
    drop(entered);
    std::thread::Builder::new().name("shutdown-hook".to_owned()).spawn(move || {
        let code = runtime.block_on(signals.next());
        hook();
        std::process::exit(code)
    })?;
    Ok(())
}
