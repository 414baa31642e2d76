//! Security contexts of Kerberos, of either side, as the system's library makes them.
//!
//! ```text
//! KerberosLogin ─▶ credential ─▶ context: accept, initiate      (library: with the feature gssapi)
//! ```
//! Everything here waits, for a keytab, the replay cache, a KDC: it is called on threads that may.
//! Which keytab and which ticket cache are meant stands in the process's environment
//! (`security::sasl::kerberos::KerberosEnvironment`). Kafka has the JDK's `Krb5LoginModule` and
//! JGSS.

#[cfg(feature = "gssapi")]
mod library;
#[cfg(not(feature = "gssapi"))]
mod nothing;

#[cfg(feature = "gssapi")]
pub use self::library::{accept, default_realm, initiate};
#[cfg(not(feature = "gssapi"))]
pub use self::nothing::{accept, default_realm, initiate};
