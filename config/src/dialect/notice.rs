//! What the owner of a container should know of its variables, but stops nothing: a line each.

use thiserror::Error;

use super::Dialect;

#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Notice {
    /// A list entry with blanks around its `=`.
    #[error(
        "There are blanks around the = of {variable}: it is read without them. In a list of \
         variables write {variable}=value."
    )]
    Blanks { variable: String },
    #[error(
        "{} set by Kubernetes for a service of that name: passed over. enableServiceLinks: false \
         in the pod's spec keeps them out.",
        are(variables)
    )]
    ServiceLinks { variables: Vec<String> },
    #[error("{variable} is {key}, which no Kafka knows: passed over.")]
    Unknown { variable: String, key: String },
    #[error("{} of Confluent Server, which this is not: passed over.", are(variables))]
    ConfluentServer { variables: Vec<String> },
    #[error("{} of the REST proxy, which is not part of this image: passed over.", are(variables))]
    RestProxy { variables: Vec<String> },
    #[error(
        "{} for a JVM, and there is none: nothing listens for JMX. metrics.listen \
         (KAFKA_METRICS_LISTEN=0.0.0.0:9404) shows the same metrics to Prometheus.",
        are(variables)
    )]
    Java { variables: Vec<String> },
    #[error("{variable} is passed over: in this image the variable is {instead}.")]
    OtherName { variable: String, instead: String },
    #[error("{variable} has no effect here: {why}.")]
    NoEffect { variable: String, why: &'static str },
    /// Several variables name a cluster, and not the same one.
    #[error("{passed_over} names another cluster than {used}: {used} counts.")]
    ClusterIdTwice { used: &'static str, passed_over: &'static str },
    #[error(
        "CLUSTER_ID is not set: the log directory is not formatted here and must be before the \
         node starts. Set CLUSTER_ID to the same value on all nodes (kafka-storage random-uuid \
         prints one)."
    )]
    NoClusterId,
    #[error("No variable configures a node: the {dialect} image's own defaults hold.")]
    Defaults { dialect: Dialect },
    #[error("{path} is mounted: variables that configure Kafka are passed over, as in that image.")]
    MountedFileCounts { path: &'static str },
    #[error("KAFKA_CREATE_TOPICS: \"{entry}\" is passed over: {why}.")]
    BadTopic { entry: String, why: &'static str },
}

impl Notice {
    /// Whether something was asked for that does not happen, or not as it was written.
    pub fn is_warning(&self) -> bool {
        !matches!(self, Self::Defaults { .. })
    }
}

/// `A is`, `A, B and C are`.
fn are(names: &[String]) -> String {
    match names {
        [] => "Nothing is".to_owned(),
        [one] => format!("{one} is"),
        [first @ .., last] => format!("{} and {last} are", first.join(", ")),
    }
}
