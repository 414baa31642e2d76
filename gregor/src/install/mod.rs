//! `gregor install DIR`: lays out what a download of Kafka has.
//!
//! ```text
//! DIR/libs/gregor             this program
//! DIR/bin/NAME.sh             a link to it for every script of Kafka
//! DIR/config/*.properties     samples, also those of Kafka 3's config/kraft
//! DIR/logs                    where -daemon writes
//! ```
//! What is there already as it should be stays; the program itself is replaced, so that installing
//! again is how one comes to another version. A file that somebody changed, or that is not ours, is
//! left alone and named. Nothing is written when the folder cannot be an installation at all.

mod samples;
mod scripts;

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use samples::SAMPLES;
use scripts::SCRIPTS;
pub(crate) use scripts::script;

/// What the links in `bin` point to.
const PROGRAM: &str = "../libs/gregor";

#[derive(Debug, Args)]
pub(crate) struct Install {
    /// The folder of the installation, new or to be renewed
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// What was done.
#[derive(Debug, Default, PartialEq, Eq)]
struct Done {
    written: usize,
    unchanged: usize,
    /// Files that were left alone although they are not what belongs there.
    kept: Vec<PathBuf>,
    /// Scripts among them, without which the installation is not whole.
    foreign_scripts: bool,
}

pub(crate) fn run(install: &Install) -> ExitCode {
    let folder = &install.folder;
    let done = std::env::current_exe().and_then(|program| lay_out(folder, &program));
    let done = match done {
        Ok(done) => done,
        Err(error) => {
            eprintln!("Cannot install to {}: {error}", folder.display());
            return ExitCode::FAILURE;
        }
    };
    for kept in &done.kept {
        println!("{} is not as it would be installed, and is left alone", kept.display());
    }
    println!(
        "Installed to {}: {} written, {} as they were, {} left alone",
        folder.display(),
        done.written,
        done.unchanged,
        done.kept.len()
    );
    println!(
        "Shells complete its tools after: gregor completion bash|zsh|fish (see its first line)"
    );
    if done.foreign_scripts {
        eprintln!("Scripts of another program are in the way: install to a folder of its own");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn lay_out(folder: &Path, program: &Path) -> io::Result<Done> {
    let mut done = Done::default();
    for below in ["libs", "bin", "logs", "config/kraft"] {
        let below = folder.join(below);
        fs::create_dir_all(&below).map_err(|error| named(&below, &error))?;
    }
    place_program(program, &folder.join("libs/gregor"), &mut done)?;
    for script in SCRIPTS {
        let link = folder.join("bin").join(format!("{script}.sh"));
        match fs::read_link(&link) {
            Ok(target) if target == Path::new(PROGRAM) => done.unchanged += 1,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                symlink(PROGRAM, &link).map_err(|error| named(&link, &error))?;
                done.written += 1;
            }
            _ => {
                done.kept.push(link);
                done.foreign_scripts = true;
            }
        }
    }
    for (name, text) in SAMPLES {
        place_sample(&folder.join("config").join(name), text, &mut done)?;
    }
    Ok(done)
}

/// Puts the program where the links point to. Processes that run from it go on with the file they
/// have.
fn place_program(program: &Path, to: &Path, done: &mut Done) -> io::Result<()> {
    let bytes = fs::read(program).map_err(|error| named(program, &error))?;
    if fs::read(to).is_ok_and(|there| there == bytes) {
        done.unchanged += 1;
        return Ok(());
    }
    let new = to.with_extension("new");
    fs::write(&new, bytes).map_err(|error| named(&new, &error))?;
    fs::set_permissions(&new, fs::Permissions::from_mode(0o755))?;
    fs::rename(&new, to).map_err(|error| named(to, &error))?;
    done.written += 1;
    Ok(())
}

fn place_sample(path: &Path, text: &str, done: &mut Done) -> io::Result<()> {
    match fs::read(path) {
        Ok(there) if there == text.as_bytes() => done.unchanged += 1,
        Ok(_) => done.kept.push(path.to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            fs::write(path, text).map_err(|error| named(path, &error))?;
            done.written += 1;
        }
        Err(error) => return Err(named(path, &error)),
    }
    Ok(())
}

fn named(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
