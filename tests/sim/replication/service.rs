//! Whoever keeps its state in the partitions of this world: it has clients and messages of its own,
//! which the network treats as it treats all others.

use raft::draws::Draws;
use replica::{Answer, Token};

use super::controller::SimController;
use super::message::{Message, NodeId};
use super::plan::Plan;
use super::world::World;

pub(crate) trait Service {
    /// The world is there, and nothing has happened yet.
    fn begin(&mut self, world: &mut World);

    /// What was put off is due.
    fn happen(&mut self, world: &mut World, number: u64);

    /// A message of this number arrives where it was sent.
    fn receive(&mut self, world: &mut World, message: &Message, number: u64);

    /// An append that waited has its fate.
    fn answered(&mut self, world: &mut World, broker: NodeId, token: Token, answer: Answer);

    /// Something has happened: who leads, who is up, may not be what it was.
    fn after_event(&mut self, world: &mut World) -> Result<(), String>;

    /// The run is over.
    fn at_the_end(&mut self, world: &mut World) -> Result<(), String>;
}

impl World {
    /// One in which a service does all the writing, on so many partitions.
    pub(crate) fn serving(seed: u64, partitions: usize, service: Box<dyn Service>) -> Self {
        let mut draws = Draws::new(u128::from(seed) << 64 | 0x5e41);
        let plan = Plan::of_service(seed, partitions, &mut draws);
        Self::of((seed, plan, draws), Vec::new(), Some(service), |plan, seed, clock| {
            Box::new(SimController::new(plan, clock, u128::from(seed)))
        })
    }

    /// Lets the service do something, if there is one.
    pub(super) fn serve<R>(
        &mut self,
        act: impl FnOnce(&mut dyn Service, &mut Self) -> R,
    ) -> Option<R> {
        let mut service = self.service.take()?;
        let result = act(&mut *service, self);
        self.service = Some(service);
        Some(result)
    }

    /// The service hears of its appends, and sees who leads by now.
    pub(super) fn tell_service(&mut self) -> Result<(), String> {
        while !self.answered.is_empty() {
            for (id, token, answer) in std::mem::take(&mut self.answered) {
                self.serve(|service, world| service.answered(world, id, token, answer));
            }
        }
        self.serve(|service, world| service.after_event(world)).unwrap_or(Ok(()))
    }
}
