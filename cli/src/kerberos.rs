//! Puts a process into the environment that its logins by Kerberos need: the system's library
//! reads keytab, ticket cache and krb5.conf out of variables, and a process that runs cannot set
//! its own (docs/decisions/0586).
//!
//! The program begins anew in its own place, with the same words, process id and streams, before it
//! has read its input or opened anything. It does so once: where the variables are there, or nobody
//! logs in by Kerberos, nothing happens.

use std::os::unix::process::CommandExt;
use std::process::Command;

use client::admin::AdminSettings;
use config::Properties;
use security::sasl::Mechanism;
use security::sasl::client::ClientLogin;
use security::sasl::kerberos::KerberosEnvironment;

use crate::login_file::java_property;

const KRB5_CONF: &str = "java.security.krb5.conf";
/// Tells the program that it has begun anew.
const ENTERED: &str = "GREGOR_KERBEROS";

/// Returns when the process has what it needs, or with one line on why it cannot have it.
pub fn enter(needed: &KerberosEnvironment) -> Result<(), String> {
    let mut needed = needed.clone();
    if let Some(path) = java_property(KRB5_CONF) {
        needed.set_config(&path);
    }
    let missing = needed.missing(|name| std::env::var(name).ok());
    if missing.is_empty() {
        return Ok(());
    }
    let failed = |why: String| format!("Kerberos needs other variables: {why}");
    if std::env::var_os(ENTERED).is_some() {
        let names: Vec<&str> = missing.iter().map(|(name, _)| *name).collect();
        return Err(failed(format!("{} did not stay as they were set", names.join(", "))));
    }
    let mut words = std::env::args_os();
    let program = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
    let called = words.next().unwrap_or_else(|| program.clone().into_os_string());
    let error =
        Command::new(&program).arg0(called).args(words).envs(missing).env(ENTERED, "1").exec();
    Err(failed(error.to_string()))
}

/// The same for a client of these keys. What is wrong with them is for others to say.
pub(crate) fn enter_as_client(properties: &Properties) -> Result<(), String> {
    let gssapi = Mechanism::Gssapi.name();
    let mechanism = properties.get("sasl.mechanism").unwrap_or(gssapi).trim();
    if mechanism != gssapi || Mechanism::named(mechanism).is_none() {
        return Ok(());
    }
    let Ok(settings) = AdminSettings::from_properties(properties.iter()) else { return Ok(()) };
    let Some(login) = settings.security.login() else { return Ok(()) };
    let ClientLogin::Gssapi(login) = &*login else { return Ok(()) };
    let mut needed = KerberosEnvironment::default();
    needed.initiate(login).map_err(|error| error.to_string())?;
    enter(&needed)
}
