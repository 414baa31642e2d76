//! What the four-letter words are answered: text from a standing, nothing else.
//!
//! The shapes are those of ZooKeeper 3.8 (org.apache.zookeeper.server.command). Unlike Kafka: lines
//! of which a controller knows nothing (latencies, watches, outstanding requests) are left out, and
//! three words are our own, by which brokers and zookeeper-shell ask (docs/decisions/0221, 0406).

use std::fmt::Write as _;
use std::net::SocketAddr;

use config::zookeeper::ServiceConfig;

use super::znodes::Znode;

/// A ZooKeeper without leader says this instead of an answer.
const NOT_SERVING: &str = "This ZooKeeper instance is not currently serving requests\n";

/// What the server is among those of its service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Standalone,
    Leader,
    Follower,
}

impl Mode {
    fn name(self) -> &'static str {
        match self {
            Self::Standalone => "standalone",
            Self::Leader => "leader",
            Self::Follower => "follower",
        }
    }
}

/// One connection and how many requests it brought and were answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Traffic {
    pub(super) peer: SocketAddr,
    pub(super) received: u64,
    pub(super) sent: u64,
}

/// The service at one moment.
#[derive(Debug)]
pub(super) struct Standing<'a> {
    pub(super) config: &'a ServiceConfig,
    pub(super) cluster_id: &'a str,
    /// None while nobody leads the quorum.
    pub(super) mode: Option<Mode>,
    /// Epoch and offset of the metadata log; negative before there is one.
    pub(super) epoch: i32,
    pub(super) offset: i64,
    /// Brokers, topics and partitions.
    pub(super) nodes: usize,
    /// Ids of the brokers that are alive.
    pub(super) alive: Vec<i32>,
    pub(super) received: u64,
    pub(super) sent: u64,
    pub(super) connections: Vec<Traffic>,
    /// The id that a broker without one may have; none where another server leads.
    pub(super) drawn_id: Option<i32>,
    /// The chroot of the cluster that is served.
    pub(super) chroot: String,
}

/// The answer to a word; none to one that does not exist, or only draws what the service lacks.
pub(super) fn answer(word: [u8; 4], standing: &Standing<'_>) -> Option<String> {
    let name = std::str::from_utf8(&word).ok()?;
    match name {
        "greg" => return Some(greeting(standing)),
        "brid" => return Some(drawn(standing)),
        _ => {}
    }
    let answer: fn(&Standing<'_>) -> String = match name {
        "ruok" => |_| "imok".to_owned(),
        "srvr" => |standing| served(standing, server),
        "stat" => |standing| served(standing, statistics),
        "mntr" => |standing| served(standing, monitored),
        "dump" => |standing| served(standing, ephemerals),
        "cons" => |standing| served(standing, |standing| connections(standing) + "\n"),
        "isro" => |standing| if standing.mode.is_some() { "rw" } else { "null" }.to_owned(),
        "conf" => configuration,
        "envi" => environment,
        _ => return None,
    };
    let words = standing.config.words.as_deref();
    let is_allowed = words.is_none_or(|words| words.iter().any(|each| each == "*" || each == name));
    if !is_allowed {
        return Some(format!("{name} is not executed because it is not in the whitelist.\n"));
    }
    Some(answer(standing))
}

fn served(standing: &Standing<'_>, answer: fn(&Standing<'_>) -> String) -> String {
    if standing.mode.is_some() { answer(standing) } else { NOT_SERVING.to_owned() }
}

/// Tells this service from a real one.
fn version() -> &'static str {
    concat!("gregor-", env!("CARGO_PKG_VERSION"))
}

