//! Gathers the names of a node's loggers: the targets of its log lines, wherever they stand.
//! `log_levels` includes the list, so that it can never be out of date.

use std::collections::BTreeSet;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let mut loggers = BTreeSet::new();
    for sources in ["src", "../client/src", "../gregor/src", "../storage/src"] {
        println!("cargo:rerun-if-changed={sources}");
        gather(Path::new(sources), &mut loggers)?;
    }
    let list: Vec<String> = loggers.iter().map(|logger| format!("    {logger:?},\n")).collect();
    let directory = env::var_os("OUT_DIR").unwrap_or_default();
    fs::write(Path::new(&directory).join("loggers.rs"), format!("&[\n{}]\n", list.concat()))
}

fn gather(directory: &Path, loggers: &mut BTreeSet<String>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            gather(&path, loggers)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path)?;
            let targets = source.split("target: \"").skip(1);
            loggers.extend(targets.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
        }
    }
    Ok(())
}
