//! A listener's side of the exchange. Answers to the JDK's `GssKrb5Server`, and to the authorize
//! callback of `SaslServerCallbackHandler`.
//!
//! ```text
//! Context ──▶ Offer ──▶ Choice ──▶ over
//!    └────────────────────▲   a context that is established without a last token
//! ```
//! Kept true: nobody is proven before the context is established and the choice was unwrapped by
//! it; after a failure nothing is read.

use super::security_layer::{self, NO_LAYER};
use super::{GssError, SecurityContext};

/// What a token came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Accepted {
    Challenge(Vec<u8>),
    /// The name of the principal that is proven. There is no last token.
    Proven(String),
    /// Clients do not get to see why.
    Invalid(String),
    /// Ends the connection: the client may come again.
    Fault(String),
}

#[derive(Debug, Default)]
enum State {
    /// Nothing was said yet.
    #[default]
    Initial,
    Context(Box<dyn SecurityContext>),
    Offer(Box<dyn SecurityContext>),
    Choice(Box<dyn SecurityContext>),
    Over,
}

#[derive(Debug, Default)]
pub struct GssapiServer(State);

impl GssapiServer {
    /// Takes a token; `begin` makes the security context for the first one.
    pub fn evaluate(
        &mut self,
        token: &[u8],
        begin: impl FnOnce() -> Result<Box<dyn SecurityContext>, GssError>,
    ) -> Accepted {
        let done = match std::mem::replace(&mut self.0, State::Over) {
            State::Initial => match begin() {
                Ok(context) => self.step(context, token),
                Err(error) => return Accepted::Fault(error.text),
            },
            State::Context(context) => self.step(context, token),
            State::Offer(_) if !token.is_empty() => {
                Err(GssError::new("Handshake expecting no response data from server"))
            }
            State::Offer(context) => self.offer(context),
            State::Choice(mut context) => match context.unwrap(token) {
                Ok(choice) => return conclude(&*context, &choice),
                Err(error) => Err(error),
            },
            State::Over => Err(GssError::new("SASL authentication already complete")),
        };
        match done {
            Ok(challenge) => Accepted::Challenge(challenge),
            Err(error) if error.is_retriable => Accepted::Fault(error.text),
            Err(error) => Accepted::Invalid(error.text),
        }
    }

    fn step(
        &mut self,
        mut context: Box<dyn SecurityContext>,
        token: &[u8],
    ) -> Result<Vec<u8>, GssError> {
        let answer = context.step(token)?;
        match (context.is_established(), answer) {
            (true, None) => self.offer(context),
            (true, Some(answer)) => {
                self.0 = State::Offer(context);
                Ok(answer)
            }
            (false, answer) => {
                self.0 = State::Context(context);
                Ok(answer.unwrap_or_default())
            }
        }
    }

    fn offer(&mut self, mut context: Box<dyn SecurityContext>) -> Result<Vec<u8>, GssError> {
        let offer = context.wrap(&security_layer::offer())?;
        self.0 = State::Choice(context);
        Ok(offer)
    }
}

fn conclude(context: &dyn SecurityContext, choice: &[u8]) -> Accepted {
    match security_layer::read_choice(choice) {
        Some(layer) if layer & NO_LAYER != 0 => match context.initiator() {
            Ok(name) => Accepted::Proven(name),
            Err(error) => Accepted::Invalid(error.text),
        },
        Some(layer) => {
            Accepted::Invalid(format!("Client selected unsupported protection: {layer}"))
        }
        None => Accepted::Fault(format!("a choice of {} bytes", choice.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Scripted, scripted};
    use super::*;

    /// Each token, and what it came to.
    fn heard(context: Scripted, tokens: &[&[u8]]) -> Vec<Accepted> {
        let mut server = GssapiServer::default();
        let mut context = Some(context);
        tokens
            .iter()
            .map(|token| {
                server.evaluate(token, || Ok(Box::new(context.take().expect("made once"))))
            })
            .collect()
    }

    fn challenge(bytes: &[u8]) -> Accepted {
        Accepted::Challenge(bytes.to_vec())
    }

    fn invalid(why: &str) -> Accepted {
        Accepted::Invalid(why.to_owned())
    }

    const OFFER: &[u8] = b"(\x01\x01\x00\x00)";
    const CHOICE: &[u8] = b"(\x01\x00\x00\x00)";

    #[test]
    fn a_client_with_a_context_and_no_layer_is_who_it_proved_to_be() {
        let proven = || Accepted::Proven("alice@EX".to_owned());
        let first = &b"hello"[..];
        for (context, tokens, expected) in [
            (
                scripted(&[Some(b"hi")]),
                vec![first, b"", CHOICE],
                vec![challenge(b"hi"), challenge(OFFER), proven()],
            ),
            (scripted(&[None]), vec![first, CHOICE], vec![challenge(OFFER), proven()]),
            (
                scripted(&[Some(b"more"), Some(b"hi")]),
                vec![first, b"again", b"", CHOICE],
                vec![challenge(b"more"), challenge(b"hi"), challenge(OFFER), proven()],
            ),
            (
                scripted(&[None]),
                vec![first, b"(\x01\x00\x00\x00bob)"],
                vec![challenge(OFFER), proven()],
            ),
            (
                scripted(&[None]),
                vec![first, b"(\x07\xff\xff\xff)"],
                vec![challenge(OFFER), proven()],
            ),
        ] {
            assert_eq!(heard(context, &tokens), expected, "{tokens:?}");
        }
    }

    #[test]
    fn whatever_else_is_said_ends_the_exchange() {
        let first = &b"hello"[..];
        let over = || invalid("SASL authentication already complete");
        for (context, tokens, expected) in [
            (scripted(&[]), vec![first, first], vec![invalid("no more steps"), over()]),
            (
                scripted(&[Some(b"hi")]),
                vec![first, b"x", b""],
                vec![
                    challenge(b"hi"),
                    invalid("Handshake expecting no response data from server"),
                    over(),
                ],
            ),
            (
                scripted(&[None]),
                vec![first, b"not wrapped", CHOICE],
                vec![challenge(OFFER), invalid("not wrapped by this context"), over()],
            ),
            (
                scripted(&[None]),
                vec![first, b"(\x04\x00\x00\x00)"],
                vec![challenge(OFFER), invalid("Client selected unsupported protection: 4")],
            ),
            (
                scripted(&[None]),
                vec![first, b"(\x00\x00\x00\x00)"],
                vec![challenge(OFFER), invalid("Client selected unsupported protection: 0")],
            ),
            (
                scripted(&[None]),
                vec![first, b"(\x01\x00)"],
                vec![challenge(OFFER), Accepted::Fault("a choice of 2 bytes".to_owned())],
            ),
            (
                scripted(&[None]),
                vec![first, CHOICE, CHOICE],
                vec![challenge(OFFER), Accepted::Proven("alice@EX".to_owned()), over()],
            ),
        ] {
            assert_eq!(heard(context, &tokens), expected, "{tokens:?}");
        }
    }

    #[test]
    fn what_may_pass_by_itself_ends_the_connection_without_a_verdict() {
        let mut replayed = scripted(&[]);
        replayed.is_retriable = true;
        let expected = [Accepted::Fault("no more steps".to_owned())];
        assert_eq!(heard(replayed, &[b"hello"]), expected);
        let no_keytab = || Err(GssError::new("no keytab"));
        let refused = GssapiServer::default().evaluate(b"hello", no_keytab);
        assert_eq!(refused, Accepted::Fault("no keytab".to_owned()));
    }
}
