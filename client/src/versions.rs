//! What the other node speaks, as its ApiVersions answer says.

use std::ops::RangeInclusive;

use protocol::ErrorCode;
use protocol::api::ApiKey;
use protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use protocol::wire::{Decodable, StrBytes};

#[derive(Debug, Default)]
pub(super) struct Versions {
    ranges: Vec<(i16, RangeInclusive<i16>)>,
}

impl Versions {
    pub(super) fn of(response: &ApiVersionsResponse) -> Self {
        let ranges = response.api_keys.iter();
        Self {
            ranges: ranges.map(|api| (api.api_key, api.min_version..=api.max_version)).collect(),
        }
    }

    /// The newest version of `own` that the other side speaks too.
    pub(super) fn newest_of(&self, key: i16, own: &RangeInclusive<i16>) -> Option<i16> {
        let (_, theirs) = self.ranges.iter().find(|(known, _)| *known == key)?;
        let newest = *theirs.end().min(own.end());
        (newest >= *theirs.start() && newest >= *own.start()).then_some(newest)
    }
}

pub(super) fn question() -> ApiVersionsRequest {
    ApiVersionsRequest::default()
        .with_client_software_name(StrBytes::from_static_str("gregor"))
        .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")))
}

/// What the answer to a question at `version` says.
pub(super) enum VersionsAnswer {
    Versions(Versions),
    /// The other side is older: ask at this version.
    AskAt(i16),
}

pub(super) fn answer(body: &bytes::Bytes, version: i16) -> Result<VersionsAnswer, String> {
    let unsupported = ErrorCode::UnsupportedVersion.code();
    let code = body.first_chunk::<2>().map_or(0, |code| i16::from_be_bytes(*code));
    // Who does not know the version answers in version 0.
    let spoken = if code == unsupported { 0 } else { version };
    let decoded = ApiVersionsResponse::decode(&mut body.clone(), spoken);
    let response = decoded.map_err(|error| format!("ApiVersions v{spoken}: {error}"))?;
    let versions = Versions::of(&response);
    match response.error_code {
        0 => Ok(VersionsAnswer::Versions(versions)),
        code if code == unsupported && version > 0 => {
            let own = 0..=version - 1;
            let older = versions.newest_of(ApiKey::ApiVersions as i16, &own);
            Ok(VersionsAnswer::AskAt(older.unwrap_or(0)))
        }
        code => Err(format!("ApiVersions failed with error code {code}")),
    }
}
