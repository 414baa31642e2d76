//! `nc`: whether somebody listens (`-z`), or stdin and stdout through a connection, as health
//! checks call it: `nc -z kafka 9092`, `echo ruok | nc -w 2 zookeeper 2181`.
//!
//! Answers to OpenBSD's netcat as far as clients of TCP go. Listening and UDP are refused.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::ops::RangeInclusive;
use std::time::Duration;

const USAGE: &str = "usage: nc [-vz] [-w seconds] [-q seconds] host port[-port]";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
struct Asked {
    only_looks: bool,
    is_verbose: bool,
    /// -w: how long to connect at most, and how long to wait for more.
    within: Option<Duration>,
    /// -q: how long to go on after stdin has ended.
    linger: Option<Duration>,
    host: String,
    ports: RangeInclusive<u16>,
}

/// Runs the tool; 0 where every port was reached.
pub(crate) fn run(arguments: &[String], out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    let asked = match read(arguments) {
        Ok(asked) => asked,
        Err(problem) => {
            let _ = writeln!(err, "nc: {problem}\n{USAGE}");
            return 1;
        }
    };
    let mut code = 1;
    for port in asked.ports.clone() {
        match connect(&asked.host, port, asked.within) {
            Ok(stream) => {
                code = 0;
                if asked.is_verbose {
                    let (host, service) = (&asked.host, "[tcp/*]");
                    let _ = writeln!(err, "Connection to {host} {port} port {service} succeeded!");
                }
                if !asked.only_looks {
                    return i32::from(pipe(stream, &asked, out).is_err());
                }
            }
            Err(error) => {
                code = if asked.only_looks { code } else { 1 };
                if asked.is_verbose || !asked.only_looks {
                    let (host, why) = (&asked.host, words(&error));
                    let _ = writeln!(err, "nc: connect to {host} port {port} (tcp) failed: {why}");
                }
            }
        }
    }
    code
}

fn read(arguments: &[String]) -> Result<Asked, String> {
    let (mut only_looks, mut is_verbose, mut within, mut linger) = (false, false, None, None);
    let mut operands = Vec::new();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            operands.push(word.as_str());
            continue;
        };
        let mut letters = letters.chars();
        while let Some(letter) = letters.next() {
            match letter {
                'z' => only_looks = true,
                'v' => is_verbose = true,
                // Numeric addresses, TCP, IPv4 or IPv6 and half-closed sockets: as it is.
                'n' | 't' | '4' | '6' | 'N' => {}
                'w' | 'q' => {
                    let attached = letters.as_str().to_owned();
                    letters = "".chars();
                    let value = match attached.is_empty() {
                        true => words.next().cloned(),
                        false => Some(attached),
                    };
                    let value = value
                        .ok_or_else(|| format!("option requires an argument -- '{letter}'"))?;
                    let wrong = |_| format!("timeout invalid: {value}");
                    // A negative -q means for ever, as does none.
                    let seconds: i64 = value.parse().map_err(wrong)?;
                    let seconds = u64::try_from(seconds).ok().map(Duration::from_secs);
                    match letter {
                        'w' => within = seconds,
                        _ => linger = seconds,
                    }
                }
                'l' | 'u' | 'U' => {
                    return Err(format!("-{letter} is not served: this nc is a client of TCP"));
                }
                other => return Err(format!("invalid option -- '{other}'")),
            }
        }
    }
    let [host, ports] = operands.as_slice() else {
        return Err("a host and a port are needed".to_owned());
    };
    Ok(Asked {
        only_looks,
        is_verbose,
        within: within.filter(|within| !within.is_zero()),
        linger,
        host: (*host).to_owned(),
        ports: range(ports)?,
    })
}

fn range(text: &str) -> Result<RangeInclusive<u16>, String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let port = |text: &str| {
        let port = text.parse::<u16>().ok().filter(|port| *port > 0);
        port.ok_or_else(|| format!("port number invalid: {text}"))
    };
    let (first, last) = (port(first)?, port(last)?);
    Ok(first.min(last)..=first.max(last))
}

/// Connects to the first address of the host that answers, IPv4 before IPv6.
fn connect(host: &str, port: u16, within: Option<Duration>) -> io::Result<TcpStream> {
    let mut addresses: Vec<_> = (host, port).to_socket_addrs()?.collect();
    addresses.sort_by_key(std::net::SocketAddr::is_ipv6);
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        let connected = match within {
            Some(within) => TcpStream::connect_timeout(&address, within),
            None => TcpStream::connect(address),
        };
        match connected {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

/// Sends stdin, says that nothing follows, and prints what comes back.
fn pipe(stream: TcpStream, asked: &Asked, out: &mut dyn Write) -> io::Result<()> {
    stream.set_read_timeout(asked.within)?;
    let mut to_server = stream.try_clone()?;
    let linger = asked.linger;
    std::thread::spawn(move || {
        let mut input = io::stdin().lock();
        let mut buffer = [0; 16 * 1024];
        while let Ok(count @ 1..) = input.read(&mut buffer) {
            if to_server.write_all(buffer.get(..count).unwrap_or_default()).is_err() {
                return;
            }
        }
        // A server that is told so ends its answer, and with it this program.
        let _ = to_server.shutdown(Shutdown::Write);
        if let Some(linger) = linger {
            std::thread::sleep(linger);
            let _ = to_server.shutdown(Shutdown::Both);
        }
    });
    let mut from_server = stream;
    let mut buffer = [0; 16 * 1024];
    loop {
        match from_server.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                out.write_all(buffer.get(..count).unwrap_or_default())?;
                out.flush()?;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Nothing came for the time of -w.
            Err(error) if is_timeout(&error) => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "Connection refused".to_owned(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "Connection timed out".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn words_of(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    fn nc(line: &str) -> (i32, String) {
        let mut err = Vec::new();
        let code = run(&words_of(line), &mut Vec::new(), &mut err);
        (code, String::from_utf8(err).unwrap())
    }

    #[test]
    fn letters_may_stand_together() {
        let asked = read(&words_of("-vzw2 -q 1 localhost 9092-9094")).unwrap();
        let expected = Asked {
            only_looks: true,
            is_verbose: true,
            within: Some(Duration::from_secs(2)),
            linger: Some(Duration::from_secs(1)),
            host: "localhost".to_owned(),
            ports: 9092..=9094,
        };
        assert_eq!(asked, expected);
        for wrong in ["-z localhost", "-z a 0", "-z a 1 2", "-l 1", "-x a 1", "-z a 1 -w"] {
            assert!(read(&words_of(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_port_is_open_or_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(nc(&format!("-z 127.0.0.1 {port}")), (0, String::new()));
        drop(listener);
        let (code, said) = nc(&format!("-zv -w 1 127.0.0.1 {port}"));
        let expected =
            format!("nc: connect to 127.0.0.1 port {port} (tcp) failed: Connection refused\n");
        assert_eq!((code, said), (1, expected));
    }
}
