//! Images against records: whatever sequence was replayed, a snapshot of it gives the same image.

use protocol::batch;
use protocol::records::metadata::*;
use protocol::wire::StrBytes;
use uuid::Uuid;

use super::*;
use crate::draws::Draws;

pub(crate) const STOCK_LOG: &[u8] =
    include_bytes!("../../../protocol/fixtures/stock-4.1-metadata.log");
pub(crate) const STOCK_SNAPSHOT: &[u8] =
    include_bytes!("../../../protocol/fixtures/stock-4.1-metadata.checkpoint");

pub(crate) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// The metadata records of a log or snapshot file with their offsets.
pub(crate) fn records_of(file: &[u8]) -> Vec<(i64, MetadataRecord)> {
    let mut records = Vec::new();
    for view in batch::batches(file) {
        let view = view.unwrap();
        if view.is_control() {
            continue;
        }
        for record in view.records().unwrap() {
            let record = record.unwrap();
            let (decoded, _) = MetadataRecord::decode(record.value.unwrap()).unwrap();
            records.push((record.offset, decoded));
        }
    }
    records
}

pub(crate) fn image_of(records: &[MetadataRecord]) -> MetadataImage {
    let mut delta = MetadataDelta::new(&MetadataImage::default());
    for record in records {
        delta.replay(record).unwrap();
    }
    delta.after().clone()
}

fn at(offset: i64) -> Provenance {
    Provenance {
        last_contained_offset: offset,
        last_contained_epoch: 1,
        last_contained_timestamp: offset * 10,
    }
}

fn level(name: &str, feature_level: i16) -> MetadataRecord {
    FeatureLevelRecord { name: text(name), feature_level, ..Default::default() }.into()
}

fn topic(name: &str, id: u128) -> MetadataRecord {
    let topic_id = Uuid::from_u128(id);
    TopicRecord { name: text(name), topic_id, ..Default::default() }.into()
}

fn partition(topic: u128, partition_id: i32) -> MetadataRecord {
    let directories = vec![Uuid::from_u128(500)];
    Partition::new(vec![1], directories, vec![1])
        .to_record(Uuid::from_u128(topic), partition_id, true, true)
        .into()
}

#[test]
fn the_stock_log_up_to_its_snapshot_gives_the_image_of_that_snapshot() {
    let mut loader = MetadataLoader::new(MetadataImage::default());
    for (offset, record) in records_of(STOCK_LOG) {
        if offset < 608 {
            loader.replay(&record, at(offset)).unwrap();
        }
    }
    let (mut replayed, delta) = loader.take().unwrap();
    replayed.provenance = Provenance::default();
    let snapshot: Vec<_> = records_of(STOCK_SNAPSHOT).into_iter().map(|(_, r)| r).collect();
    assert_eq!(replayed, image_of(&snapshot));
    assert_eq!(image_of(&replayed.to_records()), replayed);
    assert_eq!(replayed.to_records().len(), snapshot.len());
    let orders = replayed.topics().by_name("orders").unwrap();
    assert_eq!(orders.partitions().len(), 5);
    assert!(replayed.topics().by_name("doomed").is_none());
    assert!(delta.changes().deleted_topics.is_empty(), "it never stood in an image");
    assert_eq!(delta.partitions().count(), 6);
}

#[test]
fn any_sequence_of_records_survives_a_snapshot() {
    for seed in 0..200 {
        let records = random_records(seed, 150);
        let image = image_of(&records);
        let snapshot = image.to_records();
        let versions = image.metadata_version();
        let written: Vec<MetadataRecord> = snapshot
            .iter()
            .map(|record| {
                let bytes = record.encode(versions.record_version(record)).unwrap();
                MetadataRecord::decode(&bytes).unwrap().0
            })
            .collect();
        assert_eq!(image_of(&written), image, "seed {seed}");
    }
}

#[test]
fn images_taken_along_the_way_end_at_the_same_image() {
    for seed in 0..50 {
        let records = random_records(seed, 150);
        let mut loader = MetadataLoader::new(MetadataImage::default());
        let mut previous = MetadataImage::default();
        for (offset, record) in records.iter().enumerate() {
            loader.replay(record, at(offset as i64)).unwrap();
            if (offset as u64 + seed).is_multiple_of(7) {
                let (image, delta) = loader.take().unwrap();
                assert_eq!(*delta.before(), previous);
                assert_eq!(*delta.after(), image);
                previous = image;
            }
        }
        loader.take();
        let mut image = loader.image().clone();
        image.provenance = Provenance::default();
        assert_eq!(image, image_of(&records), "seed {seed}");
    }
}

