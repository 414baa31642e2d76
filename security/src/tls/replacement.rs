//! Whether one context may take another's place at a listener that is open.
//!
//! Answers to `SslFactory.createNewSslEngineFactory`: stores neither come nor go, certificates stay
//! whose they were unless ssl.allow.dn.changes and ssl.allow.san.changes say otherwise; and, where
//! brokers connect to their own listener, to its handshake with itself (`SslEngineValidator`).

use rustls::pki_types::CertificateDer;

use super::certificate::Certificate;
use super::context::ClientContext;
use super::distinguished_name;
use super::stores::Entries;
use super::{Session, SessionError, TlsContext, TlsError};

/// Most rounds that a handshake takes.
const ROUNDS_MAX: usize = 16;

/// Whose an entry of a store is, and for which hosts.
struct Identity {
    alias: String,
    name: String,
    alternative_names: Vec<(u8, Vec<u8>)>,
}

impl TlsContext {
    /// Checks what shall take this one's place. `is_brokers` says that brokers connect with it to
    /// each other's listener.
    pub fn check_replacement(&self, next: &Self, is_brokers: bool) -> Result<(), TlsError> {
        match (&self.stores.keys, &next.stores.keys) {
            (None, Some(_)) => return Err(TlsError::KeystoreAdded),
            (Some(_), None) => return Err(TlsError::KeystoreRemoved),
            (Some(existing), Some(new)) => check_identities(next, existing, new)?,
            (None, None) => {}
        }
        if self.stores.trusted.is_none() && next.stores.trusted.is_some() {
            return Err(TlsError::TruststoreAdded);
        }
        match is_brokers {
            true => {
                self.check_handshake(next)?;
                next.check_handshake(self)
            }
            false => Ok(()),
        }
    }

    /// Lets a client of this context shake hands with a server of the other; hosts are not asked.
    pub fn check_handshake(&self, server: &Self) -> Result<(), TlsError> {
        let context = ClientContext::new(self.client_verifying(false)?);
        // The name is sent and not compared.
        let mut client = context.session("localhost")?;
        let mut server = Session::server(server.server()?)?;
        for _ in 0..ROUNDS_MAX {
            pass(&mut client, &mut server)?;
            pass(&mut server, &mut client)?;
            if !client.is_handshaking() && !server.is_handshaking() {
                return Ok(());
            }
        }
        Err(TlsError::Handshake("it did not come to an end".to_owned()))
    }
}

/// Brings what one side has to say to the other.
fn pass(from: &mut Session, to: &mut Session) -> Result<(), TlsError> {
    let mut said = Vec::new();
    while from.wants_write() {
        from.write_to(&mut said).map_err(|error| TlsError::Handshake(error.to_string()))?;
    }
    let mut rest = said.as_slice();
    while !rest.is_empty() {
        let taken = to
            .receive(rest)
            .map_err(|error: SessionError| TlsError::Handshake(error.to_string()))?;
        rest = &rest[taken..];
    }
    Ok(())
}

fn identities(entries: &Entries) -> Vec<Identity> {
    let keys = entries.keys.iter().filter_map(|key| Some((&key.alias, key.chain.first()?)));
    let trusted = entries.trusted.iter().map(|(alias, certificate)| (alias, certificate));
    let identity = |(alias, encoded): (&String, &CertificateDer<'_>)| {
        let certificate = Certificate::parse(encoded).ok()?;
        let names = certificate.alternative_names.iter();
        Some(Identity {
            alias: alias.clone(),
            name: distinguished_name::rfc2253(certificate.subject).ok()?,
            alternative_names: names.map(|name| (name.kind, name.value.clone())).collect(),
        })
    };
    keys.chain(trusted).filter_map(identity).collect()
}

fn check_identities(next: &TlsContext, existing: &Entries, new: &Entries) -> Result<(), TlsError> {
    let (existing, new) = (identities(existing), identities(new));
    let settings = &next.settings;
    let allows_all = settings.allows_name_changes && settings.allows_alternative_name_changes;
    if existing.len() != new.len() && !allows_all {
        return Err(TlsError::Entries { existing: existing.len(), new: new.len() });
    }
    for (existing, new) in existing.iter().zip(&new) {
        if !settings.allows_name_changes && !existing.name.eq_ignore_ascii_case(&new.name) {
            let told = |of: &Identity| format!("alias={}, DN={}", of.alias, of.name);
            return Err(TlsError::DistinguishedName { existing: told(existing), new: told(new) });
        }
        let keeps = |name| new.alternative_names.contains(name);
        if !settings.allows_alternative_name_changes
            && !existing.alternative_names.iter().all(keeps)
        {
            let told = |of: &Identity| format!("alias={}, SAN={}", of.alias, printed(of));
            return Err(TlsError::AlternativeNames { existing: told(existing), new: told(new) });
        }
    }
    Ok(())
}

/// Alternative names as Java prints its list of them.
fn printed(identity: &Identity) -> String {
    let names = identity.alternative_names.iter().map(|(kind, value)| {
        let value = match (*kind, value.as_slice()) {
            (7, [a, b, c, d]) => format!("{a}.{b}.{c}.{d}"),
            _ => String::from_utf8_lossy(value).into_owned(),
        };
        format!("[{kind}, {value}]")
    });
    format!("[{}]", names.collect::<Vec<_>>().join(", "))
}
