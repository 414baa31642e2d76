//! What records of the test hold: random letters, lines of a file, or a counter.
//!
//! Unlike Kafka: letters come from xorshift in four lanes and not from `SplittableRandom`, so the
//! bytes differ from stock's while their distribution does not (docs/decisions/0381). Answers to
//! `ProducerPerformance.generateRandomPayload` and `readPayloadFile`.

use std::io::Write as _;

use regex_lite::Regex;

/// Where values come from.
#[derive(Debug)]
pub(super) enum Payload {
    Letters(Vec<u8>),
    Lines(Vec<Vec<u8>>),
    Monotonic(Vec<u8>),
}

impl Payload {
    /// The value of this record.
    pub(super) fn value(&mut self, random: &mut Random, record: u64) -> &[u8] {
        match self {
            Self::Letters(letters) => {
                random.letters(letters);
                letters
            }
            Self::Lines(lines) => {
                let count = u64::try_from(lines.len().max(1)).unwrap_or(1);
                let at = usize::try_from(random.next() % count).unwrap_or_default();
                lines.get(at).map_or(&[], Vec::as_slice)
            }
            Self::Monotonic(text) => {
                text.clear();
                // A vector takes all.
                let _ = write!(text, "{record}");
                text
            }
        }
    }
}

/// The pieces of a text between delimiters, as Java's `Scanner` has them: one delimiter at the head
/// and one at the end count for nothing.
pub(super) fn pieces(text: &str, delimiter: &Regex) -> Vec<Vec<u8>> {
    let head = delimiter.find(text).filter(|found| found.start() == 0 && !found.is_empty());
    let text = head.map_or(text, |found| &text[found.end()..]);
    let mut pieces: Vec<Vec<u8>> =
        delimiter.split(text).map(|piece| piece.as_bytes().to_vec()).collect();
    if pieces.last().is_some_and(Vec::is_empty) {
        pieces.pop();
    }
    pieces
}

/// Four xorshift generators side by side.
#[derive(Debug)]
pub(super) struct Random {
    lanes: [u64; 4],
}

impl Default for Random {
    fn default() -> Self {
        let seed = 0x9e37_79b9_7f4a_7c15_u64;
        Self { lanes: [1, 2, 3, 4].map(|lane| seed.wrapping_mul(lane)) }
    }
}

impl Random {
    fn step(&mut self) {
        for lane in &mut self.lanes {
            *lane ^= *lane << 13;
            *lane ^= *lane >> 7;
            *lane ^= *lane << 17;
        }
    }

    fn next(&mut self) -> u64 {
        self.step();
        self.lanes[0] >> 1
    }

    /// Fills with letters from A to Z, eight from each number.
    fn letters(&mut self, out: &mut [u8]) {
        const EVEN: u64 = 0x00ff_00ff_00ff_00ff;
        const A: u64 = 0x4141_4141_4141_4141;
        let scaled = |bytes: u64| (((bytes << 4) + (bytes << 3) + (bytes << 1)) >> 8) & EVEN;
        for chunk in out.chunks_mut(32) {
            self.step();
            let mut letters = [0; 32];
            for (place, lane) in letters.chunks_exact_mut(8).zip(self.lanes) {
                let eight = scaled(lane & EVEN) | scaled((lane >> 8) & EVEN) << 8;
                place.copy_from_slice(&(eight + A).to_le_bytes());
            }
            chunk.copy_from_slice(&letters[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_letters_and_all_of_them_come() {
        let mut payload = Payload::Letters(vec![0; 10_007]);
        let mut random = Random::default();
        let first = payload.value(&mut random, 0).to_vec();
        assert!(first.iter().all(u8::is_ascii_uppercase));
        for letter in b'A'..=b'Z' {
            let count = first.iter().filter(|byte| **byte == letter).count();
            assert!((250..550).contains(&count), "{} comes {count} times", char::from(letter));
        }
        assert_ne!(payload.value(&mut random, 1), first);
    }

    #[test]
    fn pieces_are_those_of_javas_scanner() {
        let cases: [(&str, &[&str]); 6] = [
            ("a\nb", &["a", "b"]),
            ("a\nb\n", &["a", "b"]),
            ("\na", &["a"]),
            ("a\n\nb", &["a", "", "b"]),
            ("a\n\n", &["a", ""]),
            ("\n", &[]),
        ];
        let newline = Regex::new("\n").unwrap();
        for (text, expected) in cases {
            let expected: Vec<Vec<u8>> = expected.iter().map(|p| p.as_bytes().to_vec()).collect();
            assert_eq!(pieces(text, &newline), expected, "{text:?}");
        }
    }

    #[test]
    fn a_counter_counts_and_lines_come_from_the_file() {
        let mut random = Random::default();
        assert_eq!(Payload::Monotonic(Vec::new()).value(&mut random, 17), b"17");
        let mut lines = Payload::Lines(vec![b"a".to_vec(), b"b".to_vec()]);
        let seen: Vec<u8> = (0..64).map(|at| lines.value(&mut random, at)[0]).collect();
        assert!(seen.contains(&b'a') && seen.contains(&b'b'));
    }
}
