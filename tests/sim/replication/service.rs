//! Whoever keeps its state in the partitions of this world: it has clients and messages of its own,
//! which the network treats as it treats all others.

use replica::{Answer, Token};

use super::message::{Message, NodeId};
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
