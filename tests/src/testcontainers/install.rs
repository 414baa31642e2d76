//! Libraries from their registries, in the cache: all at once, once in a test process.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use super::Library;
use crate::docker::{both, repository};
use crate::oracle::cache;

/// The folder that a library was installed into.
///
/// # Panics
/// When it could not be, with what the installer said.
pub(super) fn installed(library: Library) -> PathBuf {
    static ALL: OnceLock<Vec<(Library, Result<(), String>)>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        std::thread::scope(|scope| {
            let running = Library::ALL.map(|one| (one, scope.spawn(move || install(one))));
            let ended = |one| move |result| (one, result);
            running
                .into_iter()
                .map(|(one, thread)| ended(one)(thread.join().expect("an installer")))
                .collect()
        })
    });
    let (_, result) = all.iter().find(|(one, _)| *one == library).expect("all are tried");
    if let Err(said) = result {
        panic!("{} cannot be installed: {said}", library.name());
    }
    folder().join(library.name())
}

fn folder() -> PathBuf {
    cache().join("testcontainers")
}

fn install(library: Library) -> Result<(), String> {
    let output = Command::new(repository().join("tests/testcontainers/install"))
        .arg(library.name())
        .arg(folder())
        .output()
        .map_err(|error| error.to_string())?;
    if output.status.success() { Ok(()) } else { Err(both(&output)) }
}
