//! Files of the repository that this crate answers for: the samples and docs/configuration.md.

use std::path::{Path, PathBuf};

use config::keys::{Effect, Table};
use config::{BrokerConfig, Properties, docs};

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn samples(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("the folder can be listed").path());
    let mut samples: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "properties")).collect();
    samples.sort();
    samples
}

fn read(path: &Path) -> Properties {
    let bytes = std::fs::read(path).expect("the sample is there");
    Properties::parse(&bytes).expect("the sample can be read")
}

#[test]
fn every_server_sample_starts_without_a_warning() {
    let mut servers = 0;
    for path in samples(here()).into_iter().chain(samples(&here().join("kraft"))) {
        let properties = read(&path);
        assert!(!properties.is_empty(), "{}", path.display());
        if properties.contains("process.roles") {
            let (_, warnings) = BrokerConfig::from_properties(&properties).unwrap();
            assert_eq!(warnings, [], "{}", path.display());
            servers += 1;
        }
    }
    assert_eq!(servers, 6);
}

#[test]
fn samples_set_only_what_their_tools_know() {
    for path in samples(here()).into_iter().chain(samples(&here().join("kraft"))) {
        let properties = read(&path);
        if !properties.contains("process.roles") {
            continue;
        }
        for (name, _) in properties.iter() {
            let key = Table::Broker.key(name).unwrap_or_else(|| panic!("{name}"));
            assert!(!matches!(key.effect, Effect::Legacy { .. }), "{name}");
        }
    }
}

/// UPDATE=1 writes the page anew.
#[test]
fn the_page_of_keys_is_what_the_table_says() {
    let path = here().join("../docs/configuration.md");
    let rendered = docs::render();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &rendered).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == rendered, "run again with UPDATE=1 and read the difference");
}
