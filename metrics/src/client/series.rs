//! The latest values of what one client measures, within bounds.
//!
//! Kept true: a client's series take [`BYTES_MAX`] at most, as counted here; what does not fit is
//! counted, and a value that was taken stays until its series is forgotten.

use std::collections::BTreeMap;

use crate::otlp::{Number, Point};

/// What the series of one client may take.
pub const BYTES_MAX: usize = 256 * 1024;
/// What is kept of the attributes of a client's resource.
const RESOURCE_BYTES_MAX: usize = 1024;
/// What a series takes besides its name and attributes.
const OVERHEAD_BYTES: usize = 96;

/// One series: a metric with one set of attributes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    name: String,
    attributes: String,
}

#[derive(Debug)]
struct Latest {
    value: Number,
    at_ms: i64,
}

/// The series of one client.
#[derive(Debug, Default)]
pub struct Series {
    latest: BTreeMap<Key, Latest>,
    /// Attributes that all of them have.
    resource: String,
    bytes: usize,
    /// Points for which there was no room.
    unfit: u64,
}

impl Series {
    /// What all series have in common; only the beginning of what is very long.
    pub fn set_resource(&mut self, resource: &str) {
        self.bytes -= self.resource.len();
        resource[..resource.floor_char_boundary(RESOURCE_BYTES_MAX)].clone_into(&mut self.resource);
        self.bytes += self.resource.len();
    }

    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// A point arrived.
    pub fn record(&mut self, point: Point<'_>, now_ms: i64) {
        let Point { name, attributes, value, is_delta } = point;
        let key = Key { name: name.to_owned(), attributes };
        if let Some(latest) = self.latest.get_mut(&key) {
            let value = if is_delta { sum(latest.value, value) } else { value };
            *latest = Latest { value, at_ms: now_ms };
            return;
        }
        let bytes = bytes_of(&key);
        if self.bytes + bytes > BYTES_MAX {
            self.unfit = self.unfit.saturating_add(1);
            return;
        }
        self.bytes += bytes;
        self.latest.insert(key, Latest { value, at_ms: now_ms });
    }

    /// Forgets what has no value since then.
    pub fn forget_before(&mut self, at_ms: i64) {
        self.latest.retain(|_, latest| latest.at_ms >= at_ms);
        let latest: usize = self.latest.keys().map(bytes_of).sum();
        self.bytes = latest + self.resource.len();
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    pub fn count(&self) -> usize {
        self.latest.len()
    }

    /// Points for which there was no room.
    pub fn unfit(&self) -> u64 {
        self.unfit
    }

    /// `name{attributes}: value` of each, by name.
    pub fn shown(&self) -> impl Iterator<Item = String> {
        self.latest.iter().map(|(Key { name, attributes }, latest)| match latest.value {
            Number::Int(value) => format!("{name}{{{attributes}}}: {value}"),
            Number::Double(value) => format!("{name}{{{attributes}}}: {value}"),
        })
    }
}

fn bytes_of(key: &Key) -> usize {
    key.name.len() + key.attributes.len() + OVERHEAD_BYTES
}

fn sum(before: Number, more: Number) -> Number {
    let double = |number| match number {
        #[allow(clippy::cast_precision_loss)]
        Number::Int(int) => int as f64,
        Number::Double(double) => double,
    };
    match (before, more) {
        (Number::Int(before), Number::Int(more)) => Number::Int(before.saturating_add(more)),
        (before, more) => Number::Double(double(before) + double(more)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(name: &str, value: Number, is_delta: bool) -> Point<'_> {
        Point { name, attributes: "a=b".to_owned(), value, is_delta }
    }

    fn shown(series: &Series) -> Vec<String> {
        series.shown().collect()
    }

    #[test]
    fn deltas_add_up_and_everything_else_is_what_it_was_last() {
        let mut series = Series::default();
        for (int, double) in [(1, 0.5), (i64::MAX, 1.0), (5, 2.0)] {
            series.record(point("gauge", Number::Double(double), false), 1);
            series.record(point("ints", Number::Int(int), true), 1);
            series.record(point("doubles", Number::Double(double), true), 1);
        }
        series.record(point("mixed", Number::Int(1), true), 1);
        series.record(point("mixed", Number::Double(0.5), true), 1);
        assert_eq!(
            shown(&series),
            [
                "doubles{a=b}: 3.5",
                "gauge{a=b}: 2",
                "ints{a=b}: 9223372036854775807",
                "mixed{a=b}: 1.5"
            ]
        );
    }

    #[test]
    fn a_series_without_new_values_is_forgotten() {
        let mut series = Series::default();
        series.record(point("old", Number::Int(1), false), 100);
        series.record(point("new", Number::Int(1), false), 200);
        series.forget_before(200);
        assert_eq!((shown(&series), series.bytes()), (vec!["new{a=b}: 1".to_owned()], 102));
    }

    #[test]
    fn what_one_client_measures_takes_no_more_than_its_bytes() {
        let mut series = Series::default();
        for i in 0..100_000 {
            series.record(point(&format!("m{i}"), Number::Int(i), false), 1);
        }
        series.record(point(&"x".repeat(1 << 20), Number::Int(1), false), 1);
        assert!(series.bytes() <= BYTES_MAX && series.count() > 2000, "{}", series.count());
        assert_eq!(series.unfit(), 100_001 - series.count() as u64);
        series.record(point("m0", Number::Int(-1), false), 2);
        assert!(shown(&series).contains(&"m0{a=b}: -1".to_owned()), "known series go on");
    }
}
