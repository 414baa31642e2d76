//! The HMAC of a token as people type it: base64.
//!
//! Pure. Answers to `Base64.getDecoder`, whose complaints are Java's.

/// What is wrong with a text that is no base64.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum HmacError {
    /// What Java says of an option without its value.
    #[error("Cannot invoke \"String.getBytes(java.nio.charset.Charset)\" because \"src\" is null")]
    Missing,
    #[error("Input byte[] should at least have 2 bytes for base64 bytes")]
    TooShort,
    #[error("Input byte array has wrong 4-byte ending unit")]
    Ending,
    #[error("Last unit does not have enough valid bits")]
    Bits,
    #[error("Input byte array has incorrect ending byte at {0}")]
    Behind(usize),
    /// In hexadecimal, with the sign of a byte.
    #[error("Illegal base64 character {0}")]
    Character(String),
}

/// Decodes what may stand without its padding. What is wrong first is named.
pub(super) fn decode(text: Option<&str>) -> Result<Vec<u8>, HmacError> {
    let text = text.ok_or(HmacError::Missing)?;
    // Latin-1, in which everything else is a question mark.
    let source: Vec<u8> = text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect();
    if source.len() == 1 {
        return Err(HmacError::TooShort);
    }
    let mut decoded = Vec::with_capacity(source.len());
    let (mut unit, mut digits) = (0_u32, 0);
    let mut bytes = source.iter().enumerate();
    // Where the source ends: behind it, or behind its padding.
    let mut end = source.len();
    while let Some((at, byte)) = bytes.next() {
        if *byte == b'=' {
            let is_one_of_two = digits == 2;
            let has_second = is_one_of_two && bytes.next().is_some_and(|(_, next)| *next == b'=');
            if digits == 0 || is_one_of_two && !has_second {
                return Err(HmacError::Ending);
            }
            end = at + 1 + usize::from(is_one_of_two);
            break;
        }
        let digit = digit(*byte).ok_or_else(|| illegal(*byte))?;
        unit = unit << 6 | digit;
        digits += 1;
        if digits == 4 {
            decoded.extend(unit.to_be_bytes().iter().skip(1));
            (unit, digits) = (0, 0);
        }
    }
    match digits {
        1 => return Err(HmacError::Bits),
        2 => decoded.push((unit >> 4) as u8),
        3 => decoded.extend([(unit >> 10) as u8, (unit >> 2) as u8]),
        _ => {}
    }
    match end < source.len() {
        true => Err(HmacError::Behind(end)),
        false => Ok(decoded),
    }
}

fn digit(byte: u8) -> Option<u32> {
    let digit = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(digit))
}

fn illegal(byte: u8) -> HmacError {
    let signed = byte.cast_signed();
    let sign = if signed < 0 { "-" } else { "" };
    HmacError::Character(format!("{sign}{:x}", signed.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_with_its_padding_or_without() {
        let table: [(&str, &[u8]); 8] = [
            ("", b""),
            ("TWFu", b"Man"),
            ("TWE=", b"Ma"),
            ("TWE", b"Ma"),
            ("TQ==", b"M"),
            ("TQ", b"M"),
            ("TWFuTQ==", b"ManM"),
            ("+/+/", &[0xfb, 0xff, 0xbf]),
        ];
        for (text, bytes) in table {
            assert_eq!(decode(Some(text)).as_deref(), Ok(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_as_by_java() {
        let table = [
            ("a", "Input byte[] should at least have 2 bytes for base64 bytes"),
            ("!!", "Illegal base64 character 21"),
            ("TW-u", "Illegal base64 character 2d"),
            ("TWé", "Illegal base64 character -17"),
            ("TW€", "Illegal base64 character 3f"),
            ("TWFuT", "Last unit does not have enough valid bits"),
            ("TWFuT=", "Last unit does not have enough valid bits"),
            ("TQ=", "Input byte array has wrong 4-byte ending unit"),
            ("TQ=a", "Input byte array has wrong 4-byte ending unit"),
            ("TWFu=", "Input byte array has wrong 4-byte ending unit"),
            ("TWE=TWFu", "Input byte array has incorrect ending byte at 4"),
            ("TQ==TQ==", "Input byte array has incorrect ending byte at 4"),
        ];
        for (text, words) in table {
            assert_eq!(decode(Some(text)).unwrap_err().to_string(), words, "{text}");
        }
        assert_eq!(decode(None), Err(HmacError::Missing));
    }
}
