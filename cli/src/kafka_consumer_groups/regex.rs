//! `--validate-regex`: whether a text is a regular expression in the syntax of RE2.
//!
//! Reads and judges, and compiles nothing. Answers to re2j's `Parser`, whose words these are.

use std::collections::BTreeSet;

const MISSING_BRACKET: &str = "missing closing ]";
const MISSING_PARENTHESIS: &str = "missing closing )";
const BAD_ESCAPE: &str = "invalid escape sequence";
const BAD_RANGE: &str = "invalid character class range";
const BAD_CAPTURE: &str = "invalid named capture";
const BAD_PERL: &str = "invalid or unsupported Perl syntax";
const NO_ARGUMENT: &str = "missing argument to repetition operator";
const NESTED: &str = "invalid nested repetition operator";
const BAD_COUNT: &str = "invalid repeat count";
const TRAILING: &str = "trailing backslash at end of expression";
const UNBALANCED: &str = "regexp/syntax: internal error";
/// The greatest number of repetitions.
const MOST: u32 = 1000;

/// What Kafka says of a pattern.
pub(super) fn verdict(pattern: &str) -> String {
    match check(pattern) {
        Ok(()) => format!("The regular expression `{pattern}` is valid."),
        Err(why) => format!("The regular expression `{pattern}` is invalid: {why}."),
    }
}

/// What stands before the place that is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Something,
    Repetition,
}

struct Reader<'a> {
    rest: &'a str,
    names: BTreeSet<&'a str>,
    depth: usize,
}

type Read<T> = Result<T, &'static str>;

