//! `ub`, the one utility belt of the images from 8 on.

use std::io::Write;
use std::path::Path;

use rustix::fs::Access;

use super::cub::everywhere;
use super::dub::{is_allowed, require};
use super::kafka_ready::{self, Wanted};
use super::{Failure, Words, end, failed, number, seconds, service};

const USAGE: &str = "\
Usage:
  ub ensure <environment-variable>
  ub http-ready <url> <timeout-in-secs>
  ub kafka-ready <min-num-brokers> <timeout-secs> [-b servers] [-c file] [-s protocol]
  ub listeners <advertised-listeners>
  ub path <path-to-file> <operation>
  ub wait <host> <port> <timeout-in-secs>";
const KAFKA_READY: &[(&str, char)] =
    &[("bootstrap-servers", 'b'), ("config", 'c'), ("zookeeper-connect", 'z'), ("security", 's')];

/// Runs the tool.
pub(crate) fn run(arguments: &[String], out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    let Some((action, words)) = arguments.split_first() else {
        let _ = writeln!(out, "{USAGE}");
        return 0;
    };
    if ["-h", "--help", "help"].contains(&action.as_str()) {
        let _ = writeln!(out, "{USAGE}");
        return 0;
    }
    // Go's flags end with 1 where Python's end with 2.
    end("ub", USAGE, act(action, words, out, err), err).min(1)
}

fn act(
    action: &str,
    words: &[String],
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<(), Failure> {
    let names = if action == "kafka-ready" { KAFKA_READY } else { &[] };
    let words = Words::read(names, words)?;
    match action {
        "ensure" => {
            let [name] = words.exactly(["<environment-variable>"])?;
            let is_set = std::env::var_os(name).is_some();
            require(is_set, || format!("environment variable \"{name}\" is not set"))
        }
        "path" => {
            let [path, operation] = words.exactly(["<path-to-file>", "<operation>"])?;
            path_allows(path, operation)
        }
        "wait" => {
            let names = ["<host>", "<port>", "<timeout-in-secs>"];
            let [host, port, timeout] = words.exactly(names)?;
            let port = number("<port>", port)?;
            let done = service::wait(host, port, seconds("<timeout-in-secs>", timeout)?);
            done.map_err(|_| failed(format!("{host} cannot be reached on port {port}.")))
        }
        "http-ready" => {
            let [url, timeout] = words.exactly(["<url>", "<timeout-in-secs>"])?;
            service::wait_for_page(url, seconds("<timeout-in-secs>", timeout)?)
        }
        "kafka-ready" => ready(&words, err),
        "listeners" => {
            let [advertised] = words.exactly(["<advertised-listeners>"])?;
            // Streams that nobody reads any more are no reason to fail.
            let _ = writeln!(out, "{}", everywhere(advertised));
            Ok(())
        }
        "render-template" | "render-properties" => Err(failed(format!(
            "ub {action} fills the templates of Confluent's images, which this image has none of: \
             `gregor container configure` writes the configuration"
        ))),
        "sr-ready" => Err(failed(
            "ub sr-ready asks a product that is no part of this image; use that product's image",
        )),
        other => Err(Failure::Usage(format!("unknown command \"{other}\" for \"ub\""))),
    }
}

fn path_allows(path: &str, operation: &str) -> Result<(), Failure> {
    let mode = match operation {
        "writable" => Access::WRITE_OK,
        "readable" => Access::READ_OK,
        "executable" => Access::EXEC_OK,
        "existence" => Access::EXISTS,
        other => return Err(failed(format!("unknown operation \"{other}\""))),
    };
    let is_met = is_allowed(Path::new(path), mode);
    require(is_met, || format!("operation \"{operation}\" on file \"{path}\" is unsuccessful"))
}

fn ready(words: &Words, err: &mut dyn Write) -> Result<(), Failure> {
    let [brokers, timeout] = words.exactly(["<min-num-brokers>", "<timeout-secs>"])?;
    let none = "kafka-ready needs a broker's address: -b, --bootstrap-servers";
    let bootstrap = words.option("bootstrap-servers").ok_or_else(|| failed(none))?;
    let wanted = Wanted {
        brokers: number("<min-num-brokers>", brokers)?,
        within: seconds("<timeout-secs>", timeout)?,
        bootstrap,
        config: words.option("config"),
        protocol: words.option("security"),
    };
    kafka_ready::wait(&wanted, err)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ub(line: &str) -> i32 {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        run(&words, &mut Vec::new(), &mut Vec::new())
    }

    #[test]
    fn exit_codes_are_gos() {
        let table = [
            ("path / existence", 0),
            ("path / loved", 1),
            ("path /no/such/path readable", 1),
            ("ensure PATH", 0),
            ("ensure NO_SUCH_NAME", 1),
            ("ensure", 1),
            ("kafka-ready 1 5", 1),
            ("kafka-ready x 5 -b a:1", 1),
            ("listeners A://b:1", 0),
            ("render-template x", 1),
            ("lost", 1),
            ("--help", 0),
        ];
        for (line, code) in table {
            assert_eq!(ub(line), code, "{line}");
        }
    }
}
