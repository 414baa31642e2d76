//! Who a certificate is about, as Java prints it: RFC 2253, what stands last first.
//!
//! Answers to `X500Principal.getName()`: the nine keywords of the RFC, other attributes by their
//! identifier, and values that are no text by their encoding. The characters of a value are read as
//! UTF-8 whatever its type, as Java reads them.

use std::fmt::Write as _;

use super::der::{self, Element, Malformed, Reader, tag};

/// The attributes that RFC 2253 has a word for.
const KEYWORDS: [(&[u8], &str); 9] = [
    (&[0x55, 0x04, 0x03], "CN"),
    (&[0x55, 0x04, 0x06], "C"),
    (&[0x55, 0x04, 0x07], "L"),
    (&[0x55, 0x04, 0x08], "ST"),
    (&[0x55, 0x04, 0x09], "STREET"),
    (&[0x55, 0x04, 0x0a], "O"),
    (&[0x55, 0x04, 0x0b], "OU"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19], "DC"),
    (&[0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x01], "UID"),
];

const COMMON_NAME: &[u8] = KEYWORDS[0].0;

/// Printed behind a backslash.
const ESCAPED: &str = ",=+<>#;\"\\";

/// One attribute of a name: its type and its value.
struct Attribute<'a> {
    kind: &'a [u8],
    value: Element<'a>,
}

/// The name in RFC 2253's form. `name` is the whole encoded Name.
pub(super) fn rfc2253(name: &[u8]) -> Result<String, Malformed> {
    let mut relative = Vec::new();
    for set in sets(name)? {
        let printed: Vec<String> = attributes(set)?.iter().map(print).collect::<Result<_, _>>()?;
        relative.push(printed.join("+"));
    }
    relative.reverse();
    Ok(relative.join(","))
}

/// The common name that stands last, by which hosts were named before alternative names were.
pub(super) fn common_name(name: &[u8]) -> Option<String> {
    let mut found = None;
    for set in sets(name).ok()? {
        for attribute in attributes(set).ok()? {
            if attribute.kind == COMMON_NAME {
                found = Some(String::from_utf8_lossy(attribute.value.contents).into_owned());
            }
        }
    }
    found
}

fn sets(name: &[u8]) -> Result<Vec<Reader<'_>>, Malformed> {
    let mut names = Reader::new(name).sequence()?;
    let mut sets = Vec::new();
    while !names.is_empty() {
        sets.push(names.expect(tag::SET)?.reader());
    }
    Ok(sets)
}

fn attributes(mut set: Reader<'_>) -> Result<Vec<Attribute<'_>>, Malformed> {
    let mut all = Vec::new();
    while !set.is_empty() {
        let mut attribute = set.sequence()?;
        let kind = attribute.expect(tag::OBJECT_IDENTIFIER)?.contents;
        all.push(Attribute { kind, value: attribute.next()? });
    }
    Ok(all)
}

fn print(attribute: &Attribute<'_>) -> Result<String, Malformed> {
    let Attribute { kind, value } = attribute;
    let keyword = KEYWORDS.iter().find(|(known, _)| known == kind).map(|(_, keyword)| *keyword);
    match keyword {
        Some(keyword) if is_text(value.tag) => {
            Ok(format!("{keyword}={}", escape(&String::from_utf8_lossy(value.contents))))
        }
        Some(keyword) => Ok(format!("{keyword}={}", encoding(value))),
        None => Ok(format!("{}={}", der::dotted(kind).ok_or(Malformed)?, encoding(value))),
    }
}

fn is_text(kind: u8) -> bool {
    matches!(
        kind,
        tag::PRINTABLE_STRING
            | tag::T61_STRING
            | tag::IA5_STRING
            | tag::GENERAL_STRING
            | tag::BMP_STRING
            | tag::UTF8_STRING
    )
}

fn encoding(value: &Element<'_>) -> String {
    value.encoded.iter().fold(String::from("#"), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn escape(value: &str) -> String {
    let mut escaped = String::new();
    for character in value.chars() {
        match character {
            '\0' => escaped.push_str("\\00"),
            special if ESCAPED.contains(special) => escaped.extend(['\\', special]),
            plain => escaped.push(plain),
        }
    }
    let is_blank = |character: &char| matches!(character, ' ' | '\r');
    let characters: Vec<char> = escaped.chars().collect();
    let lead = characters.iter().take_while(|character| is_blank(character)).count();
    let trail = characters.iter().rev().take_while(|character| is_blank(character)).count();
    let end = characters.len() - trail;
    let mut printed = String::new();
    for (at, character) in characters.into_iter().enumerate() {
        if at < lead || at >= end {
            printed.push('\\');
        }
        printed.push(character);
    }
    printed
}
