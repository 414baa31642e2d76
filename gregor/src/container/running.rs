//! Which node a process is, by its command line, and where a check of its health asks.
//!
//! ```text
//! gregor kafka-server-start [--override K=V] FILE     a node with this file
//! gregor zookeeper-server-start FILE                  the ZooKeeper service
//! gregor container launch|run [--dialect D]           the file that `configure` wrote
//! ```
//! Pure: words and properties in, what to ask out. Links called by a tool's name are that tool.

use std::path::{Path, PathBuf};

use config::{BrokerConfig, ConfigError, Properties};

/// A node as its command line tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Running {
    Node { file: PathBuf, overrides: Vec<String> },
    ZooKeeper { file: PathBuf },
    Container { dialect: Option<String> },
}

/// What shows that a node serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Question {
    /// The broker of this id is in the metadata that it answers with, so it is unfenced.
    Broker { id: i32, host: String, port: u16 },
    /// ApiVersions is answered.
    Controller { id: i32, host: String, port: u16 },
    /// `ruok` is answered by `imok`.
    ZooKeeper { host: String, port: u16 },
}

/// Why a node's properties do not tell where it listens.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoQuestion {
    #[error("{0}")]
    Config(#[from] ConfigError),
    #[error("\"{0}\" is no clientPort")]
    ClientPort(String),
    #[error("no listener is configured")]
    NoListener,
}

/// Where `gregor container configure` writes, by dialect. The first path of cp-kafka is also that
/// of cp-zookeeper, which writes the second file.
pub(crate) fn written(dialect: Option<&str>) -> &'static [&'static str] {
    const ALL: [&str; 4] = [
        "/etc/kafka/kafka.properties",
        "/etc/kafka/zookeeper.properties",
        "/opt/kafka/config/server.properties",
        "/opt/bitnami/kafka/config/server.properties",
    ];
    match dialect {
        Some("cp-kafka" | "confluent-local") => &ALL[..2],
        Some("zookeeper") => &ALL[1..2],
        Some("apache" | "wurstmeister") => &ALL[2..3],
        Some("bitnami") => &ALL[3..],
        _ => &ALL,
    }
}

/// ZooKeeper's clientPort where its file names none.
const CLIENT_PORT: u16 = 2181;

/// The node that these words start; nothing for any other program.
pub(crate) fn of_command_line(words: &[String]) -> Option<Running> {
    let program = Path::new(words.first()?).file_name()?.to_str()?;
    let linked = program.strip_suffix(".sh").unwrap_or(program);
    let (command, rest) = match linked {
        "gregor" => words.get(1..)?.split_first()?,
        _ => (words.first()?, words.get(1..)?),
    };
    let command = Path::new(command).file_name()?.to_str()?;
    match command.strip_suffix(".sh").unwrap_or(command) {
        "kafka-server-start" => node(rest),
        "zookeeper-server-start" => {
            let file = rest.iter().find(|word| !word.starts_with('-'))?;
            Some(Running::ZooKeeper { file: file.into() })
        }
        "container" => match rest.split_first()? {
            (command, rest) if matches!(command.as_str(), "launch" | "run") => {
                Some(Running::Container { dialect: option(rest, "--dialect") })
            }
            _ => None,
        },
        _ => None,
    }
}

fn node(words: &[String]) -> Option<Running> {
    let mut file = None;
    let mut overrides = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.split_once('=') {
            _ if word == "--override" => overrides.extend(words.next().cloned()),
            Some(("--override", setting)) => overrides.push(setting.to_owned()),
            _ if word.starts_with('-') => {}
            _ => file = file.or(Some(PathBuf::from(word))),
        }
    }
    file.map(|file| Running::Node { file, overrides })
}

fn option(words: &[String], name: &str) -> Option<String> {
    let place = words.iter().position(|word| word == name);
    let behind = place.and_then(|place| words.get(place + 1)).cloned();
    let joined = || words.iter().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    behind.or_else(|| joined().map(str::to_owned))
}

/// What to ask a node that runs with these properties. A node of both roles is asked as a broker.
pub(crate) fn ask_node(properties: &Properties) -> Result<Question, NoQuestion> {
    let (config, _) = BrokerConfig::from_properties(properties)?;
    let id = config.node_id;
    let between_brokers =
        |name: &str| name.eq_ignore_ascii_case(&config.inter_broker_listener_name);
    let listeners =
        if config.process_roles.broker { &config.listeners } else { &config.controller_listeners };
    let listener = listeners.iter().find(|endpoint| between_brokers(&endpoint.listener));
    let listener = listener.or(listeners.first()).ok_or(NoQuestion::NoListener)?;
    let (host, port) = (reachable(listener.host.as_deref()), listener.port);
    Ok(if config.process_roles.broker {
        Question::Broker { id, host, port }
    } else {
        Question::Controller { id, host, port }
    })
}

