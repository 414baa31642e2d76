//! Topics that are created because somebody asked for them: by Metadata, by a coordinator that
//! needs its own, or by a streams group that needs internal ones.
//!
//! One request for a name is under way at a time. What went wrong with an internal topic is kept
//! for a while: so long it is not tried again, and members are told. Kafka:
//! `AutoTopicCreationManager`.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use config::BrokerConfig;
use parking_lot::Mutex;
use protocol::ErrorCode;
use protocol::api::{Api, ApiKey};
use protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use protocol::messages::{CreateTopicsRequest, CreateTopicsResponse, TopicName};
use protocol::wire::StrBytes;
use raft::controller::Unbounded;

use super::controller_client::ControllerClient;
use super::creation_errors::CreationErrors;
use super::dynamic_broker_config::DynamicBrokerConfig;
use crate::requests::context::RequestContext;
use crate::requests::controller_access::CallFailed;
use crate::requests::mutation_quota::OfRequest;

/// Longest name of a topic.
const NAME_BYTES_MAX: usize = 249;

/// Whether a topic may have this name. Kafka: `Topic.isValid`.
pub(crate) fn is_valid_name(name: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    !matches!(name, "" | "." | "..") && name.len() <= NAME_BYTES_MAX && name.bytes().all(legal)
}

/// Creates topics, and knows whose creation is under way.
#[derive(Debug)]
pub(crate) struct AutoTopics {
    config: Arc<DynamicBrokerConfig>,
    controller: Arc<ControllerClient>,
    in_flight: Mutex<BTreeSet<String>>,
    errors: Mutex<CreationErrors>,
}

impl AutoTopics {
    pub(crate) fn new(
        config: Arc<DynamicBrokerConfig>,
        controller: Arc<ControllerClient>,
    ) -> Arc<Self> {
        Arc::new(Self { config, controller, in_flight: Mutex::default(), errors: Mutex::default() })
    }

    /// Starts to create topics that a client asked for; the client asks again to see them.
    ///
    /// The controller is told of the client, whose leave to create was asked for.
    pub(crate) fn create_for(self: &Arc<Self>, context: &RequestContext, names: Vec<String>) {
        let context = creating(context);
        self.start(self.topics(names), None, move |controller, request| async move {
            ask(&controller, &context, request).await
        });
    }

    /// Starts to create topics that a streams group needs, in the name of a member. What goes wrong
    /// is remembered for `backoff`. Kafka: `createStreamsInternalTopics`.
    pub(crate) fn create_internal(
        self: &Arc<Self>,
        context: &RequestContext,
        mut topics: Vec<CreatableTopic>,
        backoff: Duration,
    ) {
        let now = Instant::now();
        topics.retain(|topic| self.errors.lock().of(&topic.name, now).is_none());
        let context = creating(context);
        self.start(topics, Some(backoff), move |controller, request| async move {
            ask(&controller, &context, request).await
        });
    }

    /// What went wrong a short while ago with these topics, each with Kafka's words for it.
    pub(crate) fn creation_errors(&self, topics: &[CreatableTopic]) -> Vec<(String, String)> {
        let (errors, now) = (self.errors.lock(), Instant::now());
        let failed = topics.iter().filter_map(|topic| {
            Some((topic.name.to_string(), errors.of(&topic.name, now)?.to_owned()))
        });
        failed.collect()
    }

    /// Starts to create a topic that this broker needs.
    pub(crate) fn create_own(self: &Arc<Self>, name: &str) {
        let topics = self.topics(vec![name.to_owned()]);
        self.start(topics, None, |controller, request| async move {
            create(&controller, request).await.map_err(|error| error.to_string())
        });
    }

    fn topics(&self, names: Vec<String>) -> Vec<CreatableTopic> {
        let config = self.config.current();
        names.into_iter().map(|name| topic(&config, &name)).collect()
    }

    fn start<Asked>(
        self: &Arc<Self>,
        topics: Vec<CreatableTopic>,
        remember_errors_for: Option<Duration>,
        ask: impl FnOnce(Arc<ControllerClient>, CreateTopicsRequest) -> Asked + Send + 'static,
    ) where
        Asked: Future<Output = Result<CreateTopicsResponse, String>> + Send,
    {
        let config = self.config.current();
        let topics: Vec<CreatableTopic> = {
            let mut in_flight = self.in_flight.lock();
            topics.into_iter().filter(|topic| in_flight.insert(topic.name.to_string())).collect()
        };
        if topics.is_empty() {
            return;
        }
        let this = Arc::clone(self);
        tokio::spawn(async move {
            let names: Vec<String> = topics.iter().map(|topic| topic.name.to_string()).collect();
            tracing::info!(
                target: "kafka.server.DefaultAutoTopicCreationManager",
                "Sent auto-creation request for Set({}) to the active controller.",
                names.join(", "),
            );
            let request = CreateTopicsRequest::default()
                .with_topics(topics)
                .with_timeout_ms(config.request_timeout_ms);
            let answered = ask(Arc::clone(&this.controller), request).await;
            if let Err(error) = &answered {
                tracing::warn!(
                    target: "kafka.server.DefaultAutoTopicCreationManager",
                    "Auto topic creation of {} failed: {error}",
                    names.join(", "),
                );
            }
            if let Some(backoff) = remember_errors_for {
                this.remember(&names, answered, Instant::now() + backoff);
            }
            let mut in_flight = this.in_flight.lock();
            for name in &names {
                in_flight.remove(name);
            }
        });
    }
}

