//! An answer of HTTP/1.1 (RFC 9112) to a request after which the connection is over.

/// What a server said.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    /// The header `Retry-After` (RFC 9110, section 10.2.3) where it is in seconds.
    pub retry_after_seconds: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the answer is no HTTP: {0}")]
pub struct Malformed(&'static str);

/// The answer, once it is whole. `is_over`: nothing follows what was read.
pub(super) fn read(bytes: &[u8], is_over: bool) -> Result<Option<Answer>, Malformed> {
    let cut_off = || if is_over { Err(Malformed("it is cut off")) } else { Ok(None) };
    let Some((head, rest)) = split(bytes, b"\r\n\r\n") else { return cut_off() };
    let head = std::str::from_utf8(head).map_err(|_| Malformed("its head is no text"))?;
    let mut lines = head.split("\r\n");
    let status = status(lines.next().unwrap_or_default())?;
    if (100..200).contains(&status) {
        return read(rest, is_over);
    }
    let (mut length, mut is_chunked, mut retry_after_seconds) = (None, false, None);
    for line in lines {
        let (name, value) = line.split_once(':').ok_or(Malformed("a header has no name"))?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("content-length") {
            let bytes = value.parse().map_err(|_| Malformed("its length is no number"))?;
            if length.replace(bytes).is_some_and(|other: usize| other != bytes) {
                return Err(Malformed("it has two lengths"));
            }
        }
        if name.eq_ignore_ascii_case("transfer-encoding") {
            if !value.eq_ignore_ascii_case("chunked") {
                return Err(Malformed("its encoding is not known"));
            }
            is_chunked = true;
        }
        if name.eq_ignore_ascii_case("retry-after") {
            retry_after_seconds = value.parse().ok();
        }
    }
    let body = match (is_chunked, length) {
        (true, _) => chunks(rest)?,
        (false, Some(length)) => rest.get(..length).map(<[u8]>::to_vec),
        (false, None) => is_over.then(|| rest.to_vec()),
    };
    body.map_or_else(cut_off, |body| Ok(Some(Answer { status, body, retry_after_seconds })))
}

fn split<'a>(bytes: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = bytes.windows(mark.len()).position(|window| window == mark)?;
    Some((&bytes[..at], &bytes[at + mark.len()..]))
}

fn status(line: &str) -> Result<u16, Malformed> {
    let rest = line.strip_prefix("HTTP/1.").ok_or(Malformed("it begins otherwise"))?;
    let digits = rest.split(' ').nth(1).filter(|digits| digits.len() == 3);
    let status = digits.and_then(|digits| digits.parse().ok());
    status.ok_or(Malformed("it has no status"))
}

/// The chunks put together; nothing where the last is not there yet.
fn chunks(mut bytes: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
    let mut body = Vec::new();
    loop {
        let Some((line, rest)) = split(bytes, b"\r\n") else { return Ok(None) };
        let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
        let length = std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| usize::from_str_radix(digits.trim(), 16).ok())
            .ok_or(Malformed("a chunk has no length"))?;
        if length == 0 {
            return Ok(Some(body));
        }
        let Some(chunk) = rest.get(..length) else { return Ok(None) };
        body.extend_from_slice(chunk);
        bytes = match rest[length..].get(..2) {
            None => return Ok(None),
            Some(b"\r\n") => &rest[length + 2..],
            Some(_) => return Err(Malformed("a chunk does not end where it says")),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(bytes: &[u8]) -> (u16, Vec<u8>) {
        let answer = read(bytes, true).unwrap().unwrap();
        (answer.status, answer.body)
    }

    #[test]
    fn bodies_end_by_length_by_chunks_or_with_the_connection() {
        let by_length = b"HTTP/1.1 200 OK\r\ncontent-Length: 4\r\n\r\nbody and more";
        let by_chunks = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n\
            3;x=y\r\nbod\r\n1\r\ny\r\n0\r\n\r\n";
        let by_end = b"HTTP/1.0 200 OK\r\nA: b\r\n\r\nbody";
        let continued =
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200\r\nContent-Length:4\r\n\r\nbody";
        for bytes in [&by_length[..], by_chunks, by_end, continued] {
            assert_eq!(whole(bytes), (200, b"body".to_vec()), "{}", String::from_utf8_lossy(bytes));
        }
        assert_eq!(whole(b"HTTP/1.1 404 Not Found\r\n\r\n"), (404, Vec::new()));
        for cut in 0..by_chunks.len() - 2 {
            let (part, is_whole) = (&by_chunks[..cut], cut >= by_chunks.len() - 2);
            assert_eq!(read(part, false).unwrap().is_some(), is_whole, "{cut}");
            assert!(read(part, true).is_err(), "{cut}");
        }
        assert_eq!(read(by_end, false), Ok(None));
    }

    #[test]
    fn a_server_says_when_to_come_again() {
        for (line, seconds) in [
            ("Retry-After: 7\r\n", Some(7)),
            ("Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n", None),
            ("", None),
        ] {
            let text = format!("HTTP/1.1 429 Too Many Requests\r\n{line}Content-Length: 0\r\n\r\n");
            let answer = read(text.as_bytes(), false).unwrap().unwrap();
            assert_eq!((answer.status, answer.retry_after_seconds), (429, seconds), "{line}");
        }
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        for bytes in [
            &b"HTTP/2 200 OK\r\n\r\n"[..],
            b"HTTP/1.1 2000 OK\r\n\r\n",
            b"HTTP/1.1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nno header\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n",
            b"\xff\r\n\r\n",
        ] {
            assert!(read(bytes, false).is_err(), "{}", String::from_utf8_lossy(bytes));
        }
    }
}
