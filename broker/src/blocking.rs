//! Work on files, on a thread that may wait for the disk. A panic there is a failure of the work,
//! never its success: nothing is called flushed, closed or clean on its word.

use storage::StorageError;

/// Runs `work` on a blocking thread.
pub(crate) async fn blocking<R: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> Result<R, StorageError> + Send + 'static,
) -> Result<R, StorageError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(_) => Err(StorageError::Panicked { operation }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_panics_has_failed() {
        assert!(matches!(blocking("a sum", || Ok(1 + 1)).await, Ok(2)));
        let failed = blocking::<()>("closing the logs", || panic!("on purpose")).await;
        assert!(
            matches!(failed, Err(StorageError::Panicked { operation: "closing the logs" })),
            "{failed:?}"
        );
    }
}
