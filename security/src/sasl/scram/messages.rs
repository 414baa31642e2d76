//! The four messages, strict: what Kafka's patterns match is a message, nothing else is.

use base64::Engine as _;

use super::{BASE64, ScramError, encode};

type Parsed<T> = Result<T, ScramError>;

/// What is left of a message; each step takes from its front or fails.
struct Cursor<'a> {
    rest: &'a [u8],
    message: &'static str,
}

impl<'a> Cursor<'a> {
    fn new(rest: &'a [u8], message: &'static str) -> Self {
        Self { rest, message }
    }

    fn wrong<T>(&self) -> Parsed<T> {
        Err(ScramError::Format(self.message))
    }

    fn starts_with(&self, text: &str) -> bool {
        self.rest.starts_with(text.as_bytes())
    }

    fn literal(&mut self, text: &str) -> Parsed<()> {
        match self.rest.strip_prefix(text.as_bytes()) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None => self.wrong(),
        }
    }

    /// One or more bytes of a kind, up to a comma or the end.
    fn some(&mut self, is_of_kind: impl Fn(u8) -> bool) -> Parsed<String> {
        let end = self.rest.iter().position(|byte| *byte == b',').unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        if taken.is_empty() || !taken.iter().all(|byte| is_of_kind(*byte)) {
            return self.wrong();
        }
        self.rest = rest;
        String::from_utf8(taken.to_vec()).or_else(|_| self.wrong())
    }

    /// A name in which `=` and `,` are written `=3D` and `=2C`.
    fn sasl_name(&mut self) -> Parsed<String> {
        let name = self.some(is_value)?;
        let is_escaped = |rest: &str| rest.starts_with("2C") || rest.starts_with("3D");
        match name.split('=').skip(1).all(is_escaped) {
            true => Ok(name),
            false => self.wrong(),
        }
    }

    fn nonce(&mut self) -> Parsed<String> {
        self.some(|byte| (0x21..=0x7e).contains(&byte))
    }

    fn base64(&mut self) -> Parsed<Vec<u8>> {
        if self.rest.is_empty() || self.rest.first() == Some(&b',') {
            return Ok(Vec::new());
        }
        let text = self.some(is_value)?;
        BASE64.decode(text).or_else(|_| self.wrong())
    }

    /// `,name=value` as often as it comes; `stop` is the beginning of what is no extension.
    fn extensions(&mut self, stop: Option<&str>) -> Parsed<Vec<(String, String)>> {
        let mut all = Vec::new();
        while !self.rest.is_empty() && !stop.is_some_and(|stop| self.starts_with(stop)) {
            self.literal(",")?;
            let one = self.some(is_value)?;
            match one.split_once('=') {
                Some((name, value))
                    if !value.is_empty()
                        && !name.is_empty()
                        && name.bytes().all(|byte| byte.is_ascii_alphabetic()) =>
                {
                    all.push((name.to_owned(), value.to_owned()));
                }
                _ => return self.wrong(),
            }
        }
        Ok(all)
    }

    /// `m=value,`, which stands for nothing.
    fn reserved(&mut self) -> Parsed<()> {
        if self.starts_with("m=") {
            self.literal("m=")?;
            self.some(is_value)?;
            self.literal(",")?;
        }
        Ok(())
    }

    fn end(&self) -> Parsed<()> {
        if self.rest.is_empty() { Ok(()) } else { self.wrong() }
    }
}

fn is_value(byte: u8) -> bool {
    (1..=0x7f).contains(&byte)
}

/// The extension by which a name is that of a delegation token.
const TOKEN_AUTH: &str = "tokenauth";

/// `n,[a=AUTHZID],[m=..,]n=USER,r=NONCE[,extensions]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClientFirst {
    /// As it was written; empty where there is none.
    pub(super) authorization_id: String,
    sasl_name: String,
    pub(super) nonce: String,
    extensions: Vec<(String, String)>,
}

impl ClientFirst {
    pub(super) fn new(user: &str, nonce: String) -> Self {
        let sasl_name = user.replace('=', "=3D").replace(',', "=2C");
        Self { authorization_id: String::new(), sasl_name, nonce, extensions: Vec::new() }
    }

    /// The same, of whoever holds a delegation token: its name is the token's id.
    pub(super) fn of_token(mut self) -> Self {
        self.extensions.push((TOKEN_AUTH.to_owned(), "true".to_owned()));
        self
    }

