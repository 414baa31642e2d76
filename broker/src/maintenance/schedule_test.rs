//! Turns by table, and over seeded time.

use super::*;

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A schedule of one task that is due 100 ms after 0 and then every 10.
fn one() -> (Schedule, TaskId) {
    let mut schedule = Schedule::default();
    let task = schedule.add(ms(100), ms(10), ms(0));
    (schedule, task)
}

#[test]
fn a_task_waits_its_delay_and_then_its_period() {
    let (mut schedule, task) = one();
    assert_eq!(schedule.begin(ms(99)), None);
    assert_eq!(schedule.next_turn(), Some(ms(100)));
    assert_eq!(schedule.begin(ms(100)), Some(task));
    assert_eq!(schedule.next_turn(), None, "it runs");
    assert_eq!(schedule.begin(ms(500)), None, "and does not run twice");
    assert_eq!(schedule.ended(task, Outcome::Done, ms(103)), Report::Nothing);
    assert_eq!(schedule.next_turn(), Some(ms(110)));
}

#[test]
fn turns_keep_their_beat_and_missed_ones_are_not_made_up() {
    // When the run ended, and the turn after it.
    for (ended, next) in [
        (100, 110),
        (109, 110),
        (110, 110),
        (111, 120),
        (119, 120),
        (120, 120),
        (131, 140),
        (100_005, 100_010),
        (4_000_000_000_001, 4_000_000_000_010),
    ] {
        let (mut schedule, task) = one();
        assert_eq!(schedule.begin(ms(100)), Some(task));
        schedule.ended(task, Outcome::Done, ms(ended));
        assert_eq!(schedule.next_turn(), Some(ms(next)), "ended at {ended} ms");
    }
    // One that was begun late because no thread was free keeps its beat, and stands for all turns
    // that had gone by.
    for (begun, next) in [(157, 160), (160, 170)] {
        let (mut schedule, task) = one();
        assert_eq!(schedule.begin(ms(begun)), Some(task));
        schedule.ended(task, Outcome::Done, ms(begun));
        assert_eq!(schedule.next_turn(), Some(ms(next)));
    }
}

#[test]
fn who_has_waited_longest_goes_first() {
    let mut schedule = Schedule::default();
    let late = schedule.add(ms(30), ms(1000), ms(0));
    let early = schedule.add(ms(20), ms(1000), ms(0));
    let same = schedule.add(ms(30), ms(1000), ms(0));
    let begun: Vec<TaskId> = std::iter::from_fn(|| schedule.begin(ms(50))).collect();
    assert_eq!(begun, [early, late, same]);
}

#[test]
fn a_failed_run_is_not_done_and_the_task_goes_on() {
    let (mut schedule, task) = one();
    let mut run = |now: u64, outcome| {
        assert_eq!(schedule.begin(ms(now)), Some(task), "at {now} ms");
        schedule.ended(task, outcome, ms(now))
    };
    assert_eq!(run(100, Outcome::Failed), Report::Failing { runs: 1 });
    assert_eq!(run(110, Outcome::Failed), Report::Nothing, "it was said just now");
    assert_eq!(run(60_090, Outcome::Failed), Report::Nothing);
    assert_eq!(run(60_100, Outcome::Failed), Report::Failing { runs: 4 });
    assert_eq!(run(60_110, Outcome::Done), Report::DoneAgain { failed: 4 });
    assert_eq!(run(60_120, Outcome::Done), Report::Nothing);
    assert_eq!(run(60_130, Outcome::Failed), Report::Failing { runs: 1 });
}

/// A generator of draws (SplitMix64).
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// The longest run of a seeded time, in ms.
const LONGEST: u64 = 500;

/// What is known of one task of a seeded run.
struct Known {
    first: u64,
    period: u64,
    ends: Option<u64>,
    begun: Vec<u64>,
}

/// Runs of drawn lengths on so many threads, until `until`; each begins as soon as it may.
fn play(draws: &mut Draws, threads: usize, until: u64) -> Vec<Known> {
    let mut schedule = Schedule::default();
    let mut known = Vec::new();
    for _ in 0..=draws.below(8) {
        let (delay, period) = (draws.below(200), 1 + draws.below(100));
        schedule.add(ms(delay), ms(period), ms(0));
        known.push(Known { first: delay, period, ends: None, begun: Vec::new() });
    }
    let mut now = 0;
    let has_room =
        |known: &[Known]| known.iter().filter(|task| task.ends.is_some()).count() < threads;
    while now < until {
        while has_room(&known) {
            let earliest = schedule.next_turn();
            let turns: Vec<Duration> = schedule.tasks.iter().map(|task| task.turn).collect();
            let Some(TaskId(at)) = schedule.begin(ms(now)) else { break };
            assert_eq!(Some(turns[at]), earliest, "another was due earlier");
            assert!(turns[at] <= ms(now), "early");
            let task = &mut known[at];
            assert_eq!(task.ends, None, "it runs already");
            task.begun.push(now);
            let longest = if draws.below(10) == 0 { LONGEST } else { 20 };
            task.ends = Some(now + draws.below(longest));
        }
        let ends = known.iter().filter_map(|task| task.ends).min();
        let turn = schedule.next_turn().filter(|_| has_room(&known));
        let turn = turn.map(|turn| u64::try_from(turn.as_millis()).unwrap());
        now = ends.into_iter().chain(turn).min().unwrap().max(now);
        for (at, task) in known.iter_mut().enumerate() {
            if task.ends.is_some_and(|ends| ends <= now) {
                task.ends = None;
                let outcome = if draws.below(3) == 0 { Outcome::Failed } else { Outcome::Done };
                schedule.ended(TaskId(at), outcome, ms(now));
            }
        }
    }
    known
}

#[test]
fn over_seeded_time_no_task_is_early_doubled_or_left_behind() {
    let mut runs = 0;
    for seed in 0..500 {
        let mut draws = Draws(seed);
        let threads = 1 + usize::try_from(draws.below(4)).unwrap();
        let until = 20_000;
        let known = play(&mut draws, threads, until);
        for task in &known {
            runs += task.begun.len();
            let turn = |at: u64| at.checked_sub(task.first).map(|over| over / task.period);
            let turns: Vec<Option<u64>> = task.begun.iter().map(|at| turn(*at)).collect();
            assert!(turns.iter().all(Option::is_some), "seed {seed}: before its delay");
            assert!(turns.is_sorted(), "seed {seed}: {turns:?}");
            // A turn is run once at most, and nobody waits for longer than the others together
            // take: each of them runs once before it at most.
            assert!(turns.windows(2).all(|two| two[0] < two[1]), "seed {seed}: {turns:?}");
            let bound = LONGEST * 10 + task.period;
            let ends = task.begun.iter().copied().chain([until]);
            let gaps = [task.first].into_iter().chain(task.begun.iter().copied()).zip(ends);
            for (from, to) in gaps {
                assert!(to.saturating_sub(from) <= bound, "seed {seed}: {from} to {to} ms");
            }
        }
    }
    assert!(runs > 100_000, "{runs} runs");
}
