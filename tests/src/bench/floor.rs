//! The floor: what no broker can leave out, and nothing else.
//!
//! Writing: receive at most 1 MiB at a time and not past a frame (the next is expected to be as
//! long as the last), CRC32C over it, append it to files of 1 GiB, answer each frame with 60 bytes.
//! So a small request is one receive, one write and one send; a broker that takes several requests
//! from one receive may honestly be cheaper. Reading: for each frame that comes, send 1 MiB of each
//! of eight cached files by sendfile. It looks at a frame's length and correlation id alone, keeps
//! no index, no offset and no state.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use super::BenchError;

const BUFFER_BYTES: usize = 1024 * 1024;
const FILE_BYTES: u64 = 1024 * 1024 * 1024;
const ANSWER_BYTES: usize = 60;
/// Length, key, version and correlation id.
const HEAD_BYTES: usize = 12;
const READ_FILES: u64 = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FloorMode {
    Write,
    /// From files that hold so many bytes together.
    Sendfile(u64),
}

/// Serves connections until the process ends.
pub fn serve(listener: &TcpListener, dir: &Path, mode: FloorMode) -> Result<(), BenchError> {
    std::fs::create_dir_all(dir)?;
    for index in 0_u64.. {
        let (stream, _) = listener.accept()?;
        stream.set_nodelay(true)?;
        let dir = dir.to_owned();
        std::thread::spawn(move || {
            let served = match mode {
                FloorMode::Write => {
                    Writer::new(&dir, index).and_then(|writer| writer.serve(stream))
                }
                FloorMode::Sendfile(bytes) => send_files(stream, &dir, bytes),
            };
            if let Err(error) = served {
                eprintln!("floor: connection {index}: {error}");
            }
        });
    }
    Ok(())
}

/// Makes the files that reading connections send, and so puts them into the page cache.
pub fn fill(dir: &Path, bytes: u64) -> Result<(), BenchError> {
    std::fs::create_dir_all(dir)?;
    let block = vec![0x5a; BUFFER_BYTES];
    for index in 0..READ_FILES {
        let mut file = File::create(read_file(dir, index))?;
        for _ in 0..bytes.div_ceil(READ_FILES).div_ceil(BUFFER_BYTES as u64) {
            file.write_all(&block)?;
        }
    }
    Ok(())
}

fn read_file(dir: &Path, index: u64) -> PathBuf {
    dir.join(format!("read-{index}"))
}

struct Writer {
    dir: PathBuf,
    index: u64,
    file: File,
    files: u64,
    written: u64,
    crc: u32,
}

impl Writer {
    fn new(dir: &Path, index: u64) -> Result<Self, BenchError> {
        let file = File::create(dir.join(format!("write-{index}-0")))?;
        Ok(Self { dir: dir.to_owned(), index, file, files: 1, written: 0, crc: 0 })
    }

    fn serve(mut self, mut stream: TcpStream) -> Result<(), BenchError> {
        let mut buffer = vec![0; BUFFER_BYTES];
        let (mut kept, mut remaining, mut frame) = (0, 0, HEAD_BYTES);
        let mut correlation_id = [0; 4];
        loop {
            let due = if remaining > 0 { remaining } else { frame - kept };
            let read = stream.read(&mut buffer[kept..BUFFER_BYTES.min(kept + due)])?;
            if read == 0 {
                return Ok(());
            }
            let filled = kept + read;
            let mut at = 0;
            while at < filled {
                if remaining == 0 {
                    let Some(head) = buffer[at..filled].first_chunk::<HEAD_BYTES>() else {
                        break;
                    };
                    remaining = body_bytes(head)?;
                    frame = HEAD_BYTES + remaining;
                    correlation_id.copy_from_slice(&head[8..]);
                    at += HEAD_BYTES;
                }
                let chunk = remaining.min(filled - at);
                self.append(&buffer[at..at + chunk])?;
                at += chunk;
                remaining -= chunk;
                if remaining == 0 {
                    stream.write_all(&answer(correlation_id))?;
                }
            }
            buffer.copy_within(at..filled, 0);
            kept = filled - at;
        }
    }

    fn append(&mut self, chunk: &[u8]) -> Result<(), BenchError> {
        self.crc = crc32c::crc32c_append(self.crc, chunk);
        std::hint::black_box(self.crc);
        self.file.write_all(chunk)?;
        self.written += chunk.len() as u64;
        if self.written >= FILE_BYTES {
            let path = self.dir.join(format!("write-{}-{}", self.index, self.files));
            self.file = File::create(path)?;
            self.files += 1;
            self.written = 0;
        }
        Ok(())
    }
}

