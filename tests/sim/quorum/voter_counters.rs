//! What happened to the voters in a run.

use tests::counters;

counters! {
    asked: "voter changes asked for",
    refused: "voter changes refused",
    added: "voters added",
    removed: "voters removed",
    leaders_removed: "leaders that removed themselves",
    asked_to_join: "controllers that asked for a vote by themselves",
    former_selves_removed: "controllers that had their former selves removed",
    disks_replaced: "voters' disks replaced",
}
