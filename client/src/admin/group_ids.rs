//! The ids of all groups: every broker is asked for those it coordinates.
//!
//! Answers to `listGroups` as kafka-configs uses it.

use protocol::messages::ListGroupsRequest;

use super::error::check;
use super::{Admin, AdminError, CallTarget};

impl Admin {
    /// Every group's id, broker by broker.
    pub async fn group_ids(&mut self) -> Result<Vec<String>, AdminError> {
        self.check_brokers_asked()?;
        let nodes = self.describe_cluster(false).await?.nodes;
        let mut ids = Vec::new();
        for node in nodes {
            let mut call = self.call("listGroups", CallTarget::Node(node.id));
            loop {
                let answer = self.ask(&mut call, |_| ListGroupsRequest::default()).await?;
                match check(answer.error_code, None) {
                    // A coordinator that loads, or has moved, answers soon.
                    Err(error) if matches!(error.code(), Some(14 | 15)) => {
                        self.again(&mut call, error).await?;
                    }
                    Err(error) => return Err(error),
                    Ok(()) => {
                        ids.extend(answer.groups.iter().map(|group| group.group_id.to_string()));
                        break;
                    }
                }
            }
        }
        Ok(ids)
    }
}
