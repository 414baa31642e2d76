//! Waiting for a port, and asking an HTTP server whether a page is there.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use super::{Failure, failed};

const PAUSE: Duration = Duration::from_millis(100);
const CONNECT: Duration = Duration::from_secs(5);
/// A status line is not longer than this.
const STATUS_BYTES_MAX: u64 = 4096;

/// Waits until somebody listens.
pub(super) fn wait(host: &str, port: u16, within: Duration) -> Result<(), Failure> {
    connect(host, port, within).map(drop)
}

/// Waits until the server listens, and asks once: a status of 2xx is what is wanted.
pub(super) fn wait_for_page(url: &str, within: Duration) -> Result<(), Failure> {
    let rest = url.strip_prefix("http://").ok_or_else(|| match url.starts_with("https://") {
        true => failed("https is not served: this tool speaks plain HTTP alone."),
        false => failed(format!("URL {url} is malformed.")),
    })?;
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "80"));
    let malformed = |_| failed(format!("URL {url} is malformed."));
    let port = port.parse().map_err(malformed)?;
    let stream = connect(host, port, within)
        .map_err(|_| failed(format!("{host} cannot be reached on port {port}.")))?;
    let status = status(stream, authority, path, within.max(CONNECT));
    let status = status.map_err(|error| failed(format!("No answer from {url}: {error}")))?;
    match status.split_whitespace().nth(1) {
        Some(code) if code.starts_with('2') => Ok(()),
        _ => Err(failed(format!("Unexpected response for {url}, with code: {}", status.trim()))),
    }
}

fn status(
    mut stream: TcpStream,
    authority: &str,
    path: &str,
    within: Duration,
) -> std::io::Result<String> {
    stream.set_read_timeout(Some(within))?;
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n")?;
    let mut line = String::new();
    BufReader::new(stream.take(STATUS_BYTES_MAX)).read_line(&mut line)?;
    Ok(line)
}

fn connect(host: &str, port: u16, within: Duration) -> Result<TcpStream, Failure> {
    let began = Instant::now();
    loop {
        for address in (host, port).to_socket_addrs().into_iter().flatten() {
            if let Ok(stream) = TcpStream::connect_timeout(&address, CONNECT) {
                return Ok(stream);
            }
        }
        if began.elapsed() + PAUSE >= within {
            return Err(failed(""));
        }
        std::thread::sleep(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_page_is_there_or_is_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            for stream in listener.incoming().take(2) {
                let mut stream = stream.unwrap();
                let reader = BufReader::new(stream.try_clone().unwrap());
                let lines = reader.lines().map(Result::unwrap);
                let request: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                let is_there = request.first().unwrap().starts_with("GET /yes ");
                let status = if is_there { "200 OK" } else { "404 Not Found" };
                stream.write_all(format!("HTTP/1.1 {status}\r\n\r\n").as_bytes()).unwrap();
            }
        });
        let second = Duration::from_secs(1);
        assert_eq!(wait_for_page(&format!("http://127.0.0.1:{port}/yes"), second), Ok(()));
        let absent = wait_for_page(&format!("http://127.0.0.1:{port}/no"), second);
        assert!(matches!(absent, Err(Failure::Failed(words)) if words.contains("404")));
        server.join().unwrap();
        assert!(wait("127.0.0.1", port, Duration::from_millis(150)).is_err());
        assert!(wait_for_page("ftp://a", second).is_err());
    }
}
