//! What a tool does when it is told to end: Java's shutdown hook, and the exit code that a JVM has.

use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

/// On SIGINT, SIGTERM or SIGHUP runs the hook, then ends the process as a JVM does: with 128 and the
/// signal's number.
pub(crate) fn on_interrupt(hook: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let entered = runtime.enter();
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let mut hung_up = signal(SignalKind::hangup())?;
    drop(entered);
    std::thread::Builder::new().name("shutdown-hook".to_owned()).spawn(move || {
        let code = runtime.block_on(async {
            tokio::select! {
                _ = interrupted.recv() => 130,
                _ = terminated.recv() => 143,
                _ = hung_up.recv() => 129,
            }
        });
        hook();
        std::process::exit(code)
    })?;
    Ok(())
}
