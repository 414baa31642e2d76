//! The declarations from which structs, their readers, writers and shapes come.

/// Declares the structs of messages; the head of `layout` has the notation.
macro_rules! messages {
    ($(
        $(#[$about:meta])*
        pub struct $name:ident {
            $(
                $(#[$says:meta])*
                $field:ident: $kind:ty [$from:literal $(- $to:literal)? $(+)?]
                    $(null $null:literal)? $(tagged $tag:literal)? $(= $default:expr)?,
            )*
        }
    )*) => {$(
        $(#[$about])*
        #[allow(unreachable_pub, reason = "declarations in tests")]
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $($(#[$says])* pub $field: $kind,)*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: messages!(@default $($default)?),)* }
            }
        }

        impl $crate::layout::StructLayout for $name {
            const FIELDS: &'static [$crate::shape::Field] = &[$($crate::shape::Field {
                name: stringify!($field),
                kind: <$kind as $crate::layout::Layout>::KIND,
                from: $from,
                to: messages!(@to $($to)?),
                nullable_from: match <$kind as $crate::layout::Layout>::NULLABLE {
                    true => messages!(@null $from $(, $null)?),
                    false => i16::MAX,
                },
                tag: messages!(@tag $($tag)?),
            },)*];
        }

        impl $crate::layout::Layout for $name {
            const KIND: $crate::shape::Kind =
                $crate::shape::Kind::Struct(<Self as $crate::layout::StructLayout>::FIELDS);

            fn read<B: $crate::wire::buf::ByteBuf>(
                from: &mut $crate::layout::Reader<'_, B>,
            ) -> Result<Self, $crate::shape::Malformed> {
                let mut value = Self::default();
                let version = from.version();
                $(
                    if messages!(@is_plain $($tag)?)
                        && ($from..=messages!(@to $($to)?)).contains(&version)
                    {
                        value.$field = $crate::layout::Layout::read(from)?;
                    }
                )*
                from.tagged_fields(|from, tag| {
                    $(
                        if messages!(@tag $($tag)?) == Some(tag)
                            && ($from..=messages!(@to $($to)?)).contains(&version)
                        {
                            value.$field = $crate::layout::Layout::read(from)?;
                            return Ok(true);
                        }
                    )*
                    Ok(false)
                })?;
                Ok(value)
            }

            fn write<O: $crate::layout::Output>(
                &self,
                to: &mut $crate::layout::Writer<'_, O>,
            ) -> Result<(), $crate::layout::TooLong> {
                let version = to.version();
                let default = Self::default();
                let mut tagged = 0;
                $(
                    if ($from..=messages!(@to $($to)?)).contains(&version) {
                        if messages!(@is_plain $($tag)?) {
                            $crate::layout::Layout::write(&self.$field, to)?;
                        } else if self.$field != default.$field {
                            tagged += 1;
                        }
                    }
                )*
                to.tagged_count(tagged);
                $(
                    if let Some(tag) = messages!(@tag $($tag)?)
                        && ($from..=messages!(@to $($to)?)).contains(&version)
                        && self.$field != default.$field
                    {
                        to.tagged_field(
                            tag,
                            |size| $crate::layout::Layout::write(&self.$field, size),
                            |to| $crate::layout::Layout::write(&self.$field, to),
                        )?;
                    }
                )*
                Ok(())
            }
        }

        impl $crate::layout::ElementLayout for $name {
            const ELEMENT: $crate::shape::Element = $crate::shape::Element::Struct {
                in_memory: size_of::<Self>(),
                fields: <Self as $crate::layout::StructLayout>::FIELDS,
            };
        }

        /// A byte says whether it is there.
        impl $crate::layout::NullableLayout for $name {
            fn read_nullable<B: $crate::wire::buf::ByteBuf>(
                from: &mut $crate::layout::Reader<'_, B>,
            ) -> Result<Option<Self>, $crate::shape::Malformed> {
                let [is_there] = from.array()?;
                if is_there.cast_signed() < 0 {
                    return Ok(None);
                }
                <Self as $crate::layout::Layout>::read(from).map(Some)
            }

            fn write_null<O: $crate::layout::Output>(to: &mut $crate::layout::Writer<'_, O>) {
                to.put(&[0xff]);
            }

            fn write_present<O: $crate::layout::Output>(
                &self,
                to: &mut $crate::layout::Writer<'_, O>,
            ) -> Result<(), $crate::layout::TooLong> {
                to.put(&[1]);
                $crate::layout::Layout::write(self, to)
            }
        }
    )*};
    (@default) => { Default::default() };
    (@default $default:expr) => { $default };
    (@to) => { i16::MAX };
    (@to $to:literal) => { $to };
    (@null $from:literal) => { $from };
    (@null $from:literal, $null:literal) => { $null };
    (@tag) => { None::<u32> };
    (@tag $tag:literal) => { Some($tag) };
    (@is_plain) => { true };
    (@is_plain $tag:literal) => { false };
}

/// Makes two structs a request and its answer, at the versions that are whole in Gregor.
macro_rules! request {
    (
        $request:ident => $response:ident,
        $key:ident in $min:literal..=$max:literal, flexible from $flexible:literal
    ) => {
        impl $crate::wire::Request for $request {
            const KEY: i16 = $crate::api::ApiKey::$key as i16;
            type Response = $response;
        }

        impl $request {
            /// By which it is walked before it is decoded.
            pub const SHAPE: $crate::shape::Shape = $crate::shape::Shape {
                min_version: $min,
                max_version: $max,
                first_flexible: $flexible,
                fields: <Self as $crate::layout::StructLayout>::FIELDS,
            };
        }

        request!(@message $request, $min, $max, $flexible);
        request!(@message $response, $min, $max, $flexible);

        impl $crate::wire::HeaderVersion for $request {
            fn header_version(version: i16) -> i16 {
                if version >= $flexible { 2 } else { 1 }
            }
        }

        impl $crate::wire::HeaderVersion for $response {
            fn header_version(version: i16) -> i16 {
                i16::from(version >= $flexible)
            }
        }
    };
    (@message $message:ident, $min:literal, $max:literal, $flexible:literal) => {
        impl $crate::wire::Message for $message {
            const VERSIONS: $crate::wire::VersionRange =
                $crate::wire::VersionRange { min: $min, max: $max };
            const DEPRECATED_VERSIONS: Option<$crate::wire::VersionRange> = None;
        }

        impl $crate::wire::Encodable for $message {
            fn encode<B: $crate::wire::buf::ByteBufMut>(
                &self,
                out: &mut B,
                version: i16,
            ) -> anyhow::Result<()> {
                let mut writer = $crate::layout::Writer::new(out, version, version >= $flexible);
                Ok($crate::layout::Layout::write(self, &mut writer)?)
            }

            fn compute_size(&self, version: i16) -> anyhow::Result<usize> {
                let mut size = $crate::layout::Size::default();
                let mut writer =
                    $crate::layout::Writer::new(&mut size, version, version >= $flexible);
                $crate::layout::Layout::write(self, &mut writer)?;
                Ok(size.0)
            }
        }

        impl $crate::wire::Decodable for $message {
            fn decode<B: $crate::wire::buf::ByteBuf>(
                from: &mut B,
                version: i16,
            ) -> anyhow::Result<Self> {
                let mut reader = $crate::layout::Reader::new(from, version, version >= $flexible);
                Ok($crate::layout::Layout::read(&mut reader)?)
            }
        }
    };
}

pub(crate) use {messages, request};
