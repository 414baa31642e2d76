//! Listeners, sockets and the bounds of connections.
//!
//! Rows of the broker table; the words are ours, the facts those of
//! SocketServerConfigs, ReplicationConfigs. A row that acts has a typed field (see `super`).

use super::Valid;
use super::key::{Key, int, list, long, string};
use super::why;

pub(super) const KEYS: &[Key] =
    &[
        list("advertised.listeners").some_elements().high().acts(
            "The addresses that clients and other nodes are told to connect to, when they \
             differ from the listeners.",
        ),
        int("connection.failed.authentication.delay.ms")
            .or("100")
            .at_least(0)
            .low()
            .acts("How long a client that failed to log in waits for its answer, and its end."),
        long("connections.max.idle.ms")
            .or("600000")
            .acts("A connection over which nothing was sent for so long is closed."),
        list("controller.listener.names").required().some_elements().high().acts_through(
            "controller_listeners",
            "The listeners that belong to the controller. A broker connects to the first.",
        ),
        string("inter.broker.listener.name").acts(
            "The listener that brokers use among themselves. Where clients have another, \
             max.connections and max.connection.creation.rate of the whole broker do not hold \
             for it, only its own.",
        ),
        string("listener.security.protocol.map")
            .or("SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT")
            .low()
            .per_broker()
            .acts_through("listeners", "Which security protocol each listener name speaks."),
        list("listeners").or("PLAINTEXT://:9092").some_elements().high().per_broker().acts(
            "What to listen on: a comma separated list of NAME://host:port. No host means \
             every address.",
        ),
        int("max.connection.creation.rate").or("2147483647").at_least(0).cluster_wide().acts(
            "How many connections are accepted in a second, over ten seconds; the next ones wait. \
             Also below listener.name.",
        ),
        int("max.connections").or("2147483647").at_least(0).cluster_wide().acts(
            "The most connections open at one time; the next one waits until another ends. Also \
             below listener.name.",
        ),
        int("max.connections.per.ip").or("2147483647").at_least(0).cluster_wide().acts(
            "The most connections open at one time from one address; more are closed at once.",
        ),
        string("max.connections.per.ip.overrides")
            .or("")
            .cluster_wide()
            .acts("Other limits for single addresses: a list of host:count."),
        int("num.network.threads").or("3").at_least(1).high().cluster_wide().ignored(why::THREADS),
        long("queued.max.request.bytes").or("-1").acts(
            "How many bytes of requests may be under way before the broker stops reading \
             more; -1 sets no bound.",
        ),
        int("queued.max.requests").or("500").at_least(1).high().ignored(why::QUEUE),
        int("request.timeout.ms").or("30000").high().ignored(why::PEERS),
        string("security.inter.broker.protocol")
            .or("PLAINTEXT")
            .valid(Valid::OneOf(&["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]))
            .acts_through(
                "inter_broker_listener_name",
                "Picks the listener that brokers use among themselves by its security protocol, \
             when inter.broker.listener.name does not name it.",
            ),
        long("socket.connection.setup.timeout.max.ms").or("30000").ignored(why::PEERS),
        long("socket.connection.setup.timeout.ms").or("10000").ignored(why::PEERS),
        int("socket.listen.backlog.size")
            .or("50")
            .at_least(1)
            .acts("How many connections may wait to be accepted."),
        int("socket.receive.buffer.bytes").or("102400").high().acts(
            "The receive buffer (SO_RCVBUF) of accepted sockets. Unset, or -1, leaves it to the \
             system, which makes it as large as a connection needs.",
        ),
        int("socket.request.max.bytes")
            .or("104857600")
            .at_least(1)
            .high()
            .acts("The largest request. A connection that announces a larger one is closed."),
        int("socket.send.buffer.bytes").or("102400").high().acts(
            "The send buffer (SO_SNDBUF) of accepted sockets. Unset, or -1, leaves it to the \
             system, which makes it as large as a connection needs.",
        ),
    ];
