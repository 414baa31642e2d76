//! Names of metrics as Kafka's MBeans have them: `kafka.server:type=ReplicaManager,name=…`.

use std::fmt;

/// A metric's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MetricName {
    domain: &'static str,
    kind: &'static str,
    name: &'static str,
    tags: Vec<(&'static str, String)>,
}

impl MetricName {
    /// `domain:type=kind,name=name`
    pub fn new(domain: &'static str, kind: &'static str, name: &'static str) -> Self {
        Self { domain, kind, name, tags: Vec::new() }
    }

    pub(crate) fn domain(&self) -> &'static str {
        self.domain
    }

    pub(crate) fn kind(&self) -> &'static str {
        self.kind
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    pub fn tags(&self) -> &[(&'static str, String)] {
        &self.tags
    }

    /// The same with `,key=value` behind it, as of one topic.
    #[must_use]
    pub fn with_tag(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.tags.push((key, value.into()));
        self
    }
}

impl fmt::Display for MetricName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:type={},name={}", self.domain, self.kind, self.name)?;
        self.tags.iter().try_for_each(|(key, value)| write!(f, ",{key}={value}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_print_as_kafkas_beans_are_called() {
        let name = MetricName::new("kafka.server", "BrokerTopicMetrics", "BytesInPerSec");
        assert_eq!(name.to_string(), "kafka.server:type=BrokerTopicMetrics,name=BytesInPerSec");
        assert_eq!(
            name.with_tag("topic", "t").to_string(),
            "kafka.server:type=BrokerTopicMetrics,name=BytesInPerSec,topic=t"
        );
    }
}
