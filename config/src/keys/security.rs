//! Who may do what, and tokens.
//!
//! Rows of the broker table; the facts are those of
//! BrokerSecurityConfigs, DelegationTokenManagerConfigs. The authorizer's acts.

use super::Valid;
use super::key::{Key, class, list, long, password, string};
use super::why;

pub(super) const KEYS: &[Key] = &[
    string("authorizer.class.name").or("").valid(Valid::NonNull).low().acts(
        "StandardAuthorizer, by this or by the name of one of its predecessors: whoever is not in \
             super.users may do what ACLs allow and none denies. It reads super.users (principals, \
             semicolons between them) and allow.everyone.if.no.acl.found. A node with another \
             class refuses to start.",
    ),
    long("connections.max.reauth.ms").or("0").acts_through(
        "sasl",
        "How long a login lasts: after it nothing is served over the connection until its client \
         has logged in again. 0 for ever. Also below listener.name and a mechanism.",
    ),
    long("delegation.token.expiry.check.interval.ms")
        .or("3600000")
        .at_least(1)
        .low()
        .acts("How often the controller takes away delegation tokens that have expired."),
    long("delegation.token.expiry.time.ms").or("86400000").at_least(1).acts(
        "How long a delegation token lasts without being renewed, and by each renewal. The active \
         controller's counts.",
    ),
    long("delegation.token.max.lifetime.ms").or("604800000").at_least(1).acts(
        "How long a delegation token lasts at most, however often it is renewed. The active \
         controller's counts.",
    ),
    password("delegation.token.secret.key").acts_through(
        "delegation_token_secret",
        "What delegation tokens are made of; the same on all brokers and controllers. Not set or \
         empty: there are no tokens.",
    ),
    list("early.start.listeners").any_elements().high().ignored(why::EARLY),
    class("principal.builder.class")
        .or("org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder")
        .per_broker()
        .ignored(why::PLUGIN),
    string("security.providers").low().ignored(why::PLUGIN),
];
