//! What the product is made of besides its own code: where it comes from and under which licence.
//!
//! `deny.toml` at the root says what may be; `cargo deny check` reads it, too, and looks for
//! advisories, which takes the network.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use spdx::{Expression, LicenseItem, ParseMode};

#[derive(Deserialize)]
struct Deny {
    licenses: Licenses,
    bans: Bans,
    sources: Sources,
}

#[derive(Deserialize)]
struct Licenses {
    allow: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Banned>,
}

#[derive(Deserialize)]
struct Banned {
    #[serde(rename = "crate")]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Sources {
    allow_registry: Vec<String>,
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    /// `None` for our own.
    source: Option<String>,
}

/// One that is compiled for Linux.
struct Package {
    /// `name vVERSION`
    name: String,
    license: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a workspace").to_path_buf()
}

fn deny() -> Deny {
    let text = std::fs::read_to_string(root().join("deny.toml")).expect("deny.toml is there");
    toml::from_str(&text).expect("deny.toml is as cargo-deny reads it")
}

/// All that is compiled for Linux with every feature of the product, tests too. Cargo's metadata
/// has what no feature turns on, too.
fn compiled() -> Vec<Package> {
    let found = Command::new("cargo")
        .args(["tree", "--locked", "--workspace", "--prefix", "none", "--format", "{p}|{l}"])
        .args(["--edges", "normal,build,dev", "--target", "x86_64-unknown-linux-gnu"])
        .args(["--features", "gregor/gssapi"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
    let lines = String::from_utf8(found.stdout).expect("text");
    let lines: BTreeSet<&str> = lines.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    let all = lines.into_iter().filter_map(|line| {
        let (name, license) = line.split_once('|')?;
        Some(Package { name: name.to_owned(), license: license.to_owned() })
    });
    let all: Vec<Package> = all.collect();
    assert!(all.len() > 50, "only {} packages were found", all.len());
    all
}

/// Whether somebody who accepts no more than `allowed` may use it.
fn is_allowed(license: &str, allowed: &BTreeSet<String>) -> bool {
    let expression = Expression::parse_mode(license, ParseMode::LAX);
    expression.is_ok_and(|expression| {
        expression.evaluate(|asked| match &asked.license {
            LicenseItem::Spdx { id, .. } => asked.addition.is_none() && allowed.contains(id.name),
            LicenseItem::Other { .. } => false,
        })
    })
}

#[test]
fn every_licence_is_one_that_deny_toml_allows() {
    let allowed = deny().licenses.allow;
    let refused: Vec<String> = compiled()
        .into_iter()
        .filter(|package| !is_allowed(&package.license, &allowed))
        .map(|package| format!("{}: {}", package.name, package.license))
        .collect();
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn a_licence_that_asks_for_more_is_refused() {
    let allowed = deny().licenses.allow;
    assert!(is_allowed("MIT/Apache-2.0", &allowed));
    assert!(is_allowed("GPL-3.0-only OR ISC", &allowed));
    for refused in ["GPL-3.0-only", "MIT AND LGPL-2.1-or-later", "nobody knows", ""] {
        assert!(!is_allowed(refused, &allowed), "{refused}");
    }
}

#[test]
fn nothing_is_compiled_that_deny_toml_bans() {
    let bans = deny().bans.deny;
    let is_banned = |package: &Package| {
        let name = package.name.split(' ').next().unwrap_or_default();
        bans.iter().any(|ban| ban.name == name)
    };
    let banned: Vec<String> =
        compiled().into_iter().filter(is_banned).map(|package| package.name).collect();
    assert!(banned.is_empty(), "{banned:?}");
}

#[test]
fn everything_comes_from_the_one_registry() {
    let known: Vec<String> =
        deny().sources.allow_registry.iter().map(|known| format!("registry+{known}")).collect();
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock is there");
    let lock: Lock = toml::from_str(&lock).expect("Cargo.lock is as cargo writes it");
    let elsewhere: Vec<(String, String)> = lock
        .package
        .into_iter()
        .filter_map(|package| Some((package.name, package.source?)))
        .filter(|(_, source)| !known.contains(source))
        .collect();
    assert!(elsewhere.is_empty(), "{elsewhere:?}");
}
