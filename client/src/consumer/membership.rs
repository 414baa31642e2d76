//! A consumer as a member of its group: when it joins, what it joins with, when it commits.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::ErrorCode;
use tokio::time::Instant;

use super::group::{self, Ended, Joined};
use super::partitions::Place;
use super::tasks::Event;
use super::{Consumer, ConsumerError, GroupProtocol, Phase, Polled, Topics};
use crate::metadata::ClusterView;

impl Consumer {
    /// Looks at what the metadata says of the topics, when there is something new.
    pub(super) fn look_at_topics(&mut self) -> Result<Option<Polled>, ConsumerError> {
        let view = self.cluster.view();
        if view.version == self.checked_view {
            return Ok(None);
        }
        self.checked_view = view.version;
        self.check_topics(&view)?;
        if !matches!(self.phase, Phase::Member(_)) {
            return Ok(None);
        }
        if self.settings.protocol == GroupProtocol::Consumer {
            self.say_topics(self.wanted_topics(&view));
            return Ok(self.reconcile());
        }
        let is_outgrown = self.counts.as_ref().is_some_and(|counts| is_outgrown(counts, &view));
        if is_outgrown || self.wanted_topics(&view) != self.joined_topics {
            return Ok(self.rejoin());
        }
        Ok(None)
    }

    fn check_topics(&self, view: &ClusterView) -> Result<(), ConsumerError> {
        let assigned = self.partitions.all().iter().map(|partition| &*partition.topic);
        let named: Vec<&str> = match &self.topics {
            Some(Topics::Named(names)) => names.iter().map(String::as_str).collect(),
            Some(Topics::Matching(_)) => Vec::new(),
            None => assigned.collect(),
        };
        for name in named {
            match view.topic_error(name) {
                Some(code) if code == ErrorCode::TopicAuthorizationFailed.code() => {
                    return Err(ConsumerError::TopicAuthorization(name.to_owned()));
                }
                Some(code) if code == ErrorCode::InvalidTopicException.code() => {
                    return Err(ConsumerError::InvalidTopic(name.to_owned()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn wanted_topics(&self, view: &ClusterView) -> Vec<String> {
        match &self.topics {
            Some(Topics::Named(names)) => names.clone(),
            Some(Topics::Matching(fits)) => {
                let is_seen = |is_internal: bool| {
                    !(is_internal && self.settings.is_excluding_internal_topics)
                };
                let seen = view.topics().filter(|topic| is_seen(topic.is_internal));
                seen.map(|topic| topic.name.clone()).filter(|name| fits(name)).collect()
            }
            None => Vec::new(),
        }
    }

    /// Begins a join where the consumer should be a member and is none.
    pub(super) fn join(&mut self) {
        let view = self.cluster.view();
        // A pattern means nothing before every topic is known.
        let is_known = match &self.topics {
            Some(Topics::Matching(_)) => view.lists_all,
            _ => view.version > 0,
        };
        if !matches!(self.phase, Phase::Outside) || !is_known {
            return;
        }
        let Some(group) = self.group.clone() else { return };
        if self.settings.protocol == GroupProtocol::Consumer {
            let wanted = self.wanted_topics(&view);
            return self.join_consumer_group(group, wanted);
        }
        self.joined_topics = self.wanted_topics(&view);
        let topics = self.joined_topics.clone();
        let uncommitted = std::mem::take(&mut self.uncommitted);
        let sender = self.sender.clone();
        let task = tokio::spawn(async move {
            if !uncommitted.is_empty() {
                let _ = group::commit(Arc::clone(&group), uncommitted).await;
            }
            let joined = group::join(group, topics).await;
            let _ = sender.send(Event::Joined(joined));
        });
        self.phase = Phase::Joining(task.abort_handle());
    }

    pub(super) fn take_joined(
        &mut self,
        joined: Result<Joined, ConsumerError>,
    ) -> Result<Option<Polled>, ConsumerError> {
        let Some(group) = self.group.clone() else { return Ok(None) };
        let joined = joined.inspect_err(|_| self.phase = Phase::Outside)?;
        self.counts = joined.counts;
        self.done.joins += 1;
        self.partitions.assign(joined.partitions.clone(), Place::Committed);
        self.is_locating = false;
        self.last_commit = Instant::now();
        let sender = self.sender.clone();
        let task = tokio::spawn(async move {
            let ended = group::heartbeats(group).await;
            let _ = sender.send(Event::HeartbeatsEnded(ended));
        });
        self.phase = Phase::Member(task.abort_handle());
        Ok(Some(Polled::Assigned(joined.partitions)))
    }

    pub(super) fn take_ended(&mut self, ended: Ended) -> Result<Option<Polled>, ConsumerError> {
        match ended {
            Ended::Rejoin | Ended::TooSlow => Ok(self.rejoin()),
            Ended::Failed(error) => {
                self.phase = Phase::Outside;
                Err(error)
            }
        }
    }

    /// Gives up the partitions and joins anew.
    fn rejoin(&mut self) -> Option<Polled> {
        if let Phase::Member(heartbeats) = &self.phase {
            heartbeats.abort();
        }
        self.phase = Phase::Outside;
        if self.settings.is_auto_committing {
            self.uncommitted = self.partitions.positions();
        }
        let revoked = self.partitions.all().to_vec();
        self.partitions.assign(Vec::new(), Place::Committed);
        (!revoked.is_empty()).then_some(Polled::Revoked(revoked))
    }

    /// Commits in the background what was handed out before this poll, every so often.
    pub(super) fn auto_commit(&mut self) {
        let is_due = self.last_commit.elapsed() >= self.settings.auto_commit_interval;
        let is_member = matches!(self.phase, Phase::Member(_));
        if !is_member || !is_due || self.is_committing || !self.settings.is_auto_committing {
            return;
        }
        self.last_commit = Instant::now();
        let positions = self.partitions.positions();
        let Some(group) = self.group.clone() else { return };
        if positions.is_empty() {
            return;
        }
        self.is_committing = true;
        let sender = self.sender.clone();
        tokio::spawn(async move {
            let _ = group::commit(group, positions).await;
            let _ = sender.send(Event::AutoCommitted);
        });
    }
}

/// Whether topics have come, gone or grown since the leader assigned their partitions.
fn is_outgrown(counts: &BTreeMap<String, i32>, view: &ClusterView) -> bool {
    counts.iter().any(|(topic, count)| {
        let now = view.topic(topic).map(|topic| topic.partitions.len());
        now.is_some_and(|now| i32::try_from(now) != Ok(*count))
    })
}
