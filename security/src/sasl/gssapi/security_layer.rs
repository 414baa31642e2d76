//! The last words of an exchange (RFC 4752, 3.1 to 3.3): which security layers a server offers, and
//! which one the client takes.
//!
//! ```text
//! offer    layers (1 octet)   max message (3, big-endian)
//! choice   layer  (1 octet)   max message (3, big-endian)   authorization identity (UTF-8)
//! ```

/// The bit of "no security layer".
pub(super) const NO_LAYER: u8 = 1;
/// What the JDK says, though nothing is ever wrapped after the exchange.
const RECEIVE_BYTES_MAX: [u8; 3] = [1, 0, 0];
const HEAD_BYTES: usize = 4;

pub(super) fn offer() -> [u8; HEAD_BYTES] {
    let [high, middle, low] = RECEIVE_BYTES_MAX;
    [NO_LAYER, high, middle, low]
}

/// The layers that a server offers; nothing where it says something else.
pub(super) fn read_offer(message: &[u8]) -> Option<u8> {
    let head: &[u8; HEAD_BYTES] = message.try_into().ok()?;
    Some(head[0])
}

/// No layer, and nobody but oneself.
pub(super) fn choice() -> [u8; HEAD_BYTES] {
    [NO_LAYER, 0, 0, 0]
}

/// The layer that a client takes; nothing where it says something else. For whom it would like to
/// act is passed over, as Kafka does: it is who it proved to be.
pub(super) fn read_choice(message: &[u8]) -> Option<u8> {
    let (head, _) = message.split_first_chunk::<HEAD_BYTES>()?;
    Some(head[0])
}
