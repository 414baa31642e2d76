//! Starts that fail: each says what is wrong in one line, ends with 1 and leaves the disk alone.

use std::fs;
use std::net::TcpListener;

use tests::refusal::{Refused, each_is_refused, formatted, refused};
use tests::server::{Kind, Server};

const REFUSED: &[Refused] = &[
    Refused {
        because: "a value has the wrong type",
        properties: &["num.partitions=many"],
        said: &["Invalid value many for configuration num.partitions: Not a number of type INT"],
    },
    Refused {
        because: "a value is out of range",
        properties: &["num.partitions=0"],
        said: &["Invalid value 0 for configuration num.partitions: Value must be at least 1"],
    },
    Refused {
        because: "a listener's own value is wrong",
        properties: &["listener.name.plaintext.max.connections=x"],
        said: &["Invalid value x for configuration listener.name.plaintext.max.connections"],
    },
    Refused {
        because: "a listener has a name of no protocol",
        properties: &["listeners=FOO://localhost:PORT"],
        said: &["FOO://localhost:PORT", "No security protocol defined for listener FOO"],
    },
    Refused {
        because: "a protocol does not exist",
        properties: &["listener.security.protocol.map=PLAINTEXT:NOPE,CONTROLLER:PLAINTEXT"],
        said: &["`NOPE`", "listener.security.protocol.map"],
    },
    Refused {
        because: "values contradict each other",
        properties: &[
            "advertised.listeners=OTHER://localhost:1",
            "listener.security.protocol.map=\
                       PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,OTHER:PLAINTEXT",
        ],
        said: &["advertised.listeners"],
    },
    Refused {
        because: "an address is nowhere",
        properties: &["max.connections.per.ip.overrides=no.such.host.invalid:3"],
        said: &["max.connections.per.ip.overrides: no address for no.such.host.invalid"],
    },
    Refused {
        because: "a host to listen on is nowhere",
        properties: &[
            "listeners=PLAINTEXT://no.such.host.invalid:PORT,CONTROLLER://localhost:0",
            "advertised.listeners=PLAINTEXT://localhost:PORT",
        ],
        said: &["Socket server failed to bind to no.such.host.invalid:PORT: "],
    },
    Refused {
        because: "the directory belongs to another node",
        properties: &["node.id=7", "controller.quorum.voters=7@localhost:1"],
        said: &["Stored node id 1 doesn't match previous node id 7 in DATA"],
    },
    Refused {
        because: "one of several directories is not formatted",
        properties: &["log.dirs=DATA,DATA-2"],
        said: &["No `meta.properties` found in DATA-2 (have you run `kafka-storage.sh`"],
    },
    Refused {
        because: "a directory is named twice",
        properties: &["log.dirs=DATA,DATA/../data"],
        said: &["Duplicate log directory found: DATA, DATA/../data"],
    },
    Refused {
        because: "the directory is not formatted",
        properties: &["log.dirs=DATA-2"],
        said: &["No `meta.properties` found in DATA-2 (have you run `kafka-storage.sh`"],
    },
];

#[test]
fn a_start_that_cannot_be_says_why_in_one_line_and_touches_nothing() {
    each_is_refused(REFUSED);
}

#[test]
fn a_port_that_is_taken_is_named_before_the_directory_is_touched() {
    let (server, file) = formatted();
    for port in [server.port, server.controller_port] {
        let taken = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
        let said = format!(
            "Socket server failed to bind to localhost:{port}: Address already in use. (kafka"
        );
        refused("the port is taken", &server, &file, &[said]);
        drop(taken);
    }
}

#[test]
fn a_locked_directory_is_left_to_who_holds_it() {
    let mut server = Server::prepare(Kind::Gregor, &[]);
    server.start_again();
    let other = Server::prepare(Kind::Gregor, &[]);
    let file = other.folder().join("server.properties");
    let text = fs::read_to_string(&file).expect("readable");
    let (own, held) = (other.data().display().to_string(), server.data().display().to_string());
    fs::write(&file, text.replace(&own, &held)).expect("written");
    // The holder's files change while it runs; the other folder shows what the refused start does.
    refused("the directory is locked", &other, &file, &[format!("{held}/.lock")]);
    server.terminate();
}

#[test]
fn a_file_that_is_not_there_or_not_of_properties_is_named() {
    let server = Server::prepare(Kind::Gregor, &[]);
    let missing = server.folder().join("missing.properties");
    let said = format!("Cannot read {}: No such file", missing.display());
    refused("the file is missing", &server, &missing, &[said]);
    let said = format!("Cannot read {}: Is a directory", server.folder().display());
    refused("the file is a directory", &server, server.folder(), &[said]);
    let broken = server.folder().join("broken.properties");
    fs::write(&broken, "a=1\nb=\\u12\n").expect("written");
    let said = format!("Cannot read {}: line 2: Malformed", broken.display());
    refused("the file is broken", &server, &broken, &[said]);
}
