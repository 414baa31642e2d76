//! What stands in an X.509 certificate (RFC 5280), as far as it is asked here: whose it is, for
//! which hosts, how long it holds, and the pieces that its signature is over.
//!
//! Chains are verified by webpki; this reads what webpki does not tell.

use super::der::{Malformed, Reader, tag};
use super::distinguished_name;

const SUBJECT_ALT_NAME: &[u8] = &[0x55, 0x1d, 0x11];

/// A name of the extension subjectAltName: the number of its kind and its bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct AlternativeName {
    pub(super) kind: u8,
    pub(super) value: Vec<u8>,
}

impl AlternativeName {
    pub(super) const DNS: u8 = 2;
    pub(super) const IP: u8 = 7;
}

/// A certificate, borrowed from its bytes.
#[derive(Debug)]
pub(super) struct Certificate<'a> {
    /// What the issuer signed.
    pub(super) signed: &'a [u8],
    /// 0 for v1.
    pub(super) version: u32,
    /// Contents of the AlgorithmIdentifier.
    pub(super) signature_algorithm: &'a [u8],
    pub(super) signature: &'a [u8],
    pub(super) issuer: &'a [u8],
    pub(super) subject: &'a [u8],
    /// Seconds since 1970.
    pub(super) not_before: i64,
    pub(super) not_after: i64,
    /// The SubjectPublicKeyInfo, the contents of its AlgorithmIdentifier, and its key.
    pub(super) key_info: &'a [u8],
    pub(super) key_algorithm: &'a [u8],
    pub(super) key: &'a [u8],
    pub(super) alternative_names: Vec<AlternativeName>,
}

impl<'a> Certificate<'a> {
    pub(super) fn parse(encoded: &'a [u8]) -> Result<Self, Malformed> {
        let mut certificate = Reader::new(encoded).sequence()?;
        let signed = certificate.expect(tag::SEQUENCE)?;
        let signature_algorithm = certificate.expect(tag::SEQUENCE)?.contents;
        let signature = bits(certificate.expect(tag::BIT_STRING)?.contents)?;
        let mut body = signed.reader();
        let version = match body.optional(tag::context(0))? {
            Some(version) => version.reader().number()?,
            None => 0,
        };
        body.expect(tag::INTEGER)?;
        body.expect(tag::SEQUENCE)?;
        let issuer = body.expect(tag::SEQUENCE)?.encoded;
        let mut validity = body.sequence()?;
        let (not_before, not_after) = (time(&mut validity)?, time(&mut validity)?);
        let subject = body.expect(tag::SEQUENCE)?.encoded;
        let key_info = body.expect(tag::SEQUENCE)?;
        let mut key = key_info.reader();
        let key_algorithm = key.expect(tag::SEQUENCE)?.contents;
        let key = bits(key.expect(tag::BIT_STRING)?.contents)?;
        body.optional(tag::context_primitive(1))?;
        body.optional(tag::context_primitive(2))?;
        let alternative_names = match body.optional(tag::context(3))? {
            Some(extensions) => alternative_names(extensions.reader().sequence()?)?,
            None => Vec::new(),
        };
        Ok(Self {
            signed: signed.encoded,
            version,
            signature_algorithm,
            signature,
            issuer,
            subject,
            not_before,
            not_after,
            key_info: key_info.encoded,
            key_algorithm,
            key,
            alternative_names,
        })
    }
}

/// The distinguished name of whom a certificate is about, as Java's X500Principal prints it.
pub fn subject_name(certificate: &[u8]) -> Result<String, Malformed> {
    distinguished_name::rfc2253(Certificate::parse(certificate)?.subject)
}

/// Bits that are whole bytes.
fn bits(contents: &[u8]) -> Result<&[u8], Malformed> {
    match contents {
        [0, bytes @ ..] => Ok(bytes),
        _ => Err(Malformed),
    }
}

fn alternative_names(mut extensions: Reader<'_>) -> Result<Vec<AlternativeName>, Malformed> {
    let mut names = Vec::new();
    while !extensions.is_empty() {
        let mut extension = extensions.sequence()?;
        let identifier = extension.expect(tag::OBJECT_IDENTIFIER)?.contents;
        extension.optional(tag::BOOLEAN)?;
        let value = extension.expect(tag::OCTET_STRING)?;
        if identifier != SUBJECT_ALT_NAME {
            continue;
        }
        let mut all = value.reader().sequence()?;
        while !all.is_empty() {
            let name = all.next()?;
            let kind = name.tag & 0x1f;
            names.push(AlternativeName { kind, value: name.contents.to_vec() });
        }
    }
    Ok(names)
}

/// A UTCTime or GeneralizedTime, both in seconds and in Greenwich.
fn time(reader: &mut Reader<'_>) -> Result<i64, Malformed> {
    let element = reader.next()?;
    let text = element.contents.strip_suffix(b"Z").ok_or(Malformed)?;
    if !text.iter().all(u8::is_ascii_digit) {
        return Err(Malformed);
    }
    let digits = |from: usize, to: usize| -> Result<i64, Malformed> {
        let digits = text.get(from..to).ok_or(Malformed)?;
        Ok(digits.iter().fold(0, |all, digit| all * 10 + i64::from(digit - b'0')))
    };
    let (year, rest) = match (element.tag, text.len()) {
        (tag::UTC_TIME, 12) => match digits(0, 2)? {
            late @ 0..50 => (2000 + late, 2),
            early => (1900 + early, 2),
        },
        (tag::GENERALIZED_TIME, 14) => (digits(0, 4)?, 4),
        _ => return Err(Malformed),
    };
    let at = |place: usize| digits(rest + 2 * place, rest + 2 * place + 2);
    let (month, day) = (at(0)?, at(1)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return Err(Malformed);
    }
    Ok(days(year, month, day) * 86_400 + at(2)? * 3_600 + at(3)? * 60 + at(4)?)
}

/// Days from 1970 to a day of the Gregorian calendar, counted in years that begin in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year
        - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_counted_from_1970() {
        let utc = |text: &str| {
            let mut encoded = vec![tag::UTC_TIME, 13];
            encoded.extend_from_slice(text.as_bytes());
            time(&mut Reader::new(&encoded))
        };
        assert_eq!(utc("700101000000Z"), Ok(0));
        assert_eq!(utc("000229120000Z"), Ok(951_825_600));
        assert_eq!(utc("991231235959Z"), Ok(946_684_799));
        assert_eq!(utc("491231235959Z"), Ok(2_524_607_999));
        assert_eq!(utc("991331235959Z"), Err(Malformed));
        let late = [&[tag::GENERALIZED_TIME, 15][..], b"20500101000000Z"].concat();
        assert_eq!(time(&mut Reader::new(&late)), Ok(2_524_608_000));
    }
}
