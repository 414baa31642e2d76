//! Which seeds a simulation runs: the usual number from 1 on; `GREGOR_SEEDS=n` runs so many,
//! `GREGOR_FIRST_SEED=n` begins there, and `tests/run --long` has 20,000 of each.

use std::ops::Range;

const LONG: u64 = 20_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

pub(crate) fn seeds(usual: u64) -> Range<u64> {
    let long = std::env::var_os("GREGOR_LONG").is_some();
    let count = number("GREGOR_SEEDS").unwrap_or(if long { LONG } else { usual });
    let first = number("GREGOR_FIRST_SEED").unwrap_or(1);
    first..first + count
}
