//! The names that a zookeeper.properties may carry, sorted by what becomes of them.
//!
//! Facts of QuorumPeerConfig, ServerConfig and the administrator's guide of ZooKeeper 3.8.

/// What becomes of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// It says something that the service does, or that means nothing without ZooKeeper.
    Known,
    /// It would secure what is served in plain text here.
    Secures,
    Unknown,
}

/// Names that act, and names whose subject a KRaft controller settles in its own way.
const KNOWN: &[&str] = &[
    "4lw.commands.whitelist",
    "advancedFlowControlEnabled",
    "clientPort",
    "clientPortAddress",
    "clientPortListenBacklog",
    "cnxTimeout",
    "commitLogCount",
    "connectToLearnerMasterLimit",
    "dataDir",
    "dataLogDir",
    "electionAlg",
    "electionPortBindRetry",
    "extendedTypesEnabled",
    "flushDelay",
    "forceSync",
    "fsync.warningthresholdms",
    "globalOutstandingLimit",
    "initLimit",
    "jute.maxbuffer",
    "leaderServes",
    "localSessionsEnabled",
    "localSessionsUpgradingEnabled",
    "maxBatchSize",
    "maxClientCnxns",
    "maxCnxns",
    "maxSessionTimeout",
    "maxTimeToWaitForEpoch",
    "minSessionTimeout",
    "observerMasterPort",
    "peerType",
    "preAllocSize",
    "quorumListenOnAllIPs",
    "reconfigEnabled",
    "serverCnxnFactory",
    "skipACL",
    "snapCount",
    "snapSizeLimitInKb",
    "standaloneEnabled",
    "syncEnabled",
    "syncLimit",
    "tcpKeepAlive",
    "tickTime",
    "zookeeper.admin.enableServer",
];

/// Families of names of the same kind.
const KNOWN_FAMILIES: &[&str] =
    &["admin.", "autopurge.", "group.", "metricsProvider.", "server.", "weight.", "snapshot."];

/// Names and families that ask for TLS or for clients to prove who they are.
const SECURING: &[&str] =
    &["secureClientPort", "secureClientPortAddress", "requireClientAuthScheme", "sslQuorum"];
const SECURING_FAMILIES: &[&str] =
    &["ssl.", "enforce.auth.", "sessionRequireClientSASLAuth", "quorum.auth.", "authProvider."];

pub(super) fn effect(name: &str) -> Effect {
    let bare = name.strip_prefix("zookeeper.").unwrap_or(name);
    let in_family = |families: &[&str]| families.iter().any(|each| bare.starts_with(each));
    if SECURING.contains(&bare) || in_family(SECURING_FAMILIES) {
        Effect::Secures
    } else if KNOWN.contains(&bare) || KNOWN.contains(&name) || in_family(KNOWN_FAMILIES) {
        Effect::Known
    } else {
        Effect::Unknown
    }
}
