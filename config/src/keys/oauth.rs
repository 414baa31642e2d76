//! SASL OAUTHBEARER (KIP-768, KIP-1139).
//!
//! Rows of the broker table; the facts are those of
//! SaslConfigs. None acts.

use super::Valid;
use super::key::{Key, boolean, class, int, list, long, password, string};
use super::why;

pub(super) const KEYS: &[Key] = &[
    string("sasl.oauthbearer.assertion.algorithm")
        .or("RS256")
        .valid(Valid::OneOfIgnoringCase(&["ES256", "RS256"]))
        .ignored(why::SECURED),
    string("sasl.oauthbearer.assertion.claim.aud").ignored(why::SECURED),
    int("sasl.oauthbearer.assertion.claim.exp.seconds")
        .or("300")
        .valid(Valid::Between(0.0, 86_400.0))
        .low()
        .ignored(why::SECURED),
    string("sasl.oauthbearer.assertion.claim.iss").ignored(why::SECURED),
    boolean("sasl.oauthbearer.assertion.claim.jti.include").or("false").ignored(why::SECURED),
    int("sasl.oauthbearer.assertion.claim.nbf.seconds")
        .or("60")
        .valid(Valid::Between(0.0, 3_600.0))
        .low()
        .ignored(why::SECURED),
    string("sasl.oauthbearer.assertion.claim.sub").ignored(why::SECURED),
    string("sasl.oauthbearer.assertion.file").ignored(why::SECURED),
    string("sasl.oauthbearer.assertion.private.key.file").ignored(why::SECURED),
    password("sasl.oauthbearer.assertion.private.key.passphrase").ignored(why::SECURED),
    string("sasl.oauthbearer.assertion.template.file").ignored(why::SECURED),
    string("sasl.oauthbearer.client.credentials.client.id").ignored(why::SECURED),
    password("sasl.oauthbearer.client.credentials.client.secret").ignored(why::SECURED),
    int("sasl.oauthbearer.clock.skew.seconds").or("30").low().ignored(why::SECURED),
    list("sasl.oauthbearer.expected.audience").or("").any_elements().high().ignored(why::SECURED),
    string("sasl.oauthbearer.expected.issuer").high().ignored(why::SECURED),
    long("sasl.oauthbearer.jwks.endpoint.refresh.ms").or("3600000").low().ignored(why::SECURED),
    long("sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms")
        .or("10000")
        .low()
        .ignored(why::SECURED),
    long("sasl.oauthbearer.jwks.endpoint.retry.backoff.ms").or("100").low().ignored(why::SECURED),
    string("sasl.oauthbearer.jwks.endpoint.url").ignored(why::SECURED),
    class("sasl.oauthbearer.jwt.retriever.class")
        .or("org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever")
        .ignored(why::SECURED),
    class("sasl.oauthbearer.jwt.validator.class")
        .or("org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator")
        .ignored(why::SECURED),
    string("sasl.oauthbearer.scope").ignored(why::SECURED),
    string("sasl.oauthbearer.scope.claim.name").or("scope").low().ignored(why::SECURED),
    string("sasl.oauthbearer.sub.claim.name").or("sub").low().ignored(why::SECURED),
    string("sasl.oauthbearer.token.endpoint.url").ignored(why::SECURED),
];
