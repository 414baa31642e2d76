//! Names of Kerberos, and by which of them somebody is known here: decisions only.
//!
//! Kafka: `KerberosName`, `KerberosShortNamer`, `KerberosRule`, the options of the JDK's
//! `Krb5LoginModule`.

mod environment;
mod login;
mod name;
mod rules;

pub use environment::KerberosEnvironment;
pub use login::{KerberosError, KerberosLogin, TicketSource};
pub use name::KerberosName;
pub use rules::{NameError, PrincipalToLocalRules, RuleError};
