//! The pieces of DER (X.690) that certificates and key stores are made of: one element after the
//! other, borrowed from the bytes that they stand in.
//!
//! Kept true: whatever the bytes, nothing is read beyond them, and nothing panics. Lengths are
//! definite; what is longer than its surroundings is malformed.

pub(super) mod tag {
    pub(in crate::tls) const BOOLEAN: u8 = 0x01;
    pub(in crate::tls) const INTEGER: u8 = 0x02;
    pub(in crate::tls) const BIT_STRING: u8 = 0x03;
    pub(in crate::tls) const OCTET_STRING: u8 = 0x04;
    pub(in crate::tls) const OBJECT_IDENTIFIER: u8 = 0x06;
    pub(in crate::tls) const UTF8_STRING: u8 = 0x0c;
    pub(in crate::tls) const PRINTABLE_STRING: u8 = 0x13;
    pub(in crate::tls) const T61_STRING: u8 = 0x14;
    pub(in crate::tls) const IA5_STRING: u8 = 0x16;
    pub(in crate::tls) const UTC_TIME: u8 = 0x17;
    pub(in crate::tls) const GENERALIZED_TIME: u8 = 0x18;
    pub(in crate::tls) const GENERAL_STRING: u8 = 0x1b;
    pub(in crate::tls) const BMP_STRING: u8 = 0x1e;
    pub(in crate::tls) const SEQUENCE: u8 = 0x30;
    pub(in crate::tls) const SET: u8 = 0x31;

    /// `[number]`, constructed.
    pub(in crate::tls) const fn context(number: u8) -> u8 {
        0xa0 | number
    }

    /// `[number]`, primitive.
    pub(in crate::tls) const fn context_primitive(number: u8) -> u8 {
        0x80 | number
    }
}

/// Bytes that are not what was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its encoding is not DER, or not what belongs there")]
pub struct Malformed;

/// One element: its tag, what is in it, and all of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) contents: &'a [u8],
    pub(super) encoded: &'a [u8],
}

impl<'a> Element<'a> {
    pub(super) fn reader(self) -> Reader<'a> {
        Reader::new(self.contents)
    }
}

/// What is still to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn next(&mut self) -> Result<Element<'a>, Malformed> {
        let [tag, first, rest @ ..] = self.0 else { return Err(Malformed) };
        // Tags of several bytes occur in none of the structures that are read here.
        if tag & 0x1f == 0x1f {
            return Err(Malformed);
        }
        let (length, contents) = match first {
            short @ 0..0x80 => (usize::from(*short), rest),
            long => {
                let bytes = usize::from(long & 0x7f);
                let (digits, contents) = rest.split_at_checked(bytes).ok_or(Malformed)?;
                if bytes == 0 || bytes > size_of::<u32>() {
                    return Err(Malformed);
                }
                let length = digits.iter().fold(0_u64, |all, digit| all << 8 | u64::from(*digit));
                (usize::try_from(length).map_err(|_| Malformed)?, contents)
            }
        };
        let (contents, rest) = contents.split_at_checked(length).ok_or(Malformed)?;
        let encoded = &self.0[..self.0.len() - rest.len()];
        self.0 = rest;
        Ok(Element { tag: *tag, contents, encoded })
    }

    pub(super) fn expect(&mut self, tag: u8) -> Result<Element<'a>, Malformed> {
        self.next()
            .and_then(|element| if element.tag == tag { Ok(element) } else { Err(Malformed) })
    }

    /// The next element if it has this tag.
    pub(super) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, Malformed> {
        if self.0.first() == Some(&tag) { self.next().map(Some) } else { Ok(None) }
    }

    /// What is in a sequence that stands next.
    pub(super) fn sequence(&mut self) -> Result<Self, Malformed> {
        self.expect(tag::SEQUENCE).map(Element::reader)
    }

    /// A whole number that is not negative.
    pub(super) fn number(&mut self) -> Result<u32, Malformed> {
        let digits = self.expect(tag::INTEGER)?.contents;
        if digits.is_empty() || digits.len() > 5 || digits[0] & 0x80 != 0 {
            return Err(Malformed);
        }
        let number = digits.iter().fold(0_u64, |all, digit| all << 8 | u64::from(*digit));
        u32::try_from(number).map_err(|_| Malformed)
    }

    /// An AlgorithmIdentifier: the identifier and what stands behind it.
    pub(super) fn algorithm(&mut self) -> Result<(&'a [u8], Self), Malformed> {
        let mut inside = self.sequence()?;
        let identifier = inside.expect(tag::OBJECT_IDENTIFIER)?.contents;
        Ok((identifier, inside))
    }
}

/// An object identifier with dots; nothing where its bytes are none.
pub(super) fn dotted(identifier: &[u8]) -> Option<String> {
    let mut arcs: Vec<u64> = Vec::new();
    let mut arc = 0_u64;
    let mut is_whole = true;
    for byte in identifier {
        arc = arc.checked_mul(128)?.checked_add(u64::from(byte & 0x7f))?;
        is_whole = byte & 0x80 == 0;
        if is_whole {
            match arcs.is_empty() {
                true => {
                    let first = (arc / 40).min(2);
                    arcs.extend([first, arc - 40 * first]);
                }
                false => arcs.push(arc),
            }
            arc = 0;
        }
    }
    let dotted: Vec<String> = arcs.iter().map(u64::to_string).collect();
    (is_whole && !dotted.is_empty()).then(|| dotted.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_come_one_after_the_other_and_never_from_beyond_the_end() {
        let mut reader = Reader::new(&[0x02, 0x01, 0x07, 0x30, 0x81, 0x02, 0x05, 0x00, 0x04]);
        assert_eq!(reader.number(), Ok(7));
        assert_eq!(reader.sequence().unwrap().next().unwrap().encoded, [0x05, 0x00]);
        assert_eq!(reader.next().unwrap_err(), Malformed);
        for cut in [&[][..], &[0x30], &[0x30, 0x80], &[0x30, 0x02, 0x00], &[0x1f, 0x01, 0x00]] {
            assert_eq!(Reader::new(cut).next().unwrap_err(), Malformed, "{cut:?}");
        }
        let huge = [0x30, 0x85, 1, 1, 1, 1, 1];
        assert_eq!(Reader::new(&huge).next().unwrap_err(), Malformed);
        assert_eq!(Reader::new(&[0x02, 0x01, 0xff]).number(), Err(Malformed), "below zero");
    }

    #[test]
    fn identifiers_are_written_with_dots() {
        assert_eq!(dotted(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d]).unwrap(), "1.2.840.113549");
        assert_eq!(dotted(&[0x55, 0x04, 0x03]).unwrap(), "2.5.4.3");
        assert_eq!(dotted(&[0x60, 0x86]), None);
        assert_eq!(dotted(&[]), None);
        assert_eq!(dotted(&[0xff; 30]), None);
    }
}
