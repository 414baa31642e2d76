//! A connection of a member: one request at a time, on the runtime that all members share.

use std::net::SocketAddr;

use bytes::Bytes;
use protocol::messages::ApiVersionsRequest;
use protocol::wire::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::super::super::BenchError;
use super::super::super::wire::{decode, encode};

pub(super) struct Line {
    stream: TcpStream,
    correlation_id: i32,
}

impl Line {
    /// Connected, accepted and answered once.
    pub(super) async fn open(address: SocketAddr) -> Result<Self, BenchError> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut line = Self { stream, correlation_id: 0 };
        line.call("ApiVersions", 0, &ApiVersionsRequest::default()).await?;
        Ok(line)
    }

    pub(super) async fn call<R: Request>(
        &mut self,
        api: &'static str,
        version: i16,
        request: &R,
    ) -> Result<R::Response, BenchError> {
        self.correlation_id += 1;
        self.stream.write_all(&encode(self.correlation_id, version, request)?).await?;
        let length = self.stream.read_i32().await?;
        let length = usize::try_from(length)
            .map_err(|_| BenchError::Garbled { api, why: format!("length {length}") })?;
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        decode::<R>(api, version, Bytes::from(body))
    }
}
