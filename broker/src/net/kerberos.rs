//! Logins by Kerberos, on threads that may wait: a keytab and the replay cache are files, written
//! and flushed at each login.
//!
//! Kept true: so many threads wait at once, and no more, whoever comes; nobody waits longer than a
//! handshake of TLS may take (docs/decisions/0542, 0587). Kafka calls JGSS on its network threads.

use std::sync::LazyLock;
use std::time::Duration;

use config::BrokerConfig;
use tokio::sync::Semaphore;

/// Of the threads for work on files, which others need, too.
const AT_ONCE_MAX: usize = 16;
const PATIENCE: Duration = Duration::from_secs(30);

static SEATS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(AT_ONCE_MAX));

/// A key of a listener that cannot be used when the node starts.
#[derive(Debug, thiserror::Error)]
#[error("Listener {listener} cannot speak GSSAPI with the key of {principal}: {why}")]
pub struct KeyError {
    listener: String,
    principal: String,
    why: String,
}

/// Whether every listener that speaks GSSAPI has the key that it names.
pub(crate) async fn check_keys(config: &BrokerConfig) -> Result<(), KeyError> {
    for endpoint in config.own_endpoints() {
        let listener = config.sasl.listener(&endpoint.listener);
        let Some(own) = listener.and_then(|listener| listener.settings.kerberos()) else {
            continue;
        };
        let login = own.login.clone();
        let failed = |why| KeyError {
            listener: endpoint.listener.clone(),
            principal: own.login.principal.clone().unwrap_or_default(),
            why,
        };
        let accept = move || client::kerberos::accept(&login).map(drop);
        waited_for(accept).await.map_err(failed)?.map_err(|error| failed(error.text))?;
    }
    Ok(())
}

/// What the work comes to, or why it does not.
pub(crate) async fn waited_for<R: Send + 'static>(
    work: impl FnOnce() -> R + Send + 'static,
) -> Result<R, String> {
    let waited = tokio::time::timeout(PATIENCE, async {
        let seat = SEATS.acquire().await.map_err(|error| error.to_string())?;
        let work = move || {
            // Held by the thread, also where nobody waits for it any more.
            let _seat = seat;
            work()
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string())
    });
    match waited.await {
        Ok(done) => done,
        Err(_) => Err(format!("Kerberos took longer than {} s", PATIENCE.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn no_more_threads_wait_than_there_are_seats() {
        assert!(waited_for::<()>(|| panic!("on purpose")).await.is_err());
        assert_eq!(SEATS.available_permits(), AT_ONCE_MAX);
        let (go_on, held) = mpsc::channel::<()>();
        let seats = SEATS.acquire_many(15).await.unwrap();
        let first = tokio::spawn(waited_for(move || held.recv().is_ok()));
        while SEATS.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let second = tokio::spawn(waited_for(|| ()));
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        go_on.send(()).unwrap();
        assert!(first.await.unwrap().unwrap());
        second.await.unwrap().unwrap();
        drop(seats);
    }
}
