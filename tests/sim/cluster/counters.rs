//! How often what only this world has has happened.

use tests::counters;

counters! {
    /// Active controllers that came after another one.
    failovers: "controller failovers",
    two_active: "two controllers that think that they are active",
    /// Requests that a controller answered while another one was active, too.
    asked_one_of_two: "requests to one of two",
    not_active: "requests to a controller that is not active",
    nobody: "requests to a controller that is gone",
    /// Answers that came to nothing because their controller was deposed or died.
    withheld: "answers withheld",
    uncommitted: "AlterPartition uncommitted at a failover",
    uncommitted_lost: "AlterPartition lost at a failover",
    uncommitted_survived: "AlterPartition that survived a failover",
    paused: "controllers paused",
    images: "check: brokers see what is committed",
    healed: "check: the quorum heals",
}
