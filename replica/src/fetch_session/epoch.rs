//! Epochs of a session: each request carries the next one (KIP-227).

/// A session id nobody has.
pub const NO_SESSION: i32 = 0;
/// Epoch of a request that begins a session.
pub const INITIAL_EPOCH: i32 = 0;
/// Epoch of a request that wants none.
pub const FINAL_EPOCH: i32 = -1;

/// The epoch the request after this one carries; zero and below are never reached again.
pub fn next_epoch(epoch: i32) -> i32 {
    match epoch {
        epoch if epoch < 0 => FINAL_EPOCH,
        i32::MAX => 1,
        epoch => epoch + 1,
    }
}
