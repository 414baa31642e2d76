//! Commands and flags of `kafka-storage`. Usages are argparse4j's, line breaks included; what a
//! flag is for is said in our own words, and in 3.7's where its help is asked for.

use crate::arguments::Flag;
use crate::release::CliRelease;

pub(super) struct Command {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) usage: &'static str,
    pub(super) flags: &'static [Flag],
    /// Its help, where that is Kafka's own.
    recorded: Option<&'static str>,
}

/// The commands of a release.
pub(super) const fn commands(release: CliRelease) -> &'static [Command] {
    release.either(OLD_COMMANDS, COMMANDS)
}

/// How the tool is used.
pub(super) const fn usage(release: CliRelease) -> &'static str {
    release.either(OLD_USAGE, USAGE)
}

const OLD_USAGE: &str = "usage: kafka-storage [-h] {info,format,random-uuid} ...";

const USAGE: &str = "\
usage: kafka-storage [-h]
                     {info,format,version-mapping,feature-dependencies,random-uuid}
                     ...";

pub(super) const DESCRIPTION: &str = "The Kafka storage tool.";

pub(super) const HELP_FLAG: &str = "
optional arguments:
  -h, --help             show this help message and exit
";

const CONFIG: Flag = Flag::value("config", 'c', "The properties file of the node.").required();

const FORMAT_FLAGS: &[Flag] = &[
    CONFIG,
    Flag::value("cluster-id", 't', "The id of the cluster, the same for all of its nodes.")
        .required(),
    Flag::value(
        "add-scram",
        'S',
        "A SCRAM credential to begin with: SCRAM-SHA-256=[name=N,password=P] or \
         SCRAM-SHA-512=[name=N,salt=S,saltedpassword=P], with iterations=I where wanted.",
    ),
    Flag::switch("ignore-formatted", 'g', "Pass over directories that are formatted."),
    Flag::value("release-version", 'r', "The release whose features to begin with."),
    Flag::value("feature", 'f', "A feature to begin with, as feature=level."),
    Flag::switch("standalone", 's', "This controller is a quorum of one that may grow.")
        .exclusive(),
    Flag::switch("no-initial-controllers", 'N', "This node learns the quorum from others.")
        .exclusive(),
    Flag::value(
        "initial-controllers",
        'I',
        "The first voters, the same for all nodes: id@host:port:directory,...",
    )
    .exclusive(),
];

const COMMANDS: &[Command] = &[
    Command {
        name: "info",
        about: "Say what is in the log directories of this node.",
        usage: "usage: kafka-storage info [-h] --config CONFIG",
        flags: &[CONFIG, Flag::own("json")],
        recorded: None,
    },
    Command {
        name: "format",
        about: "Format the log directories of this node.",
        usage: "\
usage: kafka-storage format [-h] --config CONFIG --cluster-id CLUSTER_ID
                     [--add-scram ADD_SCRAM] [--ignore-formatted]
                     [--release-version RELEASE_VERSION]
                     [--feature FEATURE] [--standalone |
                     --no-initial-controllers |
                     --initial-controllers INITIAL_CONTROLLERS]",
        flags: FORMAT_FLAGS,
        recorded: None,
    },
    Command {
        name: "version-mapping",
        about: "Say which feature levels a release begins with.",
        usage: "\
usage: kafka-storage version-mapping [-h]
                     [--release-version RELEASE_VERSION]",
        flags: &[Flag::value(
            "release-version",
            'r',
            "The release, from 3.3-IV3 on; 4.3-IV0 when none is named.",
        )],
        recorded: None,
    },
    Command {
        name: "feature-dependencies",
        about: "Say what a level of a feature needs.",
        usage: "usage: kafka-storage feature-dependencies [-h] --feature FEATURE",
        flags: &[
            Flag::value("feature", 'f', "A feature and its level, as feature=level.").required()
        ],
        recorded: None,
    },
    Command {
        name: "random-uuid",
        about: "Print a random id.",
        usage: "usage: kafka-storage random-uuid [-h]",
        flags: &[],
        recorded: None,
    },
];

/// As in 3.7: quorums do not change, and there is one feature (KIP-853, KIP-1022).
const OLD_COMMANDS: &[Command] = &[
    Command {
        name: "info",
        about: "",
        usage: "usage: kafka-storage info [-h] --config CONFIG",
        flags: &[CONFIG, Flag::own("json")],
        recorded: Some(include_str!("info-3.7.0.txt")),
    },
    Command {
        name: "format",
        about: "",
        usage: "\
usage: kafka-storage format [-h] --config CONFIG --cluster-id CLUSTER_ID
                     [--add-scram ADD_SCRAM] [--ignore-formatted]
                     [--release-version RELEASE_VERSION]",
        flags: &[
            CONFIG,
            Flag::value("cluster-id", 't', "").required(),
            Flag::value("add-scram", 'S', ""),
            Flag::switch("ignore-formatted", 'g', ""),
            Flag::value("release-version", 'r', ""),
        ],
        recorded: Some(include_str!("format-3.7.0.txt")),
    },
    Command {
        name: "random-uuid",
        about: "",
        usage: "usage: kafka-storage random-uuid [-h]",
        flags: &[],
        recorded: Some(include_str!("random-uuid-3.7.0.txt")),
    },
];

impl Command {
    pub(super) fn help(&self) -> String {
        if let Some(recorded) = self.recorded {
            return recorded.to_owned();
        }
        let mut help = format!("{}\n{HELP_FLAG}", self.usage);
        for flag in self.flags.iter().filter(|flag| !flag.is_own) {
            let value = match flag.takes_value {
                true => format!(" {}", flag.long.replace('-', "_").to_uppercase()),
                false => String::new(),
            };
            let short = flag.short.map(|short| format!(", -{short}{value}")).unwrap_or_default();
            help.push_str(&format!("  --{}{value}{short}\n", flag.long));
            help.push_str(&format!("                         {}\n", flag.help));
        }
        help
    }
}
