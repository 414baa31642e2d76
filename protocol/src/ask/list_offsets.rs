//! ListOffsets up to version 11, which may ask for the first offset that tiered storage lacks
//! (KIP-1023) and looks as version 10 does.

use bytes::{Bytes, BytesMut};

use super::{Ask, AskedApi};
use crate::api::ApiKey;
use crate::messages::{ListOffsetsRequest, ListOffsetsResponse};
use crate::wire::{Decodable, Encodable};

const NEWEST: i16 = 11;
const SAME: i16 = 10;

/// The request, asked at the newest version.
#[derive(Debug, Clone, PartialEq)]
pub struct ListOffsets(pub ListOffsetsRequest);

impl Ask for ListOffsets {
    type Answer = ListOffsetsResponse;

    fn api() -> Option<AskedApi> {
        Some(AskedApi { max_version: NEWEST, ..AskedApi::of(ApiKey::ListOffsets) })
    }

    fn write(&self, out: &mut BytesMut, version: i16) -> Result<(), String> {
        self.0.encode(out, version.min(SAME)).map_err(|cause| cause.to_string())
    }

    fn read(mut body: Bytes, version: i16) -> Result<Self::Answer, String> {
        ListOffsetsResponse::decode(&mut body, version.min(SAME)).map_err(|cause| cause.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_11_is_on_the_wire_what_version_10_is() {
        let asked = ListOffsets(ListOffsetsRequest::default().with_timeout_ms(7));
        let written = [SAME, NEWEST].map(|version| {
            let mut out = BytesMut::new();
            asked.write(&mut out, version).unwrap();
            out.freeze()
        });
        assert_eq!(written[0], written[1]);
        let mut older = BytesMut::new();
        asked.write(&mut older, SAME - 1).unwrap();
        assert_eq!(older.len() + 4, written[0].len(), "a timeout came with version 10");
        let mut answer = BytesMut::new();
        ListOffsetsResponse::default().encode(&mut answer, SAME).unwrap();
        assert_eq!(ListOffsets::read(answer.freeze(), NEWEST), Ok(ListOffsetsResponse::default()));
    }
}
