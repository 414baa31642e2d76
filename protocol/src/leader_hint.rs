//! Where a client that asked the wrong broker should go: the leader of a partition and the address
//! of its node, as Produce and Fetch answers carry them in tagged fields (KIP-951).

use bytes::{BufMut, BytesMut};

use crate::put;

/// The leader of a partition as far as the answering broker knows; -1 is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrentLeader {
    pub leader_id: i32,
    pub leader_epoch: i32,
}

impl CurrentLeader {
    pub const UNKNOWN: Self = Self { leader_id: -1, leader_epoch: -1 };

    /// Bytes of its content: two numbers and no tagged fields.
    const SIZE: u32 = 9;

    pub(crate) fn put_tagged(self, out: &mut BytesMut, tag: u32) {
        put::varint(out, tag);
        put::varint(out, Self::SIZE);
        out.put_i32(self.leader_id);
        out.put_i32(self.leader_epoch);
        out.put_u8(0);
    }
}

/// The address of a node that leads one of the partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeEndpoint {
    pub node_id: i32,
    pub host: String,
    pub port: i32,
    pub rack: Option<String>,
}

/// The tagged fields at the end of an answer: none, or the endpoints under tag 0.
pub(crate) fn put_endpoints(out: &mut BytesMut, endpoints: &[NodeEndpoint]) -> Result<(), String> {
    if endpoints.is_empty() {
        out.put_u8(0);
        return Ok(());
    }
    let mut content = BytesMut::new();
    put::length(&mut content, true, endpoints.len())?;
    for endpoint in endpoints {
        content.put_i32(endpoint.node_id);
        put::string(&mut content, true, &endpoint.host)?;
        content.put_i32(endpoint.port);
        put::nullable_string(&mut content, true, endpoint.rack.as_deref())?;
        content.put_u8(0);
    }
    out.put_u8(1);
    put::varint(out, 0);
    put::varint(out, u32::try_from(content.len()).map_err(|_| put::TOO_LONG)?);
    out.put_slice(&content);
    Ok(())
}
