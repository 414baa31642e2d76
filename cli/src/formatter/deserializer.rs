//! Kafka's deserializers by the names of their classes: bytes as the text of what Java makes of
//! them.
//!
//! Answers to `org.apache.kafka.common.serialization` and the `toString` of what it yields.
//! Unlike Kafka: byte arrays are printed as they are, where Java prints where they lie in its
//! memory; a list is no deserializer here (docs/decisions/0387).

use super::FormatError;
use crate::java_double::{java_double, java_float};

/// How bytes become text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deserializer {
    String(Encoding),
    Boolean,
    Short,
    Integer,
    Long,
    Float,
    Double,
    Uuid(Encoding),
    Bytes,
    ByteBuffer,
    ByteArray,
    Void,
}

/// How text is encoded, by the names that Java has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Latin1,
    Ascii,
}

/// Why a class is no deserializer: Java's exception and its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UnknownDeserializer {
    pub(super) exception: String,
}

const SERIALIZATION: &str = "org.apache.kafka.common.errors.SerializationException";

fn wrong(message: impl Into<String>) -> FormatError {
    FormatError { class: SERIALIZATION, message: message.into() }
}

impl Deserializer {
    /// By the name of Kafka's class; `settings` are those that stand behind the property's name.
    pub(super) fn of_class(
        class: &str,
        is_key: bool,
        settings: &[(&str, &str)],
    ) -> Result<Self, UnknownDeserializer> {
        let encoding = || encoding(is_key, settings);
        Ok(match class.strip_prefix("org.apache.kafka.common.serialization.") {
            Some("StringDeserializer") => Self::String(encoding()?),
            Some("UUIDDeserializer") => Self::Uuid(encoding()?),
            Some("BooleanDeserializer") => Self::Boolean,
            Some("ShortDeserializer") => Self::Short,
            Some("IntegerDeserializer") => Self::Integer,
            Some("LongDeserializer") => Self::Long,
            Some("FloatDeserializer") => Self::Float,
            Some("DoubleDeserializer") => Self::Double,
            Some("BytesDeserializer") => Self::Bytes,
            Some("ByteBufferDeserializer") => Self::ByteBuffer,
            Some("ByteArrayDeserializer") => Self::ByteArray,
            Some("VoidDeserializer") => Self::Void,
            _ => {
                let exception = format!("java.lang.ClassNotFoundException: {class}");
                return Err(UnknownDeserializer { exception });
            }
        })
    }

