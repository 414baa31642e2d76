//! TOML as configuration: nested tables are dotted names.
//!
//! ```text
//! [log]
//! dirs = ["/data/a", "/data/b"]      log.dirs=/data/a,/data/b
//! retention.hours = 24               log.retention.hours=24
//! ```
//!
//! A name that is both a key and the start of others (log.retention.ms beside log.retention) is
//! written in quotes: `"log.dir" = "/data"` is as good as a table.

use ::toml::{Table, Value};

use crate::{ConfigError, Properties};

/// Reads a TOML document.
pub fn parse(text: &str) -> Result<Properties, ConfigError> {
    let table = text.parse::<Table>().map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or("");
        ConfigError::Syntax {
            line: before.matches('\n').count() + 1,
            problem: error.message().to_owned(),
        }
    })?;
    let mut properties = Properties::new();
    flatten("", &Value::Table(table), &mut properties)?;
    Ok(properties)
}

fn flatten(name: &str, value: &Value, properties: &mut Properties) -> Result<(), ConfigError> {
    let Value::Table(table) = value else {
        properties.set(name, text(name, value)?);
        return Ok(());
    };
    for (part, value) in table {
        let name = if name.is_empty() { part.clone() } else { format!("{name}.{part}") };
        flatten(&name, value, properties)?;
    }
    Ok(())
}

fn text(name: &str, value: &Value) -> Result<String, ConfigError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Array(elements) => {
            let elements: Result<Vec<_>, _> =
                elements.iter().map(|element| text(name, element)).collect();
            Ok(elements?.join(","))
        }
        Value::Table(_) => {
            let allowed = "a list of plain values is expected, not of tables";
            Err(ConfigError::invalid(name, &value.to_string(), allowed))
        }
        plain => Ok(plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_become_dotted_names() {
        let properties = parse(
            "num.partitions = 3\n\"log.dir\" = '/data'\n[log]\nretention.hours = 24\n\
             cleanup.policy = ['compact', 'delete']\npreallocate = true\n\
             [log.cleaner]\nmin.cleanable.ratio = 0.5\n",
        )
        .unwrap();
        let expected = [
            ("log.cleaner.min.cleanable.ratio", "0.5"),
            ("log.cleanup.policy", "compact,delete"),
            ("log.dir", "/data"),
            ("log.preallocate", "true"),
            ("log.retention.hours", "24"),
            ("num.partitions", "3"),
        ];
        assert_eq!(properties.iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_mistake_names_its_line() {
        let error = parse("a = 1\n\nb = = 2\n").unwrap_err();
        assert!(error.to_string().starts_with("line 3: "), "{error}");
    }

    #[test]
    fn a_list_of_tables_is_no_value() {
        assert!(parse("[[log]]\na = 1\n").is_err());
    }
}
