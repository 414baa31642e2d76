//! What a key's value may be, beyond its type.
//!
//! Answers to the validators of ConfigDef and the few that Kafka wrote for single keys; `Display`
//! is what Kafka's own documentation prints under "valid values".

use std::fmt;

use crate::{ConfigError, Value, quorum};

/// The rule a value must satisfy.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Valid {
    Any,
    AtLeast(i64),
    Between(f64, f64),
    /// A level of gzip: 1 to 9, or -1 for the library's own.
    GzipLevel,
    OneOf(&'static [&'static str]),
    OneOfIgnoringCase(&'static [&'static str]),
    /// A list without an empty element, and with at least one where `or_none` is false; repeated
    /// elements are dropped before (KIP-1161).
    Elements {
        or_none: bool,
    },
    /// Such a list, whose every element is one of these.
    ElementsOf {
        or_none: bool,
        names: &'static [&'static str],
    },
    NonNull,
    NonEmpty,
    /// `*`, or a list of `partition:broker`.
    ThrottledReplicas,
    /// A list of `id@host:port`.
    Voters,
    /// A list of `host:port`.
    BootstrapServers,
    /// `latest`, `earliest` or `by_duration:` with an ISO 8601 duration.
    ShareOffsetReset,
}

impl Valid {
    /// Whether a list of this kind keeps only the first of equal elements.
    pub(crate) fn is_distinct(self) -> bool {
        matches!(self, Self::Elements { .. } | Self::ElementsOf { .. })
    }

    /// Checks a value of the right type.
    pub(crate) fn check(&self, name: &str, value: &Value) -> Result<(), ConfigError> {
        match self {
            Self::Any => Ok(()),
            Self::AtLeast(least) => at_least(name, value, *least as f64, &least.to_string()),
            Self::Between(least, most) => {
                at_least(name, value, *least, &least.to_string())?;
                match value.number() {
                    Some(number) if number > *most => {
                        let allowed = format!("Value must be no more than {most}");
                        Err(ConfigError::invalid(name, &value.to_string(), allowed))
                    }
                    _ => Ok(()),
                }
            }
            Self::GzipLevel => match value.number() {
                Some(level) if level == -1.0 || (1.0..=9.0).contains(&level) => Ok(()),
                _ => {
                    let allowed = "Value must be between 1 and 9 or equal to -1";
                    Err(ConfigError::invalid(name, &value.to_string(), allowed))
                }
            },
            Self::NonNull if *value == Value::Null => {
                Err(ConfigError::invalid(name, "null", "entry must be non null"))
            }
            Self::NonEmpty if *value == Value::Text(String::new()) => {
                Err(ConfigError::invalid(name, "", "String must be non-empty"))
            }
            Self::NonNull | Self::NonEmpty => Ok(()),
            rule => rule.check_text(name, value),
        }
    }

    fn check_text(&self, name: &str, value: &Value) -> Result<(), ConfigError> {
        match (self, value) {
            (Self::OneOf(names), Value::Text(text)) => one_of(name, text, names),
            (Self::Elements { or_none }, Value::List(elements)) => {
                listed(name, elements, *or_none, &[])
            }
            (Self::ElementsOf { or_none, names }, Value::List(elements)) => {
                listed(name, elements, *or_none, names)
            }
            (Self::OneOfIgnoringCase(names), Value::Text(text)) => {
                if names.iter().any(|each| each.eq_ignore_ascii_case(text)) {
                    return Ok(());
                }
                let names = names.join(", ");
                let allowed = format!("String must be one of (case insensitive): {names}");
                Err(ConfigError::invalid(name, text, allowed))
            }
            (Self::ThrottledReplicas, Value::List(elements)) => throttled(name, elements),
            (Self::Voters, Value::List(elements)) => quorum::parse_voters(elements).map(drop),
            (Self::BootstrapServers, Value::List(elements)) => {
                quorum::parse_bootstrap_servers(elements).map(drop)
            }
            (Self::ShareOffsetReset, Value::Text(text)) => offset_reset(name, text),
            _ => Ok(()),
        }
    }
}

fn at_least(name: &str, value: &Value, least: f64, shown: &str) -> Result<(), ConfigError> {
    match value.number() {
        None => Err(ConfigError::invalid(name, "null", "Value must be non-null")),
        Some(number) if number < least => {
            let allowed = format!("Value must be at least {shown}");
            Err(ConfigError::invalid(name, &value.to_string(), allowed))
        }
        Some(_) => Ok(()),
    }
}

fn one_of(name: &str, text: &str, names: &[&str]) -> Result<(), ConfigError> {
    if names.contains(&text) {
        return Ok(());
    }
    let allowed = format!("String must be one of: {}", names.join(", "));
    Err(ConfigError::invalid(name, text, allowed))
}

