//! The environment and the files of this machine, for config providers.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use config::providers::Machine;

/// The machine that this process runs on.
#[derive(Debug)]
pub(crate) struct ThisMachine;

impl Machine for ThisMachine {
    /// Variables that are not text are none.
    fn environment(&self) -> BTreeMap<String, String> {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        std::env::vars_os().filter_map(text).collect()
    }

    fn exists(&self, path: &str) -> bool {
        Path::new(path).exists()
    }

    fn is_directory(&self, path: &str) -> bool {
        Path::new(path).is_dir()
    }

    fn is_file(&self, path: &str) -> bool {
        Path::new(path).is_file()
    }

    fn text(&self, path: &str) -> Option<String> {
        fs::read_to_string(path).ok()
    }
}
