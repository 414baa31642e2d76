//! Whether a connection still is one, as the runtime has heard from the kernel: known before any
//! task of the connection has run, and without asking the kernel.

use std::future::Future as _;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use arc_swap::ArcSwapOption;
use tokio::io::Interest;
use tokio::net::TcpStream;

/// A peer's present connection, if it has one whose other side has said what it speaks.
#[derive(Debug, Clone, Default)]
pub struct Liveness(Arc<ArcSwapOption<TcpStream>>);

impl Liveness {
    /// The other side has closed or reset the connection, and its task has not come to it yet.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        let stream = self.0.load();
        let Some(stream) = stream.as_ref() else { return false };
        let ready = pin!(stream.ready(Interest::READABLE));
        let mut nobody = Context::from_waker(Waker::noop());
        matches!(ready.poll(&mut nobody), Poll::Ready(Ok(ready)) if ready.is_read_closed())
    }

    /// Whether nobody else can have a connection to show.
    #[must_use]
    pub fn is_orphan(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// Shows a connection for as long as what is returned lives.
    pub(super) fn show(&self, stream: &Arc<TcpStream>) -> Shown {
        self.0.store(Some(Arc::clone(stream)));
        Shown(self.clone())
    }
}

pub(super) struct Shown(Liveness);

impl Drop for Shown {
    fn drop(&mut self) {
        self.0.0.store(None);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn an_end_is_seen_though_nobody_reads() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (other, _) = listener.accept().await.unwrap();
        let (liveness, own) = (Liveness::default(), Arc::new(own));
        assert!(!liveness.has_ended(), "there is none");
        let shown = liveness.show(&own);
        other.try_write(b"an answer").unwrap();
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert!(!liveness.has_ended(), "what can be read is no end");
        drop(other);
        while !liveness.has_ended() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        drop(shown);
        assert!(!liveness.has_ended() && Arc::strong_count(&own) == 1, "nothing is kept open");
        assert!(liveness.is_orphan() && !liveness.clone().is_orphan());
    }
}
