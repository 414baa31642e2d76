//! In whose words Kafka's tools speak: `--as`, `KAFKA_CLI_RELEASE`, or what the environment is of.
//!
//! A container's variables are those of every `docker exec` into it. One that names a ZooKeeper is
//! an image of the ZooKeeper era, whose readers have 3.7's tools (docs/decisions/0398).

use cli::{CliRelease, UnknownRelease};

/// What brokers of that era's images are told: cp-kafka's and wurstmeister's, and bitnami's.
const OF_ZOOKEEPER: [&str; 2] = ["KAFKA_ZOOKEEPER_CONNECT", "KAFKA_CFG_ZOOKEEPER_CONNECT"];

/// The release that `--as` names, else the environment; the newest where neither does.
pub(crate) fn cli_release(
    asked: Option<String>,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<CliRelease, UnknownRelease> {
    // A variable that is set to nothing is not set.
    let variable = |name| variable(name).filter(|value: &String| !value.is_empty());
    match asked.or_else(|| variable(CliRelease::VARIABLE)) {
        Some(name) => CliRelease::named(&name),
        None if OF_ZOOKEEPER.into_iter().any(|name| variable(name).is_some()) => {
            Ok(CliRelease::V3_7)
        }
        None => Ok(CliRelease::default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Variables<'a> = &'a [(&'a str, &'a str)];

    #[test]
    fn the_command_line_decides_then_the_variable_then_whose_image_it_is() {
        let (old, new) = (Ok(CliRelease::V3_7), Ok(CliRelease::V4_3));
        let unknown = Err(UnknownRelease("2.0".to_owned()));
        let table: [(Option<&str>, Variables<'_>, _); 8] = [
            (None, &[], &new),
            (Some("3.7"), &[("KAFKA_CLI_RELEASE", "4.3")], &old),
            (None, &[("KAFKA_CLI_RELEASE", "3.7")], &old),
            (None, &[("KAFKA_CLI_RELEASE", "")], &new),
            (None, &[("KAFKA_CLI_RELEASE", "2.0")], &unknown),
            (None, &[("KAFKA_ZOOKEEPER_CONNECT", "zookeeper:2181")], &old),
            (None, &[("KAFKA_CFG_ZOOKEEPER_CONNECT", "z"), ("KAFKA_CLI_RELEASE", "4.3")], &new),
            (Some("4.3.1"), &[("KAFKA_ZOOKEEPER_CONNECT", "z")], &new),
        ];
        for (asked, variables, expected) in table {
            let variable = |name: &str| {
                let found = variables.iter().find(|(variable, _)| *variable == name);
                found.map(|(_, value)| (*value).to_owned())
            };
            let release = cli_release(asked.map(str::to_owned), variable);
            assert_eq!(release, *expected, "{asked:?} {variables:?}");
        }
    }
}
