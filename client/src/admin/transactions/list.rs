//! The transactional ids that each broker coordinates.
//!
//! Answers to `listTransactions` (`ListTransactionsHandler`, `AllBrokersStrategy`).

use protocol::messages::{
    ListTransactionsRequest, ListTransactionsResponse, MetadataRequest, ProducerId,
};
use protocol::wire::StrBytes;

use super::TransactionState;
use crate::admin::error::known;
use crate::admin::{Admin, AdminError, CallTarget, cluster};

const LOAD_IN_PROGRESS: i16 = 14;
const NOT_AVAILABLE: i16 = 15;
const CALL: &str = "listTransactions(api=LIST_TRANSACTIONS)";

/// Which transactions are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TransactionFilter {
    /// An empty list wants all.
    pub producer_ids: Vec<i64>,
    /// Longer than this many milliseconds; a negative number wants all.
    pub duration: Option<i64>,
    /// A regular expression of the broker's language; an empty one wants all.
    pub pattern: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionListing {
    pub transactional_id: String,
    pub producer_id: i64,
    pub state: TransactionState,
}

impl TransactionFilter {
    /// The versions that are needed to say it, and what Kafka's client says where a broker has
    /// them not, in the order in which it looks.
    fn needed_versions(&self) -> Vec<(i16, &'static str)> {
        let duration = self.duration.filter(|duration| *duration >= 0).map(|_| {
            (
                1,
                "Duration filter can be set only when using API version 1 or higher. If client is \
                 connected to an older broker, do not specify duration filter or set duration \
                 filter to -1.",
            )
        });
        let pattern = self.pattern.as_ref().filter(|pattern| !pattern.is_empty()).map(|_| {
            (
                2,
                "Transactional ID pattern filter can be set only when using API version 2 or \
                 higher. If client is connected to an older broker, do not specify the pattern \
                 filter.",
            )
        });
        duration.into_iter().chain(pattern).collect()
    }

    fn question(&self) -> ListTransactionsRequest {
        let pattern = self.pattern.clone().filter(|pattern| !pattern.is_empty());
        ListTransactionsRequest::default()
            .with_producer_id_filters(self.producer_ids.iter().copied().map(ProducerId).collect())
            .with_duration_filter(self.duration.unwrap_or(-1).max(-1))
            .with_transactional_id_pattern(pattern.map(StrBytes::from_string))
    }
}

impl Admin {
    /// What each broker coordinates, in the order in which the cluster names them. The first broker
    /// that fails fails the call.
    pub async fn list_transactions(
        &mut self,
        filter: &TransactionFilter,
    ) -> Result<Vec<(i32, Vec<TransactionListing>)>, AdminError> {
        let mut call = self.call("listTransactions(api=METADATA)", CallTarget::AnyNode);
        let question = |_| MetadataRequest::default().with_topics(Some(Vec::new()));
        let answer = self.ask(&mut call, question).await?;
        let mut listed = Vec::new();
        for node in cluster::nodes_of_metadata(&answer) {
            listed.push((node.id, self.transactions_of(node.id, filter).await?));
        }
        Ok(listed)
    }

    async fn transactions_of(
        &mut self,
        node: i32,
        filter: &TransactionFilter,
    ) -> Result<Vec<TransactionListing>, AdminError> {
        let needed = filter.needed_versions();
        let least = needed.last().map_or(0, |(version, _)| *version);
        let mut call = self.call(CALL, CallTarget::Node(node)).versions(least..=i16::MAX);
        loop {
            let answer = match self.ask(&mut call, |_| filter.question()).await {
                Err(AdminError::UnsupportedVersion { api }) => {
                    return Err(self.why_unsupported(node, &needed, api).await);
                }
                answer => answer?,
            };
            match judge(node, answer.error_code) {
                Some(error) if answer.error_code == LOAD_IN_PROGRESS => {
                    self.again(&mut call, error).await?;
                }
                Some(error) => return Err(error),
                None => return Ok(listings(&answer)),
            }
        }
    }

    /// Whether a broker lacks the call or the version that a filter needs, found out by what it
    /// answers.
    async fn why_unsupported(
        &mut self,
        node: i32,
        needed: &[(i16, &'static str)],
        api: String,
    ) -> AdminError {
        let mut before = None;
        for (version, words) in [(0, "")].iter().chain(needed) {
            let mut call = self.call(CALL, CallTarget::Node(node)).versions(*version..=i16::MAX);
            let asked = self.ask(&mut call, |_| ListTransactionsRequest::default()).await;
            match (asked, before) {
                (Ok(_), _) => before = Some(*version),
                (Err(_), Some(_)) => return AdminError::NoFilter(words),
                (Err(error), None) => return error,
            }
        }
        AdminError::UnsupportedVersion { api }
    }
}

fn judge(node: i32, code: i16) -> Option<AdminError> {
    let why = match code {
        0 => return None,
        NOT_AVAILABLE => "because the coordinator is shutting down",
        LOAD_IN_PROGRESS => known(code).message,
        _ => "with an unexpected exception",
    };
    let message = format!("ListTransactions request sent to broker {node} failed {why}");
    Some(AdminError::Answer { code, message })
}

fn listings(answer: &ListTransactionsResponse) -> Vec<TransactionListing> {
    let listed = answer.transaction_states.iter().map(|state| TransactionListing {
        transactional_id: state.transactional_id.to_string(),
        producer_id: state.producer_id.0,
        state: TransactionState::parse(&state.transaction_state),
    });
    listed.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(duration: Option<i64>, pattern: Option<&str>) -> TransactionFilter {
        TransactionFilter { duration, pattern: pattern.map(str::to_owned), ..Default::default() }
    }

    #[test]
    fn filters_need_the_version_that_has_them() {
        let needed = |filter: TransactionFilter| {
            let versions = filter.needed_versions().into_iter().map(|(version, _)| version);
            versions.collect::<Vec<i16>>()
        };
        assert_eq!(needed(TransactionFilter::default()), [0_i16; 0]);
        assert_eq!(needed(filter(Some(-1), Some(""))), [0_i16; 0]);
        assert_eq!(needed(filter(Some(0), Some("a"))), [1, 2]);
        assert_eq!(needed(filter(None, Some("a"))), [2]);
        let question = filter(Some(-7), Some("")).question();
        assert_eq!((question.duration_filter, question.transactional_id_pattern), (-1, None));
    }

    #[test]
    fn what_a_broker_says_is_worded_as_by_kafka() {
        let said = |code| judge(3, code).map(|error| error.to_string());
        assert_eq!(said(0), None);
        for (code, words) in
            [(15, "because the coordinator is shutting down"), (53, "with an unexpected exception")]
        {
            let expected = format!("ListTransactions request sent to broker 3 failed {words}");
            assert_eq!(said(code), Some(expected));
        }
    }
}
