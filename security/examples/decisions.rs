//! What a decision costs among 10,000 entries: nanoseconds of CPU for each of some kinds of
//! questions, whatever else the machine does.
//!
//! `cargo run --release -p security --example decisions`

use std::hint::black_box;

use protocol::acl::{Acl, AclOperation, PatternType, PermissionType, ResourceType};
use protocol::wire::StrBytes;
use security::acl::{Asker, Resource, StandardAuthorizer};

const DECISIONS: u64 = 1_000_000;

fn acl(number: usize) -> Acl {
    let text = |text: String| StrBytes::from_string(text);
    let (name, pattern_type) = match number % 4 {
        0 => (format!("team-{}.", number / 4), PatternType::Prefixed),
        1 => ("*".to_owned(), PatternType::Literal),
        _ => (format!("team-{}.orders", number / 4), PatternType::Literal),
    };
    Acl {
        resource_type: ResourceType::Topic,
        resource_name: text(name),
        pattern_type,
        principal: text(format!("User:{}", number % 500)),
        host: text("*".to_owned()),
        operation: match number.is_multiple_of(2) {
            true => AclOperation::Read,
            false => AclOperation::Describe,
        },
        permission_type: PermissionType::Allow,
    }
}

/// What this thread has run for. Linux: the first number of schedstat.
fn cpu_nanoseconds() -> u64 {
    let schedstat = std::fs::read_to_string("/proc/thread-self/schedstat");
    schedstat.ok().and_then(|text| text.split(' ').next()?.parse().ok()).unwrap_or_default()
}

fn main() {
    let mut authorizer = StandardAuthorizer::new(["User:root".to_owned()].into(), false);
    authorizer.load((0..10_000).map(acl).collect());
    for (what, principal, topic) in [
        ("a super user", "User:root", "team-1000.orders"),
        ("by a prefix", "User:0", "team-1000.payments"),
        ("by a name", "User:2", "team-1000.orders"),
        ("denied by default", "User:nobody", "team-1000.orders"),
        ("no entry is about it", "User:nobody", "zzz"),
    ] {
        let asker = Asker { principal, host: "10.1.2.3" };
        let began = cpu_nanoseconds();
        for _ in 0..DECISIONS {
            let resource = Resource::Topic(black_box(topic));
            let _ = black_box(authorizer.authorize(asker, AclOperation::Read, resource));
        }
        let each = (cpu_nanoseconds() - began) / DECISIONS;
        println!("{what}: {each} ns");
    }
}
