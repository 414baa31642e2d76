//! The table against what a stock node lists and what the vocabulary knows.

use super::*;

/// (key, min, max) as a stock 4.3.1 combined node lists them on its broker listener.
#[rustfmt::skip]
const STOCK_BROKER: [(i16, i16, i16); 75] = [
    (0, 0, 13), (1, 4, 18), (2, 1, 11), (3, 0, 13), (8, 2, 10), (9, 1, 10), (10, 0, 6), (11, 0, 9),
    (12, 0, 4), (13, 0, 5), (14, 0, 5), (15, 0, 6), (16, 0, 5), (17, 0, 1), (18, 0, 4), (19, 2, 7),
    (20, 1, 6), (21, 0, 2), (22, 0, 5), (23, 2, 4), (24, 0, 5), (25, 0, 4), (26, 0, 5), (27, 1, 2),
    (28, 0, 5), (29, 1, 3), (30, 1, 3), (31, 1, 3), (32, 1, 4), (33, 0, 2), (34, 1, 2), (35, 1, 5),
    (36, 0, 2), (37, 0, 3), (38, 1, 3), (39, 1, 2), (40, 1, 2), (41, 1, 3), (42, 0, 2), (43, 0, 2),
    (44, 0, 1), (45, 0, 1), (46, 0, 0), (47, 0, 0), (48, 0, 1), (49, 0, 1), (50, 0, 0), (51, 0, 0),
    (55, 0, 2), (57, 0, 2), (60, 0, 2), (61, 0, 0), (64, 0, 0), (65, 0, 0), (66, 0, 2), (68, 0, 1),
    (69, 0, 1), (74, 0, 1), (75, 0, 0), (76, 1, 1), (77, 1, 1), (78, 1, 2), (79, 1, 2), (80, 0, 1),
    (81, 0, 0), (83, 0, 0), (84, 0, 0), (85, 0, 1), (86, 0, 0), (87, 0, 1), (88, 0, 0), (89, 0, 0),
    (90, 0, 1), (91, 0, 0), (92, 0, 0),
];

/// The same node's controller listener.
#[rustfmt::skip]
const STOCK_CONTROLLER: [(i16, i16, i16); 41] = [
    (1, 4, 18), (17, 0, 1), (18, 0, 4), (19, 2, 7), (20, 1, 6), (29, 1, 3), (30, 1, 3), (31, 1, 3),
    (32, 1, 4), (33, 0, 2), (36, 0, 2), (37, 0, 3), (38, 1, 3), (39, 1, 2), (40, 1, 2), (41, 1, 3),
    (43, 0, 2), (44, 0, 1), (45, 0, 1), (46, 0, 0), (49, 0, 1), (50, 0, 0), (51, 0, 0), (52, 0, 2),
    (53, 0, 1), (54, 0, 1), (55, 0, 2), (56, 2, 3), (57, 0, 2), (58, 0, 0), (59, 0, 1), (60, 0, 2),
    (62, 0, 4), (63, 0, 2), (64, 0, 0), (67, 0, 0), (70, 0, 0), (73, 0, 0), (80, 0, 1), (81, 0, 0),
    (82, 0, 0),
];

fn rows_on(listener: Listener) -> Vec<(i16, i16, i16)> {
    all()
        .iter()
        .filter(|api| api.exists_on(listener))
        .filter(|api| !matches!(api.key, ApiKey::GetTelemetrySubscriptions | ApiKey::PushTelemetry))
        .map(|api| (api.key as i16, api.advertised_min_version(listener), api.max_version))
        .collect()
}

#[test]
fn the_table_equals_what_a_stock_node_lists() {
    assert_eq!(rows_on(Listener::Broker), STOCK_BROKER);
    assert_eq!(rows_on(Listener::Controller), STOCK_CONTROLLER);
}

#[test]
fn header_versions_and_ranges_agree_with_the_vocabulary() {
    for api in all() {
        assert_eq!(format!("{:?}", api.key), api.name);
        // The crate ends at 4.1: what is declared here is compared with the schemas elsewhere.
        let Ok(vocabulary) = kafka_protocol::messages::ApiKey::try_from(api.key as i16) else {
            continue;
        };
        assert_eq!(api.min_version, vocabulary.valid_versions().min, "{}", api.name);
        for version in api.min_version..=api.max_version {
            let request = vocabulary.request_header_version(version);
            let response = vocabulary.response_header_version(version);
            assert_eq!(api.request_header_version(version), request, "{} {version}", api.name);
            assert_eq!(api.response_header_version(version), response, "{} {version}", api.name);
        }
    }
}

#[test]
fn every_key_of_the_vocabulary_has_its_row() {
    for key in ApiKey::iter() {
        assert_eq!(Api::of(key).key, key);
        assert_eq!(by_key(key as i16), Some(Api::of(key)));
    }
}

#[test]
fn keys_that_nobody_knows_have_no_row() {
    for key in [i16::MIN, -1, 4, 5, 6, 7, 93, 127, 128, 1000, i16::MAX] {
        assert_eq!(by_key(key), None, "{key}");
    }
}

#[test]
fn only_what_exists_on_a_listener_is_listed_there() {
    for listener in [Listener::Broker, Listener::Controller] {
        assert!(listed_on(listener).all(|api| api.exists_on(listener)));
        assert!(listed_on(listener).any(|api| api.key == ApiKey::ApiVersions));
    }
    assert!(!listed_on(Listener::Broker).any(|api| api.key == ApiKey::Vote));
}

#[test]
fn brokers_forward_what_changes_the_cluster() {
    let forwarded: Vec<_> = all().iter().filter(|api| api.forwarded).map(|api| api.name).collect();
    assert!(forwarded.contains(&"CreateTopics") && forwarded.contains(&"IncrementalAlterConfigs"));
    assert!(!forwarded.contains(&"Produce") && !forwarded.contains(&"DescribeConfigs"));
}
