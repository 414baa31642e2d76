//! What followers, the controller and the clock say to a leader.

use replica::{
    Effects, FetchGrant, FetchRefused, FollowerFetch, IsrAnswer, IsrChange, IsrProposal, Partition,
    Role, StepContext,
};

use super::{HostedPartition, StoredLog};

impl HostedPartition {
    /// A follower fetches: what it may be given; what it thereby says it has counts.
    pub(crate) fn follower_fetched(
        &self,
        fetch: &FollowerFetch,
    ) -> Result<FetchGrant, FetchRefused> {
        self.context.gate().run(|| {
            self.step(|replica, at| match replica.follower_fetched(fetch, at) {
                Ok((grant, effects)) => (Ok(grant), effects),
                Err(refused) => (Err(refused), Effects::default()),
            })
        })
    }

    /// The same for a fetch that has waited: nothing counts again.
    pub(crate) fn check_follower_fetch(
        &self,
        fetch: &FollowerFetch,
    ) -> Result<FetchGrant, FetchRefused> {
        self.context.gate().run(|| self.replica.lock().check_follower_fetch(fetch))
    }

    /// Time has passed: members of the in-sync set may have fallen behind.
    pub(crate) fn tick(&self) {
        if self.published.leads() {
            self.step(|replica, at| {
                let effects = replica.tick(at);
                if let Some(proposal) = &effects.propose {
                    self.say_shrinking(replica, proposal, at);
                }
                ((), effects)
            });
        }
    }

    /// Kafka's line, which people look for when a replica falls behind.
    fn say_shrinking(
        &self,
        replica: &Partition<StoredLog>,
        proposal: &IsrProposal,
        at: &StepContext<'_>,
    ) {
        let (Role::Leader(leader), IsrChange::Shrink(out)) = (replica.role(), &proposal.change)
        else {
            return;
        };
        let ids = |ids: &mut dyn Iterator<Item = i32>| {
            ids.map(|id| id.to_string()).collect::<Vec<_>>().join(",")
        };
        let behind = out.iter().map(|id| {
            let known = leader.followers().get(id);
            let end = known.map_or(-1, |progress| progress.end_offset);
            let caught_up = known.and_then(replica::Progress::caught_up_ms);
            let caught_up = caught_up.map_or(0, |ms| at.wall_ms - (at.monotonic_ms - ms));
            format!("(brokerId: {id}, endOffset: {end}, lastCaughtUpTimeMs: {caught_up})")
        });
        tracing::info!(
            target: "kafka.cluster.Partition",
            "[Partition {}-{} broker={}] Shrinking ISR from {} to {}. Leader: (highWatermark: {}, \
             endOffset: {}). Out of sync replicas: {}.",
            self.topic,
            self.partition,
            self.context.node_id(),
            ids(&mut leader.in_sync().iter().copied()),
            ids(&mut proposal.isr.iter().map(|member| member.id)),
            replica.high_watermark(),
            self.published.log_end_offset(),
            behind.collect::<Vec<_>>().join(" "),
        );
    }

    /// The controller answered a proposal.
    pub(crate) fn isr_answered(&self, proposal: &IsrProposal, answer: &IsrAnswer) {
        self.step(|replica, at| ((), replica.isr_answered(proposal, answer, at)));
    }

    /// Whether the controller counts this replica as in sync, as far as this leader knows.
    pub(crate) fn is_in_sync(&self, replica_id: i32) -> bool {
        match self.replica.lock().role() {
            Role::Leader(leader) => leader.in_sync().contains(&replica_id),
            Role::Follower(_) => false,
        }
    }

    /// The replica that a consumer in this rack should rather read from (KIP-392).
    pub(crate) fn preferred_read_replica<'r>(
        &self,
        client_rack: &str,
        fetch_offset: i64,
        rack_of: impl Fn(i32) -> Option<&'r str>,
    ) -> Option<i32> {
        self.context
            .gate()
            .run(|| self.replica.lock().preferred_read_replica(client_rack, fetch_offset, rack_of))
    }
}
