//! SASL OAUTHBEARER (KIP-768, KIP-1139).
//!
//! Rows of the broker table; the facts are those of
//! SaslConfigs. Tokens are judged, and asked for with a client's id and secret.

use super::Valid;
use super::key::{Key, boolean, class, int, list, long, password, string};
use super::why;

pub(super) const KEYS: &[Key] = &[
    string("sasl.oauthbearer.assertion.algorithm")
        .or("RS256")
        .valid(Valid::OneOfIgnoringCase(&["ES256", "RS256"]))
        .ignored(why::ASKED_TOKENS),
    string("sasl.oauthbearer.assertion.claim.aud").ignored(why::ASKED_TOKENS),
    int("sasl.oauthbearer.assertion.claim.exp.seconds")
        .or("300")
        .valid(Valid::Between(0.0, 86_400.0))
        .low()
        .ignored(why::ASKED_TOKENS),
    string("sasl.oauthbearer.assertion.claim.iss").ignored(why::ASKED_TOKENS),
    boolean("sasl.oauthbearer.assertion.claim.jti.include").or("false").ignored(why::ASKED_TOKENS),
    int("sasl.oauthbearer.assertion.claim.nbf.seconds")
        .or("60")
        .valid(Valid::Between(0.0, 3_600.0))
        .low()
        .ignored(why::ASKED_TOKENS),
    string("sasl.oauthbearer.assertion.claim.sub").ignored(why::ASKED_TOKENS),
    string("sasl.oauthbearer.assertion.file").ignored(why::ASKED_TOKENS),
    string("sasl.oauthbearer.assertion.private.key.file").ignored(why::ASKED_TOKENS),
    password("sasl.oauthbearer.assertion.private.key.passphrase").ignored(why::ASKED_TOKENS),
    string("sasl.oauthbearer.assertion.template.file").ignored(why::ASKED_TOKENS),
    string("sasl.oauthbearer.client.credentials.client.id").acts_through(
        "sasl",
        "As whom this node asks for its own token; or the option clientId of the login module.",
    ),
    password("sasl.oauthbearer.client.credentials.client.secret").acts_through(
        "sasl",
        "With which secret; or the option clientSecret of the login module.",
    ),
    int("sasl.oauthbearer.clock.skew.seconds").or("30").low().acts_through(
        "sasl",
        "By how many seconds the clock of whoever makes tokens may differ. Also below \
         listener.name and oauthbearer, as all of these.",
    ),
    list("sasl.oauthbearer.expected.audience").or("").any_elements().high().acts_through(
        "sasl",
        "For whom tokens must be made; a token is for one of them. Empty: a token that says for \
         whom it is made is refused.",
    ),
    string("sasl.oauthbearer.expected.issuer").high().acts_through(
        "sasl",
        "By whom tokens must be made. Not set: by whoever has the key.",
    ),
    long("sasl.oauthbearer.jwks.endpoint.refresh.ms").or("3600000").low().acts_through(
        "sasl",
        "How often the keys at an https: URL are fetched again; those of a file are when it has \
         changed.",
    ),
    long("sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms")
        .or("10000")
        .low()
        .acts_through(
        "sasl",
        "How long a fetch that failed is waited with at most.",
    ),
    long("sasl.oauthbearer.jwks.endpoint.retry.backoff.ms").or("100").low().acts_through(
        "sasl",
        "How long a fetch that failed is waited with first; twice as long each time.",
    ),
    string("sasl.oauthbearer.jwks.endpoint.url").acts_through(
        "sasl",
        "Where the keys are that tokens are signed with: an https: URL, or a file: URL. A file \
         that cannot be read keeps the node from starting.",
    ),
    class("sasl.oauthbearer.jwt.retriever.class")
        .or("org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever")
        .acts_through(
        "sasl",
        "How this node comes by its own token: DefaultJwtRetriever, by the scheme of the URL; \
         FileJwtRetriever; ClientCredentialsJwtRetriever. With another the node does not start.",
    ),
    class("sasl.oauthbearer.jwt.validator.class")
        .or("org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator")
        .acts_through(
        "sasl",
        "Who judges tokens: Kafka's own classes, which look at signatures. With another the node \
         does not start.",
    ),
    string("sasl.oauthbearer.scope").acts_through(
        "sasl",
        "For what this node asks for its own token; or the option scope of the login module.",
    ),
    string("sasl.oauthbearer.scope.claim.name").or("scope").low().acts_through(
        "sasl",
        "Which claim has the scope. It decides nothing, but one that cannot be is refused.",
    ),
    string("sasl.oauthbearer.sub.claim.name").or("sub").low().acts_through(
        "sasl",
        "Which claim says who somebody is.",
    ),
    string("sasl.oauthbearer.token.endpoint.url").acts_through(
        "sasl",
        "Where this node's own token is, for others' listeners: an https: or http: URL, which is \
         asked by client_credentials, or a file: URL, which is read at each login.",
    ),
];
