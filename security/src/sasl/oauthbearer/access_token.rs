//! What a client looks at of a token that it came by, before it shows it: its form, and that it
//! says of whom it is and until when. Whether it is signed is for the server.
//!
//! Answers to `ClientJwtValidator`, `SerializedJwt` and `ClaimValidationUtils`.

use std::collections::HashSet;

use super::login_keys::LoginKeys;
use super::unsecured::{Claim, members};
use super::{NoToken, Rejection};
use crate::Secret;

/// How the claims are called that say who somebody is and what he may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimNames {
    pub scope: String,
    pub sub: String,
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self { scope: "scope".to_owned(), sub: "sub".to_owned() }
    }
}

impl ClaimNames {
    pub(super) fn of(keys: LoginKeys<'_>) -> Result<Self, NoToken> {
        let name = |key: &'static str, default: String| match keys.given(key) {
            Some(name) if name.is_empty() => Err(NoToken::Blank(key)),
            Some(name) => Ok(name),
            None => Ok(default),
        };
        let usual = Self::default();
        Ok(Self {
            scope: name("sasl.oauthbearer.scope.claim.name", usual.scope)?,
            sub: name("sasl.oauthbearer.sub.claim.name", usual.sub)?,
        })
    }
}

/// A token that may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    pub text: Secret,
    pub principal: String,
    /// When it was made, where it says so.
    pub starts_at_ms: Option<i64>,
    pub expires_at_ms: i64,
}

impl AccessToken {
    /// Looks at a token; what is wrong has nothing of it.
    pub fn parse(text: &str, names: &ClaimNames) -> Result<Self, String> {
        let text = text.trim();
        let malformed =
            "Malformed JWT provided; expected three sections (header, payload, and signature)";
        // Java's split leaves out what is empty at the end.
        let parts: Vec<&str> = text.trim_end_matches('.').split('.').map(str::trim).collect();
        let [header, payload, signature] = parts[..] else { return Err(malformed.to_owned()) };
        if [header, payload, signature].iter().any(|part| part.is_empty()) {
            return Err(malformed.to_owned());
        }
        let claims = members(payload).map_err(|why| match why {
            Rejection::Invalid(why) => format!("Could not validate the access token: {why}"),
            _ => "Could not validate the access token".to_owned(),
        })?;
        let ms = |name: &str| match claims.get(name) {
            None => Ok(None),
            // As Java cuts numbers down.
            Some(Claim::Number(seconds)) => Ok(Some((*seconds as i64).saturating_mul(1000))),
            Some(_) => Err(format!("{name} value must be a number")),
        };
        let subject = match claims.get(&names.sub) {
            None => None,
            Some(Claim::Text(text)) => Some(text.as_str()),
            Some(_) => return Err(format!("{} value must be a text", names.sub)),
        };
        let (expires_at, issued_at) = (ms("exp")?, ms("iat")?);
        match claims.get(&names.scope) {
            Some(Claim::Text(scope)) => check_scopes(&names.scope, &[scope.as_str()])?,
            Some(Claim::Texts(scopes)) => {
                let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
                check_scopes(&names.scope, &scopes)?;
            }
            _ => {}
        }
        let expires_at_ms = expires_at.ok_or_else(|| "exp value must be non-null".to_owned())?;
        if expires_at_ms < 0 {
            return Err(format!(
                "exp value must be non-negative; value given was \"{expires_at_ms}\""
            ));
        }
        let principal = written(&names.sub, subject)?.to_owned();
        if let Some(ms) = issued_at.filter(|ms| *ms < 0) {
            return Err(format!(
                "iat value must be null or non-negative; value given was \"{ms}\""
            ));
        }
        Ok(Self { text: Secret::new(text), principal, starts_at_ms: issued_at, expires_at_ms })
    }
}

fn check_scopes(name: &str, scopes: &[&str]) -> Result<(), String> {
    let mut seen = HashSet::new();
    for scope in scopes {
        let scope = written(name, Some(scope))?;
        if !seen.insert(scope) {
            return Err(format!(
                "{name} value must not contain duplicates - {scope} already present"
            ));
        }
    }
    Ok(())
}

fn written<'a>(name: &str, value: Option<&'a str>) -> Result<&'a str, String> {
    let value = value.ok_or_else(|| format!("{name} value must be non-null"))?;
    match (value.is_empty(), value.trim()) {
        (true, _) => Err(format!("{name} value must be non-empty")),
        (_, "") => Err(format!("{name} value must not contain only whitespace")),
        (_, text) => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn of(claims: &str) -> Result<AccessToken, String> {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let text = format!(" {}.{}.c2ln\n", part(r#"{"alg":"RS256"}"#), part(claims));
        AccessToken::parse(&text, &ClaimNames::default())
    }

    #[test]
    fn a_token_says_of_whom_it_is_and_until_when() {
        let token = of(r#"{"sub":" alice ","exp":20.9,"iat":10,"scope":["a","b"]}"#).unwrap();
        assert_eq!((&*token.principal, token.expires_at_ms), ("alice", 20_000));
        assert_eq!(token.starts_at_ms, Some(10_000));
        assert!(token.text.reveal().ends_with(".c2ln") && !format!("{token:?}").contains("c2ln"));
        assert_eq!(of(r#"{"sub":"a","exp":1}"#).unwrap().starts_at_ms, None);
        assert!(of(r#"{"sub":"a","exp":1,"scope":7}"#).is_ok(), "a scope that is none is none");
        let names = ClaimNames { scope: "scp".to_owned(), sub: "client".to_owned() };
        let claims = URL_SAFE_NO_PAD.encode(r#"{"client":"a","sub":7,"exp":1,"scp":"x"}"#);
        assert_eq!(AccessToken::parse(&format!("a.{claims}.c"), &names).unwrap().principal, "a");
    }

    #[test]
    fn what_is_no_token_is_not_shown() {
        for (claims, why) in [
            (r#"{"sub":"a"}"#, "exp value must be non-null"),
            (r#"{"sub":"a","exp":"1"}"#, "exp value must be a number"),
            (
                r#"{"sub":"a","exp":-1}"#,
                "exp value must be non-negative; value given was \"-1000\"",
            ),
            (r#"{"exp":1}"#, "sub value must be non-null"),
            (r#"{"sub":"","exp":1}"#, "sub value must be non-empty"),
            (r#"{"sub":" ","exp":1}"#, "sub value must not contain only whitespace"),
            (r#"{"sub":7,"exp":1}"#, "sub value must be a text"),
            (r#"{"sub":"a","exp":1,"iat":-1}"#, "iat value must be null or non-negative"),
            (r#"{"sub":"a","exp":1,"iat":"x"}"#, "iat value must be a number"),
            (
                r#"{"sub":"a","exp":1,"scope":["a","a"]}"#,
                "scope value must not contain duplicates - a",
            ),
            (r#"{"sub":"a","exp":1,"scope":""}"#, "scope value must be non-empty"),
            ("{", "Could not validate the access token: malformed JSON"),
            ("[]", "exp value must be non-null"),
        ] {
            let said = of(claims).unwrap_err();
            assert!(said.starts_with(why), "{claims}: {said}");
        }
        for text in ["", "x", "a.b", "a.b.", "a..c", "a.b.c.d", " . . "] {
            let said = AccessToken::parse(text, &ClaimNames::default()).unwrap_err();
            assert!(said.starts_with("Malformed JWT provided"), "{text}: {said}");
        }
        let said = AccessToken::parse("a.!.c", &ClaimNames::default()).unwrap_err();
        assert!(said.contains("malformed Base64"), "{said}");
    }
}
