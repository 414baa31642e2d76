//! Which levels `upgrade`, `downgrade` and `disable` ask for, and what is said of the answer.
//!
//! Pure. Answers to `handleUpgradeOrDowngrade`, `handleDisable` and `update` of FeatureCommand.

use std::collections::BTreeMap;

use client::admin::{FeatureUpdates, UpgradeType};
use raft::feature::MetadataVersion;

use super::levels::{METADATA_VERSION, default_level, features, metadata_version};
use crate::arguments::ParsedOptions;

/// Levels by feature.
pub(super) type Levels = BTreeMap<String, i16>;

/// Which way levels may change.
pub(super) fn upgrade_type(command: &str, options: &ParsedOptions) -> UpgradeType {
    match (command, options.is_set("unsafe")) {
        ("upgrade", _) => UpgradeType::Upgrade,
        (_, true) => UpgradeType::UnsafeDowngrade,
        (_, false) => UpgradeType::SafeDowngrade,
    }
}

/// `feature=level`.
pub(super) fn name_and_level(text: &str) -> Result<(String, i16), String> {
    let problem = |why: String| format!("Can't parse feature=level string {text}: {why}");
    let (name, level) =
        text.split_once('=').ok_or_else(|| problem("equals sign not found.".to_owned()))?;
    let level = level.trim();
    let number =
        level.parse().map_err(|_| problem(format!("unable to parse {level} as a short.")))?;
    Ok((name.trim().to_owned(), number))
}

fn check_level(command: &str, level: i16) -> Result<(), String> {
    match level {
        0 if command == "upgrade" => {
            Err("The upgradeType flag should be set to SAFE_DOWNGRADE or \
                                          UNSAFE_DOWNGRADE when the provided maxVersionLevel:0 is \
                                          < 1."
                .to_owned())
        }
        ..0 => Err("Cannot specify a negative version level.".to_owned()),
        _ => Ok(()),
    }
}

fn add(levels: &mut Levels, name: String, level: i16) -> Result<(), String> {
    match levels.insert(name.clone(), level) {
        None => Ok(()),
        Some(_) => Err(format!("Feature {name} was specified more than once.")),
    }
}

/// The levels that a command line asks for.
pub(super) fn read(command: &str, options: &ParsedOptions) -> Result<Levels, String> {
    let mut levels = Levels::new();
    let named = options.values("feature");
    let newest = MetadataVersion::LATEST_NAMED;
    let release = options.value("release-version");
    let metadata = options.value("metadata");
    if command == "disable" {
        for feature in named {
            add(&mut levels, feature.clone(), 0)?;
        }
    } else if let Some(release) = release {
        if metadata.is_some() || !named.is_empty() {
            return Err("Can not specify `release-version` with other feature flags.".to_owned());
        }
        let metadata = metadata_version(release, newest)?;
        levels.insert(METADATA_VERSION.to_owned(), metadata.level());
        for feature in features() {
            let level = default_level(feature, metadata);
            // A feature is not upgraded to 0.
            if command != "upgrade" || level > 0 {
                levels.insert(feature.name.to_owned(), level);
            }
        }
    } else {
        if let Some(release) = metadata {
            let level = metadata_version(release, newest)?.level();
            levels.insert(METADATA_VERSION.to_owned(), level);
        }
        for feature in named {
            let (name, level) = name_and_level(feature)?;
            check_level(command, level)?;
            add(&mut levels, name, level)?;
        }
    }
    if levels.is_empty() {
        return Err(format!("You must specify at least one feature to {command}"));
    }
    match levels.keys().any(|name| name.trim().is_empty()) {
        true => Err("Provided feature can not be empty.".to_owned()),
        false => Ok(levels),
    }
}

/// A line for each feature, and how many updates failed.
pub(super) fn report(
    command: &str,
    levels: &Levels,
    updates: &FeatureUpdates,
    is_dry_run: bool,
) -> (String, usize) {
    let mut lines = String::new();
    let mut failed = 0;
    for (name, result) in updates {
        let level = levels.get(name).copied().unwrap_or_default();
        let is_disabled = command == "disable";
        match result {
            Ok(()) => {
                let verb = if is_dry_run { "can be" } else { "was" };
                let done = match is_disabled {
                    true => "disabled".to_owned(),
                    false => format!("{command}d to {level}"),
                };
                lines.push_str(&format!("{name} {verb} {done}.\n"));
            }
            Err(error) => {
                failed += 1;
                let verb = if is_dry_run { "Can not" } else { "Could not" };
                let wanted = match is_disabled {
                    true => format!("disable {name}"),
                    false => format!("{command} {name} to {level}"),
                };
                lines.push_str(&format!("{verb} {wanted}. {error}\n"));
            }
        }
    }
    (lines, failed)
}

#[cfg(test)]
mod tests {
    use client::admin::AdminError;

    use super::*;

    #[test]
    fn levels_are_numbers_behind_an_equals_sign() {
        assert_eq!(name_and_level(" a = 5 "), Ok(("a".to_owned(), 5)));
        let table = [
            ("a", "Can't parse feature=level string a: equals sign not found."),
            ("a=b", "Can't parse feature=level string a=b: unable to parse b as a short."),
            (
                "a=70000",
                "Can't parse feature=level string a=70000: unable to parse 70000 as a short.",
            ),
        ];
        for (text, words) in table {
            assert_eq!(name_and_level(text), Err(words.to_owned()));
        }
    }

    #[test]
    fn nothing_is_upgraded_to_zero_or_below() {
        assert!(check_level("upgrade", 0).is_err() && check_level("downgrade", -1).is_err());
        assert_eq!((check_level("downgrade", 0), check_level("upgrade", 1)), (Ok(()), Ok(())));
    }

    #[test]
    fn every_feature_has_its_line() {
        let levels = Levels::from([("a".to_owned(), 1), ("b".to_owned(), 2)]);
        let refused = AdminError::Unusable("No.".to_owned());
        let updates =
            FeatureUpdates::from([("a".to_owned(), Ok(())), ("b".to_owned(), Err(refused))]);
        let (lines, failed) = report("upgrade", &levels, &updates, false);
        assert_eq!(
            (lines.as_str(), failed),
            ("a was upgraded to 1.\nCould not upgrade b to 2. No.\n", 1)
        );
        let (lines, _) = report("disable", &levels, &updates, true);
        assert_eq!(lines, "a can be disabled.\nCan not disable b. No.\n");
    }
}
