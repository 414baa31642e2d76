//! Tokens as `kafka-delegation-tokens` prints them, with their secrets.
//!
//! Pure. Answers to `printToken`. Unlike Kafka, which has the machine's time zone: dates are UTC's.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use client::admin::{DelegationToken, Principal};
use serde::Serialize;

use crate::simple_date_format::SimpleDateFormat;

const HEADERS: [&str; 8] =
    ["TOKENID", "HMAC", "OWNER", "REQUESTER", "RENEWERS", "ISSUEDATE", "EXPIRYDATE", "MAXDATE"];
const DATE: &str = "yyyy-MM-dd'T'HH:mm";

/// A line of names or of a token, an empty one before it.
fn line(cells: [&str; 8]) -> String {
    let [id, hmac, owner, requester, renewers, issued, expires, max] = cells;
    format!(
        "\n{id:15} {hmac:30} {owner:15} {requester:15} {renewers:25} {issued:15} {expires:15} \
         {max:15}\n"
    )
}

pub(super) fn table(tokens: &[DelegationToken]) -> String {
    let token = |token: &DelegationToken| {
        line([
            &token.id,
            &STANDARD.encode(&token.hmac),
            &token.owner.to_string(),
            &token.requester.to_string(),
            &listed(&token.renewers),
            &date(token.issued_ms),
            &date(token.expires_ms),
            &date(token.max_ms),
        ])
    };
    line(HEADERS) + &tokens.iter().map(token).collect::<String>()
}

/// A token as JSON, its secret in Base64 as in the table.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TokenObject<'a> {
    token_id: &'a str,
    hmac: String,
    owner: String,
    requester: String,
    renewers: Vec<String>,
    issue_timestamp: i64,
    expiry_timestamp: i64,
    max_timestamp: i64,
}

impl<'a> TokenObject<'a> {
    pub(super) fn of(token: &'a DelegationToken) -> Self {
        Self {
            token_id: &token.id,
            hmac: STANDARD.encode(&token.hmac),
            owner: token.owner.to_string(),
            requester: token.requester.to_string(),
            renewers: token.renewers.iter().map(ToString::to_string).collect(),
            issue_timestamp: token.issued_ms,
            expiry_timestamp: token.expires_ms,
            max_timestamp: token.max_ms,
        }
    }
}

/// As Java shows a list.
pub(super) fn listed(principals: &[Principal]) -> String {
    let principals: Vec<String> = principals.iter().map(ToString::to_string).collect();
    format!("[{}]", principals.join(", "))
}

/// To the minute.
pub(super) fn date(since_1970_ms: i64) -> String {
    SimpleDateFormat::parse(DATE)
        .map_or_else(|_| since_1970_ms.to_string(), |format| format.format(since_1970_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str) -> Principal {
        Principal { kind: "User".to_owned(), name: name.to_owned() }
    }

    #[test]
    fn tokens_stand_in_columns_with_an_empty_line_before_each() {
        let head = format!("\n{:16}{:31}{:16}{:16}", "TOKENID", "HMAC", "OWNER", "REQUESTER")
            + &format!("{:26}{:16}{:16}{:15}\n", "RENEWERS", "ISSUEDATE", "EXPIRYDATE", "MAXDATE");
        assert_eq!(table(&[]), head);
        let token = DelegationToken {
            id: "abcdefghijklmnopqrstuv".to_owned(),
            hmac: b"secret".to_vec(),
            owner: user("alice"),
            requester: user("bob"),
            renewers: vec![user("x"), user("y")],
            issued_ms: 0,
            expires_ms: 86_399_999,
            max_ms: 1_700_000_000_000,
        };
        let row = "\nabcdefghijklmnopqrstuv c2VjcmV0                       User:alice      \
                   User:bob        [User:x, User:y]          1970-01-01T00:00 1970-01-01T23:59 \
                   2023-11-14T22:13\n";
        assert_eq!(table(std::slice::from_ref(&token)), format!("{head}{row}"));
        let json = concat!(
            r#"{"tokenId":"abcdefghijklmnopqrstuv","hmac":"c2VjcmV0","owner":"User:alice","#,
            r#""requester":"User:bob","renewers":["User:x","User:y"],"issueTimestamp":0,"#,
            r#""expiryTimestamp":86399999,"maxTimestamp":1700000000000}"#
        );
        assert_eq!(serde_json::to_string(&TokenObject::of(&token)).unwrap(), json);
        assert_eq!(listed(&[]), "[]");
    }
}
