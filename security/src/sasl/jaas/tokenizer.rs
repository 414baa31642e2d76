//! Words of JAAS texts, as `java.io.StreamTokenizer` cuts them.
//!
//! A word begins with a letter, `_` or `$`; digits, dots and dashes go on with it. A word that
//! begins with a digit is a number to Java, and no text. Strings stand in double or single quotes,
//! with Java's escapes, and end with their line at the latest. `/` begins a comment.

use std::iter::Peekable;
use std::str::Chars;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A word or a string.
    Text(String),
    /// What Java reads as a number.
    Number,
    Mark(char),
}

pub(super) struct Tokenizer<'a> {
    rest: Peekable<Chars<'a>>,
    line: usize,
    /// Other characters that words are made of.
    letters: &'static [char],
}

impl<'a> Tokenizer<'a> {
    pub(super) fn new(text: &'a str, letters: &'static [char]) -> Self {
        Self { rest: text.chars().peekable(), line: 1, letters }
    }

    /// The line that was read last, from 1.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    fn take(&mut self) -> Option<char> {
        let taken = self.rest.next();
        self.line += usize::from(taken == Some('\n'));
        taken
    }

    fn skip_line(&mut self) {
        while self.rest.peek().is_some_and(|c| !matches!(c, '\n' | '\r')) {
            self.take();
        }
    }

    fn skip_comment(&mut self) {
        if self.rest.peek() != Some(&'*') {
            return self.skip_line();
        }
        self.take();
        let mut before = ' ';
        while let Some(c) = self.take() {
            if before == '*' && c == '/' {
                return;
            }
            before = c;
        }
    }

    fn quoted(&mut self, quote: char) -> String {
        let mut text = String::new();
        while let Some(c) = self.rest.peek().copied().filter(|c| !matches!(c, '\n' | '\r')) {
            self.take();
            if c == quote {
                break;
            }
            match c {
                '\\' => text.extend(self.escaped()),
                c => text.push(c),
            }
        }
        text
    }

    fn escaped(&mut self) -> Option<char> {
        let c = self.take()?;
        Some(match c {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            '0'..='7' => {
                let mut code = c.to_digit(8)?;
                // Three digits where the first is small.
                let most = if c <= '3' { 2 } else { 1 };
                for _ in 0..most {
                    let Some(digit) = self.rest.peek().and_then(|c| c.to_digit(8)) else { break };
                    self.take();
                    code = code * 8 + digit;
                }
                char::from_u32(code)?
            }
            other => other,
        })
    }

    fn is_letter(&self, c: char) -> bool {
        c.is_ascii_alphabetic() || u32::from(c) >= 160 || self.letters.contains(&c)
    }

    fn word(&mut self, first: char) -> String {
        let mut word = String::from(first);
        while let Some(c) = self.rest.peek().copied() {
            if !self.is_letter(c) && !c.is_ascii_digit() && !matches!(c, '.' | '-') {
                break;
            }
            word.extend(self.take());
        }
        word
    }

    fn number(&mut self) -> Token {
        while self.rest.peek().is_some_and(|c| c.is_ascii_digit() || *c == '.') {
            self.take();
        }
        Token::Number
    }
}

impl Iterator for Tokenizer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            let c = self.take()?;
            return Some(match c {
                c if c <= ' ' => continue,
                '/' => {
                    self.skip_comment();
                    continue;
                }
                '"' | '\'' => Token::Text(self.quoted(c)),
                '-' if !self.rest.peek().is_some_and(|c| c.is_ascii_digit() || *c == '.') => {
                    Token::Mark(c)
                }
                '0'..='9' | '.' | '-' => self.number(),
                c if self.is_letter(c) => Token::Text(self.word(c)),
                c => Token::Mark(c),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_strings_numbers_and_comments_are_cut_as_java_cuts_them() {
        let text =
            "a.B$c_d-2 required // ignored\n x=\"a\\\"b\\n\\101\" y='z;' /* \n */ n=12 ;/end";
        let tokens: Vec<Token> = Tokenizer::new(text, &['-', '_', '$']).collect();
        let text = |text: &str| Token::Text(text.to_owned());
        let expected = [
            text("a.B$c_d-2"),
            text("required"),
            text("x"),
            Token::Mark('='),
            text("a\"b\nA"),
            text("y"),
            Token::Mark('='),
            text("z;"),
            text("n"),
            Token::Mark('='),
            Token::Number,
            Token::Mark(';'),
        ];
        assert_eq!(tokens, expected);
    }

    #[test]
    fn a_string_ends_with_its_line() {
        let mut tokenizer = Tokenizer::new("\"open\nnext", &[]);
        assert_eq!(tokenizer.next(), Some(Token::Text("open".to_owned())));
        assert_eq!((tokenizer.next(), tokenizer.line()), (Some(Token::Text("next".to_owned())), 2));
    }
}
