//! Which topics an application of Kafka Streams makes for itself, by their names.
//!
//! Answers to `matchesInternalTopicFormat` of `StreamsResetter` and of `StreamsGroupCommand`.

/// Whether a topic's name is one that this application gives its own topics.
pub(crate) fn is_internal(topic: &str, application: &str) -> bool {
    let is_own = topic.strip_prefix(application).is_some_and(|rest| rest.starts_with('-'));
    is_own && has_internal_form(topic)
}

fn has_internal_form(topic: &str) -> bool {
    const ENDS: [&str; 4] = [
        "-changelog",
        "-repartition",
        "-subscription-registration-topic",
        "-subscription-response-topic",
    ];
    ENDS.iter().any(|end| topic.ends_with(end))
        || is_numbered(topic, "-KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-")
        || is_numbered(topic, "-KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-")
}

/// `…-KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-0000000004-topic`
fn is_numbered(topic: &str, before: &str) -> bool {
    let Some(rest) = topic.strip_suffix("-topic") else { return false };
    let name = rest.trim_end_matches(|letter: char| letter.is_ascii_digit());
    name.len() < rest.len() && name.len() > before.len() && name.ends_with(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_topics_are_known_by_their_ends() {
        for (topic, is) in [
            ("app-store-changelog", true),
            ("app-by-key-repartition", true),
            ("app-x-subscription-registration-topic", true),
            ("app-x-subscription-response-topic", true),
            ("app-KTABLE-FK-JOIN-SUBSCRIPTION-REGISTRATION-0000000004-topic", true),
            ("app-KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-7-topic", true),
            ("app-KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE--topic", false),
            ("app-KTABLE-FK-JOIN-SUBSCRIPTION-RESPONSE-7x-topic", false),
            ("apples-store-changelog", false),
            ("app", false),
            ("app-orders", false),
            ("other-store-changelog", false),
        ] {
            assert_eq!(is_internal(topic, "app"), is, "{topic}");
        }
    }
}