#[test]
fn a_transaction_shows_when_it_ends_and_never_when_it_is_aborted() {
    let name = |r: &MetadataImage, name| r.topics().by_name(name).is_some();
    let begin = MetadataRecord::from(BeginTransactionRecord::default());
    let end = MetadataRecord::from(EndTransactionRecord::default());
    let abort = MetadataRecord::from(AbortTransactionRecord::default());
    let mut loader = MetadataLoader::new(MetadataImage::default());
    loader.replay(&topic("a", 1), at(0)).unwrap();
    loader.replay(&begin, at(1)).unwrap();
    loader.replay(&topic("b", 2), at(2)).unwrap();
    assert_eq!(loader.open_transaction(), Some(1));
    let (image, delta) = loader.take().unwrap();
    assert_eq!(image.provenance(), at(0));
    assert!(name(&image, "a") && !name(&image, "b"));
    assert_eq!(delta.changes().topics.len(), 1);
    assert!(loader.take().is_none());
    loader.replay(&end, at(3)).unwrap();
    let (image, delta) = loader.take().unwrap();
    assert!(name(&image, "b") && image.provenance() == at(3));
    assert_eq!(delta.changes().topics.keys().collect::<Vec<_>>(), [&Uuid::from_u128(2)]);
    loader.replay(&begin, at(4)).unwrap();
    loader.replay(&topic("c", 3), at(5)).unwrap();
    assert!(matches!(loader.replay(&begin, at(6)), Err(LoadError::NestedTransaction { .. })));
    loader.replay(&abort, at(6)).unwrap();
    let (image, delta) = loader.take().unwrap();
    assert!(!name(&image, "c") && image.provenance() == at(6));
    assert!(delta.changes().is_empty());
    assert!(matches!(loader.replay(&end, at(7)), Err(LoadError::NoTransaction { offset: 7 })));
}

#[test]
fn a_topic_made_again_is_both_deleted_and_created() {
    let before = image_of(&[topic("a", 1), partition(1, 0)]);
    let mut delta = MetadataDelta::new(&before);
    let removal = RemoveTopicRecord { topic_id: Uuid::from_u128(1), ..Default::default() };
    delta.replay(&removal.into()).unwrap();
    delta.replay(&topic("a", 2)).unwrap();
    delta.replay(&partition(2, 0)).unwrap();
    assert_eq!(delta.changes().deleted_topics[&Uuid::from_u128(1)], text("a"));
    assert!(delta.changes().topics[&Uuid::from_u128(2)].created);
    assert_eq!(delta.after().topics().id_of("a"), Some(Uuid::from_u128(2)));
}

#[test]
fn records_that_cannot_be_are_refused() {
    let cases: Vec<(Vec<MetadataRecord>, &str)> = vec![
        (vec![partition(1, 0)], "there is no topic with id 00000000-0000-0000-0000-000000000001"),
        (vec![topic("a", 1), topic("a", 2)], "topic a exists already"),
        (vec![level("metadata.version", 32)], "feature metadata.version cannot have level 32 here"),
        (vec![level("later.version", 1)], "feature later.version cannot have level 1 here"),
        (
            vec![UnregisterBrokerRecord { broker_id: 4, ..Default::default() }.into()],
            "broker 4 is not registered",
        ),
        (
            vec![
                RegisterBrokerRecord { broker_id: 4, broker_epoch: 9, ..Default::default() }.into(),
                FenceBrokerRecord { id: 4, epoch: 8, ..Default::default() }.into(),
            ],
            "broker 4 has epoch 9, a record names 8",
        ),
        (
            vec![ConfigRecord { resource_type: 3, ..Default::default() }.into()],
            "configuration resource type 3 is unknown",
        ),
    ];
    for (records, wanted) in cases {
        let mut delta = MetadataDelta::new(&MetadataImage::default());
        let (last, first) = records.split_last().unwrap();
        for record in first {
            delta.replay(record).unwrap();
        }
        assert_eq!(delta.replay(last).unwrap_err().to_string(), wanted);
    }
}

/// `count` records of all sorts, each valid after those before it.
pub(crate) fn random_records(seed: u64, count: usize) -> Vec<MetadataRecord> {
    let mut draws = Draws::new(seed.into());
    let mut delta = MetadataDelta::new(&MetadataImage::default());
    let mut records = vec![level("metadata.version", 23 + (draws.below(8) as i16))];
    delta.replay(&records[0]).unwrap();
    while records.len() < count {
        let kind = draws.below(16);
        if let Some(record) = random_record(kind, &mut draws, delta.after()) {
            delta.replay(&record).unwrap();
            records.push(record);
        }
    }
    records
}

fn random_record(kind: u64, draws: &mut Draws, image: &MetadataImage) -> Option<MetadataRecord> {
    let pick = draws.below(6) as i32;
    let name = text(&format!("name{pick}"));
    let some_topic = image.topics().by_name(&name).map(|topic| topic.id);
    Some(match kind {
        0..4 if some_topic.is_none() => {
            TopicRecord { name, topic_id: draws.topic_id(), ..Default::default() }.into()
        }
        0..2 => random_partition(some_topic?, draws).into(),
        2..4 => random_change(some_topic?, image, draws)?.into(),
        4 => RemoveTopicRecord { topic_id: some_topic?, ..Default::default() }.into(),
        5 => ClearElrRecord {
            topic_name: some_topic.map(|_| name).unwrap_or_default(),
            ..Default::default()
        }
        .into(),
        6 | 7 => ConfigRecord {
            resource_type: [2, 4, 16, 32][draws.below(4) as usize],
            resource_name: name,
            name: text(&format!("key{}", draws.below(3))),
            value: (draws.below(3) > 0).then(|| text("value")),
            ..Default::default()
        }
        .into(),
        8..11 => random_broker_record(kind, pick, draws, image)?,
        11 => {
            let levels = [("group.version", 1), ("transaction.version", 2), ("share.version", 0)];
            let (feature, level_now) = levels[draws.below(3) as usize];
            level(feature, level_now)
        }
        12 => ProducerIdsRecord {
            broker_id: pick,
            next_producer_id: image.producer_ids().next_producer_id() + 1000,
            ..Default::default()
        }
        .into(),
        _ => random_security_record(kind, pick, name, draws, image)?,
    })
}