    pub(super) fn parse(bytes: &[u8]) -> Parsed<Self> {
        let mut cursor = Cursor::new(bytes, "client first");
        cursor.literal("n,")?;
        let mut authorization_id = String::new();
        if cursor.starts_with("a=") {
            cursor.literal("a=")?;
            authorization_id = cursor.sasl_name()?;
        }
        cursor.literal(",")?;
        cursor.reserved()?;
        cursor.literal("n=")?;
        let sasl_name = cursor.sasl_name()?;
        cursor.literal(",r=")?;
        let nonce = cursor.nonce()?;
        let extensions = cursor.extensions(None)?;
        Ok(Self { authorization_id, sasl_name, nonce, extensions })
    }

    pub(super) fn user(&self) -> String {
        self.sasl_name.replace("=2C", ",").replace("=3D", "=")
    }

    /// Whether the name is that of a delegation token.
    pub(super) fn is_of_token(&self) -> bool {
        let said = self.extensions.iter().rfind(|(name, _)| name == TOKEN_AUTH);
        said.is_some_and(|(_, value)| value.eq_ignore_ascii_case("true"))
    }

    pub(super) fn bare(&self) -> String {
        let mut bare = format!("n={},r={}", self.sasl_name, self.nonce);
        for (name, value) in &self.extensions {
            bare.push_str(&format!(",{name}={value}"));
        }
        bare
    }

    pub(super) fn text(&self) -> String {
        let id = match self.authorization_id.as_str() {
            "" => String::new(),
            id => format!("a={id}"),
        };
        format!("n,{id},{}", self.bare())
    }
}

/// `[m=..,]r=NONCE,s=SALT,i=ITERATIONS[,extensions]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ServerFirst {
    pub(super) nonce: String,
    pub(super) salt: Vec<u8>,
    pub(super) iterations: i32,
}

impl ServerFirst {
    pub(super) fn parse(bytes: &[u8]) -> Parsed<Self> {
        let mut cursor = Cursor::new(bytes, "server first");
        cursor.reserved()?;
        cursor.literal("r=")?;
        let nonce = cursor.nonce()?;
        cursor.literal(",s=")?;
        let salt = cursor.base64()?;
        cursor.literal(",i=")?;
        let digits = cursor.some(|byte| byte.is_ascii_digit())?;
        cursor.extensions(None)?;
        match digits.parse() {
            Ok(iterations) if iterations > 0 => Ok(Self { nonce, salt, iterations }),
            _ => cursor.wrong(),
        }
    }

    pub(super) fn text(&self) -> String {
        format!("r={},s={},i={}", self.nonce, encode(&self.salt), self.iterations)
    }
}

/// `c=CHANNEL,r=NONCE[,extensions],p=PROOF`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClientFinal {
    pub(super) channel_binding: Vec<u8>,
    pub(super) nonce: String,
    pub(super) proof: Vec<u8>,
}

impl ClientFinal {
    pub(super) fn parse(bytes: &[u8]) -> Parsed<Self> {
        let mut cursor = Cursor::new(bytes, "client final");
        cursor.literal("c=")?;
        let channel_binding = cursor.base64()?;
        cursor.literal(",r=")?;
        let nonce = cursor.nonce()?;
        cursor.extensions(Some(",p="))?;
        cursor.literal(",p=")?;
        let proof = cursor.base64()?;
        cursor.end()?;
        Ok(Self { channel_binding, nonce, proof })
    }

    pub(super) fn without_proof(&self) -> String {
        format!("c={},r={}", encode(&self.channel_binding), self.nonce)
    }

    pub(super) fn text(&self) -> String {
        format!("{},p={}", self.without_proof(), encode(&self.proof))
    }
}

/// `e=ERROR` or `v=SIGNATURE[,extensions]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ServerFinal {
    Error(String),
    Signature(Vec<u8>),
}

impl ServerFinal {
    pub(super) fn parse(bytes: &[u8]) -> Parsed<Self> {
        let mut cursor = Cursor::new(bytes, "server final");
        if cursor.starts_with("e=") {
            cursor.literal("e=")?;
            let error = cursor.some(|byte| is_value(byte) && byte != b'=')?;
            cursor.end()?;
            return Ok(Self::Error(error));
        }
        cursor.literal("v=")?;
        let signature = cursor.base64()?;
        cursor.extensions(None)?;
        Ok(Self::Signature(signature))
    }
}

