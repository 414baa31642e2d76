//! The nodes that Kafka's brokers kept in a ZooKeeper, read from the metadata: what people look up
//! with zookeeper-shell.
//!
//! Pure. Answers to the zNodes of `ZkData` of Kafka 3.7 and their JSON. Unlike Kafka: nothing says
//! when a broker registered (`timestamp` is -1), the controller is the first broker that is alive,
//! and what only ZooKeeper's own clients wrote (watches, consumers of 0.8) is empty
//! (docs/decisions/0406).

use std::borrow::Cow;

use protocol::Base64Uuid;
use protocol::record_json::Json;
use raft::image::{
    Broker, ConfigResource, ConfigValues, MetadataImage, Partition, ResourceType, Topic,
};

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Znode {
    /// None where ZooKeeper shows `null`.
    pub(super) data: Option<String>,
    /// In the order of their bytes.
    pub(super) children: Vec<String>,
}

/// What the paths are looked up in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tree<'a> {
    pub(super) image: &'a MetadataImage,
    pub(super) cluster_id: &'a str,
    /// The epoch of the controllers' leader.
    pub(super) epoch: i32,
    /// Where the brokers' nodes stand: empty, or `/kafka`.
    pub(super) chroot: &'a str,
}

/// `<default>` stands for all entities of a type.
const DEFAULT_ENTITY: &str = "<default>";

impl Tree<'_> {
    /// The node at an absolute path; nothing where there is none.
    pub(super) fn look(&self, path: &str) -> Option<Znode> {
        let parts = |path: &str| -> Vec<String> {
            path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
        };
        let (chroot, path) = (parts(self.chroot), parts(path));
        if let Some(below) = path.strip_prefix(chroot.as_slice()) {
            let below: Vec<&str> = below.iter().map(String::as_str).collect();
            let mut found = self.of_brokers(&below);
            if below.is_empty() && chroot.is_empty() {
                found.iter_mut().for_each(|root| root.children.push("zookeeper".to_owned()));
            }
            return found.or_else(|| own(&below).filter(|_| chroot.is_empty()));
        }
        match chroot.strip_prefix(path.as_slice()) {
            Some([next, ..]) => {
                let mut children = vec![next.clone()];
                if path.is_empty() {
                    children.push("zookeeper".to_owned());
                }
                children.sort_unstable();
                Some(Znode { data: Some(String::new()), children })
            }
            _ => own(&path.iter().map(String::as_str).collect::<Vec<_>>()),
        }
    }

    /// A node of the brokers, below their chroot.
    fn of_brokers(&self, path: &[&str]) -> Option<Znode> {
        const ROOT: [&str; 11] = [
            "admin",
            "brokers",
            "cluster",
            "config",
            "consumers",
            "controller",
            "controller_epoch",
            "feature",
            "isr_change_notification",
            "latest_producer_id_block",
            "log_dir_event_notification",
        ];
        match path {
            [] => Some(Znode { data: Some(String::new()), ..folder(&ROOT) }),
            ["admin"] => Some(folder(&["delete_topics"])),
            ["admin", "delete_topics"]
            | ["consumers" | "isr_change_notification" | "log_dir_event_notification"] => {
                Some(folder(&[]))
            }
            ["brokers"] => Some(folder(&["ids", "seqid", "topics"])),
            ["brokers", "seqid"] => Some(folder(&[])),
            ["brokers", "ids"] => {
                Some(listing(self.alive().map(|broker| broker.broker_id.to_string())))
            }
            ["brokers", "ids", id] => {
                let broker = self.alive().find(|broker| broker.broker_id.to_string() == **id)?;
                Some(leaf(&registration(broker)))
            }
            ["brokers", "topics"] => {
                let topics = self.image.topics().iter();
                Some(listing(topics.map(|topic| topic.name.to_string())))
            }
            ["brokers", "topics", name, below @ ..] => {
                self.of_topic(self.image.topics().by_name(name)?, below)
            }
            ["cluster"] => Some(folder(&["id"])),
            ["cluster", "id"] => Some(leaf(&Json::object([
                ("version", Json::text("1")),
                ("id", Json::text(self.cluster_id)),
            ]))),
            ["controller"] => {
                let broker = self.alive().next()?;
                Some(leaf(&Json::object([
                    ("version", Json::Int(2)),
                    ("brokerid", Json::Int(broker.broker_id.into())),
                    ("timestamp", Json::text("-1")),
                    ("kraftControllerEpoch", Json::Int(-1)),
                ])))
            }
            ["controller_epoch"] => {
                Some(Znode { data: Some(self.epoch.to_string()), children: Vec::new() })
            }
            ["feature"] => Some(leaf(&Json::object([
                ("features", Json::Object(Vec::new())),
                ("version", Json::Int(2)),
                ("status", Json::Int(1)),
            ]))),
            ["latest_producer_id_block"] => Some(self.producer_ids()),
            ["config", below @ ..] => self.of_configs(below),
            _ => None,
        }
    }

    /// By id.
    fn alive(&self) -> impl Iterator<Item = &Broker> {
        let brokers = self.image.cluster().brokers();
        brokers.map(|broker| &**broker).filter(|broker| !broker.fenced)
    }

    fn of_topic(&self, topic: &Topic, path: &[&str]) -> Option<Znode> {
        let partition = |id: &str| {
            let mut partitions = topic.partitions();
            partitions.find(|(own, _)| own.to_string() == id).map(|(_, partition)| partition)
        };
        match path {
            [] => {
                let node = assignment(topic);
                Some(Znode { children: vec!["partitions".to_owned()], ..leaf(&node) })
            }
            ["partitions"] => Some(listing(topic.partitions().map(|(id, _)| id.to_string()))),
            ["partitions", id] => partition(id).map(|_| folder(&["state"])),
            ["partitions", id, "state"] => {
                partition(id).map(|partition| leaf(&state(self.epoch, partition)))
            }
            _ => None,
        }
    }

    fn of_configs(&self, path: &[&str]) -> Option<Znode> {
        const TYPES: [&str; 6] = ["brokers", "changes", "clients", "ips", "topics", "users"];
        let resource_type = |name: &str| match name {
            "brokers" => Some(ResourceType::Broker),
            "topics" => Some(ResourceType::Topic),
            _ => None,
        };
        match path {
            [] => Some(folder(&TYPES)),
            [name] => {
                let Some(wanted) = resource_type(name) else {
                    return TYPES.contains(name).then(|| folder(&[]));
                };
                let resources = self.image.configs().resources();
                let of_type = resources.filter(|(resource, _)| resource.resource_type == wanted);
                Some(listing(of_type.map(|(resource, _)| match resource.name.as_str() {
                    "" => DEFAULT_ENTITY.to_owned(),
                    name => name.to_owned(),
                })))
            }
            [name, entity] => {
                let entity = if *entity == DEFAULT_ENTITY { "" } else { entity };
                let resource = ConfigResource::new(resource_type(name)?, entity.to_owned());
                let values = self.image.configs().of(&resource);
                (!values.is_empty()).then(|| leaf(&config(values)))
            }
            _ => None,
        }
    }

    /// The block that was handed out last; `null` before there was one.
    fn producer_ids(&self) -> Znode {
        const BLOCK: i64 = 1000;
        let next = self.image.producer_ids().next_producer_id();
        let block = || {
            Json::object([
                ("version", Json::Int(1)),
                ("broker", Json::Int(-1)),
                ("block_start", Json::Text((next - BLOCK).max(0).to_string())),
                ("block_end", Json::Text((next - 1).to_string())),
            ])
        };
        if next == 0 { folder(&[]) } else { leaf(&block()) }
    }
}

