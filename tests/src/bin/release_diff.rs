//! Prints what changed between two releases of Kafka: see `tests::release_diff`.

use clap::Parser;
use tests::release_diff::{ReleaseDiffError, between};

#[derive(Parser)]
struct Arguments {
    /// The release that was followed last.
    old: String,
    /// The release to follow.
    new: String,
}

fn main() -> Result<(), ReleaseDiffError> {
    let arguments = Arguments::parse();
    let changes = between(&arguments.old, &arguments.new)?;
    for line in changes.missing {
        eprintln!("{line}");
    }
    print!("{}", changes.text);
    Ok(())
}
