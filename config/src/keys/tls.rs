//! TLS.
//!
//! Rows of the broker table; the facts are those of
//! SslConfigs. None acts.

use super::Valid;
use super::key::{Key, boolean, class, list, password, string};
use super::why;

pub(super) const KEYS: &[Key] = &[
    boolean("ssl.allow.dn.changes").or("false").low().ignored(why::SECURED),
    boolean("ssl.allow.san.changes").or("false").low().ignored(why::SECURED),
    list("ssl.cipher.suites").or("").any_elements().per_broker().ignored(why::SECURED),
    string("ssl.client.auth")
        .or("none")
        .valid(Valid::OneOf(&["required", "requested", "none"]))
        .per_broker()
        .ignored(why::SECURED),
    list("ssl.enabled.protocols")
        .or("TLSv1.2,TLSv1.3")
        .any_elements()
        .per_broker()
        .ignored(why::SECURED),
    string("ssl.endpoint.identification.algorithm")
        .or("https")
        .low()
        .per_broker()
        .ignored(why::SECURED),
    class("ssl.engine.factory.class").low().per_broker().ignored(why::SECURED),
    password("ssl.key.password").per_broker().ignored(why::SECURED),
    string("ssl.keymanager.algorithm").or("SunX509").per_broker().ignored(why::SECURED),
    password("ssl.keystore.certificate.chain").per_broker().ignored(why::SECURED),
    password("ssl.keystore.key").per_broker().ignored(why::SECURED),
    string("ssl.keystore.location").per_broker().ignored(why::SECURED),
    password("ssl.keystore.password").per_broker().ignored(why::SECURED),
    string("ssl.keystore.type").or("JKS").per_broker().ignored(why::SECURED),
    string("ssl.principal.mapping.rules").or("DEFAULT").low().ignored(why::SECURED),
    string("ssl.protocol").or("TLSv1.3").per_broker().ignored(why::SECURED),
    string("ssl.provider").per_broker().ignored(why::SECURED),
    string("ssl.secure.random.implementation").low().per_broker().ignored(why::SECURED),
    string("ssl.trustmanager.algorithm").or("PKIX").per_broker().ignored(why::SECURED),
    password("ssl.truststore.certificates").per_broker().ignored(why::SECURED),
    string("ssl.truststore.location").per_broker().ignored(why::SECURED),
    password("ssl.truststore.password").per_broker().ignored(why::SECURED),
    string("ssl.truststore.type").or("JKS").per_broker().ignored(why::SECURED),
];
