//! How often what the simulation is for has happened: a run in which one of these never happens
//! proves nothing about it.

use std::fmt;
use std::ops::AddAssign;

macro_rules! counters {
    ($($name:ident: $what:literal,)*) => {
        #[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
        pub(crate) struct Counters {
            $(pub(crate) $name: u64,)*
        }

        impl Counters {
            /// Name and count of each.
            pub(crate) fn all(&self) -> Vec<(&'static str, u64)> {
                vec![$(($what, self.$name),)*]
            }
        }

        impl AddAssign for Counters {
            fn add_assign(&mut self, other: Self) {
                $(self.$name += other.$name;)*
            }
        }
    };
}

counters! {
    events: "events",
    faults: "faults",
    acknowledged: "acknowledged records",
    isr_shrinks: "ISR shrunk by a leader",
    isr_expansions: "ISR grown by a leader",
    fenced: "brokers fenced",
    elections: "elections",
    elr_elections: "eligible leader replica elected",
    unclean_elections: "leader elected out of sync",
    leader_crashes_with_waiters: "leader crashed between append and acknowledgement",
    ineligible: "INELIGIBLE_REPLICA",
    stale_updates: "INVALID_UPDATE_VERSION",
    truncations: "log cut where it parted from the leader's",
    power_losses: "records lost with power",
    too_few_before: "refused by min.insync.replicas",
    no_longer_leader: "waiter told of the end of a leadership",
    repeated: "batch repeated by its producer",
    reassignments: "reassignments begun",
    exhausted: "changes of the metadata that found no descriptor",
    reconciled: "partitions that were made what the metadata says afterwards",
    reads: "records read by consumers",
    lost_where_allowed: "committed records lost to elections out of sync",
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, count) in self.all() {
            writeln!(f, "{count:>12}  {what}")?;
        }
        Ok(())
    }
}
