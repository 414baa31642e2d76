//! What stands in the files of the tree, as Kafka's own classes print themselves.
//!
//! Answers to `toString` of `BrokerRegistration`, `ControllerRegistration`, `StandardAcl`, and to
//! `ScramCredentialDataNode`, `DelegationTokenDataNode`, `ProvenanceNode`.

use std::fmt::Write as _;

use protocol::record_json::Json;
use raft::feature::MetadataVersion;

use super::fields::Fields;
use super::image::Provenance;
use crate::simple_date_format::SimpleDateFormat;

/// The name of a level of metadata.version.
pub(super) fn metadata_version(level: i64) -> Option<&'static str> {
    let known = i16::try_from(level).ok().and_then(MetadataVersion::from_level);
    known.map(MetadataVersion::name)
}

/// `[1, 2]`
pub(super) fn list<T: ToString>(items: &[T]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    format!("[{}]", items.join(", "))
}

fn name_of(code: i64, names: &[&'static str]) -> &'static str {
    usize::try_from(code).ok().and_then(|code| names.get(code)).copied().unwrap_or("UNKNOWN")
}

fn endpoints(registration: &Json) -> String {
    let mut endpoints: Vec<&Json> = registration.items("endPoints").iter().collect();
    endpoints.sort_by_key(|endpoint| endpoint.text("name"));
    let protocols = ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"];
    let shown: Vec<String> = endpoints
        .iter()
        .map(|endpoint| {
            format!(
                "Endpoint(listenerName='{}', securityProtocol={}, host='{}', port={})",
                endpoint.text("name"),
                name_of(endpoint.int("securityProtocol"), &protocols),
                endpoint.text("host"),
                endpoint.int("port"),
            )
        })
        .collect();
    list(&shown)
}

fn features(registration: &Json) -> String {
    let mut features: Vec<&Json> = registration.items("features").iter().collect();
    features.sort_by_key(|feature| feature.text("name"));
    let range = |feature: &Json| {
        let (min, max) = (feature.int("minSupportedVersion"), feature.int("maxSupportedVersion"));
        match max {
            _ if min == max => min.to_string(),
            max if max == i64::from(i16::MAX) => format!("{min}+"),
            max => format!("{min}-{max}"),
        }
    };
    let shown: Vec<String> = features
        .iter()
        .map(|feature| format!("{}: {}", feature.text("name"), range(feature)))
        .collect();
    format!("{{{}}}", shown.join(", "))
}

pub(super) fn broker(registration: &Json) -> String {
    let rack = match registration.nullable_text("rack") {
        Some(rack) => format!("Optional[{rack}]"),
        None => "Optional.empty".to_owned(),
    };
    let cordoned = registration.texts("cordonedLogDirs");
    format!(
        "BrokerRegistration(id={}, epoch={}, incarnationId={}, listeners={}, \
         supportedFeatures={}, rack={rack}, fenced={}, inControlledShutdown={}, \
         isMigratingZkBroker={}, directories={}, cordonedDirectories={})",
        registration.int("brokerId"),
        registration.int("brokerEpoch"),
        registration.text("incarnationId"),
        endpoints(registration),
        features(registration),
        registration.bool("fenced"),
        registration.bool("inControlledShutdown"),
        registration.bool("isMigratingZkBroker"),
        list(&registration.texts("logDirs").unwrap_or_default()),
        cordoned.map_or_else(|| "null".to_owned(), |directories| list(&directories)),
    )
}

pub(super) fn controller(registration: &Json) -> String {
    format!(
        "ControllerRegistration(id={}, incarnationId={}, zkMigrationReady={}, listeners={}, \
         supportedFeatures={})",
        registration.int("controllerId"),
        registration.text("incarnationId"),
        registration.bool("zkMigrationReady"),
        endpoints(registration),
        features(registration),
    )
}

pub(super) fn acl(entry: &Json) -> String {
    let resources = [
        "UNKNOWN",
        "ANY",
        "TOPIC",
        "GROUP",
        "CLUSTER",
        "TRANSACTIONAL_ID",
        "DELEGATION_TOKEN",
        "USER",
    ];
    let patterns = ["UNKNOWN", "ANY", "MATCH", "LITERAL", "PREFIXED"];
    let operations = [
        "UNKNOWN",
        "ANY",
        "ALL",
        "READ",
        "WRITE",
        "CREATE",
        "DELETE",
        "ALTER",
        "DESCRIBE",
        "CLUSTER_ACTION",
        "DESCRIBE_CONFIGS",
        "ALTER_CONFIGS",
        "IDEMPOTENT_WRITE",
        "CREATE_TOKENS",
        "DESCRIBE_TOKENS",
        "TWO_PHASE_COMMIT",
    ];
    format!(
        "StandardAcl[resourceType={}, resourceName={}, patternType={}, principal={}, host={}, \
         operation={}, permissionType={}]",
        name_of(entry.int("resourceType"), &resources),
        entry.text("resourceName"),
        name_of(entry.int("patternType"), &patterns),
        entry.text("principal"),
        entry.text("host"),
        name_of(entry.int("operation"), &operations),
        name_of(entry.int("permissionType"), &["UNKNOWN", "ANY", "DENY", "ALLOW"]),
    )
}

pub(super) fn credential(record: &Json) -> String {
    let hex = |name| {
        record.bytes(name).iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    };
    format!(
        "ScramCredentialData(salt={}, storedKey={}, serverKey={}, iterations={})",
        hex("salt"),
        hex("storedKey"),
        hex("serverKey"),
        record.int("iterations"),
    )
}

/// Kafka's parentheses stand as they do in Kafka.
pub(super) fn token(record: &Json) -> String {
    format!(
        "DelegationTokenDatatokenId={}(owner={}(tokenRequester={}(renewers={}, issueTimestamp={}, \
         maxTimestamp={}), expiryTimestamp={}",
        record.text("tokenId"),
        record.text("owner"),
        record.text("requester"),
        record.texts("renewers").unwrap_or_default().join(" "),
        record.int("issueTimestamp"),
        record.int("maxTimestamp"),
        record.int("expirationTimestamp"),
    )
}

pub(super) fn provenance(of: Provenance) -> String {
    let format = SimpleDateFormat::parse("yyyy-MM-dd'T'HH:mm:ss.SSS");
    let time = format.map(|format| format.format(of.time_ms)).unwrap_or_default();
    // A fraction has no zeros behind it.
    let time = time.trim_end_matches('0').trim_end_matches('.');
    let time = if time.contains('.') { time.to_owned() } else { whole_seconds(of.time_ms) };
    format!("offset {}, epoch {}, time {time}Z[UTC]", of.offset, of.epoch)
}

fn whole_seconds(time_ms: i64) -> String {
    let format = SimpleDateFormat::parse("yyyy-MM-dd'T'HH:mm:ss");
    format.map(|format| format.format(time_ms)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_as_many_digits_as_it_needs() {
        let table = [
            (-1, "1969-12-31T23:59:59.999Z"),
            (0, "1970-01-01T00:00:00Z"),
            (1_700_000_000_310, "2023-11-14T22:13:20.31Z"),
            (1_700_000_000_000, "2023-11-14T22:13:20Z"),
        ];
        for (time_ms, time) in table {
            let shown = provenance(Provenance { offset: 5, epoch: 2, time_ms });
            assert_eq!(shown, format!("offset 5, epoch 2, time {time}[UTC]"));
        }
    }

    #[test]
    fn levels_have_their_names_up_to_those_of_4_4() {
        let table = [(7, Some("3.3-IV3")), (30, Some("4.3-IV0")), (31, Some("4.4-IV0"))];
        for (level, name) in table {
            assert_eq!(metadata_version(level), name);
        }
        assert_eq!(metadata_version(32), None);
    }

    #[test]
    fn a_broker_without_a_rack_or_cordoned_directories_says_so() {
        let registration = Json::object([
            ("brokerId", Json::Int(3)),
            ("fenced", Json::Bool(true)),
            ("features", Json::Array(vec![])),
        ]);
        let text = broker(&registration);
        assert!(text.contains("supportedFeatures={}, rack=Optional.empty, fenced=true"), "{text}");
        assert!(text.ends_with("directories=[], cordonedDirectories=null)"), "{text}");
    }
}
