//! What an endpoint answered: a token, or why there is none and whether to ask again (RFC 6749,
//! section 5).
//!
//! Answers to `HttpJwtRetriever` and `JwtResponseParser`. Unlike Kafka: of an answer that should
//! have had a token nothing is repeated, and of others no more than their beginning, in one line
//! and without the client's secret.

use serde_json::Value;

use super::client_credentials::ClientCredentials;
use crate::Secret;

/// Statuses after which another answer is not to be expected.
const FINAL: [u16; 17] =
    [400, 401, 402, 403, 404, 405, 406, 407, 409, 410, 411, 412, 413, 414, 415, 501, 505];
/// So much is told of an answer that says what is wrong.
const TOLD_CHARS_MAX: usize = 1000;

/// Why an answer has no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoTokenYet {
    pub why: String,
    /// Nobody needs to ask again.
    pub is_final: bool,
}

/// The token that this answer has.
pub fn token_of_response(
    status: u16,
    body: &[u8],
    client: &ClientCredentials,
) -> Result<Secret, NoTokenYet> {
    match status {
        200 | 201 if body.is_empty() => Err(NoTokenYet {
            why: format!(
                "The token endpoint response was unexpectedly empty despite response code {status}"
            ),
            is_final: false,
        }),
        200 | 201 => token(body),
        _ => {
            let error = error_message(body);
            let error: String = client
                .hidden_in(&error)
                .chars()
                .map(|letter| if letter.is_control() { ' ' } else { letter })
                .take(TOLD_CHARS_MAX)
                .collect();
            let is_final = FINAL.contains(&status);
            let why = match is_final {
                true => format!(
                    "The response code {status} and error response {error} was encountered \
                     reading the token endpoint response; will not attempt further retries"
                ),
                false => format!(
                    "The unexpected response code {status} and error message {error} was \
                     encountered reading the token endpoint response"
                ),
            };
            Err(NoTokenYet { why, is_final })
        }
    }
}

fn token(body: &[u8]) -> Result<Secret, NoTokenYet> {
    let no_jwt = |why: &str| {
        let bytes = body.len();
        let why = format!(
            "The token endpoint response did not contain a valid JWT. Response: ({why}, {bytes} \
             bytes)"
        );
        NoTokenYet { why, is_final: true }
    };
    let json: Value = serde_json::from_slice(body).map_err(|_| no_jwt("no JSON"))?;
    let texts = ["access_token", "id_token"].iter().filter_map(|name| json.get(name)?.as_str());
    let token = texts.map(str::trim).find(|text| !text.is_empty());
    token.map(Secret::new).ok_or_else(|| no_jwt("neither access_token nor id_token"))
}

fn error_message(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    if text.trim().is_empty() {
        return "{}".to_owned();
    }
    let Ok(json) = serde_json::from_str::<Value>(&text) else { return format!("{{{text}}}") };
    let member = |name: &str| json.get(name).map(Value::to_string);
    for (error, description) in [("error", "error_description"), ("errorCode", "errorSummary")] {
        if let Some(error) = member(error) {
            return format!("{{{error} - {}}}", member(description).unwrap_or_default());
        }
    }
    text.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, body: &str) -> Result<String, NoTokenYet> {
        let client = ClientCredentials {
            id: "id".to_owned(),
            secret: Secret::new("s3cret"),
            scope: None,
            is_url_encoded: false,
        };
        let token = token_of_response(status, body.as_bytes(), &client);
        token.map(|token| token.reveal().to_owned())
    }

    #[test]
    fn a_token_is_by_either_name() {
        for (body, token) in [
            (r#"{"access_token":" a.b.c ","token_type":"Bearer"}"#, "a.b.c"),
            (r#"{"id_token":"a.b.c"}"#, "a.b.c"),
            (r#"{"id_token":"d","access_token":"a"}"#, "a"),
            (r#"{"access_token":null,"id_token":"d"}"#, "d"),
            (r#"{"access_token":" ","id_token":"d"}"#, "d"),
            (r#"{"access_token":7,"id_token":"d"}"#, "d"),
        ] {
            assert_eq!(answered(200, body).as_deref(), Ok(token), "{body}");
            assert_eq!(answered(201, body).as_deref(), Ok(token), "{body}");
        }
    }

    #[test]
    fn an_answer_without_a_token_is_not_repeated() {
        for body in ["{}", "[]", "7", "no json s3cret", r#"{"access_token":{},"t":"s3cret"}"#] {
            let none = answered(200, body).unwrap_err();
            assert!(none.is_final && none.why.contains("did not contain a valid JWT"), "{none:?}");
            assert!(!none.why.contains("s3cret"), "{none:?}");
        }
        let empty = answered(200, "").unwrap_err();
        assert!(!empty.is_final && empty.why.contains("unexpectedly empty"), "{empty:?}");
    }

    #[test]
    fn an_error_is_told_as_kafka_tells_it() {
        for (body, error) in [
            ("", "{}"),
            (" \n", "{}"),
            (
                r#"{"error":"invalid_client","error_description":"Bad"}"#,
                r#"{"invalid_client" - "Bad"}"#,
            ),
            (r#"{"error":"invalid_client"}"#, r#"{"invalid_client" - }"#),
            (r#"{"errorCode":"E1","errorSummary":"Bad"}"#, r#"{"E1" - "Bad"}"#),
            (r#"{"a":1}"#, r#"{"a":1}"#),
            ("<html>\nno s3cret", "{<html> no [hidden]}"),
        ] {
            let said = answered(401, body).unwrap_err();
            let words = format!(
                "The response code 401 and error response {error} was encountered reading the \
                 token endpoint response; will not attempt further retries"
            );
            assert_eq!(said, NoTokenYet { why: words, is_final: true });
            let said = answered(503, body).unwrap_err();
            let words = format!(
                "The unexpected response code 503 and error message {error} was encountered \
                 reading the token endpoint response"
            );
            assert_eq!(said, NoTokenYet { why: words, is_final: false });
        }
        let long = answered(500, &"x".repeat(5000)).unwrap_err();
        assert!(long.why.len() < 1200);
        assert!(!answered(429, "").unwrap_err().is_final);
    }
}
