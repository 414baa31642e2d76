//! Java's names of protocols and cipher suites, and what rustls has of them.

use rustls::crypto::CryptoProvider;
use rustls::version::{TLS12, TLS13};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};

use super::TlsError;

const PROTOCOLS: [(&str, &SupportedProtocolVersion); 2] =
    [("TLSv1.2", &TLS12), ("TLSv1.3", &TLS13)];

/// ssl.enabled.protocols, or what ssl.protocol has where those are none.
pub(super) fn protocols(
    enabled: &[String],
    protocol: &str,
) -> Result<Vec<&'static SupportedProtocolVersion>, TlsError> {
    // The context's protocol is the newest; Java's other names for it mean whatever there is.
    let newest = match protocol {
        "" | "TLS" | "SSL" | "Default" => "TLSv1.3",
        named => named,
    };
    let of_context = find_protocol("ssl.protocol", protocol, newest)?;
    if enabled.is_empty() {
        let newest = PROTOCOLS.iter().position(|(_, version)| *version == of_context);
        let older = PROTOCOLS.iter().take(newest.map_or(0, |at| at + 1));
        return Ok(older.map(|(_, version)| *version).collect());
    }
    let value = enabled.join(",");
    enabled.iter().map(|name| find_protocol("ssl.enabled.protocols", &value, name)).collect()
}

fn find_protocol(
    key: &'static str,
    value: &str,
    name: &str,
) -> Result<&'static SupportedProtocolVersion, TlsError> {
    let found = PROTOCOLS.iter().find(|(known, _)| *known == name);
    found.map(|(_, version)| *version).ok_or_else(|| TlsError::Unspoken {
        key,
        value: value.to_owned(),
        name: name.to_owned(),
        known: PROTOCOLS.map(|(known, _)| known).join(", "),
    })
}

/// Java's name of a suite: the registry's, which has no version in it.
fn java_name(suite: &SupportedCipherSuite) -> String {
    let name = suite.suite().as_str().unwrap_or_default();
    name.replacen("TLS13_", "TLS_", 1)
}

/// The suites that ssl.cipher.suites names, in its order; all of them where it names none.
pub(super) fn suites(
    named: &[String],
    versions: &[&'static SupportedProtocolVersion],
    provider: &CryptoProvider,
) -> Result<Vec<SupportedCipherSuite>, TlsError> {
    let known = &provider.cipher_suites;
    if named.is_empty() {
        return Ok(known.clone());
    }
    let find = |name: &String| {
        let found = known.iter().find(|suite| java_name(suite) == *name).copied();
        found.ok_or_else(|| TlsError::Unspoken {
            key: "ssl.cipher.suites",
            value: named.join(","),
            name: name.clone(),
            known: known.iter().map(java_name).collect::<Vec<_>>().join(", "),
        })
    };
    let suites: Vec<_> = named.iter().map(find).collect::<Result<_, _>>()?;
    let is_spoken = |suite: &SupportedCipherSuite| versions.contains(&suite.version());
    match suites.iter().any(is_spoken) {
        true => Ok(suites),
        false => Err(TlsError::NothingSpoken(named.join(","))),
    }
}

/// Only versions that one of the suites is for: rustls takes no others.
pub(super) fn versions_of(
    suites: &[SupportedCipherSuite],
    versions: &[&'static SupportedProtocolVersion],
) -> Vec<&'static SupportedProtocolVersion> {
    let has_suite = |version: &&&'static SupportedProtocolVersion| {
        suites.iter().any(|suite| suite.version() == **version)
    };
    versions.iter().filter(has_suite).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn javas_names_are_understood_and_the_rest_is_refused_with_what_there_is() {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let both = protocols(&owned(&["TLSv1.2", "TLSv1.3"]), "TLSv1.3").unwrap();
        let named = owned(&["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256"]);
        assert_eq!(suites(&named, &both, &provider).unwrap().len(), 2);
        let old = owned(&["TLS_RSA_WITH_AES_128_CBC_SHA"]);
        let refused = suites(&old, &both, &provider).unwrap_err().to_string();
        assert!(refused.contains("TLS_RSA_WITH_AES_128_CBC_SHA is not spoken"), "{refused}");
        assert!(refused.contains("TLS_CHACHA20_POLY1305_SHA256"), "{refused}");
        let refused = protocols(&owned(&["TLSv1.2", "TLSv1.1"]), "TLSv1.3").unwrap_err();
        assert!(refused.to_string().ends_with("there are TLSv1.2, TLSv1.3"), "{refused}");
        let newest = protocols(&owned(&["TLSv1.3"]), "TLS").unwrap();
        let of_1_2 = owned(&["TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"]);
        let refused = suites(&of_1_2, &newest, &provider).unwrap_err();
        assert_eq!(refused, TlsError::NothingSpoken(of_1_2[0].clone()));
        assert_eq!(protocols(&[], "TLSv1.2").unwrap(), [&TLS12]);
    }
}
