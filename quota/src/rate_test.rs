//! Rates as `org.apache.kafka.common.metrics.stats.Rate` gives them.

use crate::rate::{Observed, Rate};
use crate::window::Window;

fn window() -> Window {
    Window::new(11, 1)
}

#[test]
fn what_was_idle_may_burst_by_all_of_the_window_but_one_sample() {
    let mut rate = Rate::default();
    rate.record(window(), 10_000.0, 5_000);
    assert_eq!(rate.observe(window(), 5_000), Observed { per_second: 1000.0, window_ms: 10_000 });
    assert_eq!(rate.observe(window(), 5_500).window_ms, 10_500);
    assert_eq!(rate.observe(window(), 6_000).window_ms, 10_000);
    assert_eq!(rate.observe(window(), 15_500).window_ms, 10_500);
    assert_eq!(rate.observe(window(), 16_000), Observed { per_second: 0.0, window_ms: 10_000 });
}

#[test]
fn nothing_recorded_is_no_rate() {
    let observed = Rate::default().observe(window(), 77);
    assert_eq!(observed, Observed { per_second: 0.0, window_ms: 10_000 });
    assert_eq!(observed.throttle_time_ms(1.0), None);
}

#[test]
fn one_sample_alone_is_measured_over_a_millisecond_at_least() {
    let alone = Window::new(1, 1);
    let mut rate = Rate::default();
    rate.record(alone, 3.0, 0);
    assert_eq!(rate.observe(alone, 0), Observed { per_second: 3000.0, window_ms: 1 });
}

#[test]
fn who_waits_as_long_as_he_is_told_has_his_rate_in_the_long_run() {
    let mut rate = Rate::default();
    let mut now_ms = 0;
    for _ in 0..200 {
        rate.record(window(), 700.0, now_ms);
        let throttled_ms = rate.observe(window(), now_ms).throttle_time_ms(1000.0).unwrap_or(0);
        now_ms += throttled_ms.max(3);
    }
    // What came at once at first is waited for within the first window.
    assert!((133_000..141_000).contains(&now_ms), "{now_ms}");
}
