//! `zk-ready`: waits until one server of a ZooKeeper ensemble serves.
//!
//! Asks with the four letters `srvr`, the one command that every ZooKeeper answers unasked, and
//! `ruok` where `srvr` is not allowed.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use super::{Failure, failed};

const PAUSE: Duration = Duration::from_millis(100);
/// A server that is asked has this long to answer.
const ANSWER: Duration = Duration::from_secs(2);
/// An answer is not longer than this.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// `connect` is `host:port,host:port/chroot`.
pub(super) fn wait(connect: &str, within: Duration) -> Result<(), Failure> {
    let began = Instant::now();
    let servers = servers(connect);
    loop {
        if servers.iter().any(|server| is_serving(server)) {
            return Ok(());
        }
        if began.elapsed() + PAUSE >= within {
            return Err(failed(format!("Timed out waiting for ZooKeeper at {connect}.")));
        }
        std::thread::sleep(PAUSE);
    }
}

/// The servers of a connect string; a port that is left out is 2181.
fn servers(connect: &str) -> Vec<String> {
    let servers = connect.split('/').next().unwrap_or_default();
    let servers = servers.split(',').map(str::trim).filter(|server| !server.is_empty());
    let with_port = |server: &str| match server.rsplit_once(':') {
        Some((_, port)) if port.parse::<u16>().is_ok() => server.to_owned(),
        _ => format!("{server}:2181"),
    };
    servers.map(with_port).collect()
}

fn is_serving(server: &str) -> bool {
    ask(server, b"srvr").is_some_and(|answer| answer.starts_with("Zookeeper version"))
        || ask(server, b"ruok").is_some_and(|answer| answer == "imok")
}

fn ask(server: &str, word: &[u8; 4]) -> Option<String> {
    let addresses = server.to_socket_addrs().ok()?;
    for address in addresses {
        let Ok(mut stream) = TcpStream::connect_timeout(&address, ANSWER) else { continue };
        stream.set_read_timeout(Some(ANSWER)).ok()?;
        stream.write_all(word).ok()?;
        let mut answer = Vec::new();
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).ok()?;
        return Some(String::from_utf8_lossy(&answer).into_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_connect_string_names_servers() {
        assert_eq!(servers("a:1, b,c:3/kafka"), ["a:1", "b:2181", "c:3"]);
    }

    #[test]
    fn a_server_that_says_imok_is_ready_and_one_that_is_silent_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let server = std::thread::spawn(move || {
            for stream in listener.incoming().take(2) {
                let mut stream = stream.unwrap();
                let mut word = [0; 4];
                stream.read_exact(&mut word).unwrap();
                let answer: &[u8] = if &word == b"ruok" { b"imok" } else { b"not allowed" };
                stream.write_all(answer).unwrap();
            }
        });
        assert_eq!(wait(&address, Duration::from_secs(5)), Ok(()));
        server.join().unwrap();
        assert!(wait(&address, Duration::from_millis(200)).is_err());
    }
}
