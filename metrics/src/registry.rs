//! All instruments of a node by their names.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::counter::Counter;
use crate::histogram::{Distribution, Histogram};
use crate::name::MetricName;

/// Says at what some value stands.
type Gauge = Arc<dyn Fn() -> i64 + Send + Sync>;

#[derive(Clone)]
enum Instrument {
    Counter(Arc<Counter>),
    Gauge(Gauge),
    Histogram(Arc<Histogram>),
}

/// Says how what comes and goes stands: partitions, groups.
type Collector = Arc<dyn Fn() -> Vec<(MetricName, Reading)> + Send + Sync>;

/// What an instrument said.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    Count(u64),
    Value(i64),
    /// A value with a fraction.
    Number(f64),
    Distribution(Distribution),
}

/// The instruments of one node. Its lock is that of making and finding them alone.
#[derive(Default)]
pub struct Registry {
    instruments: Mutex<BTreeMap<MetricName, Instrument>>,
    collectors: Mutex<Vec<Collector>>,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.lock().keys()).finish()
    }
}

impl Registry {
    /// The counter of this name.
    ///
    /// # Panics
    /// Where another kind of instrument has the name.
    pub fn counter(&self, name: MetricName) -> Arc<Counter> {
        match self.instrument(name.clone(), || Instrument::Counter(Arc::default())) {
            Instrument::Counter(counter) => counter,
            _ => panic!("{name} is no counter"),
        }
    }

    /// Has `value` asked whenever the metrics are read; it must not wait for anybody.
    ///
    /// # Panics
    /// Where there is an instrument of this name.
    pub fn gauge(&self, name: MetricName, value: impl Fn() -> i64 + Send + Sync + 'static) {
        let before = self.lock().insert(name.clone(), Instrument::Gauge(Arc::new(value)));
        assert!(before.is_none(), "{name} is there already");
    }

    /// The histogram of this name.
    ///
    /// # Panics
    /// Where another kind of instrument has the name.
    pub fn histogram(&self, name: MetricName) -> Arc<Histogram> {
        self.histogram_made(name, Histogram::default)
    }

    /// The histogram of this name, of as many values as `all` counts: a 0 need not be recorded.
    ///
    /// # Panics
    /// Where another kind of instrument has the name.
    pub fn histogram_among(&self, name: MetricName, all: &Arc<Counter>) -> Arc<Histogram> {
        self.histogram_made(name, || Histogram::among(Arc::clone(all)))
    }

    /// Has `collect` asked whenever the metrics are read, for those whose names come and go; it
    /// must not wait for anybody.
    pub fn collector(
        &self,
        collect: impl Fn() -> Vec<(MetricName, Reading)> + Send + Sync + 'static,
    ) {
        self.collectors().push(Arc::new(collect));
    }

    /// What each instrument says now, and what is collected, in the order of their names.
    pub fn read(&self) -> Vec<(MetricName, Reading)> {
        // Only the lists are copied under their locks.
        let (instruments, collectors) = (self.lock().clone(), self.collectors().clone());
        let read = |instrument| match instrument {
            Instrument::Counter(counter) => Reading::Count(counter.count()),
            Instrument::Gauge(value) => Reading::Value(value()),
            Instrument::Histogram(histogram) => Reading::Distribution(histogram.read()),
        };
        let read = instruments.into_iter().map(|(name, instrument)| (name, read(instrument)));
        let mut all: Vec<_> = read.chain(collectors.iter().flat_map(|collect| collect())).collect();
        all.sort_by(|(one, _), (other, _)| one.cmp(other));
        all
    }

    fn histogram_made(&self, name: MetricName, make: impl FnOnce() -> Histogram) -> Arc<Histogram> {
        match self.instrument(name.clone(), || Instrument::Histogram(Arc::new(make()))) {
            Instrument::Histogram(histogram) => histogram,
            _ => panic!("{name} is no histogram"),
        }
    }

    fn instrument(&self, name: MetricName, make: impl FnOnce() -> Instrument) -> Instrument {
        self.lock().entry(name).or_insert_with(make).clone()
    }

    fn collectors(&self) -> MutexGuard<'_, Vec<Collector>> {
        self.collectors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<MetricName, Instrument>> {
        // Whoever panicked has left the list whole: it is changed by one call.
        self.instruments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(name: &'static str) -> MetricName {
        MetricName::new("kafka.server", "Test", name)
    }

    #[test]
    fn one_name_is_one_instrument_and_all_are_read_in_order() {
        let registry = Registry::default();
        registry.counter(name("b")).add(3);
        registry.counter(name("b")).add(4);
        registry.gauge(name("a"), || -3);
        registry.counter(name("b").with_tag("topic", "t")).add(1);
        registry.histogram(name("c")).record(9);
        let read = registry.read();
        let names: Vec<String> = read.iter().map(|(name, _)| name.to_string()).collect();
        let of = |name: &str| format!("kafka.server:type=Test,name={name}");
        assert_eq!(names, ["a", "b", "b,topic=t", "c"].map(of));
        let readings: Vec<&Reading> = read.iter().map(|(_, reading)| reading).collect();
        assert_eq!(readings[..3], [&Reading::Value(-3), &Reading::Count(7), &Reading::Count(1)]);
        assert!(matches!(readings[3], Reading::Distribution(read) if read.max == 9));
    }

    #[test]
    #[should_panic(expected = "name=a is no histogram")]
    fn a_name_of_another_kind_is_a_bug() {
        let registry = Registry::default();
        registry.counter(name("a"));
        registry.histogram(name("a"));
    }

    #[test]
    #[should_panic(expected = "name=a is there already")]
    fn a_value_has_one_who_says_it() {
        let registry = Registry::default();
        registry.gauge(name("a"), || 1);
        registry.gauge(name("a"), || 2);
    }

    #[test]
    fn counts_of_many_threads_add_up_while_somebody_reads() {
        let registry = Registry::default();
        let (counter, histogram) = (registry.counter(name("a")), registry.histogram(name("b")));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for value in 0..10_000 {
                        counter.add(2);
                        histogram.record(value);
                    }
                });
            }
            let mut last = 0;
            while last < 80_000 {
                let (_, reading) = registry.read().swap_remove(0);
                let Reading::Count(count) = reading else { panic!("{reading:?}") };
                assert!(count >= last);
                last = count;
            }
        });
        assert_eq!(histogram.read().count, 40_000);
        assert_eq!(histogram.read().sum, 4 * 49_995_000);
    }
}
