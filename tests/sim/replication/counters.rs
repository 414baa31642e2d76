//! How often what the simulation is for has happened: a run in which one of these never happens
//! proves nothing about it.

use std::fmt;

use tests::counters;

counters! {
    events: "events",
    simulated_ms: "milliseconds simulated",
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
    larger_batches: "batches of more than one record taken",
    deleted_by_size: "records deleted by size",
    deletions: "DeleteRecords answered",
    deletions_waited: "DeleteRecords answered after a follower had followed",
    not_deleted: "DeleteRecords of what is not committed",
    started_later: "replicas that began anew at their leader's start",
    full: "log directories that failed for want of room",
    power_losses: "records lost with power",
    too_few_before: "refused by min.insync.replicas",
    no_longer_leader: "waiter told of the end of a leadership",
    repeated: "batch repeated by its producer",
    reassignments: "reassignments begun",
    exhausted: "changes of the metadata that found no descriptor",
    reconciled: "partitions that were made what the metadata says afterwards",
    fetches_of_several: "fetches that told the leader of several partitions",
    fetches_hurried: "fetches behind one that was not answered yet",
    fetches_answered_late: "answers to fetches that were given up",
    fetches_failed: "answers about a partition that made its fetcher pause",
    sessions_unknown: "fetches of a session that is gone",
    sessions_out_of_turn: "fetches with an epoch that is not the session's next",
    sessions_evicted: "sessions that gave way to others",
    sessions_without_room: "fetches that found no room for a session",
    left_out: "partitions left out of an answer",
    left_for_later: "partitions whose records an answer had no room for",
    damaged: "replicas that readers found damaged",
    refilled: "damaged replicas that began anew",
    reads: "records read by consumers",
    members_alive: "check: in-sync members are alive",
    commits: "check: committed means held by enough",
    starts: "check: logs start where they may",
    deletions_reach: "check: deletions reach everybody",
    acks: "check: acknowledgements mean what they say",
    frozen: "check: frozen leaders are harmless",
    candidates: "check: candidates are complete",
    isr_covers: "check: the leader's ISR covers the controller's",
    never_lost: "check: acknowledged is never lost",
    logs_match: "check: logs match",
    metadata: "check: metadata converges",
    served_without: "check: served with one link down",
    clocks: "check: clocks do not matter",
    changes_done: "check: changes are done",
    sessions_hide: "check: sessions hide nothing",
    heals: "check: everything heals",
    stand_once: "check: batches stand once",
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
