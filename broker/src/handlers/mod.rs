//! One file per API: check, call, map. A handler decides nothing that a core could decide.

use std::sync::Arc;

use bytes::Bytes;
use protocol::api::ApiKey;

use crate::broker::Broker;
use crate::context::RequestContext;
use crate::dispatch::serve;
use crate::net::connection::{Later, Reply};

pub(crate) mod api_versions;
pub(crate) mod fetch;
pub(crate) mod list_offsets;
pub(crate) mod metadata;
pub(crate) mod produce;

/// Hands the request to the handler of its API. Every API that `protocol::api` says is served has its
/// line here; the test `every_served_api_has_its_handler` compares.
pub(crate) fn route(broker: Arc<Broker>, context: RequestContext, body: Bytes) -> Later {
    let context = Arc::new(context);
    macro_rules! call {
        ($handler:path) => {{
            let context_of_call = Arc::clone(&context);
            serve(&context, body, move |request| async move {
                $handler(&broker, &context_of_call, request).await
            })
        }};
    }
    match context.api.key {
        ApiKey::ApiVersions => call!(api_versions::handle),
        ApiKey::Fetch => fetch::begin(broker, context, body),
        ApiKey::ListOffsets => call!(list_offsets::handle),
        ApiKey::Metadata => call!(metadata::handle),
        other => {
            let why = format!("{other:?} has no handler");
            Box::pin(std::future::ready(Reply::Close(why)))
        }
    }
}
