//! Under which logger a container's start speaks.

pub(super) const LOG: &str = "gregor.container";
