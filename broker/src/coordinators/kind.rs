//! What the host asks of a coordinator besides its shard.

use coordinator::runtime::Shard;

/// A coordinator that is hosted.
pub(crate) trait Kind:
    Shard<Record: Send, Answer: Send, LogEvent: Send, AfterWrite: Send, Command: Send>
    + Send
    + Sync
    + 'static
{
    /// The coordinator's topic.
    const TOPIC: &'static str;
    /// What Kafka's log calls it.
    const NAME: &'static str;

    /// Logs a line as Kafka does; `partition` is that of the topic.
    fn say(event: &Self::LogEvent, node_id: i32, partition: i32);
}
