//! A client's side of the exchange. Answers to the JDK's `GssKrb5Client`.

use super::security_layer::{self, NO_LAYER};
use super::{GssError, SecurityContext};

/// What there is to say.
#[derive(Debug, PartialEq, Eq)]
pub enum Initiated {
    Answer(Vec<u8>),
    /// The last that is said, which is answered with nothing.
    Last(Vec<u8>),
}

impl Initiated {
    pub fn into_token(self) -> Vec<u8> {
        match self {
            Self::Answer(token) | Self::Last(token) => token,
        }
    }
}

#[derive(Debug)]
pub struct GssapiClient {
    context: Box<dyn SecurityContext>,
    is_over: bool,
}

impl GssapiClient {
    /// The exchange, and the token that it begins with.
    pub fn begin(mut context: Box<dyn SecurityContext>) -> Result<(Self, Vec<u8>), GssError> {
        let token = context.step(b"")?.unwrap_or_default();
        Ok((Self { context, is_over: false }, token))
    }

    /// Answers a challenge; nothing when all is said.
    pub fn answer(&mut self, challenge: &[u8]) -> Result<Option<Initiated>, GssError> {
        if self.is_over {
            return match challenge.is_empty() {
                true => Ok(None),
                false => Err(GssError::new("the server goes on after the last token")),
            };
        }
        if !self.context.is_established() {
            let answer = self.context.step(challenge)?.unwrap_or_default();
            return Ok(Some(Initiated::Answer(answer)));
        }
        if challenge.is_empty() {
            return Ok(Some(Initiated::Answer(Vec::new())));
        }
        let offer = self.context.unwrap(challenge)?;
        let layers = security_layer::read_offer(&offer)
            .ok_or_else(|| GssError::new(format!("an offer of {} bytes", offer.len())))?;
        if layers & NO_LAYER == 0 {
            return Err(GssError::new("No common protection layer between client and server"));
        }
        let choice = self.context.wrap(&security_layer::choice())?;
        self.is_over = true;
        Ok(Some(Initiated::Last(choice)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::scripted;
    use super::*;

    fn answer(bytes: &[u8]) -> Result<Option<Initiated>, GssError> {
        Ok(Some(Initiated::Answer(bytes.to_vec())))
    }

    fn last(bytes: &[u8]) -> Result<Option<Initiated>, GssError> {
        Ok(Some(Initiated::Last(bytes.to_vec())))
    }

    const CHOICE: &[u8] = b"(\x01\x00\x00\x00)";

    #[test]
    fn a_client_takes_no_layer_once_the_context_is_established() {
        let context = scripted(&[Some(b"hello"), None]);
        let (mut client, first) = GssapiClient::begin(Box::new(context)).unwrap();
        assert_eq!(first, b"hello");
        assert_eq!(client.answer(b"hi"), answer(b""));
        assert_eq!(client.answer(b"(\x07\x01\x00\x00)"), last(CHOICE));
        assert_eq!(client.answer(b""), Ok(None));
        assert!(client.answer(b"x").is_err());
    }

    #[test]
    fn a_server_that_insists_on_a_layer_or_says_anything_else_is_refused() {
        for (challenge, words) in [
            (&b"(\x06\x01\x00\x00)"[..], "No common protection layer"),
            (b"(\x01\x01\x00)", "an offer of 3 bytes"),
            (b"(\x01\x01\x00\x00x)", "an offer of 5 bytes"),
            (b"\x01\x01\x00\x00", "not wrapped by this context"),
        ] {
            let (mut client, _) = GssapiClient::begin(Box::new(scripted(&[None]))).unwrap();
            assert_eq!(client.answer(b""), answer(b""));
            let said = client.answer(challenge).unwrap_err().to_string();
            assert!(said.contains(words), "{words} in {said}");
        }
        assert!(GssapiClient::begin(Box::new(scripted(&[]))).is_err());
    }
}
