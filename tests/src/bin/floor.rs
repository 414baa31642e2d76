//! The floor as a process: see `tests::bench::floor`.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;

use clap::Parser;
use tests::bench::BenchError;
use tests::bench::floor::{FloorMode, fill, serve};

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    port: u16,
    /// Where it writes, or keeps the files it sends.
    #[arg(long)]
    dir: PathBuf,
    /// Send cached files of so many bytes together instead of writing.
    #[arg(long)]
    sendfile_bytes: Option<u64>,
}

fn main() -> Result<(), BenchError> {
    let arguments = Arguments::parse();
    let mode = match arguments.sendfile_bytes {
        Some(bytes) => {
            fill(&arguments.dir, bytes)?;
            FloorMode::Sendfile(bytes)
        }
        None => FloorMode::Write,
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, arguments.port))?;
    serve(&listener, &arguments.dir, mode)
}
