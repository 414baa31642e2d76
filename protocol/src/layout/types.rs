//! How the values of fields are read and written: numbers, texts, bytes, ids, arrays, and whatever
//! of these may be null.

use bytes::Bytes;
use uuid::Uuid;

use super::{ElementLayout, Layout, NullableLayout, Output, Reader, TooLong, Writer};
use crate::messages::{BrokerId, GroupId, ProducerId, TopicName, TransactionalId};
use crate::shape::{Element, Fixed, Kind, Malformed};
use crate::wire::StrBytes;
use crate::wire::buf::ByteBuf;

macro_rules! numbers {
    ($($number:ty => $fixed:ident;)*) => {$(
        impl Layout for $number {
            const KIND: Kind = Kind::Fixed(Fixed::$fixed);

            fn read<B: ByteBuf>(from: &mut Reader<'_, B>) -> Result<Self, Malformed> {
                from.array().map(Self::from_be_bytes)
            }

            fn write<O: Output>(&self, to: &mut Writer<'_, O>) -> Result<(), TooLong> {
                to.put(&self.to_be_bytes());
                Ok(())
            }
        }

        impl ElementLayout for $number {
            const ELEMENT: Element = Element::Fixed(Fixed::$fixed);
        }
    )*};
}

numbers! {
    i8 => Int8;
    i16 => Int16;
    u16 => Uint16;
    i32 => Int32;
    i64 => Int64;
    f64 => Float64;
}

/// The crate's names for a number or a text.
macro_rules! named {
    ($($name:ident($inner:ty);)*) => {$(
        impl Layout for $name {
            const KIND: Kind = <$inner as Layout>::KIND;

            fn read<B: ByteBuf>(from: &mut Reader<'_, B>) -> Result<Self, Malformed> {
                <$inner as Layout>::read(from).map($name)
            }

            fn write<O: Output>(&self, to: &mut Writer<'_, O>) -> Result<(), TooLong> {
                self.0.write(to)
            }
        }

        impl ElementLayout for $name {
            const ELEMENT: Element = <$inner as ElementLayout>::ELEMENT;
        }
    )*};
}

named! {
    BrokerId(i32);
    ProducerId(i64);
    GroupId(StrBytes);
    TopicName(StrBytes);
    TransactionalId(StrBytes);
}

macro_rules! named_texts {
    ($($name:ident)*) => {$(
        impl NullableLayout for $name {
            fn read_nullable<B: ByteBuf>(
                from: &mut Reader<'_, B>,
            ) -> Result<Option<Self>, Malformed> {
                Ok(from.nullable_string()?.map($name))
            }

            fn write_null<O: Output>(to: &mut Writer<'_, O>) {
                to.null_string();
            }

            fn write_present<O: Output>(&self, to: &mut Writer<'_, O>) -> Result<(), TooLong> {
                to.string(&self.0)
            }
        }
    )*};
}

named_texts! { GroupId TopicName TransactionalId }

impl Layout for bool {
    const KIND: Kind = Kind::Fixed(Fixed::Boolean);

    fn read<B: ByteBuf>(from: &mut Reader<'_, B>) -> Result<Self, Malformed> {
        from.array().map(|[byte]| byte != 0)
    }

    fn write<O: Output>(&self, to: &mut Writer<'_, O>) -> Result<(), TooLong> {
        to.put(&[u8::from(*self)]);
        Ok(())
    }
}

impl Layout for Uuid {
    const KIND: Kind = Kind::Fixed(Fixed::Uuid);

    fn read<B: ByteBuf>(from: &mut Reader<'_, B>) -> Result<Self, Malformed> {
        from.array().map(Self::from_bytes)
    }

    fn write<O: Output>(&self, to: &mut Writer<'_, O>) -> Result<(), TooLong> {
        to.put(self.as_bytes());
        Ok(())
    }
}

impl ElementLayout for Uuid {
    const ELEMENT: Element = Element::Fixed(Fixed::Uuid);
}

impl Layout for StrBytes {
    const KIND: Kind = Kind::String;

    fn read<B: ByteBuf>(from: &mut Reader<'_, B>) -> Result<Self, Malformed> {
        from.nullable_string()?.ok_or(Malformed::UnexpectedNull)
    }

    fn write<O: Output>(&self, to: &mut Writer<'_, O>) -> Result<(), TooLong> {
        to.string(self)
    }
}

impl ElementLayout for StrBytes {
    const ELEMENT: Element = Element::String;
}

impl NullableLayout for StrBytes {
    fn read_nullable<B: ByteBuf>(from: &mut Reader<'_, B>) -> Result<Option<Self>, Malformed> {
        from.nullable_string()
    }

    fn write_null<O: Output>(to: &mut Writer<'_, O>) {
        to.null_string();
    }

    fn write_present<O: Output>(&self, to: &mut Writer<'_, O>) -> Result<(), TooLong> {
        to.string(self)
    }
}

/// Bytes, and records as well.
impl Layout for Bytes {
    const KIND: Kind = Kind::Bytes;

    fn read<B: ByteBuf>(from: &mut Reader<'_, B>) -> Result<Self, Malformed> {
        from.nullable_bytes()?.ok_or(Malformed::UnexpectedNull)
    }

    fn write<O: Output>(&self, to: &mut Writer<'_, O>) -> Result<(), TooLong> {
        to.bytes(self)
    }
}

impl NullableLayout for Bytes {
    fn read_nullable<B: ByteBuf>(from: &mut Reader<'_, B>) -> Result<Option<Self>, Malformed> {
        from.nullable_bytes()
    }

    fn write_null<O: Output>(to: &mut Writer<'_, O>) {
        to.null_length();
    }

    fn write_present<O: Output>(&self, to: &mut Writer<'_, O>) -> Result<(), TooLong> {
        to.bytes(self)
    }
}

impl<T: ElementLayout> Layout for Vec<T> {
    const KIND: Kind = Kind::Array(T::ELEMENT);

    fn read<B: ByteBuf>(from: &mut Reader<'_, B>) -> Result<Self, Malformed> {
        Self::read_nullable(from)?.ok_or(Malformed::UnexpectedNull)
    }

    fn write<O: Output>(&self, to: &mut Writer<'_, O>) -> Result<(), TooLong> {
        self.write_present(to)
    }
}

impl<T: ElementLayout> NullableLayout for Vec<T> {
    fn read_nullable<B: ByteBuf>(from: &mut Reader<'_, B>) -> Result<Option<Self>, Malformed> {
        from.nullable_list(T::read)
    }

    fn write_null<O: Output>(to: &mut Writer<'_, O>) {
        to.null_length();
    }

    fn write_present<O: Output>(&self, to: &mut Writer<'_, O>) -> Result<(), TooLong> {
        to.list(self, |to, element| element.write(to))
    }
}

impl<T: NullableLayout> Layout for Option<T> {
    const KIND: Kind = T::KIND;
    const NULLABLE: bool = true;

    fn read<B: ByteBuf>(from: &mut Reader<'_, B>) -> Result<Self, Malformed> {
        T::read_nullable(from)
    }

    fn write<O: Output>(&self, to: &mut Writer<'_, O>) -> Result<(), TooLong> {
        match self {
            Some(value) => value.write_present(to),
            None => {
                T::write_null(to);
                Ok(())
            }
        }
    }
}
