//! What the commands of a container are told on the command line.

use std::path::PathBuf;

use clap::Args;
use config::dialect::Dialect;

use crate::property::property;

/// What each of the commands is told.
#[derive(Debug, Args)]
pub(super) struct Asked {
    /// Whose image it is: cp-kafka, confluent-local, apache, bitnami, wurstmeister, zookeeper, or
    /// auto
    #[arg(long, value_parser = dialect, default_value = "auto")]
    pub(super) dialect: Wanted,
    /// Where the image's paths begin, for tests
    #[arg(long, hide = true, default_value = "/")]
    pub(super) root: PathBuf,
    /// Optional property that should override values set in the properties file
    #[arg(long = "override", value_name = "PROPERTY=VALUE", value_parser = property)]
    pub(super) overrides: Vec<(String, String)>,
    /// Variables that take the place of those in the environment
    #[arg(value_name = "VARIABLE=VALUE", value_parser = property)]
    pub(super) settings: Vec<(String, String)>,
}

/// A dialect, or the one that the variables name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted(pub(super) Option<Dialect>);

fn dialect(word: &str) -> Result<Wanted, String> {
    match (word, Dialect::named(word)) {
        ("auto", _) => Ok(Wanted(None)),
        (_, Some(dialect)) => Ok(Wanted(Some(dialect))),
        (_, None) => {
            let names = Dialect::ALL.map(Dialect::name).join(", ");
            Err(format!("expected auto or one of {names}"))
        }
    }
}
