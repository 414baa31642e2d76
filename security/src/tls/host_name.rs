//! Whether a certificate is that of the host that was connected to.
//!
//! Answers to the algorithm `https` of ssl.endpoint.identification.algorithm as Java checks it
//! (RFC 2818): an address by subjectAltName alone; a name by subjectAltName, and by the common name
//! where the certificate has no DNS names. A wildcard stands for the first label or a part of it.
//! webpki knows no common names, by which many certificates of Kafka clusters go.

use std::net::IpAddr;

use super::certificate::{AlternativeName, Certificate};
use super::distinguished_name::common_name;

/// Whether the certificate is for this host, a name or an address.
pub(super) fn fits(certificate: &Certificate<'_>, host: &str) -> bool {
    if let Ok(address) = host.parse::<IpAddr>() {
        let octets = match address {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        return of_kind(certificate, AlternativeName::IP).any(|name| name == octets);
    }
    let mut names = of_kind(certificate, AlternativeName::DNS).peekable();
    if names.peek().is_some() {
        return names.any(|name| is_match(host, &String::from_utf8_lossy(name)));
    }
    common_name(certificate.subject).is_some_and(|name| is_match(host, &name))
}

fn of_kind<'a>(certificate: &'a Certificate<'_>, kind: u8) -> impl Iterator<Item = &'a [u8]> {
    let names = certificate.alternative_names.iter();
    names.filter(move |name| name.kind == kind).map(|name| name.value.as_slice())
}

fn is_match(host: &str, pattern: &str) -> bool {
    let host = host.trim_end_matches('.').to_lowercase();
    let pattern = pattern.trim_end_matches('.').to_lowercase();
    if host == pattern {
        return true;
    }
    let (Some((label, host_rest)), Some((wild, rest))) =
        (host.split_once('.'), pattern.split_once('.'))
    else {
        return false;
    };
    let Some((before, after)) = wild.split_once('*') else { return false };
    // Neither every host of a top-level domain, nor a wildcard further on.
    let is_narrow = rest.contains('.') && !rest.contains('*') && !after.contains('*');
    is_narrow
        && host_rest == rest
        && label.len() >= before.len() + after.len()
        && label.starts_with(before)
        && label.ends_with(after)
}

#[cfg(test)]
mod tests {
    use super::is_match;

    #[test]
    fn a_wildcard_stands_for_the_first_label_alone() {
        let cases = [
            ("a.example.org", "a.example.org", true),
            ("A.Example.Org", "a.example.org", true),
            ("a.example.org", "*.example.org", true),
            ("kafka-1.example.org", "kafka-*.example.org", true),
            ("a.b.example.org", "*.example.org", false),
            ("example.org", "*.example.org", false),
            ("example.org", "*.org", false),
            ("a.example.org", "a.*.org", false),
            ("localhost", "*", false),
            ("localhost", "localhost", true),
        ];
        for (host, pattern, expected) in cases {
            assert_eq!(is_match(host, pattern), expected, "{host} by {pattern}");
        }
    }
}