    pub(super) fn write(self, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), FormatError> {
        let text = match self {
            Self::ByteArray => {
                out.extend_from_slice(bytes);
                return Ok(());
            }
            Self::String(encoding) => encoding.decode(bytes),
            Self::Uuid(encoding) => uuid(&encoding.decode(bytes))?,
            Self::Boolean => boolean(bytes)?.to_owned(),
            Self::Short => i16::from_be_bytes(sized(bytes, "ShortDeserializer")?).to_string(),
            Self::Integer => i32::from_be_bytes(sized(bytes, "IntegerDeserializer")?).to_string(),
            Self::Long => i64::from_be_bytes(sized(bytes, "LongDeserializer")?).to_string(),
            Self::Float => java_float(f32::from_be_bytes(sized(bytes, "Deserializer")?)),
            Self::Double => java_double(f64::from_be_bytes(sized(bytes, "Deserializer")?)),
            Self::Bytes => printable(bytes),
            Self::ByteBuffer => {
                let length = bytes.len();
                format!("java.nio.HeapByteBuffer[pos=0 lim={length} cap={length}]")
            }
            Self::Void => {
                return Err(FormatError {
                    class: "java.lang.IllegalArgumentException",
                    message: "Data should be null for a VoidDeserializer.".to_owned(),
                });
            }
        };
        out.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

fn encoding(is_key: bool, settings: &[(&str, &str)]) -> Result<Encoding, UnknownDeserializer> {
    let own = if is_key { "key.deserializer.encoding" } else { "value.deserializer.encoding" };
    let value = |name: &str| settings.iter().find(|(key, _)| *key == name).map(|(_, value)| *value);
    let name = value(own).or_else(|| value("deserializer.encoding")).unwrap_or("UTF-8");
    match name.to_ascii_uppercase().as_str() {
        "UTF-8" | "UTF8" => Ok(Encoding::Utf8),
        "ISO-8859-1" | "ISO8859_1" | "LATIN1" => Ok(Encoding::Latin1),
        "US-ASCII" | "ASCII" => Ok(Encoding::Ascii),
        _ => {
            let exception = format!("java.nio.charset.UnsupportedCharsetException: {name}");
            Err(UnknownDeserializer { exception })
        }
    }
}

impl Encoding {
    fn decode(self, bytes: &[u8]) -> String {
        match self {
            Self::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Self::Latin1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
            Self::Ascii => bytes
                .iter()
                .map(|byte| if byte.is_ascii() { char::from(*byte) } else { '\u{fffd}' })
                .collect(),
        }
    }
}

fn sized<const SIZE: usize>(bytes: &[u8], class: &str) -> Result<[u8; SIZE], FormatError> {
    let fits = |_| wrong(format!("Size of data received by {class} is not {SIZE}"));
    bytes.try_into().map_err(fits)
}

fn boolean(bytes: &[u8]) -> Result<&'static str, FormatError> {
    match bytes {
        [1] => Ok("true"),
        [0] => Ok("false"),
        [other] => {
            let other = other.cast_signed();
            Err(wrong(format!("Unexpected byte received by BooleanDeserializer: {other}")))
        }
        _ => Err(wrong("Size of data received by BooleanDeserializer is not 1")),
    }
}

fn uuid(text: &str) -> Result<String, FormatError> {
    let parsed = uuid::Uuid::try_parse(text).ok().filter(|_| text.len() == 36);
    parsed.map(|uuid| uuid.to_string()).ok_or_else(|| wrong("Error parsing data into UUID"))
}

/// `Bytes.toString`: what is no printable ASCII, and the backslash, as `\xNN`.
fn printable(bytes: &[u8]) -> String {
    let one = |byte: &u8| match byte {
        b'\\' => "\\x5C".to_owned(),
        b' '..=b'~' => char::from(*byte).to_string(),
        other => format!("\\x{other:02X}"),
    };
    bytes.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(class: &str, bytes: &[u8]) -> String {
        let class = format!("org.apache.kafka.common.serialization.{class}Deserializer");
        let mut out = Vec::new();
        match Deserializer::of_class(&class, false, &[]).unwrap().write(bytes, &mut out) {
            Ok(()) => String::from_utf8(out).unwrap(),
            Err(error) => format!("!{error}"),
        }
    }

    #[test]
    fn bytes_become_the_text_of_javas_values() {
        let table: [(&str, &[u8], &str); 14] = [
            ("String", "gr\u{fc}n".as_bytes(), "gr\u{fc}n"),
            ("String", b"\xff", "\u{fffd}"),
            ("Short", &[255, 254], "-2"),
            ("Integer", &[0, 0, 1, 0], "256"),
            ("Long", &[255; 8], "-1"),
            ("Long", &[0; 4], "!Size of data received by LongDeserializer is not 8"),
            ("Double", &[0; 4], "!Size of data received by Deserializer is not 8"),
            ("Boolean", &[1], "true"),
            ("Boolean", &[200], "!Unexpected byte received by BooleanDeserializer: -56"),
            ("Bytes", b"a\\\n~\x7f", "a\\x5C\\x0A~\\x7F"),
            ("ByteBuffer", b"abc", "java.nio.HeapByteBuffer[pos=0 lim=3 cap=3]"),
            ("UUID", b"no", "!Error parsing data into UUID"),
            ("Void", b"", "!Data should be null for a VoidDeserializer."),
            ("ByteArray", b"raw", "raw"),
        ];
        for (class, bytes, text) in table {
            assert_eq!(printed(class, bytes), text, "{class} {bytes:?}");
        }
    }

    #[test]
    fn decimals_are_written_as_java_writes_them() {
        let table = [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (100.0, "100.0"),
            (1234.5, "1234.5"),
            (9_999_999.0, "9999999.0"),
            (1.0e7, "1.0E7"),
            (-1.25e10, "-1.25E10"),
            (0.001, "0.001"),
            (0.012, "0.012"),
            (0.00099, "9.9E-4"),
            (f64::INFINITY, "Infinity"),
            (f64::NAN, "NaN"),
            (5e-324, "4.9E-324"),
        ];
        for (value, text) in table {
            assert_eq!(printed("Double", &value.to_be_bytes()), text);
        }
        assert_eq!(printed("Float", &0.1_f32.to_be_bytes()), "0.1");
        assert_eq!(printed("Float", &1.0e10_f32.to_be_bytes()), "1.0E10");
    }

    #[test]
    fn an_encoding_is_the_keys_or_values_own_before_the_common_one() {
        let class = "org.apache.kafka.common.serialization.StringDeserializer";
        let of =
            |is_key, settings: &[(&str, &str)]| Deserializer::of_class(class, is_key, settings);
        let both =
            [("deserializer.encoding", "utf-8"), ("key.deserializer.encoding", "iso-8859-1")];
        assert_eq!(of(true, &both), Ok(Deserializer::String(Encoding::Latin1)));
        assert_eq!(of(false, &both), Ok(Deserializer::String(Encoding::Utf8)));
        let unknown = of(false, &[("deserializer.encoding", "EBCDIC")]).unwrap_err();
        let words = "java.nio.charset.UnsupportedCharsetException: EBCDIC";
        assert_eq!(unknown.exception, words);
        assert!(Deserializer::of_class("com.acme.Avro", true, &[]).is_err());
    }
}
