//! Records about brokers, controllers, features, producer ids and the log itself
//! (keys 0, 1, 7, 8, 12, 15, 17, 20, 21, 23-25, 27 of `common/metadata`).

use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

use crate::records::fields::record;

record! {
    /// Where a node listens.
    RegisteredEndpoint {
        name: StrBytes = StrBytes::default(), since 0;
        host: StrBytes = StrBytes::default(), since 0;
        port: u16 = 0, since 0;
        security_protocol: i16 = 0, since 0;
    }

    /// The levels of one feature that a node supports.
    RegisteredFeature {
        name: StrBytes = StrBytes::default(), since 0;
        min_supported_version: i16 = 0, since 0;
        max_supported_version: i16 = 0, since 0;
    }

    /// A broker registered. Version 1 adds the controlled shutdown, 3 the log directories, 4 those
    /// that are cordoned (KIP-1066).
    RegisterBrokerRecord {
        broker_id: i32 = 0, since 0;
        is_migrating_zk_broker: bool = false, since 2;
        incarnation_id: Uuid = Uuid::nil(), since 0;
        broker_epoch: i64 = 0, since 0;
        end_points: Vec<RegisteredEndpoint> = Vec::new(), since 0;
        features: Vec<RegisteredFeature> = Vec::new(), since 0;
        rack: Option<StrBytes> = None, since 0;
        fenced: bool = true, since 0;
        in_controlled_shutdown: bool = false, since 1;
        log_dirs: Vec<Uuid> = Vec::new(), since 3, tag 0;
        /// `None` until a heartbeat of the broker names them.
        cordoned_log_dirs: Option<Vec<Uuid>> = None, since 4, tag 1;
    }

    /// A broker is no longer part of the cluster.
    UnregisterBrokerRecord {
        broker_id: i32 = 0, since 0;
        broker_epoch: i64 = 0, since 0;
    }

    /// A broker is fenced (written by 3.2 and older).
    FenceBrokerRecord {
        id: i32 = 0, since 0;
        epoch: i64 = 0, since 0;
    }

    /// A broker is unfenced (written by 3.2 and older).
    UnfenceBrokerRecord {
        id: i32 = 0, since 0;
        epoch: i64 = 0, since 0;
    }

    /// What changed in a broker's registration.
    BrokerRegistrationChangeRecord {
        broker_id: i32 = 0, since 0;
        broker_epoch: i64 = 0, since 0;
        /// -1 unfenced, 0 as it was, 1 fenced.
        fenced: i8 = 0, since 0, tag 0;
        /// 1: the controlled shutdown began.
        in_controlled_shutdown: i8 = 0, since 1, tag 1;
        /// Empty: as they were.
        log_dirs: Vec<Uuid> = Vec::new(), since 2, tag 2;
        /// `None`: as they were.
        cordoned_log_dirs: Option<Vec<Uuid>> = None, since 3, tag 3;
    }

    /// A controller registered (KIP-919).
    RegisterControllerRecord {
        controller_id: i32 = 0, since 0;
        incarnation_id: Uuid = Uuid::nil(), since 0;
        zk_migration_ready: bool = false, since 0;
        end_points: Vec<RegisteredEndpoint> = Vec::new(), since 0;
        features: Vec<RegisteredFeature> = Vec::new(), since 0;
    }

    /// The finalized level of a feature.
    FeatureLevelRecord {
        name: StrBytes = StrBytes::default(), since 0;
        feature_level: i16 = 0, since 0;
    }

    /// A block of producer ids was handed out.
    ProducerIdsRecord {
        broker_id: i32 = 0, since 0;
        broker_epoch: i64 = -1, since 0;
        /// The first id of the next block.
        next_producer_id: i64 = 0, since 0;
    }

    /// Says that the controller is alive.
    NoOpRecord {}

    /// How far a migration from ZooKeeper came (kept, never acted on).
    ZkMigrationStateRecord {
        zk_migration_state: i8 = 0, since 0;
    }

    /// A metadata transaction begins (KIP-868).
    BeginTransactionRecord {
        name: Option<StrBytes> = None, since 0, tag 0;
    }

    /// A metadata transaction is whole.
    EndTransactionRecord {}

    /// A metadata transaction is undone.
    AbortTransactionRecord {
        reason: Option<StrBytes> = None, since 0, tag 0;
    }
}