/// What a ZooKeeper has of its own.
fn own(path: &[&str]) -> Option<Znode> {
    match path {
        ["zookeeper"] => Some(folder(&["config", "quota"])),
        ["zookeeper", "config" | "quota"] => Some(folder(&[])),
        _ => None,
    }
}

fn folder(children: &[&str]) -> Znode {
    Znode { data: None, children: children.iter().map(|child| (*child).to_owned()).collect() }
}

fn listing(children: impl Iterator<Item = String>) -> Znode {
    let mut children: Vec<String> = children.collect();
    children.sort_unstable();
    Znode { data: None, children }
}

fn leaf(data: &Json) -> Znode {
    Znode { data: Some(data.to_string()), children: Vec::new() }
}

/// `BrokerIdZNode`, version 5.
fn registration(broker: &Broker) -> Json {
    let protocol = |id: i16| match id {
        1 => "SSL",
        2 => "SASL_PLAINTEXT",
        3 => "SASL_SSL",
        _ => "PLAINTEXT",
    };
    let endpoints = &broker.end_points;
    let protocols = endpoints.iter().map(|endpoint| {
        let name = Cow::Owned(endpoint.name.to_string());
        (name, Json::text(protocol(endpoint.security_protocol)))
    });
    let addresses = endpoints.iter().map(|endpoint| {
        Json::Text(format!("{}://{}:{}", endpoint.name, endpoint.host, endpoint.port))
    });
    // What clients of 0.8 read.
    let plain = endpoints.iter().find(|endpoint| endpoint.security_protocol == 0);
    let mut fields = vec![
        ("features".into(), Json::Object(Vec::new())),
        ("listener_security_protocol_map".into(), Json::Object(protocols.collect())),
        ("endpoints".into(), Json::Array(addresses.collect())),
    ];
    if let Some(rack) = &broker.rack {
        fields.push(("rack".into(), Json::text(rack)));
    }
    fields.extend([
        ("jmx_port".into(), Json::Int(-1)),
        ("port".into(), Json::Int(plain.map_or(-1, |endpoint| endpoint.port.into()))),
        ("host".into(), Json::nullable(plain.map(|endpoint| endpoint.host.as_str()))),
        ("version".into(), Json::Int(5)),
        ("timestamp".into(), Json::text("-1")),
    ]);
    Json::Object(fields)
}

