//! Which of Kafka's APIs exist, at which versions, on which listeners, and which of them Gregor
//! serves.
//!
//! `table` holds Kafka 4.3's facts and never changes with our progress; `served` is the one place
//! that says what is whole in Gregor, per listener. ApiVersions lists exactly what is both: a key
//! that is not served is refused like a key nobody knows.
//!
//! Answers to Kafka's `ApiKeys`, `ApiMessageType` and `ApiVersionManager`.

mod key;
mod served;
mod table;
#[cfg(test)]
mod tests;

pub use key::ApiKey;

/// Who listens behind a socket; Kafka's `ApiMessageType.ListenerType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Listener {
    Broker,
    Controller,
}

/// One API as a stock Kafka 4.3 node offers it.
#[derive(Debug, PartialEq, Eq)]
pub struct Api {
    pub key: ApiKey,
    pub name: &'static str,
    /// Oldest version that is served.
    pub min_version: i16,
    /// Newest stable version; the schemas may know a newer one that Kafka holds back.
    pub max_version: i16,
    /// First version with tagged fields: request header 2 and response header 1 from there on.
    pub first_flexible: Option<i16>,
    pub on_broker: bool,
    pub on_controller: bool,
    /// A broker hands it to the active controller instead of answering itself.
    pub forwarded: bool,
}

/// Above the greatest key, so that every key indexes.
const KEYS: usize = 128;

static BY_KEY: [Option<&Api>; KEYS] = index();

const fn index() -> [Option<&'static Api>; KEYS] {
    let mut by_key = [None; KEYS];
    let mut row = 0;
    while row < table::APIS.len() {
        by_key[table::APIS[row].key as usize] = Some(&table::APIS[row]);
        row += 1;
    }
    by_key
}

/// Every API of Kafka 4.3 in the order of their keys, served or not.
pub fn all() -> &'static [Api] {
    &table::APIS
}

/// The API with this key as it came off the wire.
pub fn by_key(key: i16) -> Option<&'static Api> {
    *BY_KEY.get(usize::try_from(key).ok()?)?
}

/// What ApiVersions lists on such a listener, in the order of the keys; what needs a receiver of
/// clients' metrics is not among it.
pub fn listed_on(listener: Listener) -> impl Iterator<Item = &'static Api> {
    table::APIS.iter().filter(move |api| api.is_served_on(listener))
}

/// As [`listed_on`], of a node that has such a receiver or has none (KIP-714).
pub fn listed_with(listener: Listener, receiver: bool) -> impl Iterator<Item = &'static Api> {
    let is_listed = move |api: &&Api| {
        api.is_served_on(listener) || receiver && api.exists_on(listener) && api.needs_receiver()
    };
    table::APIS.iter().filter(is_listed)
}

impl Api {
    pub fn of(key: ApiKey) -> &'static Self {
        // Every variant has its row: the test `every_key_of_the_vocabulary_has_its_row`.
        BY_KEY[key as usize].unwrap_or(&table::APIS[0])
    }

    /// Whether Kafka has this API on such a listener at all.
    pub fn exists_on(&self, listener: Listener) -> bool {
        match listener {
            Listener::Broker => self.on_broker,
            Listener::Controller => self.on_controller,
        }
    }

    /// Whether Gregor answers it there; ApiVersions lists it then, and only then.
    pub fn is_served_on(&self, listener: Listener) -> bool {
        self.exists_on(listener) && served::is_served(self.key, listener)
    }

    /// Whether it is served only where clients' metrics are received, which most nodes do not.
    pub fn needs_receiver(&self) -> bool {
        served::NEED_RECEIVER.contains(&self.key)
    }

    pub fn supports(&self, version: i16) -> bool {
        (self.min_version..=self.max_version).contains(&version)
    }

    /// The minimum that ApiVersions tells.
    ///
    /// librdkafka turns compression off and falls back to old record formats when a broker's
    /// Produce does not start at 0 (KAFKA-18659), so brokers claim it although 3 is the oldest.
    pub fn advertised_min_version(&self, listener: Listener) -> i16 {
        match (self.key, listener) {
            (ApiKey::Produce, Listener::Broker) => 0,
            _ => self.min_version,
        }
    }

    pub fn is_flexible(&self, version: i16) -> bool {
        self.first_flexible.is_some_and(|first| version >= first)
    }

    /// Valid for every version, also for those that are not supported.
    pub fn request_header_version(&self, version: i16) -> i16 {
        if self.is_flexible(version) { 2 } else { 1 }
    }

    /// ApiVersions is answered with header 0 always: its reader does not know yet what we speak.
    pub fn response_header_version(&self, version: i16) -> i16 {
        match self.key {
            ApiKey::ApiVersions => 0,
            _ => i16::from(self.is_flexible(version)),
        }
    }
}
