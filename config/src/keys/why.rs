//! Why a key that Kafka knows changes nothing here (yet): the reasons that rows of the table give.

pub(super) const THREADS: &str = "Gregor sizes its own threads by the machine";
pub(super) const TIERED: &str = "tiered storage does not exist here yet";
pub(super) const LOGIN_CLASSES: &str = "a mechanism's login is made here, without a Java class";
pub(super) const RENEWALS: &str = "the Kerberos library gets tickets by itself before they expire";
pub(super) const ASKED_TOKENS: &str =
    "a token is asked for with a client's id and secret, not with an assertion";
pub(super) const EARLY: &str =
    "controllers' listeners start early, as by default; others when entries are loaded";
pub(super) const ONE_ASSIGNOR: &str = "share groups have one assignor, simple";
pub(super) const TWO_PHASES: &str =
    "the version of InitProducerId that asks for it is not in any release yet";
pub(super) const PLUGIN: &str = "plug-ins are Java classes, which no JVM is here to load";
pub(super) const METRICS: &str = "Gregor keeps no JMX metrics";
pub(super) const PURGATORY: &str =
    "parked requests are dropped when they are answered, never purged";
pub(super) const PEERS: &str = "requests between nodes have time limits of their own";
pub(super) const LINGER: &str = "what the controller decides is appended at once";
pub(super) const SOCKETS: &str = "the system sizes the buffers of connections between brokers";
pub(super) const UNSTABLE: &str = "only the versions of a release are offered";
pub(super) const DIRS: &str = "one thread moves replicas between log directories";
pub(super) const INTERNAL: &str = "a setting of the tests inside Kafka";
pub(super) const QUEUE: &str =
    "requests wait in no common queue; queued.max.request.bytes bounds what they hold";
pub(super) const BATCHING: &str =
    "records of one wake-up are written together anyway, without a wait";

pub(super) const JVM_SECURITY: &str = "rustls and aws-lc are used, not a JVM's providers";
pub(super) const BUFFERS: &str = "buffers of records are given back when they are written";
pub(super) const PROVIDERS: &str =
    "config providers are asked once, before the keys of a node's file are read";

/// Reasons that cost nobody anything: a key that is set is not worth a warning.
pub(super) const QUIET: &[&str] = &[
    THREADS,
    PLUGIN,
    METRICS,
    PURGATORY,
    PEERS,
    LINGER,
    INTERNAL,
    BATCHING,
    SOCKETS,
    ONE_ASSIGNOR,
    TWO_PHASES,
    QUEUE,
    DIRS,
    BUFFERS,
    JVM_SECURITY,
    PROVIDERS,
    EARLY,
];

/// Reasons that refuse whatever is not Kafka's own: `broker::plugins` has the classes.
pub(super) const REFUSING: &[&str] = &[PLUGIN];
