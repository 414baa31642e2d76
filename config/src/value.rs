//! A value: the text of one key read as the key's type, and written back as Kafka writes it.
//!
//! Answers to ConfigDef.parseType and ConfigDef.convertToString: blanks around a value are not part
//! of it, booleans ignore case, lists are split at commas with the blanks around them.

use std::fmt;

use crate::ConfigError;

/// The types that Kafka's definitions have; the numbers are those of DescribeConfigs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Boolean,
    String,
    Int,
    Short,
    Long,
    Double,
    List,
    Class,
    Password,
}

impl Kind {
    /// The number of the type in a DescribeConfigs response.
    pub fn id(self) -> i8 {
        match self {
            Self::Boolean => 1,
            Self::String => 2,
            Self::Int => 3,
            Self::Short => 4,
            Self::Long => 5,
            Self::Double => 6,
            Self::List => 7,
            Self::Class => 8,
            Self::Password => 9,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Boolean => "BOOLEAN",
            Self::String => "STRING",
            Self::Int => "INT",
            Self::Short => "SHORT",
            Self::Long => "LONG",
            Self::Double => "DOUBLE",
            Self::List => "LIST",
            Self::Class => "CLASS",
            Self::Password => "PASSWORD",
        }
    }

    /// Reads `text` as this type.
    pub fn parse(self, name: &str, text: &str) -> Result<Value, ConfigError> {
        let trimmed = text.trim();
        let not_a_number =
            || ConfigError::invalid(name, text, format!("Not a number of type {}", self.name()));
        Ok(match self {
            Self::Boolean if trimmed.eq_ignore_ascii_case("true") => Value::Boolean(true),
            Self::Boolean if trimmed.eq_ignore_ascii_case("false") => Value::Boolean(false),
            Self::Boolean => {
                let allowed = "Expected value to be either true or false";
                return Err(ConfigError::invalid(name, text, allowed));
            }
            Self::Int => Value::Int(trimmed.parse().map_err(|_| not_a_number())?),
            Self::Short => Value::Short(trimmed.parse().map_err(|_| not_a_number())?),
            Self::Long => Value::Long(trimmed.parse().map_err(|_| not_a_number())?),
            Self::Double => Value::Double(trimmed.parse().map_err(|_| not_a_number())?),
            // Unlike Kafka: a class is a name here, whether or not a JVM could load it (decision
            // 0013).
            Self::String | Self::Class | Self::Password => Value::Text(trimmed.to_owned()),
            Self::List => Value::List(split(trimmed)),
        })
    }
}

/// Splits a comma separated list as Kafka does: inner blanks stay, empty elements too.
fn split(trimmed: &str) -> Vec<String> {
    if trimmed.is_empty() {
        return Vec::new();
    }
    trimmed.split(',').map(|element| element.trim().to_owned()).collect()
}

/// A checked value. `Null` is Kafka's null: a key that may be unset and is.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Boolean(bool),
    Int(i32),
    Short(i16),
    Long(i64),
    Double(f64),
    Text(String),
    List(Vec<String>),
}

impl Value {
    /// The value as DescribeConfigs shows it; nothing for null.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            value => Some(value.to_string()),
        }
    }

    /// Numbers as a floating point number, which is how Kafka compares them with a range.
    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(f64::from(*value)),
            Self::Short(value) => Some(f64::from(*value)),
            Self::Long(value) => Some(*value as f64),
            Self::Double(value) => Some(*value),
            _ => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Short(value) => write!(f, "{value}"),
            Self::Long(value) => write!(f, "{value}"),
            Self::Double(value) => f.write_str(&java_double(*value)),
            Self::Text(value) => f.write_str(value),
            Self::List(values) => f.write_str(&values.join(",")),
        }
    }
}

/// A double as Java prints it: plain between 10^-3 and 10^7, otherwise with an exponent.
pub(crate) fn java_double(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if value == 0.0 {
        return if value.is_sign_negative() { "-0.0" } else { "0.0" }.to_owned();
    }
    if (1e-3..1e7).contains(&value.abs()) {
        let plain = value.to_string();
        return if plain.contains('.') { plain } else { format!("{plain}.0") };
    }
    let scientific = format!("{value:E}");
    match scientific.split_once('E') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
        _ => scientific,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_as_kafka_reads_them() {
        let table = [
            (Kind::Boolean, " TRUE ", "true"),
            (Kind::Int, " 42 ", "42"),
            (Kind::Int, "+7", "7"),
            (Kind::Long, "-9223372036854775808", "-9223372036854775808"),
            (Kind::Short, "-3", "-3"),
            (Kind::Double, "1", "1.0"),
            (Kind::Double, "0.50", "0.5"),
            (Kind::Double, "1e300", "1.0E300"),
            (Kind::Double, "1.7976931348623157E308", "1.7976931348623157E308"),
            (Kind::List, " a , b,c ", "a,b,c"),
            (Kind::List, "a,,b,", "a,,b,"),
            (Kind::List, "  ", ""),
            (Kind::String, "  two words ", "two words"),
        ];
        for (kind, text, shown) in table {
            assert_eq!(kind.parse("key", text).unwrap().to_string(), shown, "{kind:?} {text}");
        }
    }

    #[test]
    fn a_wrong_type_names_key_value_and_what_is_allowed() {
        let table = [
            (Kind::Boolean, "yes", "Expected value to be either true or false"),
            (Kind::Int, "2147483648", "Not a number of type INT"),
            (Kind::Int, "", "Not a number of type INT"),
            (Kind::Short, "40000", "Not a number of type SHORT"),
            (Kind::Long, "1.5", "Not a number of type LONG"),
            (Kind::Double, "half", "Not a number of type DOUBLE"),
        ];
        for (kind, text, allowed) in table {
            assert_eq!(
                kind.parse("some.key", text).unwrap_err().to_string(),
                format!("Invalid value {text} for configuration some.key: {allowed}")
            );
        }
    }
}
