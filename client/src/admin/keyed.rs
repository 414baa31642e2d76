//! Calls about many keys that live on different nodes: where each lives is looked up, every node is
//! asked once for all of its keys, and what an answer says to try again is asked again until the
//! time of the call is up.
//!
//! Answers to `AdminApiDriver` and `AdminApiHandler`. Unlike Kafka: the nodes are asked one after
//! another (docs/decisions/0371).

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::ops::RangeInclusive;

use protocol::ask::Ask;

use super::{Admin, AdminError, Call, CallTarget};

/// What an answer says of one key.
#[derive(Debug)]
pub(super) enum Outcome<V> {
    Done(Result<V, AdminError>),
    /// The same node is asked again after a pause.
    Again,
    /// Another node has the key: it is looked up again after a pause.
    Moved,
}

/// What every key has, or why there is nothing.
pub(super) type Results<K, V> = HashMap<K, Result<V, AdminError>>;

/// A key that lives on one node at a time.
pub(super) trait Located: Clone + Eq + Hash {
    /// Asks where keys live. A key that no answer names is asked for again.
    async fn locate(
        admin: &mut Admin,
        call: &mut Call,
        keys: &[Self],
        tolerates_unknown: bool,
    ) -> Result<Vec<(Self, Outcome<i32>)>, AdminError>;
}

/// One kind of call.
pub(super) trait KeyedCall {
    type Key: Located;
    type Value;
    type Request: Ask + Send + 'static;

    /// What Kafka calls the looking up, and the call.
    const NAMES: [&'static str; 2];
    /// Whether a topic that nobody knows may still appear.
    const TOLERATES_UNKNOWN: bool = true;

    fn versions(&self) -> RangeInclusive<i16> {
        i16::MIN..=i16::MAX
    }

    fn request(&self, keys: &[Self::Key], timeout_ms: i32) -> Self::Request;

    /// What the answer of a node says of the keys that it was asked for.
    fn read(
        &self,
        node: i32,
        keys: &[Self::Key],
        answer: <Self::Request as Ask>::Answer,
    ) -> Vec<(Self::Key, Outcome<Self::Value>)>;
}

/// The state of a call under way.
struct Progress<K, V> {
    results: Results<K, V>,
    homes: HashMap<K, i32>,
    /// Why keys are asked for again, where some are.
    is_waiting: bool,
}

impl<K: Located, V> Progress<K, V> {
    fn fail(&mut self, keys: &[K], error: &AdminError) {
        let failed = keys.iter().filter(|key| !self.results.contains_key(key)).cloned();
        let failed: Vec<K> = failed.collect();
        self.results.extend(failed.into_iter().map(|key| (key, Err(error.clone()))));
    }

    /// Keys that have no result yet.
    fn open(&self, keys: &[K]) -> Vec<K> {
        keys.iter().filter(|key| !self.results.contains_key(key)).cloned().collect()
    }
}

impl Admin {
    /// Asks until every key has a result or the time is up.
    pub(super) async fn ask_of_keys<C: KeyedCall>(
        &mut self,
        kind: &C,
        keys: &[C::Key],
    ) -> Results<C::Key, C::Value> {
        let mut call = self.call(C::NAMES[0], CallTarget::AnyNode);
        let mut progress =
            Progress { results: HashMap::new(), homes: HashMap::new(), is_waiting: false };
        loop {
            let open = progress.open(keys);
            if open.is_empty() {
                return progress.results;
            }
            progress.is_waiting = false;
            if let Err(error) = self.round(kind, &mut call, &mut progress, &open).await {
                progress.fail(&open, &error);
            }
            if progress.is_waiting {
                let tries = call.attempts.tries() + 1;
                // What waits to be looked up again, Kafka sends without a pause; what waits for its
                // node has been given to none when the time is up.
                let given_up = match call.name == C::NAMES[0] {
                    true => AdminError::TimedOut { call: call.name, tries },
                    false => AdminError::NoNode { call: call.name },
                };
                if let Err(error) = self.again(&mut call, given_up).await {
                    progress.fail(&open, &error);
                }
            }
        }
    }

    async fn round<C: KeyedCall>(
        &mut self,
        kind: &C,
        call: &mut Call,
        progress: &mut Progress<C::Key, C::Value>,
        open: &[C::Key],
    ) -> Result<(), AdminError> {
        let is_homeless = |key: &&C::Key| !progress.homes.contains_key(*key);
        let homeless: Vec<C::Key> = open.iter().filter(is_homeless).cloned().collect();
        if !homeless.is_empty() {
            (call.name, call.to) = (C::NAMES[0], CallTarget::AnyNode);
            call.versions = i16::MIN..=i16::MAX;
            let located = C::Key::locate(self, call, &homeless, C::TOLERATES_UNKNOWN).await?;
            for (key, outcome) in located {
                match outcome {
                    Outcome::Done(Ok(node)) => {
                        progress.homes.insert(key, node);
                    }
                    Outcome::Done(Err(error)) => drop(progress.results.insert(key, Err(error))),
                    Outcome::Again | Outcome::Moved => {}
                }
            }
        }
        let mut by_node: BTreeMap<i32, Vec<C::Key>> = BTreeMap::new();
        for key in progress.open(open) {
            match progress.homes.get(&key) {
                Some(node) => by_node.entry(*node).or_default().push(key),
                None => progress.is_waiting = true,
            }
        }
        for (node, keys) in by_node {
            self.ask_node(kind, call, progress, node, &keys).await;
        }
        Ok(())
    }

    async fn ask_node<C: KeyedCall>(
        &mut self,
        kind: &C,
        call: &mut Call,
        progress: &mut Progress<C::Key, C::Value>,
        node: i32,
        keys: &[C::Key],
    ) {
        (call.name, call.to, call.versions) =
            (C::NAMES[1], CallTarget::Node(node), kind.versions());
        match self.attempt(call, |timeout_ms| kind.request(keys, timeout_ms)).await {
            Ok(Some(answer)) => {
                for (key, outcome) in kind.read(node, keys, answer) {
                    match outcome {
                        Outcome::Done(result) => drop(progress.results.insert(key, result)),
                        Outcome::Again => progress.is_waiting = true,
                        Outcome::Moved => {
                            progress.homes.remove(&key);
                            progress.is_waiting = true;
                        }
                    }
                }
                // A key that the answer leaves out is asked for again until the time is up.
                progress.is_waiting |= !progress.open(keys).is_empty();
            }
            // It did not answer, and the pause is over: its keys may be elsewhere by now.
            Ok(None) => progress.homes.retain(|key, _| !keys.contains(key)),
            Err(error) => progress.fail(keys, &error),
        }
    }
}
