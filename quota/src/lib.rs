//! How fast somebody may be, and for how long he is held back when he is faster.
//!
//! Pure: the caller brings the time, in milliseconds from any fixed point that only goes forward.
//!
//! ```text
//! user, client id ─ Limits ─ whose account, which bound ─┐
//! bytes, time on a thread, connections ─ Rate ───────────┼─▶ throttle time
//! partitions made or deleted ─ TokenBucket ──────────────┘
//! ```
//! - [`Rate`] and [`TokenBucket`] measure as `org.apache.kafka.common.metrics.stats` does: what is
//!   held back, and for how long, is equal to the millisecond.
//! - [`Limits`] say which of the quotas that stand is somebody's, and with whom he shares it.
//! - [`RateQuota`] and [`MutationQuota`] keep an account for each who has a bound; [`Accounts`]
//!   forgets those that would measure nothing any more, so that there are never more than
//!   [`ACCOUNTS_MAX`].
//!
//! Answers to `ClientQuotaManager`, `ClientRequestQuotaManager`, `ControllerMutationQuotaManager`
//! (KIP-13, 55, 124, 219, 599) and the rates of `ConnectionQuotas` (KIP-402, 612).

mod accounts;
mod limits;
#[cfg(test)]
mod limits_test;
mod mutations;
mod rate;
#[cfg(test)]
mod rate_test;
mod rates;
mod token_bucket;
mod window;

pub use accounts::{ACCOUNTS_MAX, Accounts, Measure};
pub use limits::{Account, Limits, Name};
pub use mutations::MutationQuota;
pub use rate::{Observed, Rate};
pub use rates::RateQuota;
pub use token_bucket::TokenBucket;
pub use window::Window;
