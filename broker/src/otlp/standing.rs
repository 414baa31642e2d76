//! What a collector makes of a push, and when it is spoken of: when that changes.
//!
//! Pure. Answers to OTLP/HTTP's section on responses: 200 has taken all or says what it rejected;
//! 429, 502, 503, 504 and silence may pass; what else is refused would be refused again, and is
//! tried again nevertheless with the next numbers.

use std::time::Duration;

use serde_json::Value;

/// So much is told of what a collector says.
const TOLD_CHARS_MAX: usize = 300;
/// Nobody is told to stay away for longer.
const AWAY_MAX: Duration = Duration::from_secs(3600);

/// What came of one push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Taken,
    /// Some points were not taken.
    Rejected(String),
    Refused {
        status: u16,
        why: String,
    },
    /// There is no answer.
    Away(String),
}

/// How it stands with a collector.
#[derive(Debug, Default)]
pub(super) struct Standing {
    last: Option<Outcome>,
}

impl Outcome {
    /// Of an answer.
    pub(super) fn of(status: u16, body: &[u8]) -> Self {
        let json: Option<Value> = serde_json::from_slice(body).ok();
        let told = |name: &str| {
            let text = json.as_ref()?.pointer(name)?.as_str()?;
            Some(text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TOLD_CHARS_MAX))
        };
        if status != 200 {
            let why = told("/message").map_or_else(String::new, |why| why.collect());
            return Self::Refused { status, why };
        }
        // A number of 64 bits is a text, by some a number.
        let rejected = json.as_ref().and_then(|json| {
            let rejected = json.pointer("/partialSuccess/rejectedDataPoints")?;
            rejected.as_str().and_then(|text| text.parse().ok()).or_else(|| rejected.as_u64())
        });
        match rejected {
            None | Some(0) => Self::Taken,
            Some(points) => {
                let why = told("/partialSuccess/errorMessage");
                let why: String = why.map_or_else(String::new, |why| why.collect());
                Self::Rejected(format!("{points} points: {why}"))
            }
        }
    }

    /// For how long nothing is pushed, where the collector said so.
    pub(super) fn stay_away(&self, retry_after_seconds: Option<u64>) -> Duration {
        let asked = match self {
            Self::Refused { .. } => retry_after_seconds.map(Duration::from_secs),
            Self::Taken | Self::Rejected(_) | Self::Away(_) => None,
        };
        asked.unwrap_or_default().min(AWAY_MAX)
    }

    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Refused { status: one, .. }, Self::Refused { status: two, .. }) => one == two,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl Standing {
    /// Whether this is another standing than before, which is to be told.
    pub(super) fn is_news(&mut self, outcome: &Outcome) -> bool {
        let is_news = !self.last.as_ref().is_some_and(|last| last.is_like(outcome));
        self.last = Some(outcome.clone());
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_what_was_taken() {
        let refused = |status, why: &str| Outcome::Refused { status, why: why.to_owned() };
        for (status, body, outcome) in [
            (200, "", Outcome::Taken),
            (200, "{}", Outcome::Taken),
            (200, r#"{"partialSuccess":{}}"#, Outcome::Taken),
            (200, r#"{"partialSuccess":{"rejectedDataPoints":"0"}}"#, Outcome::Taken),
            (
                200,
                r#"{"partialSuccess":{"rejectedDataPoints":"3","errorMessage":"too\nold"}}"#,
                Outcome::Rejected("3 points: too old".to_owned()),
            ),
            (
                200,
                r#"{"partialSuccess":{"rejectedDataPoints":3}}"#,
                Outcome::Rejected("3 points: ".to_owned()),
            ),
            (400, r#"{"code":3,"message":"no metrics"}"#, refused(400, "no metrics")),
            (503, "<html>", refused(503, "")),
            (204, "", refused(204, "")),
        ] {
            assert_eq!(Outcome::of(status, body.as_bytes()), outcome, "{status} {body}");
        }
    }

    #[test]
    fn a_change_is_told_once() {
        let mut standing = Standing::default();
        let away = |why: &str| Outcome::Away(why.to_owned());
        let refused = |status| Outcome::Refused { status, why: String::new() };
        let outcomes = [
            (Outcome::Taken, true),
            (Outcome::Taken, false),
            (away("refused"), true),
            (away("timed out"), false),
            (refused(503), true),
            (refused(503), false),
            (refused(401), true),
            (Outcome::Rejected("1".to_owned()), true),
            (Outcome::Rejected("2".to_owned()), false),
            (Outcome::Taken, true),
        ];
        for (at, (outcome, is_news)) in outcomes.into_iter().enumerate() {
            assert_eq!(standing.is_news(&outcome), is_news, "{at}");
        }
    }

    #[test]
    fn a_collector_may_say_when_to_come_again() {
        let seconds = Duration::from_secs;
        let busy = Outcome::Refused { status: 429, why: String::new() };
        for (outcome, asked, stays) in [
            (&busy, None, seconds(0)),
            (&busy, Some(7), seconds(7)),
            (&busy, Some(u64::MAX), AWAY_MAX),
            (&Outcome::Taken, Some(7), seconds(0)),
        ] {
            assert_eq!(outcome.stay_away(asked), stays, "{outcome:?}");
        }
    }
}
