//! `KAFKA_CREATE_TOPICS`: topics that are created by this node once it serves.
//!
//! Every node of a cluster may be told the same; a topic that exists is fine. Too few brokers for
//! the replicas are waited for, as long as START_TIMEOUT says (600 s as in wurstmeister/kafka).
//! What cannot be created is a WARN: the node goes on.

use std::time::{Duration, Instant};

use client::{Address, Peer, PeerSettings};
use config::dialect::{NewTopic, Variables};
use config::{BrokerConfig, Endpoint, SecurityProtocol};
use protocol::ErrorCode;
use protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use protocol::messages::create_topics_response::CreatableTopicResult;
use protocol::messages::{CreateTopicsRequest, TopicName};
use protocol::wire::StrBytes;

use super::log::LOG;

/// How long one request may take; the controller has half of it.
const REQUEST: Duration = Duration::from_secs(30);
/// Between two tries, doubled after each: a node serves within milliseconds, brokers come within
/// seconds.
const FIRST_PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// START_TIMEOUT, in seconds.
pub(super) fn patience(variables: &Variables) -> Duration {
    let seconds = variables.filled("START_TIMEOUT").and_then(|text| text.trim().parse().ok());
    Duration::from_secs(seconds.unwrap_or(600))
}

/// Begins to create the topics on a thread of its own, which waits until the node serves.
pub(super) fn create_when_served(config: &BrokerConfig, topics: Vec<NewTopic>, patience: Duration) {
    if topics.is_empty() {
        return;
    }
    let Some(address) = own_address(config) else {
        tracing::warn!(target: LOG, "No topic is created: this node has no listener for clients");
        return;
    };
    let work = move || match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(create(address, topics, Instant::now() + patience)),
        Err(error) => tracing::warn!(target: LOG, "No topic is created: {error}"),
    };
    if let Err(error) = std::thread::Builder::new().name("create-topics".to_owned()).spawn(work) {
        tracing::warn!(target: LOG, "No topic is created: {error}");
    }
}

/// Where this node itself serves clients in plain text, between brokers first.
fn own_address(config: &BrokerConfig) -> Option<Address> {
    let plain = |listener: &&Endpoint| listener.protocol == SecurityProtocol::Plaintext;
    let between = |listener: &&Endpoint| listener.listener == config.inter_broker_listener_name;
    let listeners = || config.listeners.iter().filter(plain);
    let listener = listeners().find(between).or_else(|| listeners().next())?;
    let host = match listener.host.as_deref() {
        None | Some("0.0.0.0") => "127.0.0.1",
        Some("::") => "::1",
        Some(host) => host,
    };
    Some(Address { host: host.to_owned(), port: listener.port })
}

async fn create(address: Address, mut topics: Vec<NewTopic>, deadline: Instant) {
    let settings = PeerSettings::new("gregor-container", "[gregor container] ");
    let peer = Peer::new(address, settings);
    let mut pause = FIRST_PAUSE;
    let mut last = "the node does not serve yet".to_owned();
    while !topics.is_empty() && Instant::now() < deadline {
        match peer.request(request(&topics), REQUEST).await {
            Ok(response) => {
                for result in &response.topics {
                    let done = settled(result, &mut last);
                    topics.retain(|topic| !done || topic.name != result.name.as_str());
                }
            }
            Err(error) => last = error.to_string(),
        }
        if !topics.is_empty() {
            tokio::time::sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }
    for topic in topics {
        tracing::warn!(target: LOG, "Topic {} is not created: {last}", topic.name);
    }
}

fn request(topics: &[NewTopic]) -> CreateTopicsRequest {
    let creatable = |topic: &NewTopic| {
        let policy = topic.cleanup_policy.iter().map(|policy| {
            CreatableTopicConfig::default()
                .with_name(StrBytes::from_static_str("cleanup.policy"))
                .with_value(Some(StrBytes::from_string(policy.clone())))
        });
        CreatableTopic::default()
            .with_name(TopicName(StrBytes::from_string(topic.name.clone())))
            .with_num_partitions(topic.partitions.unwrap_or(-1))
            .with_replication_factor(topic.replication_factor.unwrap_or(-1))
            .with_configs(policy.collect())
    };
    CreateTopicsRequest::default()
        .with_topics(topics.iter().map(creatable).collect())
        .with_timeout_ms(15_000)
}

/// Whether this topic needs no other try.
fn settled(result: &CreatableTopicResult, last: &mut String) -> bool {
    let name = result.name.as_str();
    let why = result.error_message.as_deref().unwrap_or_default();
    match ErrorCode::try_from_code(result.error_code) {
        None => {
            tracing::info!(target: LOG, "Created topic {name}.");
            true
        }
        Some(ErrorCode::TopicAlreadyExists) => {
            tracing::info!(target: LOG, "Topic {name} exists.");
            true
        }
        // More brokers may come, a controller may be elected.
        Some(error) if error.is_retriable() || error == ErrorCode::InvalidReplicationFactor => {
            *last = if why.is_empty() { error.to_string() } else { why.to_owned() };
            false
        }
        Some(error) => {
            let why = if why.is_empty() { error.to_string() } else { why.to_owned() };
            tracing::warn!(target: LOG, "Topic {name} is not created: {why}");
            true
        }
    }
}
