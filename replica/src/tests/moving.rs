//! What a future log lacks, seen from any state that it may be in.

use bytes::Bytes;

use super::memory_log::MemoryLog;
use crate::{Log, MoveStep, next_step};

#[test]
fn each_state_of_a_future_log_has_its_next_step() {
    use MoveStep::{Assign, Copy, Promote, StartAt, TruncateTo};
    let current = MemoryLog::with(10, &[(1, 5), (3, 5)]);
    let cases: [(&str, MemoryLog, bool, MoveStep); 12] = [
        ("new", MemoryLog::with(0, &[]), false, StartAt(10)),
        ("begun", MemoryLog::with(10, &[]), false, Copy(10)),
        ("on its way", MemoryLog::with(10, &[(1, 3)]), false, Copy(13)),
        ("at an epoch's end", MemoryLog::with(10, &[(1, 5)]), false, Copy(15)),
        ("level", MemoryLog::with(10, &[(1, 5), (3, 5)]), false, Assign),
        ("level and assigned", MemoryLog::with(10, &[(1, 5), (3, 5)]), true, Promote),
        ("assigned too early", MemoryLog::with(10, &[(1, 5), (3, 4)]), true, Copy(19)),
        ("longer", MemoryLog::with(10, &[(1, 5), (3, 7)]), true, TruncateTo(20)),
        ("longer in an epoch", MemoryLog::with(10, &[(1, 8)]), true, TruncateTo(15)),
        ("of another epoch", MemoryLog::with(10, &[(1, 5), (2, 5)]), true, TruncateTo(15)),
        ("of a newer epoch", MemoryLog::with(10, &[(1, 5), (4, 5)]), true, TruncateTo(15)),
        ("all of it other", MemoryLog::with(10, &[(0, 10)]), true, TruncateTo(10)),
    ];
    for (case, future, is_assigned, expected) in cases {
        assert_eq!(next_step(&current, &future, is_assigned), expected, "{case}");
    }
}

/// Numbers as a seed draws them.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

/// A leader's log that appends, is cut and elected over, and whose start is raised, while a future
/// log follows it step by step: what is promoted is the same record for record.
#[test]
fn whatever_happens_to_the_current_log_what_is_promoted_equals_it() {
    let mut promoted = 0;
    for seed in 0..3000 {
        let mut draws = Draws(seed);
        let (mut current, mut future) = (MemoryLog::default(), MemoryLog::default());
        let (mut epoch, mut is_assigned) = (1, false);
        current.begin_leader_epoch(epoch).unwrap();
        for _ in 0..60 {
            match draws.below(8) {
                0 | 1 => current.records.extend(std::iter::repeat_n(epoch, draws.below(4))),
                2 => {
                    let kept = draws.below(current.records.len() + 1) as i64;
                    current.truncate_to(current.start + kept, 0).unwrap();
                    epoch += 1 + i32::from(draws.below(2) == 0);
                    current.begin_leader_epoch(epoch).unwrap();
                }
                3 => {
                    let start = current.start + draws.below(current.records.len() + 1) as i64;
                    current.delete_records_before(start).unwrap();
                }
                _ => match next_step(&current, &future, is_assigned) {
                    MoveStep::StartAt(offset) => {
                        future.truncate_fully_and_start_at(offset, 0).unwrap()
                    }
                    MoveStep::TruncateTo(offset) => {
                        assert!(offset < future.end(), "it goes on: seed {seed}");
                        future.truncate_to(offset, 0).unwrap();
                    }
                    MoveStep::Copy(from) => {
                        let from = usize::try_from(from - current.start).unwrap();
                        let to = (from + 1 + draws.below(3)).min(current.records.len());
                        let copied = current.records[from..to].iter();
                        let copied: Vec<u8> =
                            copied.map(|epoch| u8::try_from(*epoch).unwrap()).collect();
                        future.append_as_follower(&Bytes::from(copied), i32::MAX, 0).unwrap();
                    }
                    MoveStep::Assign => is_assigned = true,
                    MoveStep::Promote => {
                        assert!(future.start <= current.start, "nothing that is there is missing");
                        let before = usize::try_from(current.start - future.start).unwrap();
                        assert_eq!(current.records, future.records[before..], "seed {seed}");
                        promoted += 1;
                    }
                },
            }
        }
    }
    assert!(promoted > 3000, "{promoted}");
}
