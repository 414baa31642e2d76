//! What the options of Kafka's two console consumers mean alike: old spellings, groups, formatters.

use crate::formatter::{Formatter, FormatterError};
use crate::java_order::{sort_by_hash, string_hash};
use crate::joptsimple::{OptionError, ParsedOptions};
use crate::release::CliRelease;
use crate::session::{SessionError, properties};

/// The option that counts: the old spelling where it is given, which is said.
pub(crate) fn renamed(
    given: &ParsedOptions,
    old: &'static str,
    new: &'static str,
    notes: &mut Vec<String>,
) -> &'static str {
    if !given.has(old) {
        return new;
    }
    if given.release().is_3_7() {
        return old;
    }
    notes.push(format!(
        "Option --{old} is deprecated and will be removed in a future version. Use --{new} instead."
    ));
    old
}

/// The class and the message of what Java throws for a file that cannot be read.
pub(crate) fn exception(error: &SessionError) -> (&'static str, String) {
    match error {
        SessionError::Unreadable { path, exception } => (exception, path.clone()),
        other => ("java.lang.IllegalArgumentException", other.to_string()),
    }
}

/// The group that is named in one place or in several alike, the last of which is a file that
/// `file` names; or what is wrong.
pub(crate) fn one_group<'a>(
    places: &[Option<&'a str>],
    file: &str,
) -> Result<Option<&'a str>, String> {
    let mut groups: Vec<&str> = Vec::new();
    for group in places.iter().flatten() {
        if !groups.contains(group) {
            groups.push(group);
        }
    }
    if groups.len() <= 1 {
        return Ok(groups.first().copied());
    }
    sort_by_hash(&mut groups, |group| string_hash(group));
    let quoted: Vec<String> = groups.iter().map(|group| format!("'{group}'")).collect();
    Err(format!(
        "The group ids provided in different places (directly using '--group', via \
         '--consumer-property', or via '--{file}') do not match. Detected group ids: {}",
        quoted.join(", ")
    ))
}

/// Why there is no formatter.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FormatterRefused {
    /// The words to which Java adds its help.
    Usage(String),
    /// An exception that nobody catches: its class and its words.
    Uncaught(&'static str, String),
}

impl From<OptionError> for FormatterRefused {
    fn from(error: OptionError) -> Self {
        Self::Usage(error.to_string())
    }
}

/// The formatter that is asked for, set up.
pub(crate) fn formatter(
    given: &ParsedOptions,
    notes: &mut Vec<String>,
) -> Result<Formatter, FormatterRefused> {
    let release = given.release();
    let class = given.value("formatter")?.unwrap_or_else(|| Formatter::default_class(release));
    // 3.7 shows no help below what it does not find.
    let unknown = |error: FormatterError| match release {
        CliRelease::V3_7 => {
            FormatterRefused::Uncaught("java.lang.ClassNotFoundException", error.to_string())
        }
        CliRelease::V4_3 => FormatterRefused::Usage(error.to_string()),
    };
    let mut formatter = Formatter::of_class(release, class).map_err(unknown)?;
    if given.has("property") && given.has("formatter-property") {
        return Err(FormatterRefused::Usage(
            "Options --property and --formatter-property cannot be specified together.".to_owned(),
        ));
    }
    let pairs = renamed(given, "property", "formatter-property", notes);
    let file = given.value("formatter-config")?;
    let mut settings = properties(file).map_err(|error| match error {
        SessionError::Unreadable { path, .. } if release.is_3_7() => {
            FormatterRefused::Uncaught("java.nio.file.NoSuchFileException", path)
        }
        SessionError::Unreadable { path, .. } => FormatterRefused::Usage(path),
        other => FormatterRefused::Usage(other.to_string()),
    })?;
    for (option, key) in
        [("key-deserializer", "key.deserializer"), ("value-deserializer", "value.deserializer")]
    {
        let class = given.value(option)?;
        if let Some(class) = class.filter(|class| !class.is_empty()) {
            settings.set(key, class);
        }
    }
    given.values(pairs).iter().for_each(|pair| settings.apply_override(pair));
    formatter.configure(&settings);
    Ok(formatter)
}
