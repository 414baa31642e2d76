//! Ports nobody listens on, below the range that outgoing connections take theirs from.
//!
//! A node keeps its ports over its restarts, so they are chosen once, before it first starts. Tests
//! run as processes beside each other: each begins at a place that its process id chooses.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 25_000;
const WIDTH: u16 = 2_000;

/// A port that is free now and that no other cluster of this process was given.
///
/// # Panics
/// When none of the range is free.
#[must_use]
pub fn free() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = u16::try_from(std::process::id() * 53 % u32::from(WIDTH)).expect("within width");
    for _ in 0..WIDTH {
        let port = FIRST + (begin + NEXT.fetch_add(1, Ordering::Relaxed)) % WIDTH;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port in {FIRST} and the {WIDTH} after it");
}
