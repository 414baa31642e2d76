//! TLS.
//!
//! Rows of the broker table; the facts are those of
//! SslConfigs. They act through `security::tls`, which reads them
//! for each listener with its own before what holds for all.

use super::Valid;
use super::key::{Key, boolean, class, list, password, string};
use super::why;

/// Whose TLS the keys are read for.
const FIELD: &str = "tls_listeners";

pub(super) const KEYS: &[Key] = &[
    boolean("ssl.allow.dn.changes")
        .or("false")
        .low()
        .acts_through(FIELD, "A keystore that is replaced may be another subject's"),
    boolean("ssl.allow.san.changes")
        .or("false")
        .low()
        .acts_through(FIELD, "A keystore that is replaced may lack names that the former had"),
    list("ssl.cipher.suites")
        .or("")
        .any_elements()
        .per_broker()
        .acts_through(FIELD, "Cipher suites by Java's names; all that there are where it is empty"),
    string("ssl.client.auth")
        .or("none")
        .valid(Valid::OneOf(&["required", "requested", "none"]))
        .per_broker()
        .acts_through(FIELD, "Whether clients show certificates"),
    list("ssl.enabled.protocols")
        .or("TLSv1.2,TLSv1.3")
        .any_elements()
        .per_broker()
        .acts_through(FIELD, "TLSv1.2, TLSv1.3 or both"),
    string("ssl.endpoint.identification.algorithm").or("https").low().per_broker().acts_through(
        FIELD,
        "Whether a server's certificate has to name the host; not where it is empty",
    ),
    class("ssl.engine.factory.class").low().per_broker().ignored(why::PLUGIN),
    password("ssl.key.password")
        .per_broker()
        .acts_through(FIELD, "What opens the private key, where it is another than the store's"),
    string("ssl.keymanager.algorithm").or("SunX509").per_broker().ignored(why::JVM_SECURITY),
    password("ssl.keystore.certificate.chain")
        .per_broker()
        .acts_through(FIELD, "The certificate and its issuers, as PEM"),
    password("ssl.keystore.key")
        .per_broker()
        .acts_through(FIELD, "The private key, as PEM of PKCS#8"),
    string("ssl.keystore.location")
        .per_broker()
        .acts_through(FIELD, "The file with the key and the certificate"),
    password("ssl.keystore.password").per_broker().acts_through(FIELD, "What opens the keystore"),
    string("ssl.keystore.type")
        .or("JKS")
        .per_broker()
        .acts_through(FIELD, "JKS and PKCS12 (either is read as what it is), or PEM"),
    string("ssl.principal.mapping.rules")
        .or("DEFAULT")
        .low()
        .acts_through(FIELD, "From a certificate's distinguished name to a user's"),
    string("ssl.protocol")
        .or("TLSv1.3")
        .per_broker()
        .acts_through(FIELD, "The newest protocol, where ssl.enabled.protocols names none"),
    string("ssl.provider").per_broker().ignored(why::JVM_SECURITY),
    string("ssl.secure.random.implementation").low().per_broker().ignored(why::JVM_SECURITY),
    string("ssl.trustmanager.algorithm").or("PKIX").per_broker().ignored(why::JVM_SECURITY),
    password("ssl.truststore.certificates")
        .per_broker()
        .acts_through(FIELD, "The certificates that are trusted, as PEM"),
    string("ssl.truststore.location").per_broker().acts_through(
        FIELD,
        "The file with the certificates that are trusted; without one those of the system are",
    ),
    password("ssl.truststore.password")
        .per_broker()
        .acts_through(FIELD, "What opens the truststore"),
    string("ssl.truststore.type")
        .or("JKS")
        .per_broker()
        .acts_through(FIELD, "JKS and PKCS12 (either is read as what it is), or PEM"),
];
