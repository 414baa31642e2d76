//! Variables and providers, against what Kafka's own classes said about the same input.
//!
//! The facts stand in tests/fixtures/providers.tsv; tests/dump/Providers.java prints them.

use super::*;

/// A machine of a few variables and files.
struct Made {
    environment: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
}

impl Machine for Made {
    fn environment(&self) -> BTreeMap<String, String> {
        self.environment.clone()
    }

    fn exists(&self, path: &str) -> bool {
        self.is_file(path) || self.is_directory(path)
    }

    fn is_directory(&self, path: &str) -> bool {
        let below = format!("{}/", path.trim_end_matches('/'));
        self.files.keys().any(|file| file.starts_with(&below))
    }

    fn is_file(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    fn text(&self, path: &str) -> Option<String> {
        self.files.get(&paths::normalized(path)).cloned()
    }
}

fn machine() -> Made {
    let owned = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    Made {
        environment: owned(&[
            ("PROV_ID", "7"),
            ("PROV_SECRET", "s3cr3t"),
            ("PROV_NESTED", "${env:PROV_ID}"),
            ("PROV_EMPTY", ""),
            ("OTHER_ID", "8"),
        ]),
        files: owned(&[
            ("/made/a.properties", "id=11\nkey\\:two=12\nblank=\nu=\\u00e9\n"),
            ("/made/dir/id", "13\n"),
            ("/made/dir/password", "p w"),
            ("/made/dir/sub/id", "14"),
            ("/other/b.properties", "id=15\n"),
        ]),
    }
}

/// A case of the fixture: the lines of a configuration, joined by `|`.
fn configuration(text: &str) -> Properties {
    let lines = text.replace("|config", "\nconfig").replace("|x=", "\nx=");
    let lines = lines.replace("|a=", "\na=").replace("|b=", "\nb=");
    Properties::parse(lines.as_bytes()).unwrap()
}

#[test]
fn every_case_comes_out_as_from_kafkas_own_classes() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/providers.tsv");
    let facts = std::fs::read_to_string(path).unwrap();
    let mut cases = 0;
    for line in facts.lines() {
        let (case, expected) = line.split_once('\t').unwrap();
        let said = match resolve(&configuration(case), &machine()) {
            Ok(resolved) => {
                let value = resolved.properties.get("x").unwrap_or_default();
                format!("value\t{}", value.replace('\n', "\\n"))
            }
            Err(ConfigError::Provider { problem, .. }) => format!("error\t{problem}"),
            Err(other) => panic!("{case}: {other}"),
        };
        assert_eq!(said, expected, "{case}");
        cases += 1;
    }
    assert!(cases >= 30, "the fixture is whole");
}

#[test]
fn another_class_is_refused_by_name() {
    let given = configuration("config.providers=vault|config.providers.vault.class=a.Vault|x=1");
    let said = resolve(&given, &machine()).unwrap_err().to_string();
    assert!(said.contains("config.providers.vault.class=a.Vault"), "{said}");
    assert!(said.contains("EnvVarConfigProvider"), "{said}");
}

#[test]
fn what_came_in_is_not_shown_in_messages() {
    let given = configuration(
        "config.providers=env|\
         config.providers.env.class=org.apache.kafka.common.config.provider.EnvVarConfigProvider|\
         a=${env:PROV_SECRET}|b=${env:PROV_ID}",
    );
    let resolved = resolve(&given, &machine()).unwrap();
    assert_eq!(resolved.properties.get("a"), Some("s3cr3t"));
    assert_eq!(
        resolved.masked("Invalid value s3cr3t for a, 17 of 7, xs3cr3tx"),
        "Invalid value ${env:PROV_SECRET} for a, 17 of ${env:PROV_ID}, x${env:PROV_SECRET}x"
    );
    let masked = resolved.mask(ConfigError::invalid("a", "s3cr3t", "a number is expected"));
    assert!(!masked.to_string().contains("s3cr3t"), "{masked}");
}

#[test]
fn a_path_that_is_not_allowed_is_warned_of_once() {
    let given = configuration(
        "config.providers=f|\
         config.providers.f.class=org.apache.kafka.common.config.provider.FileConfigProvider|\
         config.providers.f.param.allowed.paths=/made|\
         a=${f:/other/b.properties:id}|b=${f:/other/b.properties:id}",
    );
    let resolved = resolve(&given, &machine()).unwrap();
    assert_eq!(resolved.properties.get("a"), Some("${f:/other/b.properties:id}"));
    let warning = "The path /other/b.properties is not allowed to be accessed";
    assert_eq!(resolved.warnings, [warning]);
}
