//! One question, and the rights that decide about it.

use std::fmt;

use protocol::wire::{Request, StrBytes};
use uuid::Uuid;

use crate::wire::Client;

/// What requests need to know of the node.
#[derive(Debug)]
pub struct Sample {
    /// Of the topic `t`.
    pub topic_id: Uuid,
    /// Tells names of one question from those of others.
    pub number: usize,
}

type Ask = Box<dyn Fn(&mut Client, &Sample) -> String>;

/// A request that is asked with and without each of these rights.
pub struct Row {
    pub what: &'static str,
    pub rights: &'static [&'static str],
    pub is_of_controllers: bool,
    pub ask: Ask,
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by {:?}", self.what, self.rights)
    }
}

impl Row {
    pub(super) fn on_controller(self) -> Self {
        Self { is_of_controllers: true, ..self }
    }

    /// None of the rights, each alone, all.
    #[must_use]
    pub fn choices(&self) -> Vec<Vec<&'static str>> {
        let mut choices = vec![Vec::new()];
        choices.extend(self.rights.iter().map(|right| vec![*right]));
        if self.rights.len() > 1 {
            choices.push(self.rights.to_vec());
        }
        choices
    }
}

pub(super) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// A request whose answer is told by `told`.
pub(super) fn row_told<R: Request>(
    what: &'static str,
    version: i16,
    rights: &'static [&'static str],
    request: impl Fn(&Sample) -> R + 'static,
    told: impl Fn(R::Response) -> String + 'static,
) -> Row {
    let ask =
        move |client: &mut Client, sample: &Sample| match client.call(version, &request(sample)) {
            Ok(answer) => told(answer),
            Err(error) => format!("{:?}", error.kind()),
        };
    Row { what, rights, is_of_controllers: false, ask: Box::new(ask) }
}

/// A request whose whole answer is told.
pub(super) fn row<R: Request>(
    what: &'static str,
    version: i16,
    rights: &'static [&'static str],
    request: impl Fn(&Sample) -> R + 'static,
) -> Row
where
    R::Response: fmt::Debug,
{
    row_told(what, version, rights, request, |answer| format!("{answer:?}"))
}