fn mode(standing: &Standing<'_>) -> &'static str {
    standing.mode.map_or("none", Mode::name)
}

/// ZooKeeper's zxid has the epoch in its upper half and a counter in the lower one.
fn zxid(standing: &Standing<'_>) -> i64 {
    i64::from(standing.epoch.max(0)) << 32 | (standing.offset.max(0) & 0xffff_ffff)
}

fn server(standing: &Standing<'_>) -> String {
    format!("Zookeeper version: {}\n{}", version(), counts(standing))
}

fn counts(standing: &Standing<'_>) -> String {
    format!(
        "Received: {}\nSent: {}\nConnections: {}\nZxid: 0x{:x}\nMode: {}\nNode count: {}\n",
        standing.received,
        standing.sent,
        standing.connections.len(),
        zxid(standing),
        mode(standing),
        standing.nodes,
    )
}

fn statistics(standing: &Standing<'_>) -> String {
    let (version, clients) = (version(), connections(standing));
    format!("Zookeeper version: {version}\nClients:\n{clients}\n{}", counts(standing))
}

fn connections(standing: &Standing<'_>) -> String {
    standing.connections.iter().fold(String::new(), |mut lines, traffic| {
        let Traffic { peer, received, sent } = traffic;
        let (ip, port) = (peer.ip().to_canonical(), peer.port());
        let _ = writeln!(lines, " /{ip}:{port}(recved={received},sent={sent})");
        lines
    })
}

fn monitored(standing: &Standing<'_>) -> String {
    let rows = [
        ("zk_version", version().to_owned()),
        ("zk_server_state", mode(standing).to_owned()),
        ("zk_znode_count", standing.nodes.to_string()),
        ("zk_ephemerals_count", standing.alive.len().to_string()),
        ("zk_num_alive_connections", standing.connections.len().to_string()),
        ("zk_packets_received", standing.received.to_string()),
        ("zk_packets_sent", standing.sent.to_string()),
    ];
    rows.iter().fold(String::new(), |lines, (name, value)| lines + &format!("{name}\t{value}\n"))
}

/// The nodes that live as long as the sessions of their brokers.
fn ephemerals(standing: &Standing<'_>) -> String {
    let sessions = standing.alive.len();
    let mut lines = format!("Sessions with Ephemerals ({sessions}):\n");
    for id in &standing.alive {
        let _ = writeln!(lines, "0x{id:x}:\n\t/brokers/ids/{id}");
    }
    lines
}

fn configuration(standing: &Standing<'_>) -> String {
    let config = standing.config;
    let mut lines = format!(
        "clientPort={}\ndataDir={}\ndataLogDir={}\ntickTime={}\nmaxClientCnxns={}\nserverId={}\n",
        config.client_port,
        config.folder(),
        config.folder(),
        config.tick_time_ms,
        config.max_client_connections,
        config.server_id,
    );
    if !config.voters().is_empty() {
        lines.push_str("membership: \n");
    }
    for voter in config.voters() {
        let port = config.port_of(voter);
        let _ = writeln!(lines, "server.{}={}:participant;{port}", voter.id, voter.host);
    }
    lines
}

fn environment(_: &Standing<'_>) -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    format!(
        "Environment:\nzookeeper.version={}\nhost.name={host}\nos.name={os}\nos.arch={arch}\n",
        version()
    )
}

/// What a broker needs to know before it can join.
fn greeting(standing: &Standing<'_>) -> String {
    let own = standing.config.node_id();
    let bracketed = |host: &str| match host.contains(':') {
        true => format!("[{host}]"),
        false => host.to_owned(),
    };
    let voter = |(id, host, port): &(i32, String, u16)| format!("{id}@{}:{port}", bracketed(host));
    let voters: Vec<_> = standing.config.quorum().iter().map(voter).collect();
    format!(
        "{}\ncluster.id={}\nnode.id={own}\nchroot={}\ncontroller.quorum.voters={}\n",
        version(),
        standing.cluster_id,
        standing.chroot,
        voters.join(","),
    )
}

fn drawn(standing: &Standing<'_>) -> String {
    let id = standing.drawn_id.map_or_else(|| "none".to_owned(), |id| id.to_string());
    format!("{}\nbroker.id={id}\n", version())
}

/// What zookeeper-shell is told of a path: whether it is there, its data and its children, a line
/// each.
pub(super) fn looked_up(mode: Option<Mode>, look: impl FnOnce() -> Option<Znode>) -> String {
    if mode.is_none() {
        return NOT_SERVING.to_owned();
    }
    let Some(node) = look() else { return format!("{}\nznode=none\n", version()) };
    let mut answer = format!("{}\nznode=found\n", version());
    if let Some(data) = &node.data {
        let _ = writeln!(answer, "data={data}");
    }
    for child in &node.children {
        let _ = writeln!(answer, "child={child}");
    }
    answer
}

/// Whether a frame is the first one of a client of a real ZooKeeper (jute's ConnectRequest):
/// protocol version 0, the last zxid, a timeout, a session and its password of sixteen bytes.
pub(super) fn is_connect_request(frame: &[u8]) -> bool {
    let version = frame.first_chunk::<4>();
    let password_bytes = frame.get(24..28);
    matches!(frame.len(), 44 | 45)
        && version == Some(&[0; 4])
        && password_bytes == Some(&[0, 0, 0, 16])
}

#[cfg(test)]
mod tests {
    use config::Properties;

    use super::*;

    fn config(text: &str) -> ServiceConfig {
        let given = format!("dataDir=/data\nclientPort=2181\n{text}");
        ServiceConfig::parse(&Properties::parse(given.as_bytes()).unwrap()).unwrap().0
    }

