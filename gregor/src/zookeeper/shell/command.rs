//! What is typed into the shell. Answers to ZooKeeper 3.8's `ZooKeeperMain` and its `CliCommand`s:
//! their names, their mistakes and the exit code of each.
//!
//! Pure.

/// A line, read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Get(String),
    List { path: String, is_recursive: bool },
    Quit,
    Version,
    Nothing,
}

/// Why a line does nothing: what is said, and the exit code.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CommandError {
    #[error("{USAGE}\nCommand not found: Command not found {0}")]
    NotFound(String),
    #[error("{0}")]
    Malformed(&'static str),
    #[error("org.apache.commons.cli.UnrecognizedOptionException: Unrecognized option: {0}")]
    Option(String),
    #[error("Path must start with / character")]
    Relative,
    #[error("Path must not end with / character")]
    Ends,
    #[error(
        "{0}: nothing is written here, because no ZooKeeper runs: use kafka-topics, kafka-configs \
         and the other tools with --bootstrap-server"
    )]
    Writes(String),
    #[error("{0}: no ZooKeeper runs here, so there is nothing of that to show")]
    Unknown(String),
}

impl CommandError {
    pub(super) fn code(&self) -> u8 {
        match self {
            Self::NotFound(_) => 127,
            _ => 1,
        }
    }
}

const USAGE: &str = "ZooKeeper -server host:port [-zk-tls-config-file <file>] cmd args\n\
    \tclose \n\tget [-w] path\n\tls [-w] [-R] path\n\tquit \n\tversion ";
const GET: &str = "get [-s] [-w] path";
const LIST: &str = "ls [-s] [-w] [-R] path";
const WRITING: [&str; 9] =
    ["create", "delete", "deleteall", "delquota", "reconfig", "set", "setAcl", "setquota", "rmr"];
const SHOWING: [&str; 15] = [
    "addWatch",
    "addauth",
    "config",
    "connect",
    "getAcl",
    "getAllChildrenNumber",
    "getEphemerals",
    "history",
    "listquota",
    "printwatches",
    "redo",
    "removewatches",
    "stat",
    "sync",
    "whoami",
];

/// Words between blanks; quotes hold one together.
pub(super) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\''));
        let quoted = quote.and_then(|quote| rest.get(1..)?.split_once(quote));
        let (word, after) = match quoted {
            Some((word, after)) => (word, after),
            None => rest.split_once(char::is_whitespace).unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

/// Reads a line's words.
pub(super) fn read(words: &[String]) -> Result<Command, CommandError> {
    let Some((name, rest)) = words.split_first() else { return Ok(Command::Nothing) };
    match name.as_str() {
        "get" => {
            let (path, _) = path(rest, &["-w", "-s"], GET)?;
            Ok(Command::Get(path))
        }
        "ls" => {
            let (path, options) = path(rest, &["-w", "-s", "-R"], LIST)?;
            Ok(Command::List { path, is_recursive: options.contains(&"-R") })
        }
        "quit" | "close" => Ok(Command::Quit),
        "version" => Ok(Command::Version),
        known if WRITING.contains(&known) => Err(CommandError::Writes(name.clone())),
        known if SHOWING.contains(&known) => Err(CommandError::Unknown(name.clone())),
        _ => Err(CommandError::NotFound(name.clone())),
    }
}

/// The path that a command is given, and its options.
fn path<'a>(
    words: &'a [String],
    known: &[&str],
    usage: &'static str,
) -> Result<(String, Vec<&'a str>), CommandError> {
    let (options, rest): (Vec<&str>, Vec<&str>) =
        words.iter().map(String::as_str).partition(|word| word.starts_with('-'));
    if let Some(unknown) = options.iter().find(|option| !known.contains(option)) {
        return Err(CommandError::Option((*unknown).to_owned()));
    }
    let path = rest.first().ok_or(CommandError::Malformed(usage))?;
    if options.contains(&"-s") {
        return Err(CommandError::Unknown("-s".to_owned()));
    }
    match *path {
        path if !path.starts_with('/') => Err(CommandError::Relative),
        path if path.len() > 1 && path.ends_with('/') => Err(CommandError::Ends),
        path => Ok((path.to_owned(), options)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_zookeepers_shell_reads_them() {
        let list = |path: &str, is_recursive| Command::List { path: path.to_owned(), is_recursive };
        let table = [
            ("ls /", Ok(list("/", false))),
            ("  ls -R  /brokers ", Ok(list("/brokers", true))),
            ("ls -w /brokers", Ok(list("/brokers", false))),
            (
                "get \"/config/brokers/<default>\"",
                Ok(Command::Get("/config/brokers/<default>".into())),
            ),
            ("get '/a b' c", Ok(Command::Get("/a b".into()))),
            ("quit", Ok(Command::Quit)),
            ("", Ok(Command::Nothing)),
            ("ls", Err(CommandError::Malformed(LIST))),
            ("get", Err(CommandError::Malformed(GET))),
            ("ls -z /", Err(CommandError::Option("-z".into()))),
            ("ls brokers", Err(CommandError::Relative)),
            ("ls /brokers/", Err(CommandError::Ends)),
            ("rmr /x", Err(CommandError::Writes("rmr".into()))),
            ("stat /x", Err(CommandError::Unknown("stat".into()))),
            ("ls2 /x", Err(CommandError::NotFound("ls2".into()))),
        ];
        for (line, expected) in table {
            assert_eq!(read(&words(line)), expected, "{line}");
        }
        let codes = ["ls2 /x", "ls"].map(|line| read(&words(line)).unwrap_err().code());
        assert_eq!(codes, [127, 1]);
    }
}