/// What follows a frame's head; at least one byte, as every request of the load has.
fn body_bytes(head: &[u8; HEAD_BYTES]) -> Result<usize, BenchError> {
    let length = i32::from_be_bytes([head[0], head[1], head[2], head[3]]);
    usize::try_from(length)
        .ok()
        .and_then(|length| length.checked_sub(HEAD_BYTES - 4))
        .filter(|body| *body > 0)
        .ok_or_else(|| BenchError::Garbled { api: "frame", why: format!("length {length}") })
}

fn answer(correlation_id: [u8; 4]) -> [u8; ANSWER_BYTES] {
    let mut answer = [0; ANSWER_BYTES];
    answer[..4].copy_from_slice(&(ANSWER_BYTES as i32 - 4).to_be_bytes());
    answer[4..8].copy_from_slice(&correlation_id);
    answer
}

fn send_files(mut stream: TcpStream, dir: &Path, bytes: u64) -> Result<(), BenchError> {
    let open = |index| File::open(read_file(dir, index));
    let files = (0..READ_FILES).map(open).collect::<Result<Vec<_>, _>>()?;
    let end = bytes.div_ceil(READ_FILES).div_ceil(BUFFER_BYTES as u64) * BUFFER_BYTES as u64;
    let mut question = Vec::new();
    let mut offset = 0;
    loop {
        let mut head = [0; HEAD_BYTES];
        if stream.read(&mut head[..1])? == 0 {
            return Ok(());
        }
        stream.read_exact(&mut head[1..])?;
        question.resize(body_bytes(&head)?, 0);
        stream.read_exact(&mut question)?;
        let length = READ_FILES as i32 * BUFFER_BYTES as i32;
        stream.write_all(&length.to_be_bytes())?;
        for file in &files {
            let mut at = offset;
            while at < offset + BUFFER_BYTES as u64 {
                let left = (offset + BUFFER_BYTES as u64 - at) as usize;
                rustix::fs::sendfile(&stream, file, Some(&mut at), left)
                    .map_err(std::io::Error::from)?;
            }
        }
        offset = (offset + BUFFER_BYTES as u64) % end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, SocketAddr};

    fn started(dir: &Path, mode: FloorMode) -> SocketAddr {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let dir = dir.to_owned();
        std::thread::spawn(move || serve(&listener, &dir, mode));
        address
    }

    #[test]
    fn writing_keeps_every_body_and_answers_each_frame_with_its_id() {
        let dir = tempfile::tempdir().unwrap();
        let mut stream = TcpStream::connect(started(dir.path(), FloorMode::Write)).unwrap();
        for id in 1..=3_i32 {
            let mut frame = Vec::new();
            frame.extend_from_slice(&(8 + 5_i32).to_be_bytes());
            frame.extend_from_slice(&[0; 4]);
            frame.extend_from_slice(&id.to_be_bytes());
            frame.extend_from_slice(b"hello");
            stream.write_all(&frame).unwrap();
        }
        let mut answers = [0; 3 * ANSWER_BYTES];
        stream.read_exact(&mut answers).unwrap();
        assert_eq!(answers[2 * ANSWER_BYTES + 4..][..4], 3_i32.to_be_bytes());
        assert_eq!(std::fs::read(dir.path().join("write-0-0")).unwrap(), b"hellohellohello");
    }

    #[test]
    fn reading_sends_one_mebibyte_of_each_file() {
        let dir = tempfile::tempdir().unwrap();
        fill(dir.path(), 8 * BUFFER_BYTES as u64).unwrap();
        let mode = FloorMode::Sendfile(8 * BUFFER_BYTES as u64);
        let mut stream = TcpStream::connect(started(dir.path(), mode)).unwrap();
        for _ in 0..2 {
            stream.write_all(&[0, 0, 0, 9, 0, 1, 0, 12, 0, 0, 0, 1, 0]).unwrap();
            let mut answer = vec![0; 4 + 8 * BUFFER_BYTES];
            stream.read_exact(&mut answer).unwrap();
            assert_eq!(answer[..4], (8 * BUFFER_BYTES as i32).to_be_bytes());
            assert!(answer[4..].iter().all(|byte| *byte == 0x5a));
        }
    }
}
