//! Damage that readers come upon, said once a minute for each place: a consumer that cannot get
//! past it asks again many times a second.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use storage::Corruption;

/// Between two lines about one place.
const INTERVAL: Duration = Duration::from_secs(60);
/// Places remembered; what is met beyond them is said when others are forgotten.
const PLACES_MAX: usize = 1000;

#[derive(Debug)]
struct Said {
    /// On the clock that only goes forward.
    at: Duration,
    met_since: u64,
}

/// What was said lately.
#[derive(Debug, Default)]
pub(super) struct Corruptions {
    said: HashMap<(PathBuf, u64), Said>,
}

impl Corruptions {
    /// A reader met this: how often others did since the last line, if there is one to write now.
    pub(super) fn met(&mut self, found: &Corruption, now: Duration) -> Option<u64> {
        let place = (found.path.clone(), found.position);
        if let Some(said) = self.said.get_mut(&place) {
            if now.saturating_sub(said.at) < INTERVAL {
                said.met_since += 1;
                return None;
            }
            said.at = now;
            return Some(std::mem::take(&mut said.met_since));
        }
        if self.said.len() >= PLACES_MAX {
            self.said.retain(|_, said| now.saturating_sub(said.at) < INTERVAL);
        }
        if self.said.len() >= PLACES_MAX {
            return None;
        }
        self.said.insert(place, Said { at: now, met_since: 0 });
        Some(0)
    }
}

/// The line itself.
pub(super) fn say(found: &Corruption, met_since: u64) {
    let name = found.log_name();
    let more = match met_since {
        0 => String::new(),
        count => format!(" ({count} more reads came upon it since this was last said)"),
    };
    tracing::error!(
        target: "kafka.server.ReplicaManager",
        "Error reading from partition {name}: {found}{more}",
    );
}

#[cfg(test)]
mod tests {
    use storage::CorruptionFault;

    use super::*;

    fn at(position: u64) -> Corruption {
        let path = PathBuf::from("/data/t-0/00000000000000000000.log");
        Corruption { path, position, fault: CorruptionFault::Length(0) }
    }

    #[test]
    fn a_place_is_named_once_a_minute_with_the_count_of_those_who_met_it() {
        let mut corruptions = Corruptions::default();
        let after = Duration::from_secs;
        assert_eq!(corruptions.met(&at(0), after(0)), Some(0));
        assert_eq!(corruptions.met(&at(0), after(1)), None);
        assert_eq!(corruptions.met(&at(0), after(59)), None);
        assert_eq!(corruptions.met(&at(7), after(59)), Some(0));
        assert_eq!(corruptions.met(&at(0), after(60)), Some(2));
        assert_eq!(corruptions.met(&at(0), after(120)), Some(0));
    }

    #[test]
    fn so_many_places_are_remembered_and_no_more() {
        let mut corruptions = Corruptions::default();
        let begin = Duration::from_secs(1);
        let said = (0..2000).filter(|at_byte| corruptions.met(&at(*at_byte), begin).is_some());
        assert_eq!(said.count(), PLACES_MAX);
        assert_eq!(corruptions.met(&at(5000), begin + INTERVAL), Some(0));
        assert_eq!(corruptions.said.len(), 1);
    }
}
