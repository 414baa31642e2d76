//! A data directory with users changes hands: who was let in by one kind of server is let in by the
//! other, and nobody else.

use tests::native;
use tests::sasl::{SaslServer, Say, converse, honest};
use tests::server::Kind;

use Say::{Handshake, Scram};

const MECHANISMS: [&str; 2] = ["SCRAM-SHA-256", "SCRAM-SHA-512"];

/// Gives a user a password for both mechanisms, one by one: a request that alters a user twice is
/// refused.
fn set_password(server: &SaslServer, user: &str, password: &str) {
    let address = server.server.address();
    for mechanism in MECHANISMS {
        let set = format!("{mechanism}=[iterations=4096,password={password}]");
        let args = ["--bootstrap-server", &address, "--alter", "--add-config", &set]
            .into_iter()
            .chain(["--entity-type", "users", "--entity-name", user]);
        let args: Vec<String> = args.map(str::to_owned).collect();
        let done = native::run("kafka-configs", &args, "");
        assert_eq!(done.code, 0, "{done:#?}");
    }
}

/// Whether a user comes in by both mechanisms, or by none.
fn comes_in(server: &SaslServer, user: &'static str, password: &'static str) -> bool {
    let is_in = MECHANISMS.map(|mechanism| {
        let say = [Handshake(1, mechanism), Scram(2, mechanism, user, password, honest)];
        let heard = converse(&mut server.connect(), &say);
        heard.last().is_some_and(|line| line == "stays open")
    });
    assert_eq!(is_in[0], is_in[1], "{user}");
    is_in[0]
}

#[test]
fn users_of_stock_come_in_at_gregor_and_gregors_at_stock() {
    for (first, second) in [(Kind::Stock, Kind::Gregor), (Kind::Gregor, Kind::Stock)] {
        let mut server = SaslServer::start(first, &[]);
        set_password(&server, "carol", "carol-secret");
        set_password(&server, "dave", "dave-secret");
        set_password(&server, "dave", "dave-has-another");
        server.server.terminate();
        server.server.kind = second;
        server.server.start_again();
        assert!(comes_in(&server, "carol", "carol-secret"), "{first:?}, then {second:?}");
        assert!(comes_in(&server, "dave", "dave-has-another"), "{first:?}, then {second:?}");
        assert!(!comes_in(&server, "dave", "dave-secret"), "an old password of {first:?}'s");
        assert!(!comes_in(&server, "erin", "carol-secret"), "nobody's name at {second:?}");
        // Who is made now goes back to where the others came from.
        set_password(&server, "erin", "erin-secret");
        server.server.terminate();
        server.server.kind = first;
        server.server.start_again();
        for (user, password) in [("carol", "carol-secret"), ("erin", "erin-secret")] {
            assert!(comes_in(&server, user, password), "{user}, back at {first:?}");
        }
    }
}
