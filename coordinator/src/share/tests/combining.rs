//! State batches combined: as stock Kafka does, and as each offset by itself says.

use std::collections::BTreeMap;

use super::super::state_batch::{StateBatch, combine};

fn batches(text: &str) -> Vec<StateBatch> {
    let batch = |text: &str| {
        let (offsets, delivery) = text.split_once(':').expect("offsets");
        let (first, last) = offsets.split_once('-').expect("two offsets");
        let (state, count) = delivery.split_once(':').expect("a state");
        StateBatch {
            first_offset: first.parse().expect("an offset"),
            last_offset: last.parse().expect("an offset"),
            delivery_count: count.parse().expect("a count"),
            delivery_state: state.parse().expect("a state"),
        }
    };
    text.split_whitespace().map(batch).collect()
}

#[test]
fn batches_are_combined_as_stock_does() {
    let mut compared = 0;
    for line in include_str!("stock_combinations.txt").lines().filter(|line| !line.starts_with('#'))
    {
        let parts: Vec<&str> = line.split('|').map(str::trim).collect();
        let [start, so_far, new, combined] = parts[..] else { panic!("{line}") };
        let start_offset = start.parse().expect("an offset");
        let ours = combine(&batches(so_far), &batches(new), start_offset);
        assert_eq!(ours, batches(combined), "{line}");
        compared += 1;
    }
    assert_eq!(compared, 400);
}

/// How far each offset's delivery has come, taken one by one.
fn by_offset(batches: &[StateBatch], start_offset: i64) -> BTreeMap<i64, (i16, i8)> {
    let mut deliveries = BTreeMap::new();
    for batch in batches {
        for offset in batch.first_offset..=batch.last_offset {
            let delivery = (batch.delivery_count, batch.delivery_state);
            if offset >= start_offset || start_offset == -1 {
                let known = deliveries.entry(offset).or_insert(delivery);
                *known = delivery.max(*known);
            }
        }
    }
    deliveries
}

/// Marsaglia's xorshift64: the same draws on every machine.
fn drawn(seed: &mut u64, bound: u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed % bound
}

fn drawn_batches(seed: &mut u64, breadth: u64) -> Vec<StateBatch> {
    let count = drawn(seed, 9);
    let batch = |_| {
        let first_offset = drawn(seed, breadth) as i64;
        StateBatch {
            first_offset,
            // Some end before they begin.
            last_offset: first_offset + drawn(seed, breadth / 2 + 2) as i64 - 1,
            delivery_count: drawn(seed, 4) as i16,
            delivery_state: [0, 2, 4][drawn(seed, 3) as usize],
        }
    };
    (0..count).map(batch).collect()
}

#[test]
fn each_offset_has_come_as_far_as_in_any_batch_and_stands_in_one() {
    let mut seed = 0x9E37_79B9_7F4A_7C15;
    for _ in 0..20_000 {
        let breadth = 3 + drawn(&mut seed, 40);
        let start_offset = drawn(&mut seed, breadth) as i64 - 1;
        let so_far = combine(&drawn_batches(&mut seed, breadth), &[], -1);
        let new = drawn_batches(&mut seed, breadth);
        let combined = combine(&so_far, &new, start_offset);
        let all: Vec<StateBatch> = so_far.iter().chain(&new).copied().collect();
        assert_eq!(by_offset(&combined, -1), by_offset(&all, start_offset), "{so_far:?} {new:?}");
        for pair in combined.windows(2) {
            assert!(pair[0].last_offset < pair[1].first_offset, "{combined:?}");
        }
    }
}

#[test]
fn offsets_may_go_to_the_end_of_all_numbers() {
    let widest = batches("0-9223372036854775807:2:1");
    let next = batches("5-9223372036854775807:0:2");
    let expected = batches("0-4:2:1 5-9223372036854775807:0:2");
    assert_eq!(combine(&widest, &next, -1), expected);
}
