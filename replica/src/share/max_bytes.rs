//! How a fetch's bytes and its turns are shared among partitions, so that none starves.
//! Kafka: `PartitionMaxBytesStrategy.UNIFORM`, `PartitionRotateStrategy.ROUND_ROBIN`.

/// How much may be read of each of `partitions`, when `acquirable` share `max_bytes` in all; what
/// is left over goes to the one that `draw` picks.
#[must_use]
pub fn uniform_max_bytes(
    max_bytes: usize,
    partitions: usize,
    acquirable: usize,
    draw: u64,
) -> Vec<usize> {
    if partitions == 0 || acquirable == 0 {
        return vec![0; partitions];
    }
    let drawn = usize::try_from(draw % partitions as u64).unwrap_or(0);
    let sharers = match max_bytes {
        _ if max_bytes >= acquirable => acquirable,
        _ if max_bytes >= partitions => partitions,
        // A byte each to as many as there are bytes.
        _ => {
            let has_one = |at| (at + partitions - drawn) % partitions < max_bytes;
            return (0..partitions).map(|at| usize::from(has_one(at))).collect();
        }
    };
    let mut shares = vec![max_bytes / sharers; partitions];
    shares[drawn] += max_bytes % sharers;
    shares
}

/// Each request of a session begins with another partition.
pub fn rotate<T>(partitions: &mut [T], session_epoch: i32) {
    if let (Ok(epoch @ 1..), 2..) = (usize::try_from(session_epoch), partitions.len()) {
        let by = epoch % partitions.len();
        partitions.rotate_left(by);
    }
}