fn random_partition(topic_id: Uuid, draws: &mut Draws) -> PartitionRecord {
    let directories = vec![Uuid::from_u128(7), Uuid::from_u128(700)];
    let mut partition = Partition::new(vec![1, 2], directories, vec![2]);
    partition.elr = vec![1];
    partition.leader_epoch = draws.below(9) as i32;
    partition.to_record(topic_id, draws.below(4) as i32, true, true)
}

fn random_change(
    topic_id: Uuid,
    image: &MetadataImage,
    draws: &mut Draws,
) -> Option<PartitionChangeRecord> {
    let partition_id = draws.below(4) as i32;
    image.topics().partition(topic_id, partition_id)?;
    Some(PartitionChangeRecord {
        partition_id,
        topic_id,
        isr: (draws.below(2) == 0).then(|| vec![1]),
        leader: draws.below(5) as i32 - 2,
        leader_recovery_state: draws.below(3) as i8 - 1,
        last_known_elr: (draws.below(2) == 0).then(|| vec![2]),
        ..Default::default()
    })
}

fn random_broker_record(
    kind: u64,
    id: i32,
    draws: &mut Draws,
    image: &MetadataImage,
) -> Option<MetadataRecord> {
    if kind == 8 {
        return Some(match draws.below(3) {
            0 => RegisterControllerRecord { controller_id: id, ..Default::default() }.into(),
            1 => ZkMigrationStateRecord { zk_migration_state: 3, ..Default::default() }.into(),
            _ => RegisterBrokerRecord {
                broker_id: id,
                broker_epoch: draws.below(100) as i64,
                rack: (draws.below(2) == 0).then(|| text("rack")),
                log_dirs: vec![Uuid::from_u128(9)],
                ..Default::default()
            }
            .into(),
        });
    }
    let broker_epoch = image.cluster().broker(id)?.broker_epoch;
    let cordons = image.metadata_version().has_cordoned_log_dirs() && draws.below(2) == 0;
    Some(match draws.below(4) {
        0 => UnregisterBrokerRecord { broker_id: id, broker_epoch, ..Default::default() }.into(),
        1 => FenceBrokerRecord { id, epoch: broker_epoch, ..Default::default() }.into(),
        2 => UnfenceBrokerRecord { id, epoch: broker_epoch, ..Default::default() }.into(),
        _ => BrokerRegistrationChangeRecord {
            broker_id: id,
            broker_epoch,
            fenced: draws.below(3) as i8 - 1,
            in_controlled_shutdown: draws.below(2) as i8,
            cordoned_log_dirs: cordons.then(|| vec![Uuid::from_u128(9)]),
            ..Default::default()
        }
        .into(),
    })
}

fn random_security_record(
    kind: u64,
    pick: i32,
    name: StrBytes,
    draws: &mut Draws,
    image: &MetadataImage,
) -> Option<MetadataRecord> {
    let id = Uuid::from_u128(1000 + pick as u128);
    Some(match (kind, draws.below(3)) {
        (13, 0) => {
            image.acls().find(id)?;
            RemoveAccessControlEntryRecord { id, ..Default::default() }.into()
        }
        (13, _) => AccessControlEntryRecord {
            id,
            principal: name,
            operation: pick as i8,
            ..Default::default()
        }
        .into(),
        (14, 0) => {
            image.scram().find(1, &name)?;
            RemoveUserScramCredentialRecord { name, mechanism: 1, ..Default::default() }.into()
        }
        (14, _) => UserScramCredentialRecord {
            name,
            mechanism: 1,
            iterations: 4096 + pick,
            ..Default::default()
        }
        .into(),
        (_, 0) => RemoveDelegationTokenRecord { token_id: name, ..Default::default() }.into(),
        (_, 1) => DelegationTokenRecord {
            token_id: name,
            max_timestamp: draws.below(1000) as i64,
            ..Default::default()
        }
        .into(),
        _ => ClientQuotaRecord {
            entity: vec![QuotaEntity {
                entity_type: text("user"),
                entity_name: (pick > 0).then_some(name),
                ..Default::default()
            }],
            key: text("request_percentage"),
            value: f64::from(pick),
            remove: draws.below(3) == 0,
            ..Default::default()
        }
        .into(),
    })
}
