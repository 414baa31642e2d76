//! Bytes and turns are shared as Kafka shares them.

use super::{rotate, uniform_max_bytes};

#[test]
fn bytes_are_shared_evenly_and_the_rest_is_drawn() {
    for (max_bytes, partitions, acquirable, draw, shares) in [
        (100, 4, 4, 0, vec![25, 25, 25, 25]),
        (103, 4, 4, 2, vec![25, 25, 28, 25]),
        // Two of four partitions are read now; the others keep their share.
        (100, 2, 4, 0, vec![25, 25]),
        // Fewer bytes than partitions that share, but enough for those that are read.
        (3, 2, 4, 1, vec![1, 2]),
        // A byte each to as many as there are bytes, beginning with the drawn one.
        (2, 4, 4, 3, vec![1, 0, 0, 1]),
        (0, 2, 2, 0, vec![0, 0]),
    ] {
        assert_eq!(uniform_max_bytes(max_bytes, partitions, acquirable, draw), shares);
    }
}

#[test]
fn each_request_begins_with_another_partition() {
    for (epoch, turns) in [
        (-1, [1, 2, 3]),
        (0, [1, 2, 3]),
        (1, [2, 3, 1]),
        (2, [3, 1, 2]),
        (3, [1, 2, 3]),
        (4, [2, 3, 1]),
    ] {
        let mut partitions = [1, 2, 3];
        rotate(&mut partitions, epoch);
        assert_eq!(partitions, turns, "epoch {epoch}");
    }
}
