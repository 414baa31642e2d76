//! What the options of Kafka's two console consumers mean alike: old spellings, groups, formatters.

use crate::formatter::Formatter;
use crate::java_order::{sort_by_hash, string_hash};
use crate::joptsimple::ParsedOptions;
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

/// The formatter that is asked for, set up; or the words to which Java adds its help.
pub(crate) fn formatter(
    given: &ParsedOptions,
    notes: &mut Vec<String>,
) -> Result<Formatter, String> {
    let class = given.value("formatter").map_err(|error| error.to_string())?;
    let mut formatter = {
        let release = given.release();
        let class = class.unwrap_or_else(|| Formatter::default_class(release));
        Formatter::of_class(release, class).map_err(|error| error.to_string())?
    };
    if given.has("property") && given.has("formatter-property") {
        return Err(
            "Options --property and --formatter-property cannot be specified together.".to_owned()
        );
    }
    let pairs = renamed(given, "property", "formatter-property", notes);
    let file = given.value("formatter-config").map_err(|error| error.to_string())?;
    let mut settings = properties(file).map_err(|error| match &error {
        SessionError::Unreadable { path, .. } => path.clone(),
        other => other.to_string(),
    })?;
    for (option, key) in
        [("key-deserializer", "key.deserializer"), ("value-deserializer", "value.deserializer")]
    {
        let class = given.value(option).map_err(|error| error.to_string())?;
        if let Some(class) = class.filter(|class| !class.is_empty()) {
            settings.set(key, class);
        }
    }
    given.values(pairs).iter().for_each(|pair| settings.apply_override(pair));
    formatter.configure(&settings);
    Ok(formatter)
}
