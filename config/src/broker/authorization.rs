//! Which authorizer a node has, and what its file tells it.
//!
//! Kafka's own is known by the names that it had over time, and all of them mean what
//! StandardAuthorizer does: its predecessors read the same keys. Whoever has another is refused,
//! for nobody would deny what that one would.
//!
//! Answers to `StandardAuthorizer.configure`.

use super::BrokerConfig;
use crate::ConfigError;

pub(super) const CLASS: &str = "authorizer.class.name";
const SUPER_USERS: &str = "super.users";
const ALLOW_EVERYONE: &str = "allow.everyone.if.no.acl.found";

/// Keys that an authorizer reads and no other part of a broker knows.
pub(super) const OWN_KEYS: &[&str] = &[SUPER_USERS, ALLOW_EVERYONE];

/// Kafka's own, by the names they had over time.
const KNOWN: &[&str] = &[
    "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "kafka.security.authorizer.AclAuthorizer",
    "kafka.security.auth.SimpleAclAuthorizer",
];

/// What a file tells the authorizer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuthorizerSettings {
    /// Principals that may do everything.
    pub super_users: Vec<String>,
    /// Whether everybody may do what no entry is about.
    pub allow_everyone_if_no_acl_found: bool,
}

impl BrokerConfig {
    /// `None`: everybody may do everything, whatever entries there are.
    pub fn authorizer(&self) -> Option<AuthorizerSettings> {
        if self.authorizer_class_name.is_empty() {
            return None;
        }
        let given = |name: &str| self.static_properties.get(name).unwrap_or_default();
        let users = given(SUPER_USERS).split(';').map(str::trim).filter(|user| !user.is_empty());
        Some(AuthorizerSettings {
            super_users: users.map(str::to_owned).collect(),
            allow_everyone_if_no_acl_found: given(ALLOW_EVERYONE)
                .trim()
                .eq_ignore_ascii_case("true"),
        })
    }
}

pub(super) fn check(config: &BrokerConfig) -> Result<(), ConfigError> {
    let Some(settings) = config.authorizer() else { return Ok(()) };
    let class = config.authorizer_class_name.trim();
    if !KNOWN.contains(&class) {
        return Err(ConfigError::Plugin {
            name: CLASS.to_owned(),
            class: class.to_owned(),
            remedy: "nothing would be authorized or denied as it says: take it out, or name \
                     org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        });
    }
    match settings.super_users.iter().find(|user| !user.contains(':')) {
        Some(user) => Err(ConfigError::invalid(
            SUPER_USERS,
            user,
            "expected principals in the format principalType:principalName, as User:admin, with \
             semicolons between them",
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Properties;

    fn of(more: &str) -> BrokerConfig {
        let text = format!(
            "node.id=1\nprocess.roles=broker,controller\n\
             listeners=PLAINTEXT://:9092,CONTROLLER://:9093\n\
             controller.listener.names=CONTROLLER\n\
             controller.quorum.voters=1@localhost:9093\n{more}"
        );
        let properties = Properties::parse(text.as_bytes()).unwrap();
        BrokerConfig::from_properties(&properties).unwrap().0
    }

    #[test]
    fn the_authorizer_reads_what_kafkas_reads() {
        const STANDARD: &str =
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer";
        let settings = |super_users: &[&str], allow_everyone_if_no_acl_found| {
            let super_users = super_users.iter().map(|user| (*user).to_owned()).collect();
            Some(AuthorizerSettings { super_users, allow_everyone_if_no_acl_found })
        };
        for (more, expected) in [
            ("", None),
            ("super.users=User:ANONYMOUS", None),
            ("authorizer.class.name=", None),
            (STANDARD, settings(&[], false)),
            (
                &format!("{STANDARD}\nsuper.users=User:admin; User:CN=a,O=b ;"),
                settings(&["User:admin", "User:CN=a,O=b"], false),
            ),
            (&format!("{STANDARD}\nallow.everyone.if.no.acl.found= True "), settings(&[], true)),
            (&format!("{STANDARD}\nallow.everyone.if.no.acl.found=yes"), settings(&[], false)),
            (
                "authorizer.class.name=kafka.security.authorizer.AclAuthorizer\n\
                 super.users=User:ANONYMOUS",
                settings(&["User:ANONYMOUS"], false),
            ),
        ] {
            let config = of(more);
            assert_eq!(config.authorizer(), expected, "{more}");
            assert_eq!(config.check_start(), Ok(()), "{more}");
        }
    }

    #[test]
    fn what_cannot_be_kept_is_refused_with_what_to_do() {
        let said = |more: &str| of(more).check_start().unwrap_err().to_string();
        let unknown = said("authorizer.class.name=a.B\nsuper.users=User:ANONYMOUS");
        assert!(unknown.contains("authorizer.class.name=a.B"), "{unknown}");
        assert!(unknown.contains("take it out"), "{unknown}");
        let user = said(
            "authorizer.class.name=kafka.security.authorizer.AclAuthorizer\nsuper.users=User:a;b",
        );
        assert!(user.contains("super.users") && user.contains("User:admin"), "{user}");
    }
}
