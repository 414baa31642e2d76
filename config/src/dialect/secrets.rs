//! Keys and certificates that images take from files: cp-kafka's and apache/kafka's credentials
//! below /etc/kafka/secrets, bitnami's stores below its configuration.
//!
//! Passwords stand in the file that results, as the images write them, and in no notice.

use super::draft::Draft;
use super::{ImageEnvironment, Refusal, Variables};

const SECRETS: &str = "/etc/kafka/secrets";
/// Where people mount bitnami's, and where the image copies them.
const CERTIFICATES: [&str; 2] = ["/bitnami/kafka/config/certs", "/opt/bitnami/kafka/config/certs"];

/// A store: the variable of its file, the key that it becomes, and the same of what opens it.
struct Store {
    file: (&'static str, &'static str),
    credentials: &'static [(&'static str, &'static str)],
}

const KEYSTORE: Store = Store {
    file: ("KAFKA_SSL_KEYSTORE_FILENAME", "ssl.keystore.location"),
    credentials: &[
        ("KAFKA_SSL_KEY_CREDENTIALS", "ssl.key.password"),
        ("KAFKA_SSL_KEYSTORE_CREDENTIALS", "ssl.keystore.password"),
    ],
};

const TRUSTSTORE: Store = Store {
    file: ("KAFKA_SSL_TRUSTSTORE_FILENAME", "ssl.truststore.location"),
    credentials: &[("KAFKA_SSL_TRUSTSTORE_CREDENTIALS", "ssl.truststore.password")],
};

/// Files whose first lines are passwords.
pub(super) fn wanted_files(variables: &Variables) -> Vec<String> {
    let credentials = [&KEYSTORE, &TRUSTSTORE].into_iter().flat_map(|store| store.credentials);
    let named = credentials.filter_map(|(variable, _)| variables.filled(variable));
    named.map(|name| format!("{SECRETS}/{}", name.trim())).collect()
}

/// What the scripts of cp-kafka and apache/kafka do where a listener of TLS is advertised.
pub(super) fn take(draft: &mut Draft, given: &ImageEnvironment) -> Result<(), Refusal> {
    let variables = &given.variables;
    let advertised = variables.filled("KAFKA_ADVERTISED_LISTENERS").unwrap_or_default();
    if !advertised.contains("SSL://") || draft.has_keystore() {
        return Ok(());
    }
    let asks_clients = variables
        .filled("KAFKA_SSL_CLIENT_AUTH")
        .is_some_and(|asked| ["required", "requested"].iter().any(|auth| asked.contains(auth)));
    take_store(draft, given, &KEYSTORE)?;
    match asks_clients || variables.filled(TRUSTSTORE.file.0).is_some() {
        true => take_store(draft, given, &TRUSTSTORE),
        false => Ok(()),
    }
}

fn take_store(draft: &mut Draft, given: &ImageEnvironment, store: &Store) -> Result<(), Refusal> {
    let filled = |variable: &'static str| {
        let why = "a listener of TLS is advertised, and it names a file in /etc/kafka/secrets";
        given.variables.filled(variable).ok_or(Refusal::Missing { variable, why })
    };
    let (variable, key) = store.file;
    draft.set(key, format!("{SECRETS}/{}", filled(variable)?.trim()), variable);
    for (variable, key) in store.credentials {
        let path = format!("{SECRETS}/{}", filled(variable)?.trim());
        let secret = given.files.get(&path).ok_or(Refusal::NoFile { variable, path })?;
        // As $(cat FILE) of a shell reads it.
        let secret = String::from_utf8_lossy(secret).trim_end_matches('\n').to_owned();
        draft.set(key, secret, variable);
    }
    Ok(())
}

/// The files of bitnami's stores.
pub(super) fn bitnami_files(variables: &Variables) -> Vec<String> {
    let folders = CERTIFICATES.iter();
    let files = ["kafka.keystore.jks", "kafka.keystore.key", "kafka.keystore.pem"];
    let truststore = bitnami_truststore(variables);
    folders
        .flat_map(|folder| {
            let files = files.into_iter().map(str::to_owned).chain([truststore.clone()]);
            files.map(move |file| format!("{folder}/{file}"))
        })
        .collect()
}

fn is_pem(variables: &Variables) -> bool {
    variables.filled("KAFKA_TLS_TYPE").is_some_and(|kind| kind.trim().eq_ignore_ascii_case("PEM"))
}

fn bitnami_truststore(variables: &Variables) -> String {
    let own = variables.filled("KAFKA_TLS_TRUSTSTORE_FILE").map(str::trim);
    let ending = if is_pem(variables) { "pem" } else { "jks" };
    let file = own.and_then(|path| path.rsplit('/').next()).map(str::to_owned);
    file.unwrap_or_else(|| format!("kafka.truststore.{ending}"))
}

/// What bitnami's scripts do where something speaks TLS.
pub(super) fn take_bitnami(draft: &mut Draft, given: &ImageEnvironment, variables: &Variables) {
    let speaks_tls = ["listeners", "listener.security.protocol.map"]
        .iter()
        .any(|key| draft.get(key).is_some_and(|value| value.contains("SSL")));
    if !speaks_tls || draft.has_keystore() {
        return;
    }
    let found = |file: &str| {
        let paths = CERTIFICATES.iter().map(|folder| format!("{folder}/{file}"));
        let mut paths = paths.filter(|path| given.files.contains_key(path));
        paths.next().unwrap_or_else(|| format!("{}/{file}", CERTIFICATES[1]))
    };
    let source = "KAFKA_TLS_TYPE";
    let truststore = found(&bitnami_truststore(variables));
    let password = variables.filled("KAFKA_CERTIFICATE_PASSWORD").map(str::to_owned);
    let client_auth = variables.filled("KAFKA_TLS_CLIENT_AUTH").unwrap_or("required");
    draft.set_default("ssl.client.auth", client_auth, "KAFKA_TLS_CLIENT_AUTH");
    let kind = if is_pem(variables) { "PEM" } else { "JKS" };
    for key in ["ssl.keystore.type", "ssl.truststore.type"] {
        draft.set_default(key, kind, source);
    }
    if let Some(password) = &password {
        draft.set_default("ssl.key.password", password, "KAFKA_CERTIFICATE_PASSWORD");
    }
    if is_pem(variables) {
        let text = |file: &str| {
            let bytes = given.files.get(&found(file)).map(Vec::as_slice);
            String::from_utf8_lossy(bytes.unwrap_or_default()).trim_end().to_owned()
        };
        draft.set_default("ssl.keystore.key", &text("kafka.keystore.key"), source);
        draft.set_default("ssl.keystore.certificate.chain", &text("kafka.keystore.pem"), source);
        draft.set_default("ssl.truststore.location", &truststore, source);
        return;
    }
    draft.set_default("ssl.keystore.location", &found("kafka.keystore.jks"), source);
    draft.set_default("ssl.truststore.location", &truststore, source);
    if let Some(password) = &password {
        for key in ["ssl.keystore.password", "ssl.truststore.password"] {
            draft.set_default(key, password, "KAFKA_CERTIFICATE_PASSWORD");
        }
    }
}
