//! From the frames of a connection to the handlers of its requests, and back.

mod authentication;
pub(crate) mod connection;
pub(crate) mod dispatch;
mod ended;
mod forwarding;
#[cfg(test)]
mod forwarding_test;
#[cfg(test)]
mod metrics_test;
mod request_timings;
#[cfg(test)]
mod throttle_test;
