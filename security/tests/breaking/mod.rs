//! Inputs with flipped bits, cut short, doubled and mixed.
//!
//! A second of each kind; `GREGOR_BREAK_SECONDS=600` goes on for ten minutes. A failure names its
//! seed, by which `GREGOR_BREAK_SEED` begins.

use std::time::{Duration, Instant};

/// Xorshift64*; a seed that is zero stays zero.
#[derive(Debug)]
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap_or_default()
    }

    /// One to eight changes of a copy.
    pub(crate) fn broken(&mut self, whole: &[u8], other: &[u8]) -> Vec<u8> {
        let mut bytes = whole.to_vec();
        for _ in 0..=self.below(8) {
            let at = self.below(bytes.len());
            let end = (at + 1 + self.below(40)).min(bytes.len());
            match self.below(7) {
                0 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
                1 if !bytes.is_empty() => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][self.below(5)],
                2 => bytes.truncate(at),
                3 => drop(bytes.drain(at..end)),
                4 => {
                    let again = bytes[at..end].to_vec();
                    bytes.splice(at..at, again);
                }
                5 => {
                    let from = self.below(other.len());
                    let piece = &other[from..(from + 1 + self.below(60)).min(other.len())];
                    bytes.splice(at..end, piece.iter().copied());
                }
                _ => bytes.extend((0..self.below(9)).map(|_| self.0 as u8)),
            }
        }
        bytes
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Breaks one of the inputs after the other with an eye on the time each takes.
pub(crate) fn break_all(inputs: &[Vec<u8>], mut look: impl FnMut(usize, &[u8])) {
    let patience = Duration::from_secs(number("GREGOR_BREAK_SECONDS").unwrap_or(1));
    let first = number("GREGOR_BREAK_SEED").unwrap_or(1);
    let began = Instant::now();
    let mut broken = 0_u64;
    for seed in first.. {
        if began.elapsed() > patience {
            break;
        }
        // A panic's output ends with it.
        println!("seed {seed}");
        let mut draw = Draw(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let (which, other) = (draw.below(inputs.len()), draw.below(inputs.len()));
        let bytes = draw.broken(&inputs[which], &inputs[other]);
        let looked = Instant::now();
        look(which, &bytes);
        let took = looked.elapsed();
        assert!(took < Duration::from_secs(20), "seed {seed} took {took:?}");
        broken += 1;
    }
    assert!(broken > 10, "only {broken} were tried");
}
