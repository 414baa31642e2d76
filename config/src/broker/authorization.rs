//! Who may do what, as far as a node without an authorizer of its own can keep the promise.
//!
//! Everybody who connects in plaintext is User:ANONYMOUS. An authorizer is accepted where it would
//! allow that user everything: as a super user, or because nothing is said about a resource and
//! `allow.everyone.if.no.acl.found` is true. The second holds only as long as the metadata has no
//! access control entry.
//!
//! Answers to StandardAuthorizer's configuration (and AclAuthorizer's, its predecessor). Unlike
//! Kafka: entries are kept and not enforced (docs/decisions/0201).

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

/// What the configured authorizer would say to User:ANONYMOUS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authorization {
    /// No authorizer is configured: everybody may do everything, whatever entries there are.
    Unconfigured,
    /// Everybody is a super user.
    Everybody,
    /// Everybody may do everything as long as there is no entry.
    EverybodyWithoutEntries,
    /// Most would be denied.
    Denied,
}

impl BrokerConfig {
    pub fn authorization(&self) -> Authorization {
        let given = |name: &str| self.static_properties.get(name).unwrap_or_default();
        if self.authorizer_class_name.is_empty() {
            return Authorization::Unconfigured;
        }
        if given(SUPER_USERS).split(';').any(|user| user.trim() == "User:ANONYMOUS") {
            return Authorization::Everybody;
        }
        if given(ALLOW_EVERYONE).trim().eq_ignore_ascii_case("true") {
            return Authorization::EverybodyWithoutEntries;
        }
        Authorization::Denied
    }
}

pub(super) fn check(config: &BrokerConfig) -> Result<(), ConfigError> {
    let class = config.authorizer_class_name.trim();
    match config.authorization() {
        Authorization::Unconfigured => Ok(()),
        _ if !KNOWN.contains(&class) => Err(ConfigError::Plugin {
            name: CLASS.to_owned(),
            class: class.to_owned(),
            remedy: "nothing would be authorized or denied as it says: take it out",
        }),
        Authorization::Denied => Err(ConfigError::DenyingAuthorizer { class: class.to_owned() }),
        Authorization::Everybody | Authorization::EverybodyWithoutEntries => Ok(()),
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
    fn an_authorizer_is_accepted_where_it_allows_everybody() {
        const STANDARD: &str =
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer";
        for (more, expected) in [
            ("", Authorization::Unconfigured),
            ("super.users=User:ANONYMOUS", Authorization::Unconfigured),
            ("authorizer.class.name=", Authorization::Unconfigured),
            (STANDARD, Authorization::Denied),
            (&format!("{STANDARD}\nsuper.users=User:admin"), Authorization::Denied),
            (&format!("{STANDARD}\nsuper.users=User:ANONYMOUS2"), Authorization::Denied),
            (
                &format!("{STANDARD}\nsuper.users=User:admin; User:ANONYMOUS"),
                Authorization::Everybody,
            ),
            (
                &format!("{STANDARD}\nallow.everyone.if.no.acl.found= True "),
                Authorization::EverybodyWithoutEntries,
            ),
            (&format!("{STANDARD}\nallow.everyone.if.no.acl.found=yes"), Authorization::Denied),
            (
                "authorizer.class.name=kafka.security.authorizer.AclAuthorizer\n\
                 super.users=User:ANONYMOUS",
                Authorization::Everybody,
            ),
        ] {
            let config = of(more);
            assert_eq!(config.authorization(), expected, "{more}");
            assert_eq!(config.check_start().is_err(), expected == Authorization::Denied, "{more}");
        }
    }

    #[test]
    fn a_refused_authorizer_is_named_with_what_to_do() {
        let said = |more: &str| of(more).check_start().unwrap_err().to_string();
        let denying = said("authorizer.class.name=kafka.security.authorizer.AclAuthorizer");
        let unknown = said("authorizer.class.name=a.B\nsuper.users=User:ANONYMOUS");
        assert!(denying.contains("kafka.security.authorizer.AclAuthorizer"), "{denying}");
        assert!(denying.contains("super.users=User:ANONYMOUS"), "{denying}");
        assert!(unknown.contains("authorizer.class.name=a.B"), "{unknown}");
        assert!(unknown.contains("take it out"), "{unknown}");
    }
}
