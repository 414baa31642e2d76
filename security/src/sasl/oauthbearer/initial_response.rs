//! What a client says first (RFC 7628, section 3.1). Kafka: `OAuthBearerClientInitialResponse`.

use std::collections::BTreeMap;

const SEPARATOR: char = '\u{1}';
const AUTH: &str = "auth";

/// Why bytes are no initial response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoResponse {
    #[error("Invalid OAUTHBEARER client first message")]
    Malformed,
    #[error("Invalid OAUTHBEARER client first message: 'auth' not specified")]
    NoAuth,
    #[error("Invalid OAUTHBEARER client first message: invalid 'auth' format")]
    BadAuth,
    /// Kafka fails over it, rather than to say so.
    #[error("Invalid scheme in OAUTHBEARER client first message")]
    OtherScheme,
}

/// A token, for whom it is shown, and what else is said.
#[derive(Clone, PartialEq, Eq)]
pub struct InitialResponse {
    pub token: String,
    /// As it was written; empty where there is none.
    pub authorization_id: String,
    pub extensions: BTreeMap<String, String>,
}

/// A token is a password.
impl std::fmt::Debug for InitialResponse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InitialResponse")
            .field("authorization_id", &self.authorization_id)
            .finish_non_exhaustive()
    }
}

impl InitialResponse {
    pub fn new(token: impl Into<String>) -> Self {
        let (authorization_id, extensions) = (String::new(), BTreeMap::new());
        Self { token: token.into(), authorization_id, extensions }
    }

    pub fn parse(bytes: &[u8]) -> Result<Self, NoResponse> {
        let text = std::str::from_utf8(bytes).map_err(|_| NoResponse::Malformed)?;
        let rest = text.strip_prefix("n,").ok_or(NoResponse::Malformed)?;
        let (id, rest) = rest.split_once(',').ok_or(NoResponse::Malformed)?;
        let authorization_id = match id {
            "" => String::new(),
            id => {
                let id = id.strip_prefix("a=").filter(|id| is_sasl_name(id));
                id.ok_or(NoResponse::Malformed)?.to_owned()
            }
        };
        let pairs = rest
            .strip_prefix(SEPARATOR)
            .and_then(|rest| rest.strip_suffix(SEPARATOR))
            .ok_or(NoResponse::Malformed)?;
        let mut extensions = BTreeMap::new();
        for pair in pairs.split_terminator(SEPARATOR) {
            let (name, value) = pair.split_once('=').ok_or(NoResponse::Malformed)?;
            if !is_name(name) || !is_value(value) {
                return Err(NoResponse::Malformed);
            }
            extensions.insert(name.to_owned(), value.to_owned());
        }
        if !pairs.is_empty() && !pairs.ends_with(SEPARATOR) {
            return Err(NoResponse::Malformed);
        }
        let auth = extensions.remove(AUTH).ok_or(NoResponse::NoAuth)?;
        let token = bearer(&auth)?.to_owned();
        Ok(Self { token, authorization_id, extensions })
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let id = match self.authorization_id.as_str() {
            "" => String::new(),
            id => format!("a={id}"),
        };
        let mut text = format!("n,{id},{SEPARATOR}{AUTH}=Bearer {}{SEPARATOR}", self.token);
        for (name, value) in &self.extensions {
            text.push_str(&format!("{name}={value}{SEPARATOR}"));
        }
        text.push(SEPARATOR);
        text.into_bytes()
    }
}

/// The token behind the scheme.
fn bearer(auth: &str) -> Result<&str, NoResponse> {
    let (scheme, token) = auth.split_once(' ').ok_or(NoResponse::BadAuth)?;
    let token = token.trim_start_matches(' ');
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let digits = token.trim_end_matches('=');
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~+/.".contains(&byte);
    if scheme.is_empty() || !scheme.bytes().all(is_word) {
        return Err(NoResponse::BadAuth);
    }
    if digits.is_empty() || !digits.bytes().all(is_digit) {
        return Err(NoResponse::BadAuth);
    }
    match scheme.eq_ignore_ascii_case("bearer") {
        true => Ok(token),
        false => Err(NoResponse::OtherScheme),
    }
}

