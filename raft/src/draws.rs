//! Random draws out of a seed that the host hands in: the cores never ask for chance themselves, so
//! the same seed gives the same cluster again. The generator is SplitMix64.

use protocol::Base64Uuid;
use uuid::Uuid;

#[derive(Debug, Clone)]
pub struct Draws {
    state: u64,
    /// Keeps two runs apart whose 64-bit states happen to meet.
    stream: u64,
}

impl Draws {
    pub fn new(seed: u128) -> Self {
        Self { state: seed as u64, stream: (seed >> 64) as u64 }
    }

    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state ^ self.stream;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is not 0; the bias is below 2^-32 for bounds that occur.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }

    /// An id for a topic as Kafka draws them: version 4, and no leading dash in its base64 form,
    /// which tools would take for an option.
    pub fn topic_id(&mut self) -> Uuid {
        let mut draw = || {
            let bits = (u128::from(self.next_u64()) << 64) | u128::from(self.next_u64());
            uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
        };
        Base64Uuid::random(&mut draw).0
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let chosen = self.below(last as u64 + 1) as usize;
            items.swap(last, chosen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same() {
        let draw = |seed| {
            let mut draws = Draws::new(seed);
            (0..100).map(|_| draws.below(10)).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert_ne!(draw(7), draw(7 | 1 << 64));
        for digit in 0..10 {
            assert!(draw(7).contains(&digit));
        }
    }

    #[test]
    fn topic_ids_are_random_version_4_ids_without_a_leading_dash() {
        let mut draws = Draws::new(1);
        for _ in 0..1000 {
            let id = draws.topic_id();
            assert_eq!(id.get_version_num(), 4);
            assert_ne!(id.as_bytes()[0] >> 2, 62);
        }
    }
}