fn check(pattern: &str) -> Read<()> {
    let mut reader = Reader { rest: pattern, names: BTreeSet::new(), depth: 0 };
    let mut before = Before::Nothing;
    while let Some(next) = reader.peek() {
        before = match next {
            '(' => reader.open()?,
            ')' => reader.close()?,
            '|' => reader.step(Before::Nothing),
            '[' => reader.class()?,
            '*' | '+' | '?' => {
                reader.skip();
                reader.repeat(before)?
            }
            '{' => match reader.counts() {
                Some(counts) => {
                    let (least, most) = counts;
                    if least > MOST || most.is_some_and(|most| most > MOST || most < least) {
                        return Err(BAD_COUNT);
                    }
                    reader.repeat(before)?
                }
                None => reader.step(Before::Something),
            },
            '\\' => reader.escape_outside()?,
            _ => reader.step(Before::Something),
        };
    }
    match reader.depth {
        0 => Ok(()),
        _ => Err(MISSING_PARENTHESIS),
    }
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn skip(&mut self) -> Option<char> {
        let mut letters = self.rest.chars();
        let next = letters.next();
        self.rest = letters.as_str();
        next
    }

    fn step(&mut self, then: Before) -> Before {
        self.skip();
        then
    }

    /// Behind a repetition operator; `?` makes it lazy.
    fn repeat(&mut self, before: Before) -> Read<Before> {
        if let Some(rest) = self.rest.strip_prefix('?') {
            self.rest = rest;
        }
        match before {
            Before::Nothing => Err(NO_ARGUMENT),
            Before::Repetition => Err(NESTED),
            Before::Something => Ok(Before::Repetition),
        }
    }

    fn open(&mut self) -> Read<Before> {
        self.skip();
        let Some(rest) = self.rest.strip_prefix('?') else {
            self.depth += 1;
            return Ok(Before::Nothing);
        };
        let named = rest.strip_prefix("P<").or_else(|| rest.strip_prefix('<'));
        // `(?<=` and `(?<!` look behind, which RE2 does not.
        if let Some(named) = named {
            let (name, after) = named.split_once('>').ok_or(BAD_CAPTURE)?;
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(is_word) {
                return Err(BAD_CAPTURE);
            }
            if !self.names.insert(name) {
                return Err("duplicate capture group name");
            }
            (self.rest, self.depth) = (after, self.depth + 1);
            return Ok(Before::Nothing);
        }
        self.rest = rest;
        self.flags()
    }

    /// `(?i)`, `(?i-s:`: switches for what follows or for a group.
    fn flags(&mut self) -> Read<Before> {
        let (mut is_off, mut is_any) = (false, false);
        while let Some(flag) = self.skip() {
            match flag {
                'i' | 'm' | 's' | 'U' => is_any = true,
                '-' if !is_off => (is_off, is_any) = (true, false),
                ':' | ')' if !is_off || is_any => {
                    self.depth += usize::from(flag == ':');
                    return Ok(Before::Nothing);
                }
                _ => return Err(BAD_PERL),
            }
        }
        Err(BAD_PERL)
    }

    fn close(&mut self) -> Read<Before> {
        self.skip();
        self.depth = self.depth.checked_sub(1).ok_or(UNBALANCED)?;
        Ok(Before::Something)
    }

    /// `{2}`, `{2,}` and `{2,3}`; anything else is letters.
    fn counts(&mut self) -> Option<(u32, Option<u32>)> {
        let (inner, after) = self.rest.strip_prefix('{')?.split_once('}')?;
        let number = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            let is_plain = is_number && (text.len() == 1 || !text.starts_with('0'));
            is_plain.then(|| text.parse().unwrap_or(u32::MAX))
        };
        let counts = match inner.split_once(',') {
            None => (number(inner)?, None),
            Some((least, "")) => (number(least)?, None),
            Some((least, most)) => (number(least)?, Some(number(most)?)),
        };
        self.rest = after;
        Some(counts)
    }

    fn escape_outside(&mut self) -> Read<Before> {
        let after = self.rest.strip_prefix('\\').unwrap_or_default();
        let mut letters = after.chars();
        match letters.next() {
            None => Err(TRAILING),
            Some('A' | 'b' | 'B' | 'z' | 'd' | 'D' | 's' | 'S' | 'w' | 'W') => {
                self.rest = letters.as_str();
                Ok(Before::Something)
            }
            Some('Q') => {
                let quoted = letters.as_str();
                let (inner, after) = quoted.split_once("\\E").unwrap_or((quoted, ""));
                self.rest = after;
                // An empty quotation adds nothing that could be repeated.
                Ok(if inner.is_empty() { Before::Nothing } else { Before::Something })
            }
            Some('p' | 'P') => self.unicode_class(),
            Some(_) => self.escape().map(|_| Before::Something),
        }
    }

    /// `\pL` and `\p{Greek}`.
    fn unicode_class(&mut self) -> Read<Before> {
        let mut letters = self.rest.chars();
        letters.by_ref().nth(1);
        let name = letters.as_str();
        let (name, after) = match name.strip_prefix('{') {
            Some(inner) => inner.split_once('}').ok_or(BAD_RANGE)?,
            None => {
                let length = name.chars().next().map_or(0, char::len_utf8);
                name.split_at_checked(length).unwrap_or((name, ""))
            }
        };
        let name = name.strip_prefix('^').unwrap_or(name);
        if !is_unicode_class(name) {
            return Err(BAD_RANGE);
        }
        self.rest = after;
        Ok(Before::Something)
    }

    /// One character behind a backslash.
    fn escape(&mut self) -> Read<u32> {
        self.skip();
        let letter = self.skip().ok_or(TRAILING)?;
        let value = match letter {
            '1'..='7' => {
                // `\1` by itself would refer back; `\12` is octal.
                if !self.peek().is_some_and(|next| ('0'..='7').contains(&next)) {
                    return Err(BAD_ESCAPE);
                }
                self.octal(u32::from(letter) - u32::from('0'))
            }
            '0' => self.octal(0),
            'x' => return self.hexadecimal(),
            'a' => 7,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'v' => 11,
            letter if letter.is_alphanumeric() || letter == '_' => return Err(BAD_ESCAPE),
            letter => u32::from(letter),
        };
        Ok(value)
    }

    /// Up to two digits more.
    fn octal(&mut self, first: u32) -> u32 {
        let mut value = first;
        for _ in 0..2 {
            match self.peek().and_then(|next| next.to_digit(8)) {
                Some(digit) => value = value * 8 + digit,
                None => break,
            }
            self.skip();
        }
        value
    }

    fn hexadecimal(&mut self) -> Read<u32> {
        let (digits, after) = match self.rest.strip_prefix('{') {
            Some(inner) => inner.split_once('}').ok_or(BAD_ESCAPE)?,
            None => self.rest.split_at_checked(2).ok_or(BAD_ESCAPE)?,
        };
        let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
        let value = u32::from_str_radix(digits, 16).ok().filter(|value| *value <= 0x10_FFFF);
        let value = value.filter(|_| is_number).ok_or(BAD_ESCAPE)?;
        self.rest = after;
        Ok(value)
    }

    fn class(&mut self) -> Read<Before> {
        self.skip();
        if let Some(rest) = self.rest.strip_prefix('^') {
            self.rest = rest;
        }
        let mut is_first = true;
        loop {
            let next = self.peek().ok_or(MISSING_BRACKET)?;
            if next == ']' && !is_first {
                self.skip();
                return Ok(Before::Something);
            }
            is_first = false;
            if self.rest.starts_with("[:") && self.rest.contains(":]") {
                self.posix_class()?;
            } else if self.rest.starts_with("\\p") || self.rest.starts_with("\\P") {
                self.unicode_class()?;
            } else if let Some(rest) = self.perl_class() {
                self.rest = rest;
            } else {
                self.range()?;
            }
        }
    }

    fn posix_class(&mut self) -> Read<()> {
        const NAMES: [&str; 14] = [
            "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print",
            "punct", "space", "upper", "word", "xdigit",
        ];
        let inner = self.rest.strip_prefix("[:").unwrap_or_default();
        let (name, after) = inner.split_once(":]").ok_or(BAD_RANGE)?;
        if !NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err(BAD_RANGE);
        }
        self.rest = after;
        Ok(())
    }

    /// What follows `\d` and its like.
    fn perl_class(&self) -> Option<&'a str> {
        let rest = self.rest.strip_prefix('\\')?;
        rest.strip_prefix(['d', 'D', 's', 'S', 'w', 'W'])
    }

    fn range(&mut self) -> Read<()> {
        let low = self.class_character()?;
        let is_range = self.rest.starts_with('-') && !self.rest.starts_with("-]");
        if !is_range || self.rest.len() == 1 {
            return Ok(());
        }
        self.skip();
        let high = self.class_character()?;
        if high < low { Err(BAD_RANGE) } else { Ok(()) }
    }

    fn class_character(&mut self) -> Read<u32> {
        match self.peek() {
            Some('\\') => self.escape(),
            Some(letter) => {
                self.skip();
                Ok(u32::from(letter))
            }
            None => Err(MISSING_BRACKET),
        }
    }
}

