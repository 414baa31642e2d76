//! What the records carry: each key, value and header is one letter as often as it is long.
//!
//! Answers to `randomBytesOfLen` and `java.util.Random` with seed 0, so that a topic holds the
//! bytes that the stock tool writes.

use super::options::Plan;

/// The generator of `java.util.Random` (48 bits, linear congruence).
pub(super) struct Random(u64);

const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const MASK: u64 = (1 << 48) - 1;

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self((seed ^ MULTIPLIER) & MASK)
    }

    /// 31 bits.
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(MULTIPLIER).wrapping_add(11) & MASK;
        (self.0 >> 17) as u32
    }

    /// `nextInt(26)` as a letter: what lies in the last, incomplete run of 26 is drawn again.
    fn letter(&mut self) -> u8 {
        const LETTERS: u32 = 26;
        const WHOLE: u32 = (1 << 31) - (1 << 31) % LETTERS;
        loop {
            let drawn = self.next();
            if drawn < WHOLE {
                return b'A' + (drawn % LETTERS) as u8;
            }
        }
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        vec![self.letter(); length]
    }
}

/// One record.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Payload {
    pub(super) key: Option<Vec<u8>>,
    pub(super) value: Vec<u8>,
    pub(super) headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Payload {
    pub(super) fn draw(plan: &Plan, random: &mut Random) -> Self {
        let key = (!plan.release.is_3_7()).then(|| random.bytes(plan.key_size));
        let value = random.bytes(plan.record_size);
        let mut header = |_| {
            let key = random.bytes(plan.header_key_size);
            (key, plan.header_size.map(|size| random.bytes(size)))
        };
        let headers = (0..plan.headers).map(&mut header).collect();
        Self { key, value, headers }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_those_of_javas_random_with_seed_0() {
        let mut random = Random::new(0);
        let letters: Vec<u8> = (0..8).map(|_| random.letter()).collect();
        assert_eq!(String::from_utf8(letters).unwrap(), "SSXVNJHP");
    }
}