    fn standing(config: &ServiceConfig) -> Standing<'_> {
        Standing {
            config,
            cluster_id: "MkU3OEVBNTcwNTJENDM2Qg",
            mode: Some(Mode::Standalone),
            epoch: 2,
            offset: 255,
            nodes: 7,
            alive: vec![0, 16],
            received: 9,
            sent: 8,
            connections: vec![Traffic {
                peer: "127.0.0.1:50000".parse().unwrap(),
                received: 4,
                sent: 3,
            }],
            drawn_id: Some(1001),
            chroot: "/kafka".to_owned(),
        }
    }

    fn said(word: &[u8; 4], standing: &Standing<'_>) -> String {
        answer(*word, standing).expect("a word that exists")
    }

    #[test]
    fn each_word_is_answered_in_zookeepers_shape() {
        let config = config("");
        let standing = standing(&config);
        let version = concat!("gregor-", env!("CARGO_PKG_VERSION"));
        let counts = "Received: 9\nSent: 8\nConnections: 1\nZxid: 0x2000000ff\nMode: standalone\n\
                      Node count: 7\n";
        let client = " /127.0.0.1:50000(recved=4,sent=3)\n";
        let table = [
            (b"ruok", "imok".to_owned()),
            (b"isro", "rw".to_owned()),
            (b"srvr", format!("Zookeeper version: {version}\n{counts}")),
            (b"stat", format!("Zookeeper version: {version}\nClients:\n{client}\n{counts}")),
            (b"cons", format!("{client}\n")),
            (
                b"mntr",
                format!(
                    "zk_version\t{version}\nzk_server_state\tstandalone\nzk_znode_count\t7\n\
                     zk_ephemerals_count\t2\nzk_num_alive_connections\t1\n\
                     zk_packets_received\t9\nzk_packets_sent\t8\n"
                ),
            ),
            (
                b"dump",
                "Sessions with Ephemerals (2):\n0x0:\n\t/brokers/ids/0\n0x10:\n\t/brokers/ids/16\n"
                    .to_owned(),
            ),
            (
                b"conf",
                "clientPort=2181\ndataDir=/data/gregor\ndataLogDir=/data/gregor\ntickTime=3000\n\
                 maxClientCnxns=60\nserverId=0\n"
                    .to_owned(),
            ),
            (
                b"greg",
                format!(
                    "{version}\ncluster.id=MkU3OEVBNTcwNTJENDM2Qg\nnode.id=2000000000\n\
                     chroot=/kafka\ncontroller.quorum.voters=2000000000@localhost:2181\n"
                ),
            ),
            (b"brid", format!("{version}\nbroker.id=1001\n")),
        ];
        for (word, expected) in table {
            assert_eq!(said(word, &standing), expected);
        }
        assert_eq!(answer(*b"wchc", &standing), None);
    }

    #[test]
    fn without_a_leader_it_is_alive_but_serves_nothing() {
        let config = config("server.1=a:1:2\nserver.2=b:1:2\n").as_server(2).unwrap();
        let standing = Standing { mode: None, drawn_id: None, ..standing(&config) };
        assert_eq!(said(b"ruok", &standing), "imok");
        assert_eq!(said(b"isro", &standing), "null");
        for word in [b"srvr", b"stat", b"mntr", b"dump", b"cons"] {
            assert_eq!(said(word, &standing), NOT_SERVING);
        }
        let greeting = said(b"greg", &standing);
        let voters = "controller.quorum.voters=2000000001@a:2181,2000000002@b:2181\n";
        assert!(greeting.ends_with(voters), "{greeting}");
        assert!(said(b"brid", &standing).ends_with("broker.id=none\n"));
        let membership = "membership: \nserver.1=a:participant;2181\nserver.2=b:participant;2181\n";
        assert!(said(b"conf", &standing).ends_with(membership));
    }

    #[test]
    fn a_whitelist_is_obeyed_as_far_as_words_are_zookeepers() {
        let only = config("4lw.commands.whitelist=stat, ruok\n");
        let standing_of = standing(&only);
        assert_eq!(said(b"ruok", &standing_of), "imok");
        let refused = "mntr is not executed because it is not in the whitelist.\n";
        assert_eq!(said(b"mntr", &standing_of), refused);
        assert!(said(b"greg", &standing_of).contains("cluster.id="));
        let all = config("4lw.commands.whitelist=*\n");
        assert!(said(b"mntr", &standing(&all)).starts_with("zk_version"));
    }

    #[test]
    fn a_path_is_told_line_by_line() {
        let version = concat!("gregor-", env!("CARGO_PKG_VERSION"));
        let node = Znode { data: Some("{}".to_owned()), children: vec!["a".to_owned()] };
        let serving = Some(Mode::Leader);
        let found = format!("{version}\nznode=found\ndata={{}}\nchild=a\n");
        assert_eq!(looked_up(serving, || Some(node)), found);
        assert_eq!(looked_up(serving, || None), format!("{version}\nznode=none\n"));
        assert_eq!(looked_up(None, || None), NOT_SERVING);
    }

    #[test]
    fn the_first_frame_of_a_zookeeper_client_is_known() {
        let mut frame = vec![0; 45];
        frame[12..16].copy_from_slice(&18_000_i32.to_be_bytes());
        frame[27] = 16;
        assert!(is_connect_request(&frame));
        assert!(is_connect_request(&frame[..44]));
        assert!(!is_connect_request(&frame[..43]));
        frame[1] = 18;
        assert!(!is_connect_request(&frame), "ApiVersions");
    }
}
