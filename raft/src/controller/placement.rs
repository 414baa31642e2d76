//! Where the replicas of new partitions go: striped over racks, then over the brokers of each rack,
//! from a random start. The first replica is on an unfenced broker always, the others on fenced
//! ones only when a rack has no more unfenced ones. A broker whose directories are all cordoned
//! gets none (KIP-1066).
//!
//! Answers to `StripedReplicaPlacer`, whose head describes the scheme at length.

use protocol::ErrorCode;
use protocol::wire::StrBytes;

use super::error::ApiError;
use crate::draws::Draws;
use crate::image::ClusterImage;

/// Brokers in a ring, from an offset that moves on by one with every round.
#[derive(Debug, Default)]
struct Ring {
    brokers: Vec<i32>,
    index: usize,
    offset: usize,
    round: usize,
}

impl Ring {
    fn start(&mut self, draws: &mut Draws) {
        if !self.brokers.is_empty() {
            self.brokers.sort_unstable();
            self.offset = draws.below(self.brokers.len() as u64) as usize;
        }
    }

    fn next(&mut self, round: usize) -> Option<i32> {
        if self.brokers.is_empty() {
            return None;
        }
        if self.round != round {
            self.round = round;
            self.index = 0;
            self.offset = (self.offset + 1) % self.brokers.len();
        }
        if self.index >= self.brokers.len() {
            return None;
        }
        let broker = self.brokers.get((self.index + self.offset) % self.brokers.len()).copied();
        self.index += 1;
        broker
    }
}

#[derive(Debug, Default)]
struct Rack {
    name: Option<StrBytes>,
    unfenced: Ring,
    fenced: Ring,
}

impl Rack {
    fn next(&mut self, round: usize) -> Option<i32> {
        self.unfenced.next(round).or_else(|| self.fenced.next(round))
    }
}

#[derive(Debug)]
struct Placer {
    /// By name.
    racks: Vec<Rack>,
    /// The order in which racks are visited, as indexes into them.
    order: Vec<usize>,
    total: usize,
    unfenced: usize,
    round: usize,
    offset: usize,
}

/// The replicas of `partitions` partitions on unfenced brokers, given with their racks; for tools
/// that propose what a controller shall do.
pub fn propose<'a>(
    brokers: impl IntoIterator<Item = (i32, Option<&'a str>)>,
    partitions: i32,
    replication_factor: i16,
    draws: &mut Draws,
) -> Result<Vec<Vec<i32>>, ApiError> {
    let brokers = brokers
        .into_iter()
        .map(|(id, rack)| (id, rack.map(|rack| StrBytes::from_string(rack.to_owned())), false));
    let mut placer = Placer::of(brokers, draws);
    placer.check(replication_factor)?;
    Ok((0..partitions).map(|_| placer.partition(replication_factor as usize, draws)).collect())
}

/// The replicas of `partitions` new partitions.
pub(crate) fn place(
    cluster: &ClusterImage,
    partitions: i32,
    replication_factor: i16,
    draws: &mut Draws,
) -> Result<Vec<Vec<i32>>, ApiError> {
    let mut placer = Placer::new(cluster, draws);
    placer.check(replication_factor)?;
    Ok((0..partitions).map(|_| placer.partition(replication_factor as usize, draws)).collect())
}

impl Placer {
    fn new(cluster: &ClusterImage, draws: &mut Draws) -> Self {
        // Who is about to stop gets nothing new; who has stopped is fenced as any other.
        let brokers = cluster.brokers();
        let usable = brokers.filter(|broker| !broker.in_controlled_shutdown || broker.fenced);
        let usable = usable.filter(|broker| cluster.has_uncordoned_directory(broker.broker_id));
        Self::of(usable.map(|broker| (broker.broker_id, broker.rack.clone(), broker.fenced)), draws)
    }

    /// Of brokers with their racks and whether they are fenced.
    fn of(brokers: impl Iterator<Item = (i32, Option<StrBytes>, bool)>, draws: &mut Draws) -> Self {
        let mut racks: Vec<Rack> = Vec::new();
        let (mut total, mut unfenced) = (0, 0);
        for (id, rack, is_fenced) in brokers {
            let at = racks.iter().position(|known| known.name == rack);
            let at = at.unwrap_or_else(|| {
                racks.push(Rack { name: rack, ..Default::default() });
                racks.len() - 1
            });
            total += 1;
            let Some(rack) = racks.get_mut(at) else {
                continue;
            };
            if is_fenced {
                rack.fenced.brokers.push(id);
            } else {
                unfenced += 1;
                rack.unfenced.brokers.push(id);
            }
        }
        racks.sort_by(|left, right| left.name.cmp(&right.name));
        for rack in &mut racks {
            rack.fenced.start(draws);
            rack.unfenced.start(draws);
        }
        let offset = if racks.is_empty() { 0 } else { draws.below(racks.len() as u64) as usize };
        let order = (0..racks.len()).collect();
        Self { racks, order, total, unfenced, round: 0, offset }
    }

    fn check(&self, replication_factor: i16) -> Result<(), ApiError> {
        let message = if replication_factor <= 0 {
            format!(
                "Invalid replication factor {replication_factor}: \
                 the replication factor must be positive."
            )
        } else if self.unfenced == 0 {
            "All brokers are currently fenced, or have all their log directories cordoned."
                .to_owned()
        } else if replication_factor as usize > self.total {
            format!(
                "The target replication factor of {replication_factor} cannot be reached because \
                 only {} broker(s) are registered or some brokers have all their log directories \
                 cordoned.",
                self.total
            )
        } else {
            return Ok(());
        };
        Err(ApiError::new(ErrorCode::InvalidReplicationFactor, message))
    }

    fn partition(&mut self, replication_factor: usize, draws: &mut Draws) -> Vec<i32> {
        // A single broker would be shuffled for ever, and its ring never move on.
        if self.round == self.unfenced && self.unfenced > 1 {
            self.shuffle(draws);
            self.round = 0;
        }
        let racks = self.order.len();
        if self.offset == racks {
            self.offset = 0;
        }
        let round = self.round;
        let mut replicas = Vec::with_capacity(replication_factor);
        let mut leader_rack = None;
        for step in 0..racks {
            let at = (self.offset + step) % racks;
            if let Some(broker) = self.rack(at).and_then(|rack| rack.unfenced.next(round)) {
                replicas.push(broker);
                leader_rack = Some(at);
                break;
            }
        }
        let mut at = self.offset;
        // `check` saw enough brokers, so every lap over the racks finds one more.
        while replicas.len() < replication_factor {
            if leader_rack == Some(at) {
                // The rack of the leader sits out the first lap.
                leader_rack = None;
            } else if let Some(broker) = self.rack(at).and_then(|rack| rack.next(round)) {
                replicas.push(broker);
            }
            at = (at + 1) % racks;
        }
        self.round += 1;
        self.offset += 1;
        replicas
    }

    /// The rack that is visited at this place.
    fn rack(&mut self, at: usize) -> Option<&mut Rack> {
        let rack = *self.order.get(at)?;
        self.racks.get_mut(rack)
    }

    fn shuffle(&mut self, draws: &mut Draws) {
        draws.shuffle(&mut self.order);
        for rack in &mut self.racks {
            draws.shuffle(&mut rack.fenced.brokers);
            draws.shuffle(&mut rack.unfenced.brokers);
        }
    }
}
