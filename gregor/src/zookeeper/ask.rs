//! Asking whoever listens at an address of zookeeper.connect by a four-letter word.
//!
//! Our own service answers `greg`; a real ZooKeeper takes that for a length and closes the
//! connection, but answers `srvr`, if only to say that it may not (docs/decisions/0221).

use std::time::Duration;

use config::{Address, Properties};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long one question may take, from the name's look-up to the last byte.
const WITHIN: Duration = Duration::from_secs(2);
/// More than any answer is long.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// Who is at an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// Our service.
    Service(Greeting),
    /// A ZooKeeper, with the line that tells so.
    RealZooKeeper(String),
    /// Somebody who is neither.
    Stranger,
    /// Nobody, and why.
    Nobody(String),
}

/// What our service says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Greeting {
    pub(super) cluster_id: String,
    pub(super) node_id: i32,
    pub(super) voters: Vec<(i32, Address)>,
    /// The chroot that it serves.
    pub(super) chroot: String,
}

/// Finds out who is there; a service is told the chroot that is wanted.
pub(super) async fn who_is_at(address: &Address, chroot: &str) -> Found {
    let greeting = match ask(address, &format!("greg{chroot}\n")).await {
        Ok(answer) => answer,
        Err(error) => return Found::Nobody(error.to_string()),
    };
    if let Some(greeting) = read_greeting(&greeting) {
        return Found::Service(greeting);
    }
    match ask(address, "srvr").await.map(|answer| real_zookeeper(&answer)) {
        Ok(Some(line)) => Found::RealZooKeeper(line),
        Ok(None) | Err(_) => Found::Stranger,
    }
}

/// Asks for an id that no broker has; none where another server leads, or nobody does.
pub(super) async fn draw_id(address: &Address) -> Option<i32> {
    let answer = ask(address, "brid").await.ok()?;
    let id = answer.lines().find_map(|line| line.strip_prefix("broker.id="))?;
    id.parse().ok()
}

/// What stands at a path of the service's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Znode {
    /// None where ZooKeeper shows `null`.
    pub(super) data: Option<String>,
    pub(super) children: Vec<String>,
}

/// What became of a look at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Looked {
    Found(Znode),
    NoNode,
    /// Who listens is not our service.
    Stranger,
    /// Nobody listens, or nobody leads the service.
    Nobody,
}

/// Asks our service for what stands at a path.
pub(super) async fn look(address: &Address, path: &str) -> Looked {
    match ask(address, &format!("znod{path}\n")).await {
        Ok(answer) => read_znode(&answer),
        Err(_) => Looked::Nobody,
    }
}

fn read_znode(answer: &str) -> Looked {
    if answer.starts_with("This ZooKeeper instance is not currently serving requests") {
        return Looked::Nobody;
    }
    let Some((_, lines)) = answer.strip_prefix("gregor-").and_then(|rest| rest.split_once('\n'))
    else {
        return Looked::Stranger;
    };
    let mut lines = lines.lines();
    match lines.next() {
        Some("znode=found") => {}
        Some("znode=none") => return Looked::NoNode,
        _ => return Looked::Stranger,
    }
    let lines = lines.collect::<Vec<_>>();
    let of_kind = |kind: &str| {
        let values = lines.iter().filter_map(|line| line.strip_prefix(kind));
        values.map(str::to_owned).collect::<Vec<_>>()
    };
    Looked::Found(Znode { data: of_kind("data=").pop(), children: of_kind("child=") })
}

