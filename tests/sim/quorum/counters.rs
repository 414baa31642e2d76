//! What happened in a run: a simulation in which nothing went wrong shows nothing.

use tests::counters;

counters! {
    events: "events of the quorum",
    faults: "faults of the quorum",
    elections: "elections of a controller",
    /// Epochs in which two voted for themselves.
    split_votes: "split votes",
    divergence_truncations: "truncations by divergence",
    snapshot_installs: "snapshots installed",
    crashes: "crashes",
    handovers: "handovers",
    committed: "records committed",
    slow_votes: "votes saved slowly",
    /// Processes that ended because their vote could not be saved.
    failed_votes: "votes not saved",
    /// Machines that went down while they saved a vote.
    torn_votes: "votes torn",
    saved_votes: "check: one leader per epoch",
    commits: "check: committed records are the same everywhere",
    majorities: "check: a majority holds what is committed",
    leaders: "check: leaders have all that is committed",
    states: "check: the same state at the same offset",
    requests: "check: requests say what is saved",
    answers: "check: answers say what is saved",
    snapshots: "check: snapshots say what their log says",
}
