//! The keys that tokens of OAUTHBEARER are signed with, from where the configuration says.
//!
//! ```text
//! file:    read again when it is asked for and has changed
//! https:   fetched by a task of its own: now, every refresh.ms, and soon after a token named a key
//!          that is not there, which each key may have done once a minute
//! ```
//! Kept true: keys that were there stay until others are read whole; nobody who logs in waits for a
//! network. Unlike Kafka a node starts though nobody answers at an https: URL, and believes no
//! token until somebody does. Kafka: `RefreshingHttpsJwks`, `JwksFileVerificationKeyResolver`.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use client::http;
use config::broker::JwksEndpoint;
use parking_lot::Mutex;
use security::sasl::oauthbearer::{Jwks, file_path};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::clock::monotonic;

const TARGET: &str =
    "org.apache.kafka.common.security.oauthbearer.internals.secured.RefreshingHttpsJwks";

/// For so long a key that was missed is not asked for again.
const MISSED_FOR: Duration = Duration::from_secs(60);
/// So many keys are known to be missed, and an id is no longer.
const MISSED_MAX: usize = 16;
const ID_BYTES_MAX: usize = 1000;

/// A set of keys that cannot be read when the node starts.
#[derive(Debug, thiserror::Error)]
#[error("sasl.oauthbearer.jwks.endpoint.url={url} cannot be used: {why}")]
pub struct JwksError {
    url: String,
    why: String,
}

/// All sets of keys of a node.
#[derive(Debug, Default)]
pub(crate) struct JwksEndpoints {
    by_url: HashMap<String, Arc<Endpoint>>,
}

#[derive(Debug)]
struct Endpoint {
    settings: JwksEndpoint,
    keys: ArcSwap<Jwks>,
    /// When the file was changed last.
    modified: Mutex<Option<SystemTime>>,
    /// A key was missed.
    refresh: Notify,
    missed: Mutex<HashMap<String, Duration>>,
}

impl JwksEndpoints {
    /// Reads what is in files; what is elsewhere comes with [`Self::start`].
    pub(crate) fn load<'a>(
        endpoints: impl Iterator<Item = &'a JwksEndpoint>,
    ) -> Result<Self, JwksError> {
        let mut by_url = HashMap::new();
        for settings in endpoints {
            let endpoint = Endpoint {
                settings: settings.clone(),
                keys: ArcSwap::default(),
                modified: Mutex::default(),
                refresh: Notify::new(),
                missed: Mutex::default(),
            };
            if let Some(path) = file_path(&settings.url) {
                let url = settings.url.clone();
                endpoint.read(&path).map_err(|why| JwksError { url, why })?;
            }
            by_url.insert(settings.url.clone(), Arc::new(endpoint));
        }
        Ok(Self { by_url })
    }

    /// Keeps fetching what is not in files, as long as the tasks are kept.
    pub(crate) fn start(&self) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        for endpoint in self.by_url.values() {
            if file_path(&endpoint.settings.url).is_none() {
                let endpoint = Arc::clone(endpoint);
                tasks.spawn(async move { endpoint.keep_fetching().await });
            }
        }
        tasks
    }

    /// The keys at this URL, as far as they are known.
    pub(crate) fn keys(&self, url: &str) -> Arc<Jwks> {
        let Some(endpoint) = self.by_url.get(url) else { return Arc::default() };
        if let Some(path) = file_path(url)
            && endpoint.has_changed(&path)
            && let Err(why) = endpoint.read(&path)
        {
            tracing::warn!(target: TARGET, "The keys of {url} stay as they were: {why}");
        }
        endpoint.keys.load_full()
    }

    /// A token named a key that is not there.
    pub(crate) fn missed(&self, url: &str, id: Option<&str>) {
        let Some(endpoint) = self.by_url.get(url) else { return };
        if endpoint.is_news(id.unwrap_or_default(), monotonic()) {
            endpoint.refresh.notify_one();
        }
    }
}

impl Endpoint {
    fn has_changed(&self, path: &str) -> bool {
        modified(path) != *self.modified.lock()
    }

    fn read(&self, path: &str) -> Result<(), String> {
        let mut last = self.modified.lock();
        *last = modified(path);
        let bytes = std::fs::read(Path::new(path)).map_err(|error| error.to_string())?;
        self.take(&bytes)
    }

    /// Goes on with these keys.
    fn take(&self, bytes: &[u8]) -> Result<(), String> {
        let keys = Jwks::parse(bytes).map_err(|error| error.to_string())?;
        self.keys.store(Arc::new(keys));
        Ok(())
    }

