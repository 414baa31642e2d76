//! Listeners: `NAME://host:port` with the protocol that the name speaks.
//!
//! Answers to SocketServerConfigs.listenerListToEndPoints and CoreUtils.listenerListToEndPoints.
//! Names are upper case; no host means every address; ports differ, but for one IPv4 and one IPv6
//! address on the same.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::ConfigError;

/// What is spoken below Kafka's protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SecurityProtocol {
    Plaintext,
    Ssl,
    SaslPlaintext,
    SaslSsl,
}

impl SecurityProtocol {
    /// The number of the protocol in registrations and voter records.
    pub fn id(self) -> i16 {
        match self {
            Self::Plaintext => 0,
            Self::Ssl => 1,
            Self::SaslPlaintext => 2,
            Self::SaslSsl => 3,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "PLAINTEXT",
            Self::Ssl => "SSL",
            Self::SaslPlaintext => "SASL_PLAINTEXT",
            Self::SaslSsl => "SASL_SSL",
        }
    }

    /// Whether clients log in.
    pub fn is_sasl(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        let all = [Self::Plaintext, Self::Ssl, Self::SaslPlaintext, Self::SaslSsl];
        all.into_iter().find(|protocol| protocol.name().eq_ignore_ascii_case(name))
    }
}

/// One listener, or one address that a listener is advertised at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// The name of the listener, in upper case.
    pub listener: String,
    pub protocol: SecurityProtocol,
    /// Nothing stands for every address of the machine.
    pub host: Option<String>,
    pub port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.as_deref().unwrap_or("") {
            host if host.contains(':') => write!(f, "{}://[{host}]:{}", self.listener, self.port),
            host => write!(f, "{}://{host}:{}", self.listener, self.port),
        }
    }
}

pub(crate) type ProtocolMap = BTreeMap<String, SecurityProtocol>;

/// Splits a comma separated list, without blanks around elements and without empty elements.
pub(crate) fn csv(text: &str) -> Vec<String> {
    let elements = text.split(',').map(str::trim).filter(|element| !element.is_empty());
    elements.map(str::to_owned).collect()
}

/// Reads `NAME:PROTOCOL,...`.
pub(crate) fn parse_protocol_map(text: &str) -> Result<ProtocolMap, ConfigError> {
    const KEY: &str = "listener.security.protocol.map";
    let mut map = ProtocolMap::new();
    for entry in csv(text) {
        let Some((name, protocol)) = entry.rsplit_once(':') else {
            let allowed = "a comma separated list of LISTENER:PROTOCOL is expected";
            return Err(ConfigError::invalid(KEY, &entry, allowed));
        };
        let protocol = SecurityProtocol::named(protocol.trim()).ok_or_else(|| {
            let protocol = protocol.trim();
            let message = format!("Invalid security protocol `{protocol}` defined in {KEY}");
            ConfigError::conflict(&[KEY], message)
        })?;
        map.insert(normalised(name.trim())?, protocol);
    }
    Ok(map)
}

/// A listener name in the form that is compared: upper case, never empty.
pub(crate) fn normalised(name: &str) -> Result<String, ConfigError> {
    if name.trim().is_empty() {
        let message = "The provided listener name is null or empty string";
        return Err(ConfigError::conflict(&["listeners"], message));
    }
    Ok(name.to_uppercase())
}

/// Reads the endpoints of a list, which was given under `key`.
pub(crate) fn parse_endpoints(
    key: &'static str,
    listed: &[String],
    protocols: &ProtocolMap,
    distinct_ports: bool,
) -> Result<Vec<Endpoint>, ConfigError> {
    let text = format!("[{}]", listed.join(", "));
    let failed = |reason: String| {
        let message = format!("Error creating broker listeners from '{text}': {reason}");
        ConfigError::conflict(&[key], message)
    };
    let mut endpoints = Vec::new();
    for entry in listed {
        let (name, host, port) = split_entry(entry)
            .ok_or_else(|| failed(format!("Unable to parse {entry} to a broker endpoint")))?;
        let listener = normalised(name)?;
        let protocol = *protocols.get(&listener).ok_or_else(|| {
            failed(format!("No security protocol defined for listener {listener}"))
        })?;
        let port = port
            .parse::<u16>()
            .map_err(|_| failed(format!("port {port} of {entry} is not within 0 to 65535")))?;
        let host = (!host.is_empty()).then(|| host.to_owned());
        endpoints.push(Endpoint { listener, protocol, host, port });
    }
    check_distinct(&text, &endpoints, distinct_ports).map_err(failed)?;
    Ok(endpoints)
}

/// `NAME://host:port` with the brackets of an IPv6 host taken off; nothing in another form.
fn split_entry(entry: &str) -> Option<(&str, &str, &str)> {
    let (name, address) = entry.rsplit_once("://")?;
    let (host, port) = address.rsplit_once(':')?;
    let host = host.strip_prefix('[').unwrap_or(host);
    let host = host.strip_suffix(']').unwrap_or(host);
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-%._:".contains(c);
    let digits = port.strip_prefix('-').unwrap_or(port);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    (host.chars().all(allowed) && is_number).then_some((name, host, port))
}

/// What is wrong with these endpoints together, in Kafka's words.
fn check_distinct(text: &str, endpoints: &[Endpoint], distinct_ports: bool) -> Result<(), String> {
    let mut ports: BTreeMap<u16, Vec<&Endpoint>> = BTreeMap::new();
    let mut names: Vec<&str> = endpoints.iter().map(|each| each.listener.as_str()).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err(format!("Each listener must have a different name, listeners: {text}"));
    }
    for endpoint in endpoints.iter().filter(|each| each.port != 0) {
        ports.entry(endpoint.port).or_default().push(endpoint);
    }
    if !distinct_ports {
        return Ok(());
    }
    for (port, sharing) in ports.iter().filter(|(_, sharing)| sharing.len() > 1) {
        let count = |is: fn(&str) -> bool| {
            sharing.iter().filter(|each| each.host.as_deref().is_some_and(is)).count()
        };
        let v4 = count(|host| host.parse::<Ipv4Addr>().is_ok());
        let v6 = count(|host| host.parse::<Ipv6Addr>().is_ok());
        let message = match (v4, v6, sharing.len()) {
            (1, 1, 2) => continue,
            (0, 0, _) | (0, 1, _) | (1, 0, _) => {
                format!("Each listener must have a different port, listeners: {text}")
            }
            (2, 0, _) | (0, 2, _) | (1, 1, _) => format!(
                "If you have two listeners on the same port then one needs to be IPv4 and the \
                 other IPv6, listeners: {text}, port: {port}"
            ),
            _ => format!(
                "Each listener must have a different port unless exactly one listener has an \
                 IPv4 address and the other IPv6 address, listeners: {text}, port: {port}"
            ),
        };
        return Err(message);
    }
    Ok(())
}
