//! Messages that the vocabulary's crate lacks: newer versions of its own, and whole APIs.
//!
//! `messages!` declares them as Kafka's schemas do, field by field with the versions that have it;
//! from that one declaration come the struct, its default, how it is read and written, and the
//! shape by which a request is walked before it is decoded. The crate's traits are implemented, so
//! nobody who uses a message knows where it was declared. The test `layout_equals_schemas` holds
//! every declaration against Kafka's schema of the same name.
//!
//! ```text
//! messages! {
//!     /// What it says.
//!     pub struct ShareThingRequest {              // versions as in Kafka's schemas: 1+, 1-2
//!         group_id: Option<StrBytes> [0+],        // Option: nullable wherever it exists
//!         owner: Option<StrBytes> [0+] null 1,    // where that is later than the field
//!         topics: Vec<ShareThing> [0-1],          // reads as its default where it does not
//!         limit: i32 [2+] = -1,                   // the default, where it is not that of its type
//!         endpoints: Vec<Endpoint> [1+] tagged 0,
//!     }
//! }
//! request! { ShareThingRequest => ShareThingResponse, ShareThing in 1..=2, flexible from 0 }
//! ```
//!
//! Kept true: an announced count reserves no more than the walk of a request allows, and nothing is
//! read past the end. What a version lacks is not written, whatever its value; who answers decides
//! what that version says. Tagged fields that nobody declared are passed over. Answers to Kafka's
//! `MessageGenerator`.

mod declaration;
mod reader;
#[cfg(test)]
mod tests;
mod types;
mod writer;

pub use reader::Reader;
pub use writer::{Output, Size, TooLong, Writer};

pub(crate) use declaration::{messages, request};

use crate::shape::{Element, Field, Kind, Malformed};
use crate::wire::buf::ByteBuf;

/// A value that can stand in a field.
pub trait Layout: Sized {
    /// What it is in the words of a request's shape.
    const KIND: Kind;
    /// Whether it can be null.
    const NULLABLE: bool = false;

    fn read<B: ByteBuf>(from: &mut Reader<'_, B>) -> Result<Self, Malformed>;

    fn write<O: Output>(&self, to: &mut Writer<'_, O>) -> Result<(), TooLong>;
}

/// A value of which an array can be made.
pub trait ElementLayout: Layout {
    const ELEMENT: Element;
}

/// A value that has a form for null.
pub trait NullableLayout: Layout {
    fn read_nullable<B: ByteBuf>(from: &mut Reader<'_, B>) -> Result<Option<Self>, Malformed>;

    fn write_null<O: Output>(to: &mut Writer<'_, O>);

    fn write_present<O: Output>(&self, to: &mut Writer<'_, O>) -> Result<(), TooLong>;
}

/// A struct that was declared by `messages!`.
pub trait StructLayout: Layout {
    const FIELDS: &'static [Field];
}
