//! Base images for docker/Dockerfile where nothing can be pulled: Debian by debootstrap and `docker
//! import`, with and without a Rust toolchain. Removed when dropped; the tree of debootstrap is
//! kept beside stock Kafka's jars.
//!
//! The toolchain's `cargo` hands out the program that is built already: what a test wants to see is
//! that the stages fit together, not that rustc works.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use super::{both, docker, static_binary, unique, word};
use crate::oracle::cache;

/// Debian's release that the Dockerfile names.
const RELEASE: &str = "bookworm";

/// Where `docker/compile` looks for what cargo built.
const CARGO: &str = "#!/bin/bash\n\
    # Takes the words of `docker/compile` and puts the finished program where cargo would.\n\
    set -eu\n\
    flags='-C target-feature=+crt-static'\n\
    [ \"$(uname -m)\" != x86_64 ] || flags+=' -C link-arg=-Wl,--icf=all'\n\
    [ \"$RUSTFLAGS\" = \"$flags\" ]\n\
    target=\"$(uname -m)-unknown-linux-gnu\"\n\
    [ \"$*\" = \"build --profile release --target $target --features gregor/otlp -p gregor\" ]\n\
    [ -f Cargo.lock ] && [ -f gregor/src/main.rs ]\n\
    folder=\"target/$(uname -m)-unknown-linux-gnu/release\"\n\
    mkdir -p \"$folder\" && cp /opt/gregor \"$folder/gregor\"\n";

/// Images to build from.
#[derive(Debug)]
pub struct Bases {
    pub rust: String,
    pub shells: String,
}

impl Bases {
    /// Makes both.
    ///
    /// # Panics
    /// When debootstrap or the engine fails.
    #[must_use]
    pub fn make() -> Self {
        let bases = Self { rust: unique("base-rust"), shells: unique("base-shells") };
        docker(&["import", word(&debian()), &bases.shells]);
        let folder = tempfile::tempdir().expect("a folder");
        let _ = static_binary(folder.path());
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
        };
        file("cargo", CARGO);
        let shells = &bases.shells;
        file(
            "Dockerfile",
            &format!("FROM {shells}\nCOPY gregor /opt/gregor\nCOPY cargo /usr/local/bin/cargo\n"),
        );
        docker(&["build", "-q", "-t", &bases.rust, word(folder.path())]);
        bases
    }
}

impl Drop for Bases {
    fn drop(&mut self) {
        let _ = Command::new("docker").args(["rmi", "-f", &self.rust, &self.shells]).output();
    }
}

/// An archive of a small Debian with the two static shells; made by debootstrap once.
fn debian() -> PathBuf {
    let archive = cache().join(format!("debian-{RELEASE}.tar"));
    if archive.is_file() {
        return archive;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let tree = folder.path().join("tree");
    let run = |program: &str, words: &[&str]| {
        let output = Command::new(program).args(words).output();
        let output = output.unwrap_or_else(|e| panic!("{program}: {e}"));
        assert!(output.status.success(), "{program} {words:?}: {}", both(&output));
    };
    let include = "--include=bash-static,busybox-static";
    run("debootstrap", &["--variant=minbase", include, RELEASE, word(&tree)]);
    let fresh = folder.path().join("fresh.tar");
    let without = ["--exclude=./dev/*", "--exclude=./var/cache/apt", "--exclude=./var/lib/apt"];
    let words = [&["-C", word(&tree)], &without[..], &["-cf", word(&fresh), "."]].concat();
    run("tar", &words);
    fs::create_dir_all(cache()).expect("a cache");
    fs::copy(&fresh, archive.with_extension("new")).expect("copied");
    fs::rename(archive.with_extension("new"), &archive).expect("renamed");
    archive
}