/// An element of `names`, or any where none is named; the texts are those of ConfigDef.ValidList.
fn listed(
    name: &str,
    elements: &[String],
    or_none: bool,
    names: &[&str],
) -> Result<(), ConfigError> {
    let refused = |message| Err(ConfigError::BadList { name: name.to_owned(), message });
    if elements.is_empty() && !or_none {
        let valid = match names {
            [] => "any non-empty value".to_owned(),
            names => format!("[{}]", names.join(", ")),
        };
        return refused(format!("must not be empty. Valid values include: {valid}"));
    }
    elements.iter().try_for_each(|element| match (element.is_empty(), names) {
        (true, _) => refused("values must not be empty.".to_owned()),
        (false, []) => Ok(()),
        (false, names) => one_of(name, element, names),
    })
}

fn throttled(name: &str, elements: &[String]) -> Result<(), ConfigError> {
    let is_pair = |element: &String| {
        element.split_once(':').is_some_and(|(partition, broker)| {
            let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            digits(partition) && digits(broker)
        }) || element.is_empty()
    };
    if elements.iter().all(is_pair) || elements.concat() == "*" {
        return Ok(());
    }
    let allowed = format!(
        "{name} must be the literal '*' or a list of replicas in the following format: \
         [partitionId]:[brokerId],[partitionId]:[brokerId],..."
    );
    Err(ConfigError::invalid(name, &format!("[{}]", elements.join(", ")), allowed))
}

fn offset_reset(name: &str, text: &str) -> Result<(), ConfigError> {
    let duration = text.strip_prefix("by_duration:");
    if text == "latest" || text == "earliest" || duration.and_then(iso_duration_ms).is_some() {
        return Ok(());
    }
    let allowed = format!(
        "Invalid value `{text}` for configuration {name}. The value must be either 'earliest', \
         'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'."
    );
    Err(ConfigError::invalid(name, text, allowed))
}

/// Milliseconds of `PnDTnHnMn.nS` without a sign: the durations a share group may go back by.
pub(crate) fn iso_duration_ms(text: &str) -> Option<i64> {
    const DAY_MS: f64 = 86_400_000.0;
    const TIME: [(char, f64); 3] = [('H', 3_600_000.0), ('M', 60_000.0), ('S', 1000.0)];
    let upper = text.strip_prefix(['P', 'p'])?.to_ascii_uppercase();
    let (days, time) = match upper.split_once('T') {
        Some((days, time)) if !time.is_empty() => (days, time),
        Some(_) => return None,
        None => (upper.as_str(), ""),
    };
    let parts = |mut text: &str, units: &[(char, f64)]| {
        let mut units = units.iter();
        let (mut seen, mut ms) = (0, 0.0);
        while !text.is_empty() {
            let digits = text.bytes().take_while(|b| b.is_ascii_digit() || *b == b'.').count();
            let (number, after) = text.split_at_checked(digits)?;
            let unit = after.chars().next()?;
            let whole = unit == 'S' || !number.contains('.');
            let (number, (_, unit_ms)) =
                (number.parse::<f64>().ok()?, units.find(|(each, _)| *each == unit)?);
            if !whole {
                return None;
            }
            ms += number * unit_ms;
            text = after.get(1..).unwrap_or("");
            seen += 1;
        }
        Some((seen, ms))
    };
    let ((days, days_ms), (times, times_ms)) =
        (parts(days, &[('D', DAY_MS)])?, parts(time, &TIME)?);
    // As many as a cast may have.
    (days + times > 0).then_some((days_ms + times_ms) as i64)
}

impl fmt::Display for Valid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any | Self::Elements { .. } => Ok(()),
            Self::AtLeast(least) => write!(f, "[{least},...]"),
            Self::Between(least, most) => write!(f, "[{least},...,{most}]"),
            Self::GzipLevel => f.write_str("[1,...,9] or -1"),
            Self::OneOf(names) | Self::ElementsOf { names, .. } => {
                write!(f, "[{}]", names.join(", "))
            }
            Self::OneOfIgnoringCase(names) => {
                write!(f, "(case insensitive) [{}]", names.join(", "))
            }
            Self::NonNull => f.write_str("non-null string"),
            Self::NonEmpty => f.write_str("non-empty string"),
            Self::ThrottledReplicas => {
                f.write_str("[partitionId]:[brokerId],[partitionId]:[brokerId],...")
            }
            Self::Voters | Self::BootstrapServers => f.write_str("non-empty list"),
            Self::ShareOffsetReset => f.write_str("[latest, earliest, by_duration:PnDTnHnMn.nS]"),
        }
    }
}
