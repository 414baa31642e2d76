//! The native tool of access control lists says and does what stock's does.

use tests::golden::{check, check_native, recording, tool};
use tests::native::run;
use tests::server::{Kind, Server};

const AUTHORIZER: [&str; 2] = [
    "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users=User:ANONYMOUS",
];

#[test]
fn without_an_authorizer_it_reads_and_refuses_as_stock_does() {
    check("tools/acls-none-4.3.1");
    if !recording() {
        check_native(Kind::Gregor, "tools/acls-none-4.3.1");
    }
}

#[test]
fn entries_are_added_listed_and_removed_as_by_stock() {
    match recording() {
        true => check("tools/acls-4.3.1"),
        false => {
            check_native(Kind::Stock, "tools/acls-4.3.1");
            // Stock's tool and ours alike, on our own node.
            check("tools/acls-4.3.1");
            check_native(Kind::Gregor, "tools/acls-4.3.1");
        }
    }
}

/// Entries of one side that belong together, in any order: stock's sets have none.
fn listed(server: &Server) -> Vec<String> {
    let listed = tool(server, "kafka-acls@4.3.1 --bootstrap-server SERVER --list", "");
    assert_eq!(listed.code, 0, "{listed:?}");
    let mut lines: Vec<String> = listed.stdout.lines().map(|line| line.trim().to_owned()).collect();
    lines.sort();
    lines
}

#[test]
fn roles_and_questions_come_to_the_same_entries_as_with_stock() {
    let settings = AUTHORIZER.map(str::to_owned);
    let server = Server::start(Kind::Stock, &settings);
    let address = server.address();
    let native = |words: &str, stdin: &str| {
        let line = format!("--bootstrap-server {address} {words}");
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        run("kafka-acls", &words, stdin)
    };
    for role in [
        "--producer --topic t --transactional-id x --idempotent --allow-principal User:a",
        "--consumer --topic t --topic u --group g --allow-principal User:a --allow-host h",
        "--producer --consumer --topic t --group g --allow-principal User:b",
        "--topic t --operation Read --operation Write --allow-principal User:a --deny-principal \
         User:b",
    ] {
        let added = native(&format!("--add {role}"), "");
        assert_eq!(added.code, 0, "{added:?}");
        assert!(added.stdout.starts_with("Adding ACLs for resource `"), "{added:?}");
        let ours = listed(&server);
        let stock = |action| {
            let line = format!("kafka-acls@4.3.1 --bootstrap-server SERVER {action} {role}");
            let done = tool(&server, &line, "");
            assert_eq!(done.code, 0, "{done:?}");
        };
        stock("--remove --force");
        assert_eq!(listed(&server), Vec::<String>::new(), "stock removes what was added");
        stock("--add");
        assert_eq!(listed(&server), ours, "{role}");
        let kept = native(&format!("--remove {role}"), "n\nn\nn\n");
        assert!(kept.stdout.contains("Are you sure you want to remove ACLs: "), "{kept:?}");
        assert_eq!(listed(&server), ours, "nothing goes without a yes");
        let removed = native(&format!("--remove {role}"), "y\nY\ny\n");
        assert_eq!((removed.code, listed(&server)), (0, Vec::new()), "{removed:?}");
    }
    let unsupported = native("--add --group g --operation Write --allow-principal User:a", "");
    assert_eq!(unsupported.code, 1);
    let said = "ResourceType GROUP only supports operations [READ, DESCRIBE, DELETE, \
                DESCRIBE_CONFIGS, ALTER_CONFIGS, ALL]";
    assert!(unsupported.stderr.starts_with(said), "{unsupported:?}");
}
