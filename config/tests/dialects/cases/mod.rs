//! The cases: an image, what it is given, and what follows.

mod apache;
mod bitnami;
mod confluent;
mod topics;
mod wurstmeister;
mod zookeeper;

pub(crate) use apache::APACHE;
pub(crate) use bitnami::BITNAMI;
pub(crate) use confluent::CONFLUENT;
pub(crate) use topics::TOPICS;
pub(crate) use wurstmeister::WURSTMEISTER;
pub(crate) use zookeeper::ZOOKEEPER;

/// One row; the head of the test says how `given` and `expected` are written.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) image: &'static str,
    pub(crate) given: &'static str,
    pub(crate) expected: &'static str,
}

const fn case(
    name: &'static str,
    image: &'static str,
    given: &'static str,
    expected: &'static str,
) -> Case {
    Case { name, image, given, expected }
}
