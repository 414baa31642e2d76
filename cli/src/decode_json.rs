//! JSON files that tools read, with the words of Kafka's decoder where they are not what is asked.
//!
//! Answers to `Json`, `JsonObject` and `DecodeJson` of kafka-server-common.

use serde_json::{Map, Value};

/// The words of Jackson's JsonMappingException.
pub(crate) type Mismatch = String;

/// Reads a file as Kafka's `Utils.readFileAsString` does; the words of its exception.
pub(crate) fn read_file(path: &str) -> Result<String, String> {
    std::fs::read_to_string(path).map_err(|_| format!("Unable to read file {path}"))
}

pub(crate) fn object(json: &Value) -> Result<&Map<String, Value>, Mismatch> {
    json.as_object().ok_or_else(|| format!("Expected JSON object, received {json}"))
}

pub(crate) fn array(json: &Value) -> Result<&Vec<Value>, Mismatch> {
    json.as_array().ok_or_else(|| format!("Expected JSON array, received {json}"))
}

pub(crate) fn field<'a>(object: &'a Map<String, Value>, name: &str) -> Result<&'a Value, Mismatch> {
    object.get(name).ok_or_else(|| format!("No such field exists: `{name}`"))
}

pub(crate) fn string(json: &Value) -> Result<String, Mismatch> {
    let text = json.as_str().map(str::to_owned);
    text.ok_or_else(|| format!("Expected `String` value, received {json}"))
}

pub(crate) fn integer(json: &Value) -> Result<i32, Mismatch> {
    let number = json.as_i64().and_then(|number| i32::try_from(number).ok());
    number.ok_or_else(|| format!("Expected `Integer` value, received {json}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_another_kind_is_said_in_kafkas_words() {
        let json: Value = serde_json::from_str(r#"{"a": [1, "b", 99999999999]}"#).unwrap();
        let list = array(field(object(&json).unwrap(), "a").unwrap()).unwrap();
        assert_eq!((integer(&list[0]), string(&list[1])), (Ok(1), Ok("b".to_owned())));
        let table = [
            (object(&list[0]).unwrap_err(), "Expected JSON object, received 1"),
            (array(&list[1]).unwrap_err(), "Expected JSON array, received \"b\""),
            (field(object(&json).unwrap(), "c").unwrap_err(), "No such field exists: `c`"),
            (string(&list[0]).unwrap_err(), "Expected `String` value, received 1"),
            (integer(&list[2]).unwrap_err(), "Expected `Integer` value, received 99999999999"),
        ];
        for (said, words) in table {
            assert_eq!(said, words);
        }
    }
}