/// What both sides sign.
pub(super) fn signed(first: &ClientFirst, server: &ServerFirst, last: &ClientFinal) -> Vec<u8> {
    format!("{},{},{}", first.bare(), server.text(), last.without_proof()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_message_is_read_and_written_alike() {
        for text in
            ["n,,n=alice,r=abc", "n,a=bob,n=alice,r=abc", "n,,n=a=2Cb=3D,r=x,tokenauth=true"]
        {
            assert_eq!(ClientFirst::parse(text.as_bytes()).unwrap().text(), text);
        }
        let named = ClientFirst::new("a,b=", "n".to_owned());
        assert_eq!(named.text(), "n,,n=a=2Cb=3D,r=n");
        assert_eq!(ClientFirst::parse(named.text().as_bytes()).unwrap().user(), "a,b=");
        let token = ClientFirst::new("id", "x".to_owned()).of_token();
        assert_eq!(token.text(), "n,,n=id,r=x,tokenauth=true");
        assert!(token.is_of_token());
        assert!(ClientFirst::parse(b"n,,n=a,r=x,tokenauth=TRUE").unwrap().is_of_token());
        assert!(!ClientFirst::parse(b"n,,n=a,r=x,other=true").unwrap().is_of_token());
        assert_eq!(ClientFirst::parse(b"n,,m=ext,n=a,r=x").unwrap().bare(), "n=a,r=x");
    }

    #[test]
    fn what_is_no_first_message_is_refused_at_every_cut_and_for_every_slip() {
        let whole = b"n,,n=alice,r=abc";
        for cut in 0..whole.len() - 2 {
            assert!(ClientFirst::parse(&whole[..cut]).is_err(), "{cut}");
        }
        for text in [
            "y,,n=alice,r=abc",
            "p=tls-unique,,n=alice,r=abc",
            "n,n=alice,r=abc",
            "n,,n=,r=abc",
            "n,,n=a=b,r=abc",
            "n,,n=a=2,r=abc",
            "n,,n=alice,r=",
            "n,,n=alice,r=a b",
            "n,,n=alice,r=abc,",
            "n,,n=alice,r=abc,x",
            "n,,n=alice,r=abc,1=x",
            "n,,n=alice,r=abc,x=",
            "n,,n=älice,r=abc",
            "n,,n=al\0ice,r=abc",
            "n,a=,n=alice,r=abc",
        ] {
            let refused = ClientFirst::parse(text.as_bytes()).unwrap_err();
            assert_eq!(refused, ScramError::Format("client first"), "{text}");
        }
        assert!(ClientFirst::parse(b"n,,n=alice,r=\xff\xfe").is_err());
    }

    #[test]
    fn a_last_message_is_read_whole_or_not_at_all() {
        let whole = b"c=biws,r=abcdef,p=dGVzdA==";
        let last = ClientFinal::parse(whole).unwrap();
        assert_eq!((&*last.channel_binding, &*last.nonce), (&b"n,,"[..], "abcdef"));
        assert_eq!(last.proof, b"test");
        assert_eq!(last.text().as_bytes(), whole);
        for cut in 0..whole.len() {
            // Where a multiple of four digits is left, a shorter proof is.
            let is_shorter = [whole.len() - 8, whole.len() - 4].contains(&cut);
            assert_eq!(ClientFinal::parse(&whole[..cut]).is_ok(), is_shorter, "{cut}");
        }
        for text in
            ["c=biws,r=a,p=%", "c=biws,r=a,p=dGV", "c=biws,r=a,p=dGVzdA==,x=y", "r=a,p=dA=="]
        {
            assert!(ClientFinal::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(ClientFinal::parse(b"c=biws,r=a,x=y,p=dA==").is_ok(), "extensions are passed over");
    }

    #[test]
    fn what_a_server_says_is_read() {
        let first = ServerFirst::parse(b"r=abc,s=c2FsdA==,i=4096").unwrap();
        assert_eq!((first.salt.as_slice(), first.iterations), (&b"salt"[..], 4096));
        for text in ["r=abc,s=c2FsdA==,i=0", "r=abc,s=c2FsdA==,i=99999999999", "r=abc,i=1", "r=a"] {
            assert!(ServerFirst::parse(text.as_bytes()).is_err(), "{text}");
        }
        let refused = ServerFinal::parse(b"e=other-error").unwrap();
        assert_eq!(refused, ServerFinal::Error("other-error".to_owned()));
        let signature = ServerFinal::parse(b"v=c2FsdA==,x=y").unwrap();
        assert_eq!(signature, ServerFinal::Signature(b"salt".to_vec()));
    }
}