    /// Whether it was not known that this key is missed.
    fn is_news(&self, id: &str, now: Duration) -> bool {
        if id.len() > ID_BYTES_MAX {
            return false;
        }
        let mut missed = self.missed.lock();
        missed.retain(|_, until| *until > now);
        if missed.len() >= MISSED_MAX || missed.contains_key(id) {
            return false;
        }
        missed.insert(id.to_owned(), now + MISSED_FOR);
        true
    }

    async fn keep_fetching(&self) {
        let ms = |ms: i64| Duration::from_millis(u64::try_from(ms).unwrap_or(0));
        let JwksEndpoint { refresh_ms, retry_backoff_ms, retry_backoff_max_ms, url, .. } =
            &self.settings;
        let mut backoff = ms(*retry_backoff_ms);
        loop {
            match self.fetch().await {
                Ok(()) => {
                    let count = self.keys.load().len();
                    tracing::info!(target: TARGET, "OAuth JWKS refresh of {url}: {count} keys");
                    backoff = ms(*retry_backoff_ms);
                    tokio::select! {
                        () = tokio::time::sleep(ms(*refresh_ms)) => {}
                        () = self.refresh.notified() => {}
                    }
                }
                Err(why) => {
                    tracing::warn!(
                        target: TARGET,
                        "OAuth JWKS refresh of {url} encountered an error; the keys stay as they \
                         were: {why}",
                    );
                    tokio::time::sleep(backoff).await;
                    backoff =
                        (backoff * 2).min(ms(*retry_backoff_max_ms)).max(ms(*retry_backoff_ms));
                }
            }
        }
    }

    async fn fetch(&self) -> Result<(), String> {
        let context = http::trusting(&self.settings.ssl).map_err(|error| error.to_string())?;
        let fetched = http::fetch(&self.settings.url, &context).await;
        self.take(&fetched.map_err(|error| error.to_string())?)
    }
}

fn modified(path: &str) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|file| file.modified()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(url: String) -> JwksEndpoint {
        let (ssl, ms) = (Vec::new(), 1);
        JwksEndpoint { url, ssl, refresh_ms: ms, retry_backoff_ms: ms, retry_backoff_max_ms: ms }
    }

    const ONE: &str = r#"{"keys":[{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB"}]}"#;

    #[test]
    fn a_file_is_read_again_when_it_has_changed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("keys.json");
        let settings = at(format!("file://{}", path.display()));
        let missing = JwksEndpoints::load([&settings].into_iter()).unwrap_err().to_string();
        assert!(missing.contains(&settings.url), "{missing}");
        std::fs::write(&path, "{}").unwrap();
        let wrong = JwksEndpoints::load([&settings].into_iter()).unwrap_err().to_string();
        assert!(wrong.contains("keys member"), "{wrong}");
        std::fs::write(&path, ONE).unwrap();
        let endpoints = JwksEndpoints::load([&settings].into_iter()).unwrap();
        assert_eq!(endpoints.keys(&settings.url).len(), 1);
        let rewrite = |text: &str, seconds| {
            std::fs::write(&path, text).unwrap();
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            file.set_modified(time).unwrap();
        };
        rewrite("half a f", 1_000);
        assert_eq!(endpoints.keys(&settings.url).len(), 1, "they stay");
        rewrite(r#"{"keys":[]}"#, 2_000);
        assert_eq!(endpoints.keys(&settings.url).len(), 0);
        assert_eq!(endpoints.keys("file:/other").len(), 0);
    }

    #[test]
    fn a_key_that_is_missed_is_asked_for_once_a_minute() {
        let settings = at("https://issuer/keys".to_owned());
        let endpoints = JwksEndpoints::load([&settings].into_iter()).unwrap();
        let endpoint = &endpoints.by_url[&settings.url];
        let second = Duration::from_secs;
        assert!(endpoint.is_news("a", second(1)) && endpoint.is_news("b", second(1)));
        assert!(!endpoint.is_news("a", second(60)));
        assert!(endpoint.is_news("a", second(61)));
        assert!(!endpoint.is_news(&"x".repeat(1001), second(61)));
        let others = (0..100).filter(|id| endpoint.is_news(&format!("other {id}"), second(61)));
        assert_eq!(others.count(), MISSED_MAX - 1, "whoever makes ids up asks for little");
    }
}
