//! `dub`, the Docker utility belt of the images 5 to 7.

use std::io::Write;
use std::path::Path;

use rustix::fs::{Access, access};

use super::{Failure, Words, end, failed, number, seconds, service};

const USAGE: &str = "\
usage: dub ensure name
       dub ensure-atleast-one [names ...]
       dub wait host port timeout
       dub http-ready url timeout
       dub path path {writable,readable,executable,exists}";

/// Runs the tool.
pub(crate) fn run(arguments: &[String], out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    let Some((action, words)) = arguments.split_first() else {
        let _ = writeln!(out, "{USAGE}");
        return 1;
    };
    if action == "-h" || action == "--help" {
        let _ = writeln!(out, "{USAGE}");
        return 0;
    }
    let code = end("dub", USAGE, act(action, words), err);
    if code == 1 {
        let _ = writeln!(err, "Command [dub {}] FAILED !", arguments.join(" "));
    }
    code
}

fn act(action: &str, words: &[String]) -> Result<(), Failure> {
    let words = Words::read(&[], words)?;
    match action {
        "ensure" => {
            let [name] = words.exactly(["name"])?;
            require(is_given(name), || format!("{name} is required."))
        }
        "ensure-atleast-one" => {
            let names = &words.operands;
            let is_any = names.iter().any(|name| is_given(name));
            require(is_any, || format!("one of ({}) is required.", names.join(",")))
        }
        "wait" => {
            let [host, port, timeout] = words.exactly(["host", "port", "timeout"])?;
            service::wait(host, number("port", port)?, seconds("timeout", timeout)?)
        }
        "http-ready" => {
            let [url, timeout] = words.exactly(["url", "timeout"])?;
            service::wait_for_page(url, seconds("timeout", timeout)?)
        }
        "path" => {
            let [path, mode] = words.exactly(["path", "mode"])?;
            let mode = match mode {
                "writable" => Access::WRITE_OK,
                "readable" => Access::READ_OK,
                "executable" => Access::EXEC_OK,
                "exists" => Access::EXISTS,
                other => {
                    let problem = format!("argument mode: invalid choice: '{other}'");
                    return Err(Failure::Usage(problem));
                }
            };
            require(is_allowed(Path::new(path), mode), String::new)
        }
        "template" => Err(failed(
            "dub template fills Jinja2 templates, which this image has none of: `gregor container \
             configure` writes the configuration",
        )),
        other => Err(Failure::Usage(format!("argument action: invalid choice: '{other}'"))),
    }
}

pub(super) fn require(is_met: bool, words: impl FnOnce() -> String) -> Result<(), Failure> {
    if is_met { Ok(()) } else { Err(failed(words())) }
}

pub(super) fn is_allowed(path: &Path, mode: Access) -> bool {
    access(path, mode).is_ok()
}

/// Whether an environment variable is set, and to something.
fn is_given(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dub(line: &str) -> (i32, String) {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let mut err = Vec::new();
        let code = run(&words, &mut Vec::new(), &mut err);
        (code, String::from_utf8(err).unwrap())
    }

    #[test]
    fn paths_and_variables_are_there_or_are_not() {
        assert_eq!(dub("path / exists"), (0, String::new()));
        assert_eq!(dub("path / executable"), (0, String::new()));
        let said = "Command [dub path /no/such/path exists] FAILED !\n";
        assert_eq!(dub("path /no/such/path exists"), (1, said.to_owned()));
        assert_eq!(dub("ensure PATH").0, 0);
        let said = "NO_SUCH_NAME is required.\nCommand [dub ensure NO_SUCH_NAME] FAILED !\n";
        assert_eq!(dub("ensure NO_SUCH_NAME"), (1, said.to_owned()));
        assert_eq!(dub("ensure-atleast-one NO_SUCH_NAME PATH").0, 0);
        assert_eq!(dub("path / loved").0, 2);
        assert_eq!(dub("template a b").0, 1);
    }
}
