//! Where files are: the image's own paths, or a directory in TMPDIR where those cannot be written
//! (a read-only container, or a user whom the image does not know).

use std::ffi::OsStr;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use config::dialect::Dialect;

use super::failure::Failure;
use super::log::LOG;

/// An absolute path of the image, below where its paths begin.
pub(super) fn below(root: &Path, path: &str) -> PathBuf {
    root.join(path.trim_start_matches('/'))
}

/// Where a file of the image is when its own path cannot be written.
fn stand_in(root: &Path, path: &str) -> PathBuf {
    let temporary = if root == Path::new("/") { std::env::temp_dir() } else { root.join("tmp") };
    let user = rustix::process::geteuid().as_raw();
    let name = Path::new(path).file_name().unwrap_or_else(|| OsStr::new("server.properties"));
    temporary.join(format!("gregor-{user}")).join(name)
}

/// Writes the dialect's file and says where it is now.
pub(super) fn write(root: &Path, dialect: Dialect, text: &[u8]) -> Result<PathBuf, Failure> {
    let path = below(root, dialect.file());
    let fallback = stand_in(root, dialect.file());
    match create(&path, text, 0o755) {
        Ok(()) => {
            // What an earlier start left there must not be taken for this one's.
            let _ = std::fs::remove_file(&fallback);
            Ok(path)
        }
        Err(cause) => {
            create(&fallback, text, 0o700).map_err(|_| {
                let (path, fallback) = (path.clone(), fallback.clone());
                Failure::Unwritable { path, fallback, cause: io::Error::from(cause.kind()) }
            })?;
            tracing::warn!(
                target: LOG,
                "{} cannot be written ({cause}): the configuration is in {}",
                path.display(),
                fallback.display(),
            );
            Ok(fallback)
        }
    }
}

/// Settings may hold passwords: the file is for its owner and group.
fn create(path: &Path, text: &[u8], mode: u32) -> io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(mode).create(folder)?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o660);
    options.open(path)?.write_all(text)
}

/// The file that `configure` wrote, if it did.
pub(super) fn find(root: &Path, dialect: Dialect) -> Result<PathBuf, Failure> {
    let path = below(root, dialect.file());
    let fallback = stand_in(root, dialect.file());
    match (fallback.exists(), path.exists()) {
        (true, _) => Ok(fallback),
        (false, true) => Ok(path),
        (false, false) => Err(Failure::NotConfigured { path }),
    }
}
