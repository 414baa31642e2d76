//! What happened to the voters in a run.

use tests::counters;

counters! {
    asked: "voter changes asked for",
    refused: "voter changes refused",
    added: "voters added",
    removed: "voters removed",
    leaders_removed: "leaders that removed themselves",
    disks_replaced: "voters' disks replaced",
}