fn is_sasl_name(text: &str) -> bool {
    let rest = text.replace("=2C", "").replace("=3D", "");
    !text.is_empty() && rest.bytes().all(|byte| (1..=0x7f).contains(&byte) && byte != b'=')
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}

fn is_value(text: &str) -> bool {
    let is_of_value = |byte: u8| matches!(byte, 0x20..=0x7e | b'\t' | b'\r' | b'\n');
    !text.is_empty() && text.bytes().all(is_of_value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut said = InitialResponse::new("a.b-c_d~e+f/g==");
        assert_eq!(said.to_bytes(), b"n,,\x01auth=Bearer a.b-c_d~e+f/g==\x01\x01");
        assert_eq!(InitialResponse::parse(&said.to_bytes()), Ok(said.clone()));
        said.authorization_id = "bob".to_owned();
        said.extensions.insert("traceId".to_owned(), "1 2=3".to_owned());
        let bytes = b"n,a=bob,\x01auth=Bearer a.b-c_d~e+f/g==\x01traceId=1 2=3\x01\x01";
        assert_eq!(said.to_bytes(), bytes);
        assert_eq!(InitialResponse::parse(bytes), Ok(said.clone()));
        assert!(!format!("{said:?}").contains("a.b-c"));
    }

    #[test]
    fn other_forms_are_read_as_kafka_reads_them() {
        let token = |text: &str| InitialResponse::parse(text.as_bytes()).map(|said| said.token);
        for text in [
            "n,,\x01auth=bearer  x\x01\x01",
            "n,,\x01host=h\x01auth=BEARER x\x01port=1\x01\x01",
            "n,,\x01auth=Bearer y\x01auth=Bearer x\x01\x01",
            "n,a=b=2Cc=3D,\x01auth=Bearer x\x01\x01",
        ] {
            assert_eq!(token(text).as_deref(), Ok("x"), "{text:?}");
        }
        for (text, expected) in [
            ("", NoResponse::Malformed),
            ("\x01", NoResponse::Malformed),
            ("y,,\x01auth=Bearer x\x01\x01", NoResponse::Malformed),
            ("n,,\x01auth=Bearer x\x01", NoResponse::Malformed),
            ("n,,auth=Bearer x\x01\x01", NoResponse::Malformed),
            ("n,b,\x01auth=Bearer x\x01\x01", NoResponse::Malformed),
            ("n,a=,\x01auth=Bearer x\x01\x01", NoResponse::Malformed),
            ("n,a=b=2,\x01auth=Bearer x\x01\x01", NoResponse::Malformed),
            ("n,,\x01auth=Bearer x\x01\x01\x01", NoResponse::Malformed),
            ("n,,\x01a1=y\x01auth=Bearer x\x01\x01", NoResponse::Malformed),
            ("n,,\x01a=\x01auth=Bearer x\x01\x01", NoResponse::Malformed),
            ("n,,\x01a=ä\x01auth=Bearer x\x01\x01", NoResponse::Malformed),
            ("n,,\x01\x01", NoResponse::NoAuth),
            ("n,,\x01Auth=Bearer x\x01\x01", NoResponse::NoAuth),
            ("n,,\x01auth=x\x01\x01", NoResponse::BadAuth),
            ("n,,\x01auth=Bearer \x01\x01", NoResponse::BadAuth),
            ("n,,\x01auth=Bearer x y\x01\x01", NoResponse::BadAuth),
            ("n,,\x01auth=Bearer ==\x01\x01", NoResponse::BadAuth),
            ("n,,\x01auth=Basic x\x01\x01", NoResponse::OtherScheme),
        ] {
            assert_eq!(token(text), Err(expected), "{text:?}");
        }
        assert!(InitialResponse::parse(b"n,,\x01auth=Bearer x\xff\x01\x01").is_err());
    }
}
