//! How often what the simulation is for has happened: a run in which one of these never happens
//! proves nothing about it.

use std::fmt;

use tests::counters;

counters! {
    events: "events",
    simulated_ms: "milliseconds simulated",
    faults: "faults",
    elections: "elections",
    loads: "shards loaded",
    begun: "transactions begun",
    committed: "transactions told to be committed",
    aborted: "transactions told to be aborted",
    unknown: "transactions whose producer never heard how they ended",
    fenced: "producers fenced or timed out in a transaction",
    lives: "producers that began anew",
    released: "held messages released later",
    markers: "markers written",
    verified: "verifications asked",
    offsets: "offsets committed in transactions",
    reads: "reads of committed records",
    held_back: "reads that an open transaction held back",
    hidden: "records of aborted transactions hidden",
    whole: "check: transactions are whole",
    copies: "check: copies are exact",
    old_protocol: "transactions of the protocol without epochs of their own",
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in self.all() {
            writeln!(f, "{count:>12}  {what}")?;
        }
        Ok(())
    }
}
