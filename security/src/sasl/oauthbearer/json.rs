//! JSON objects of which no member is named twice: two readers of one text must not see two
//! different things in it.

use serde_json::{Map, Value};

/// The members of an object.
pub(super) type Object = Map<String, Value>;

struct Strict(Object);

impl<'de> serde::Deserialize<'de> for Strict {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> serde::de::Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut access: A,
            ) -> Result<Object, A::Error> {
                let mut members = Object::new();
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    if members.insert(name, value).is_some() {
                        return Err(serde::de::Error::custom("a member is there twice"));
                    }
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Members).map(Self)
    }
}

/// Reads an object; the text of an error has nothing of what was read.
pub(super) fn object(bytes: &[u8]) -> Result<Object, &'static str> {
    serde_json::from_slice::<Strict>(bytes)
        .map(|object| object.0)
        .map_err(|_| "it is no JSON object, or has a member twice")
}

/// A member that is a text; nothing where it is absent or null.
pub(super) fn text<'a>(object: &'a Object, name: &str) -> Result<Option<&'a str>, String> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("'{name}' is no text")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_there_twice() {
        let read = object(br#"{"a":"x","b":null,"c":1}"#).unwrap();
        assert_eq!(text(&read, "a"), Ok(Some("x")));
        assert_eq!((text(&read, "b"), text(&read, "d")), (Ok(None), Ok(None)));
        assert!(text(&read, "c").is_err());
        for bytes in [&br#"{"a":1,"a":2}"#[..], b"[]", b"", b"{} x", b"{\"a\":\xff}"] {
            assert!(object(bytes).is_err(), "{bytes:?}");
        }
    }
}