fn ids(ids: &[i32]) -> Json {
    Json::Array(ids.iter().map(|id| Json::Int((*id).into())).collect())
}

/// `TopicZNode`, version 3; partitions stand in the order of their names, as Kafka's map has them
/// nearly.
fn assignment(topic: &Topic) -> Json {
    let of_all = |chosen: fn(&Partition) -> &[i32], has_empty: bool| {
        let mut fields: Vec<(Cow<'static, str>, Json)> = topic
            .partitions()
            .map(|(id, partition)| (id, chosen(partition)))
            .filter(|(_, chosen)| has_empty || !chosen.is_empty())
            .map(|(id, chosen)| (Cow::Owned(id.to_string()), ids(chosen)))
            .collect();
        fields.sort_unstable_by(|left, right| left.0.cmp(&right.0));
        Json::Object(fields)
    };
    Json::object([
        ("partitions", of_all(|partition| &partition.replicas, true)),
        ("topic_id", Json::Text(Base64Uuid(topic.id).to_string())),
        ("adding_replicas", of_all(|partition| &partition.adding_replicas, false)),
        ("removing_replicas", of_all(|partition| &partition.removing_replicas, false)),
        ("version", Json::Int(3)),
    ])
}

/// `TopicPartitionStateZNode`, version 1.
fn state(epoch: i32, partition: &Partition) -> Json {
    Json::object([
        ("controller_epoch", Json::Int(epoch.into())),
        ("leader", Json::Int(partition.leader.into())),
        ("version", Json::Int(1)),
        ("leader_epoch", Json::Int(partition.leader_epoch.into())),
        ("isr", ids(&partition.isr)),
    ])
}

/// `ConfigEntityZNode`, version 1.
fn config(values: &ConfigValues) -> Json {
    let values = values
        .iter()
        .map(|(name, value)| (Cow::Owned(name.to_string()), Json::text(value)))
        .collect();
    Json::object([("version", Json::Int(1)), ("config", Json::Object(values))])
}

#[cfg(test)]
mod tests {
    use protocol::records::metadata::{
        ConfigRecord, MetadataRecord, PartitionRecord, RegisterBrokerRecord, RegisteredEndpoint,
        TopicRecord,
    };
    use raft::image::MetadataDelta;
    use uuid::Uuid;

    use super::*;

    fn image() -> MetadataImage {
        let endpoint = |name: &str, port| RegisteredEndpoint {
            name: name.to_owned().into(),
            host: "localhost".to_owned().into(),
            port,
            security_protocol: 0,
            ..RegisteredEndpoint::default()
        };
        let broker = |broker_id, rack: Option<&str>, fenced| RegisterBrokerRecord {
            broker_id,
            end_points: vec![endpoint("PLAINTEXT", 29092), endpoint("INSIDE", 29093)],
            rack: rack.map(|rack| rack.to_owned().into()),
            fenced,
            ..RegisterBrokerRecord::default()
        };
        let topic_id = Uuid::from_u128(7);
        let partition = |partition_id| PartitionRecord {
            topic_id,
            partition_id,
            replicas: vec![0, 1],
            isr: vec![1],
            leader: 1,
            leader_epoch: 4,
            ..PartitionRecord::default()
        };
        let retention = ConfigRecord {
            resource_type: ResourceType::Topic.id(),
            resource_name: "orders".to_owned().into(),
            name: "retention.ms".to_owned().into(),
            value: Some("1000".to_owned().into()),
            ..ConfigRecord::default()
        };
        let topic =
            TopicRecord { name: "orders".to_owned().into(), topic_id, ..TopicRecord::default() };
        let mut records: Vec<MetadataRecord> = vec![
            broker(0, Some("east"), false).into(),
            broker(1, None, false).into(),
            broker(2, None, true).into(),
            topic.into(),
            retention.into(),
        ];
        records.extend((0..12).map(|id| partition(id).into()));
        let mut delta = MetadataDelta::new(&MetadataImage::default());
        records.iter().for_each(|record| delta.replay(record).unwrap());
        delta.after().clone()
    }

    #[test]
    fn nodes_hold_what_kafka_3_7_wrote_into_a_zookeeper() {
        let image = image();
        let tree = Tree { image: &image, cluster_id: "abc", epoch: 3, chroot: "" };
        let data = |path: &str| tree.look(path).unwrap().data.unwrap_or_else(|| "null".to_owned());
        assert_eq!(
            data("/brokers/ids/0"),
            [
                r#"{"features":{},"#,
                r#""listener_security_protocol_map":"#,
                r#"{"PLAINTEXT":"PLAINTEXT","INSIDE":"PLAINTEXT"},"#,
                r#""endpoints":["PLAINTEXT://localhost:29092","INSIDE://localhost:29093"],"#,
                r#""rack":"east","jmx_port":-1,"port":29092,"host":"localhost","version":5,"#,
                r#""timestamp":"-1"}"#,
            ]
            .concat()
        );
        assert!(!data("/brokers/ids/1").contains("rack"));
        let topic = data("/brokers/topics/orders");
        assert!(topic.starts_with(r#"{"partitions":{"0":[0,1],"1":[0,1],"10":[0,1],"#), "{topic}");
        assert!(topic.ends_with(r#","adding_replicas":{},"removing_replicas":{},"version":3}"#));
        let table = [
            (
                "/brokers/topics/orders/partitions/11/state",
                r#"{"controller_epoch":3,"leader":1,"version":1,"leader_epoch":4,"isr":[1]}"#,
            ),
            ("/cluster/id", r#"{"version":"1","id":"abc"}"#),
            (
                "/controller",
                r#"{"version":2,"brokerid":0,"timestamp":"-1","kraftControllerEpoch":-1}"#,
            ),
            ("/controller_epoch", "3"),
            ("/feature", r#"{"features":{},"version":2,"status":1}"#),
            ("/config/topics/orders", r#"{"version":1,"config":{"retention.ms":"1000"}}"#),
            ("/brokers", "null"),
            ("/latest_producer_id_block", "null"),
            ("/", ""),
        ];
        for (path, expected) in table {
            assert_eq!(data(path), expected, "{path}");
        }
    }

    #[test]
    fn children_are_listed_and_what_is_not_there_is_none() {
        let image = image();
        let tree = Tree { image: &image, cluster_id: "abc", epoch: 3, chroot: "" };
        let table: [(&str, &[&str]); 7] = [
            ("/brokers/ids", &["0", "1"]),
            ("/brokers/topics", &["orders"]),
            ("/brokers/topics/orders", &["partitions"]),
            ("/brokers/topics/orders/partitions/3", &["state"]),
            ("/config/topics", &["orders"]),
            ("/config/users", &[]),
            ("/zookeeper", &["config", "quota"]),
        ];
        for (path, children) in table {
            assert_eq!(tree.look(path).unwrap().children, children, "{path}");
        }
        let partitions = tree.look("/brokers/topics/orders/partitions").unwrap().children;
        assert_eq!(partitions[..4], ["0", "1", "10", "11"]);
        assert_eq!(tree.look("/").unwrap().children.len(), 12);
        for none in ["/x", "/brokers/ids/2", "/brokers/ids/7", "/config/topics/x", "/config/x/y"] {
            assert_eq!(tree.look(none), None, "{none}");
        }
    }

    #[test]
    fn a_chroot_stands_before_all_of_the_brokers() {
        let image = image();
        let tree = Tree { image: &image, cluster_id: "abc", epoch: 3, chroot: "/a/kafka" };
        let children = |path: &str| tree.look(path).unwrap().children;
        assert_eq!(children("/"), ["a", "zookeeper"]);
        assert_eq!(children("/a"), ["kafka"]);
        assert_eq!(children("/a/kafka").len(), 11);
        assert_eq!(children("/a/kafka/brokers/ids"), ["0", "1"]);
        assert_eq!(children("/zookeeper"), ["config", "quota"]);
        assert_eq!(tree.look("/brokers"), None);
        assert_eq!(tree.look("/a/kafka/zookeeper"), None);
    }
}
