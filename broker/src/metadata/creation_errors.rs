//! What went wrong with the creation of internal topics, for a while.
//!
//! Bounded: beyond its room the errors that would be forgotten first go first. Kafka:
//! `ExpiringErrorCache`.

use std::collections::BTreeMap;
use std::time::Instant;

/// As many as Kafka keeps.
const MOST: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct CreationErrors {
    by_topic: BTreeMap<String, (String, Instant)>,
}

impl CreationErrors {
    pub(super) fn keep(&mut self, topic: String, words: String, until: Instant) {
        self.by_topic.insert(topic, (words, until));
        while self.by_topic.len() > MOST {
            let first = self.by_topic.iter().min_by_key(|(_, (_, until))| *until);
            let Some(first) = first.map(|(topic, _)| topic.clone()) else { return };
            self.by_topic.remove(&first);
        }
    }

    /// What went wrong with this topic, unless that is long ago.
    pub(super) fn of(&self, topic: &str, now: Instant) -> Option<&str> {
        let (words, until) = self.by_topic.get(topic)?;
        (now < *until).then_some(words.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_error_is_kept_for_its_time_and_the_next_one_takes_its_place() {
        let (now, mut errors) = (Instant::now(), CreationErrors::default());
        let later = now + Duration::from_secs(10);
        errors.keep("a".to_owned(), "no room".to_owned(), later);
        assert_eq!(errors.of("a", now), Some("no room"));
        assert_eq!(errors.of("a", later), None);
        assert_eq!(errors.of("b", now), None);
        errors.keep("a".to_owned(), "no leave".to_owned(), later);
        assert_eq!(errors.of("a", now), Some("no leave"));
    }

    #[test]
    fn those_that_end_first_make_room() {
        let (now, mut errors) = (Instant::now(), CreationErrors::default());
        for index in 0..=MOST {
            let until = now + Duration::from_secs(1 + index as u64);
            errors.keep(format!("t{index}"), String::new(), until);
        }
        assert_eq!((errors.of("t0", now), errors.of("t1", now)), (None, Some("")));
    }
}