/// What comes back before the other side closes. Having no answer is an error only where nobody
/// accepts the connection.
async fn ask(address: &Address, word: &str) -> std::io::Result<String> {
    let timed_out = || std::io::Error::from(std::io::ErrorKind::TimedOut);
    let mut stream =
        tokio::time::timeout(WITHIN, connect(address)).await.map_err(|_| timed_out())??;
    let mut answer = Vec::new();
    let talk = async {
        stream.write_all(word.as_bytes()).await?;
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await
    };
    // A connection that is reset, or says nothing, has said what it had to say.
    let _ = tokio::time::timeout(WITHIN, talk).await;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The first address of the host that answers, IPv4 before IPv6 as a JVM does.
async fn connect(address: &Address) -> std::io::Result<TcpStream> {
    let address = client::Address { host: address.host.clone(), port: address.port };
    client::probe::connect(&address).await
}

fn read_greeting(answer: &str) -> Option<Greeting> {
    let rest = answer.strip_prefix("gregor-")?;
    let (_, lines) = rest.split_once('\n')?;
    let properties = Properties::parse(lines.as_bytes()).ok()?;
    let voters = properties.get("controller.quorum.voters")?.split(',').map(read_voter);
    Some(Greeting {
        cluster_id: properties.get("cluster.id")?.to_owned(),
        node_id: properties.get("node.id")?.parse().ok()?,
        voters: voters.collect::<Option<_>>()?,
        chroot: properties.get("chroot").unwrap_or_default().to_owned(),
    })
}

fn read_voter(entry: &str) -> Option<(i32, Address)> {
    let (id, address) = entry.split_once('@')?;
    let (host, port) = address.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    Some((id.parse().ok()?, Address { host, port: port.parse().ok()? }))
}

/// The line by which a ZooKeeper shows itself.
fn real_zookeeper(answer: &str) -> Option<String> {
    const SIGNS: [&str; 3] =
        ["Zookeeper version:", "is not in the whitelist", "This ZooKeeper instance"];
    let mut lines = answer.lines();
    lines.find(|line| SIGNS.iter().any(|sign| line.contains(sign))).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_is_read_and_nothing_else_is_one() {
        let said = "gregor-0.1.0\ncluster.id=abc\nnode.id=2000000002\nchroot=/kafka\n\
                    controller.quorum.voters=2000000001@a:2181,2000000002@[::1]:2182\n";
        let voters = vec![
            (2_000_000_001, Address { host: "a".to_owned(), port: 2181 }),
            (2_000_000_002, Address { host: "::1".to_owned(), port: 2182 }),
        ];
        let expected = Greeting {
            cluster_id: "abc".to_owned(),
            node_id: 2_000_000_002,
            voters,
            chroot: "/kafka".to_owned(),
        };
        assert_eq!(read_greeting(said), Some(expected));
        for other in ["", "imok", "gregor-0.1.0\n", "Zookeeper version: 3.8.4\ncluster.id=abc\n"] {
            assert_eq!(read_greeting(other), None, "{other}");
        }
    }

    #[test]
    fn a_path_is_read_line_by_line() {
        let node = |data: Option<&str>, children: &[&str]| {
            let children = children.iter().map(|child| (*child).to_owned()).collect();
            Looked::Found(Znode { data: data.map(str::to_owned), children })
        };
        let table = [
            ("gregor-1\nznode=found\ndata={\"a\":1}\n", node(Some("{\"a\":1}"), &[])),
            ("gregor-1\nznode=found\nchild=a\nchild=b\n", node(None, &["a", "b"])),
            ("gregor-1\nznode=found\ndata=\n", node(Some(""), &[])),
            ("gregor-1\nznode=none\n", Looked::NoNode),
            ("This ZooKeeper instance is not currently serving requests\n", Looked::Nobody),
            ("HTTP/1.1 400 Bad Request\r\n", Looked::Stranger),
            ("", Looked::Stranger),
        ];
        for (answer, expected) in table {
            assert_eq!(read_znode(answer), expected, "{answer}");
        }
    }

    #[test]
    fn a_zookeeper_shows_itself_even_where_it_may_not_answer() {
        let table = [
            ("Zookeeper version: 3.8.4-9316c2a7, built on 2024-02-12\nLatency: 0\n", true),
            ("srvr is not executed because it is not in the whitelist.\n", true),
            ("This ZooKeeper instance is not currently serving requests\n", true),
            ("HTTP/1.1 400 Bad Request\r\n", false),
            ("", false),
        ];
        for (answer, is_real) in table {
            assert_eq!(real_zookeeper(answer).is_some(), is_real, "{answer}");
        }
    }
}
