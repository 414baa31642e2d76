//! `cub`, the Confluent utility belt of the images 5 to 7.

use std::io::Write;
use std::time::Duration;

use super::kafka_ready::{self, Wanted};
use super::{Failure, Words, end, failed, number, seconds, zk_ready};

const USAGE: &str = "\
usage: cub kafka-ready [-b BOOTSTRAP_BROKER_LIST | -z ZOOKEEPER_CONNECT] [-c CONFIG]
                       [-s SECURITY_PROTOCOL] expected_brokers timeout
       cub zk-ready connect_string timeout
       cub listeners advertised_listeners";
const KAFKA_READY: &[(&str, char)] = &[
    ("bootstrap-broker-list", 'b'),
    ("zookeeper-connect", 'z'),
    ("config", 'c'),
    ("security-protocol", 's'),
];

/// Runs the tool.
pub(crate) fn run(arguments: &[String], out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    let Some((action, words)) = arguments.split_first() else {
        let _ = writeln!(out, "{USAGE}");
        return 1;
    };
    let done = match action.as_str() {
        "-h" | "--help" => {
            let _ = writeln!(out, "{USAGE}");
            Ok(())
        }
        "kafka-ready" => kafka_ready(words, err),
        "zk-ready" => zk_ready(words),
        "listeners" => listeners(words, out),
        "sr-ready" | "kr-ready" | "ensure-topic" => Err(failed(format!(
            "cub {action} asks a product that is no part of this image; use that product's image"
        ))),
        other => Err(Failure::Usage(format!("argument action: invalid choice: '{other}'"))),
    };
    end("cub", USAGE, done, err)
}

fn kafka_ready(words: &[String], err: &mut dyn Write) -> Result<(), Failure> {
    let words = Words::read(KAFKA_READY, words)?;
    let [brokers, timeout] = words.exactly(["expected_brokers", "timeout"])?;
    let brokers: i32 = number("expected_brokers", brokers)?;
    let timeout: i32 = number("timeout", timeout)?;
    let bootstrap = match (words.option("bootstrap-broker-list"), words.option("zookeeper-connect"))
    {
        (Some(list), None) => list,
        (None, Some(_)) => {
            return Err(failed(
                "cub kafka-ready -z looks brokers up in ZooKeeper, which this cluster has none of; \
                 use -b with a broker's address",
            ));
        }
        (Some(_), Some(_)) => {
            let both = "argument -z/--zookeeper_connect: not allowed with argument \
                        -b/--bootstrap_broker_list";
            return Err(Failure::Usage(both.to_owned()));
        }
        (None, None) => {
            let none = "one of the arguments -b/--bootstrap_broker_list -z/--zookeeper_connect is \
                        required";
            return Err(Failure::Usage(none.to_owned()));
        }
    };
    let wanted = Wanted {
        brokers: usize::try_from(brokers).unwrap_or_default(),
        within: Duration::from_secs(u64::try_from(timeout).unwrap_or_default()),
        bootstrap,
        config: words.option("config"),
        protocol: words.option("security-protocol"),
    };
    kafka_ready::wait(&wanted, err)
}

/// Old images take two numbers more, attempts and a pause: the time is what counts.
fn zk_ready(words: &[String]) -> Result<(), Failure> {
    let words = Words::read(&[], words)?;
    let [connect, timeout] = match words.operands.as_slice() {
        [connect, timeout, _, _] => [connect.as_str(), timeout.as_str()],
        _ => words.exactly(["connect_string", "timeout"])?,
    };
    zk_ready::wait(connect, seconds("timeout", timeout)?)
}

fn listeners(words: &[String], out: &mut dyn Write) -> Result<(), Failure> {
    let words = Words::read(&[], words)?;
    let [advertised] = words.exactly(["advertised_listeners"])?;
    // Streams that nobody reads any more are no reason to fail.
    let _ = writeln!(out, "{}", everywhere(advertised));
    Ok(())
}

/// Listeners for advertised ones: each host becomes 0.0.0.0.
pub(super) fn everywhere(advertised: &str) -> String {
    let mut listeners = String::new();
    let mut rest = advertised;
    while let Some((scheme, after)) = rest.split_once("://") {
        listeners.push_str(scheme);
        match after.split_once(':') {
            Some((_, port)) => {
                listeners.push_str("://0.0.0.0:");
                rest = port;
            }
            None => {
                listeners.push_str("://");
                rest = after;
            }
        }
    }
    listeners + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cub(line: &str) -> (i32, String, String) {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = run(&words, &mut out, &mut err);
        (code, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
    }

    #[test]
    fn listeners_are_everywhere() {
        let given = "PLAINTEXT://foo:9999,SSL://bar:9098, SASL_SSL://10.0.4.5:7888";
        let expected = "PLAINTEXT://0.0.0.0:9999,SSL://0.0.0.0:9098, SASL_SSL://0.0.0.0:7888";
        assert_eq!(everywhere(given), expected);
        assert_eq!(cub("listeners A://b:1"), (0, "A://0.0.0.0:1\n".to_owned(), String::new()));
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        assert_eq!(cub("").0, 1);
        assert_eq!(cub("kafka-ready 1 20").0, 2);
        assert_eq!(cub("kafka-ready one 20 -b a:1").0, 2);
        assert_eq!(cub("lost").0, 2);
        let (code, _, said) = cub("sr-ready a 1 2");
        assert_eq!((code, said.lines().count()), (1, 1));
        let (code, _, said) = cub("kafka-ready 1 1 -b localhost:1 -s SASL_SSL");
        assert_eq!(code, 1);
        assert!(said.starts_with("sasl.mechanism=GSSAPI cannot be used"), "{said}");
    }
}