impl AutoTopics {
    fn remember(
        &self,
        names: &[String],
        answered: Result<CreateTopicsResponse, String>,
        until: Instant,
    ) {
        let mut errors = self.errors.lock();
        match answered {
            Err(error) => {
                names.iter().for_each(|name| errors.keep(name.clone(), error.clone(), until));
            }
            Ok(response) => {
                let failed = response.topics.into_iter().filter(|topic| topic.error_code != 0);
                for topic in failed {
                    let words = topic.error_message.filter(|message| !message.is_empty());
                    let words = words.map_or_else(
                        || {
                            ErrorCode::try_from_code(topic.error_code)
                                .map_or_else(String::new, |code| code.to_string())
                        },
                        |message| message.to_string(),
                    );
                    errors.keep(topic.name.to_string(), words, until);
                }
            }
        }
    }
}

/// As if the client had asked for topics itself.
fn creating(context: &RequestContext) -> RequestContext {
    let api = Api::of(ApiKey::CreateTopics);
    RequestContext { api, api_version: api.max_version, spent: None, ..context.clone() }
}

async fn ask(
    controller: &ControllerClient,
    context: &RequestContext,
    request: CreateTopicsRequest,
) -> Result<CreateTopicsResponse, String> {
    let mut quota = OfRequest::new(context);
    let asked = controller.ask(context, request, move |request, controller, now| {
        controller.create_topics(request, &|_| false, &mut quota, now)
    });
    asked.await.map_err(|error| error.to_string())
}

/// Creates topics in the name of this node.
pub(crate) async fn create(
    controller: &ControllerClient,
    request: CreateTopicsRequest,
) -> Result<CreateTopicsResponse, CallFailed> {
    let asked = controller.ask_as_node(request, |request, controller, now| {
        controller.create_topics(request, &|_| false, &mut Unbounded, now)
    });
    asked.await
}

/// What a topic is created with: this broker's own settings, which need not be the controller's;
/// -1, the controller's, where this broker was given none.
fn topic(config: &BrokerConfig, name: &str) -> CreatableTopic {
    let given = |key| config.static_properties().contains(key);
    let mut creatable = CreatableTopic::default()
        .with_name(TopicName(StrBytes::from_string(name.to_owned())))
        .with_num_partitions(-1)
        .with_replication_factor(-1);
    if given("num.partitions") {
        creatable.num_partitions = config.num_partitions;
    }
    if given("default.replication.factor") {
        creatable.replication_factor =
            i16::try_from(config.default_replication_factor).unwrap_or(i16::MAX);
    }
    match name {
        "__consumer_offsets" => creatable
            .with_num_partitions(config.offsets_topic_num_partitions)
            .with_replication_factor(config.offsets_topic_replication_factor)
            .with_configs(configs(&[
                ("cleanup.policy", "compact"),
                ("compression.type", "producer"),
                ("segment.bytes", &config.offsets_topic_segment_bytes.to_string()),
            ])),
        "__transaction_state" => creatable
            .with_num_partitions(config.transaction_state_log_num_partitions)
            .with_replication_factor(config.transaction_state_log_replication_factor)
            .with_configs(configs(&[
                ("cleanup.policy", "compact"),
                ("compression.type", "uncompressed"),
                ("min.insync.replicas", &config.transaction_state_log_min_isr.to_string()),
                ("segment.bytes", &config.transaction_state_log_segment_bytes.to_string()),
                ("unclean.leader.election.enable", "false"),
            ])),
        "__share_group_state" => creatable
            .with_num_partitions(config.share_coordinator_state_topic_num_partitions)
            .with_replication_factor(config.share_coordinator_state_topic_replication_factor)
            .with_configs(configs(&[
                ("cleanup.policy", "delete"),
                ("compression.type", "producer"),
                ("min.insync.replicas", &config.share_coordinator_state_topic_min_isr.to_string()),
                ("segment.bytes", &config.share_coordinator_state_topic_segment_bytes.to_string()),
                ("retention.ms", "-1"),
            ])),
        _ => creatable,
    }
}

fn configs(settings: &[(&str, &str)]) -> Vec<CreatableTopicConfig> {
    let setting = |(name, value): &(&str, &str)| {
        CreatableTopicConfig::default()
            .with_name(StrBytes::from_string((*name).to_owned()))
            .with_value(Some(StrBytes::from_string((*value).to_owned())))
    };
    settings.iter().map(setting).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_legal_where_kafka_says_so() {
        for good in ["a", "a.b_c-D9", "__consumer_offsets", "...", &"x".repeat(249)] {
            assert!(is_valid_name(good), "{good}");
        }
        for bad in ["", ".", "..", "a b", "a/b", "ä", "a\n", &"x".repeat(250)] {
            assert!(!is_valid_name(bad), "{bad}");
        }
    }
    #[test]
    fn what_this_broker_was_not_given_is_left_to_the_controller() {
        let created = |more: &str| {
            let text = format!(
                "node.id=1\nprocess.roles=broker\nlisteners=PLAINTEXT://:9092\n\
                 controller.listener.names=CONTROLLER\n\
                 controller.quorum.voters=2@localhost:9093\n{more}"
            );
            let properties = config::Properties::parse(text.as_bytes()).unwrap();
            let (config, _) = BrokerConfig::from_properties(&properties).unwrap();
            let topic = topic(&config, "orders");
            (topic.num_partitions, topic.replication_factor)
        };
        assert_eq!(created(""), (-1, -1));
        assert_eq!(created("num.partitions=1"), (1, -1));
        assert_eq!(created("default.replication.factor=2"), (-1, 2));
    }
}