/// General categories, and the scripts that people write patterns with.
fn is_unicode_class(name: &str) -> bool {
    const NAMES: [&str; 54] = [
        "Any",
        "C",
        "Cc",
        "Cf",
        "Co",
        "Cs",
        "L",
        "Ll",
        "Lm",
        "Lo",
        "Lt",
        "Lu",
        "M",
        "Mc",
        "Me",
        "Mn",
        "N",
        "Nd",
        "Nl",
        "No",
        "P",
        "Pc",
        "Pd",
        "Pe",
        "Pf",
        "Pi",
        "Po",
        "Ps",
        "S",
        "Sc",
        "Sk",
        "Sm",
        "So",
        "Z",
        "Zl",
        "Zp",
        "Zs",
        "Arabic",
        "Armenian",
        "Bengali",
        "Common",
        "Cyrillic",
        "Devanagari",
        "Georgian",
        "Greek",
        "Han",
        "Hangul",
        "Hebrew",
        "Hiragana",
        "Inherited",
        "Katakana",
        "Latin",
        "Thai",
        "Tibetan",
    ];
    NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_re2_are_valid() {
        let patterns = [
            "",
            "a.*",
            "(?<n>a)",
            "(?i)a",
            "a{",
            "a{,2}",
            "\\Qab",
            "a+?",
            "(|a)*",
            "[]a]",
            "\\x{41}",
            "a??b",
            "(?i-s:a)",
            "a{1000}",
            "[\\w-z]",
            "[a-b-c]",
            "\\b*",
            "^*",
            "$+",
            "(?:)",
            "[[:alpha:]]",
            "\\Qa\\E*",
            "\\p{Greek}",
            "(?P<1a>b)",
            "orders-[0-9]+",
            "[a-]",
        ];
        for pattern in patterns {
            assert_eq!(check(pattern), Ok(()), "{pattern}");
        }
    }

    #[test]
    fn others_are_refused_in_its_words() {
        let table = [
            ("[", MISSING_BRACKET),
            ("[a", MISSING_BRACKET),
            ("[^]", MISSING_BRACKET),
            ("[[:alpha:", MISSING_BRACKET),
            ("(", MISSING_PARENTHESIS),
            (")", UNBALANCED),
            ("a)b", UNBALANCED),
            ("*", NO_ARGUMENT),
            ("+a", NO_ARGUMENT),
            ("a|*", NO_ARGUMENT),
            ("a**", NESTED),
            ("a++", NESTED),
            ("x{2}{3}", NESTED),
            ("a{1}*", NESTED),
            ("a{1001}", BAD_COUNT),
            ("a{2,1}", BAD_COUNT),
            ("(?=a)", BAD_PERL),
            ("(?!__).*", BAD_PERL),
            ("a(?", BAD_PERL),
            ("(?P=n)", BAD_PERL),
            ("(?#c)", BAD_PERL),
            ("(?>a)", BAD_PERL),
            ("(?--i)", BAD_PERL),
            ("(?i-)", BAD_PERL),
            ("(?P<n>a)(?P<n>b)", "duplicate capture group name"),
            ("(?P<n", BAD_CAPTURE),
            ("(?<", BAD_CAPTURE),
            ("(?P<>b)", BAD_CAPTURE),
            ("\\1", BAD_ESCAPE),
            ("\\8", BAD_ESCAPE),
            ("\\k", BAD_ESCAPE),
            ("\\xZZ", BAD_ESCAPE),
            ("\\z\\Z", BAD_ESCAPE),
            ("\\C", BAD_ESCAPE),
            ("[a-\\d]", BAD_ESCAPE),
            ("\\", TRAILING),
            ("[z-a]", BAD_RANGE),
            ("[[:foo:]]", BAD_RANGE),
            ("\\pX", BAD_RANGE),
        ];
        for (pattern, why) in table {
            assert_eq!(check(pattern), Err(why), "{pattern}");
        }
    }
}