/// What to ask a ZooKeeper service that runs with this file.
pub(crate) fn ask_zookeeper(properties: &Properties) -> Result<Question, NoQuestion> {
    let port = match properties.get("clientPort").map(str::trim) {
        None => CLIENT_PORT,
        Some(port) => port.parse().map_err(|_| NoQuestion::ClientPort(port.to_owned()))?,
    };
    let host = reachable(properties.get("clientPortAddress").map(str::trim));
    Ok(Question::ZooKeeper { host, port })
}

/// A socket that listens on every address is reached at loopback.
fn reachable(host: Option<&str>) -> String {
    match host {
        None | Some("" | "0.0.0.0") => "127.0.0.1".to_owned(),
        Some("::") => "::1".to_owned(),
        Some(host) => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    fn running(line: &str) -> Option<Running> {
        of_command_line(&words(line))
    }

    fn node_of(file: &str, overrides: &[&str]) -> Running {
        let overrides = overrides.iter().map(|setting| (*setting).to_owned()).collect();
        Running::Node { file: file.into(), overrides }
    }

    #[test]
    fn a_node_is_found_by_the_words_that_started_it() {
        for line in [
            "gregor kafka-server-start /etc/k.properties",
            "/opt/kafka/bin/kafka-server-start.sh /etc/k.properties",
            "/usr/bin/gregor /opt/kafka/bin/kafka-server-start.sh -daemon /etc/k.properties",
        ] {
            assert_eq!(running(line), Some(node_of("/etc/k.properties", &[])), "{line}");
        }
        assert_eq!(
            running("kafka-server-start --override a=1 f --override=b=x=y"),
            Some(node_of("f", &["a=1", "b=x=y"]))
        );
    }

    #[test]
    fn other_programs_and_other_commands_are_no_node() {
        for line in [
            "bash /etc/confluent/docker/run",
            "gregor",
            "gregor container configure --dialect apache",
            "gregor container health",
            "gregor kafka-topics --list",
            "kafka-server-start",
            "sleep 1",
        ] {
            assert_eq!(running(line), None, "{line}");
        }
    }

    #[test]
    fn a_launched_container_says_its_dialect_or_none() {
        let container = |dialect: Option<&str>| {
            Some(Running::Container { dialect: dialect.map(str::to_owned) })
        };
        assert_eq!(running("gregor container run"), container(None));
        let line = "gregor container launch --dialect bitnami";
        assert_eq!(running(line), container(Some("bitnami")));
        let line = "/usr/bin/gregor container run --dialect=apache A=b";
        assert_eq!(running(line), container(Some("apache")));
    }

    fn properties(lines: &str) -> Properties {
        Properties::parse(lines.as_bytes()).unwrap()
    }

    #[test]
    fn a_broker_is_asked_where_brokers_reach_it() {
        let broker = "process.roles=broker\nnode.id=4\ncontroller.quorum.voters=9@c:9093\n\
            controller.listener.names=C\nlisteners=OUT://:9092,IN://:19092\n\
            advertised.listeners=OUT://example.org:9092,IN://k4:19092\n\
            listener.security.protocol.map=C:PLAINTEXT,OUT:PLAINTEXT,IN:PLAINTEXT\n\
            inter.broker.listener.name=IN\n";
        let host = "127.0.0.1".to_owned();
        let expected = Question::Broker { id: 4, host, port: 19092 };
        assert_eq!(ask_node(&properties(broker)).unwrap(), expected);
    }

    #[test]
    fn a_controller_alone_is_asked_at_its_own_listener() {
        let controller = "process.roles=controller\nnode.id=9\ncontroller.quorum.voters=9@c:9093\n\
            controller.listener.names=CONTROLLER\nlisteners=CONTROLLER://c:9093\n";
        let expected = Question::Controller { id: 9, host: "c".to_owned(), port: 9093 };
        assert_eq!(ask_node(&properties(controller)).unwrap(), expected);
    }

    #[test]
    fn the_zookeeper_service_is_asked_at_its_client_port() {
        let asked = |lines: &str| ask_zookeeper(&properties(lines));
        let at = |host: &str, port| Question::ZooKeeper { host: host.to_owned(), port };
        assert_eq!(asked("dataDir=/x\n").unwrap(), at("127.0.0.1", 2181));
        let lines = "clientPort=2182\nclientPortAddress=zk\n";
        assert_eq!(asked(lines).unwrap(), at("zk", 2182));
        assert!(matches!(asked("clientPort=x\n"), Err(NoQuestion::ClientPort(_))));
    }
}
