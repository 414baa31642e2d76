//! SASL.
//!
//! Rows of the broker table; the facts are those of
//! SaslConfigs, BrokerSecurityConfigs.

use super::key::{Key, class, double, int, list, long, password, short, string};
use super::why;

pub(super) const KEYS: &[Key] = &[
    class("sasl.client.callback.handler.class").ignored(why::LOGIN_CLASSES),
    list("sasl.enabled.mechanisms").or("GSSAPI").any_elements().per_broker().acts_through(
        "sasl",
        "By which mechanisms clients may log in: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, \
         OAUTHBEARER, and GSSAPI in a build with the feature gssapi. A listener in use that takes \
         another keeps the node from starting. Also below listener.name.",
    ),
    password("sasl.jaas.config").per_broker().acts_through(
        "sasl",
        "A login module with its options, below listener.name and a mechanism alone: \
         listener.name.<listener>.<mechanism>.sasl.jaas.config. Where it is not set, the section \
         KafkaServer of the file counts that -Djava.security.auth.login.config in KAFKA_OPTS \
         names.",
    ),
    string("sasl.kerberos.kinit.cmd").or("/usr/bin/kinit").per_broker().ignored(why::RENEWALS),
    long("sasl.kerberos.min.time.before.relogin").or("60000").per_broker().ignored(why::RENEWALS),
    list("sasl.kerberos.principal.to.local.rules")
        .or("DEFAULT")
        .any_elements()
        .per_broker()
        .acts_through(
            "sasl",
            "Who a principal of Kerberos is here, by the first rule that applies: DEFAULT, or \
             RULE:[n:format](pattern)s/pattern/text/g/L. Also below listener.name.",
        ),
    string("sasl.kerberos.service.name").per_broker().acts_through(
        "sasl",
        "The first component of the name that brokers have in Kerberos; serviceName of the login \
         module stands in for it. Also below listener.name.",
    ),
    double("sasl.kerberos.ticket.renew.jitter").or("0.05").per_broker().ignored(why::RENEWALS),
    double("sasl.kerberos.ticket.renew.window.factor")
        .or("0.8")
        .per_broker()
        .ignored(why::RENEWALS),
    class("sasl.login.callback.handler.class").acts_through(
        "sasl",
        "Where this node's own token comes from by OAUTHBEARER: not set, of the options of its \
         login module, signed by nobody; OAuthBearerLoginCallbackHandler, of \
         sasl.oauthbearer.token.endpoint.url. With another the node does not start.",
    ),
    class("sasl.login.class").ignored(why::LOGIN_CLASSES),
    int("sasl.login.connect.timeout.ms").low().acts_through(
        "sasl",
        "How long a connection to whoever gives tokens may take. Not set: 30 s for all of it.",
    ),
    int("sasl.login.read.timeout.ms")
        .low()
        .acts_through("sasl", "How long his answer may stop. Not set: 30 s for all of it."),
    short("sasl.login.refresh.buffer.seconds").or("300").per_broker().acts_through(
        "sasl",
        "A token that was asked for is asked for anew so long before its end, where that fits.",
    ),
    short("sasl.login.refresh.min.period.seconds")
        .or("60")
        .per_broker()
        .acts_through("sasl", "And not sooner than so long after the last time, where that fits."),
    double("sasl.login.refresh.window.factor")
        .or("0.8")
        .per_broker()
        .acts_through("sasl", "The part of its time after which it is asked for anew."),
    double("sasl.login.refresh.window.jitter").or("0.05").per_broker().acts_through(
        "sasl",
        "By up to how much more that part is, so that not all nodes ask at once.",
    ),
    long("sasl.login.retry.backoff.max.ms").or("10000").low().acts_through(
        "sasl",
        "For how long whoever gives tokens is asked again before the attempt has failed; the next \
         one begins 10 s later.",
    ),
    long("sasl.login.retry.backoff.ms")
        .or("100")
        .low()
        .acts_through("sasl", "How long he is waited with first; twice as long each time."),
    string("sasl.mechanism.controller.protocol").or("GSSAPI").high().acts_through(
        "sasl",
        "How this node logs in at controllers, with the username and password of its own login for \
         their listener.",
    ),
    string("sasl.mechanism.inter.broker.protocol").or("GSSAPI").per_broker().acts_through(
        "sasl",
        "How this node logs in at other brokers, with the username and password of its own login \
         for the listener between brokers.",
    ),
    class("sasl.server.callback.handler.class").acts_through(
        "sasl",
        "Who judges the tokens of OAUTHBEARER, below listener.name and oauthbearer: \
         OAuthBearerValidatorCallbackHandler looks at signatures, \
         OAuthBearerUnsecuredValidatorCallbackHandler believes anybody. Without one of them a \
         listener that takes OAUTHBEARER keeps the node from starting.",
    ),
    int("sasl.server.max.receive.size").or("524288").acts_through(
        "sasl",
        "The largest request of a client that has not logged in. Also below listener.name.",
    ),
];
