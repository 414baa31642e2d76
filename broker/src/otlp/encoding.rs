//! Families of readings as requests of OTLP: `ExportMetricsServiceRequest` of opentelemetry-proto
//! in the JSON encoding of OTLP/HTTP.
//!
//! ```text
//! {"resourceMetrics":[{"resource":{"attributes":[…]},"scopeMetrics":[{"scope":{"name":"gregor"},
//!   "metrics":[{"name":…,"sum":{"dataPoints":[…],"aggregationTemporality":2,"isMonotonic":true}},
//!              {"name":…,"gauge":{"dataPoints":[…]}},
//!              {"name":…,"summary":{"dataPoints":[…]}}]}]}]}
//! ```
//! 64-bit integers are texts and enumerations numbers, as that encoding has them. Kept true: a
//! request has no more points than it is told.

use std::fmt::Write as _;

use metrics::{Distribution, Family, FamilyKind, MetricName, QUANTILES, Reading};

/// AGGREGATION_TEMPORALITY_CUMULATIVE
const CUMULATIVE: u8 = 2;

/// What is the same for all points of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Surroundings {
    /// Of the resource.
    pub(super) attributes: Vec<(String, String)>,
    /// Since when counters count, in ns since 1970.
    pub(super) started_ns: u64,
    pub(super) now_ns: u64,
}

/// The families in parts of no more points than that; a family may be in several.
pub(super) fn parts<'a>(families: Vec<Family<'a>>, points_max: usize) -> Vec<Vec<Family<'a>>> {
    let mut parts: Vec<Vec<Family<'a>>> = Vec::new();
    let mut left = 0;
    for family in families {
        let mut rest = family.members;
        while !rest.is_empty() {
            if left == 0 {
                parts.push(Vec::new());
                left = points_max.max(1);
            }
            let (members, others) = rest.split_at(rest.len().min(left));
            if let Some(part) = parts.last_mut() {
                part.push(Family { name: family.name.clone(), kind: family.kind, members });
            }
            left -= members.len();
            rest = others;
        }
    }
    parts
}

/// One request.
pub(super) fn request(families: &[Family<'_>], around: &Surroundings) -> String {
    let mut json = String::from(r#"{"resourceMetrics":[{"resource":{"attributes":"#);
    let attributes = around.attributes.iter();
    write_attributes(&mut json, attributes.map(|(name, value)| (name.as_str(), value.as_str())));
    json.push_str(r#"},"scopeMetrics":[{"scope":{"name":"gregor"},"metrics":["#);
    for (index, family) in families.iter().enumerate() {
        separate(&mut json, index);
        write_family(&mut json, family, around);
    }
    json.push_str("]}]}]}");
    json
}

fn write_family(json: &mut String, family: &Family<'_>, around: &Surroundings) {
    json.push_str(r#"{"name":"#);
    write_text(json, &family.name);
    let (kind, more) = match family.kind {
        FamilyKind::Counter => {
            let more = format!(r#","aggregationTemporality":{CUMULATIVE},"isMonotonic":true"#);
            ("sum", more)
        }
        FamilyKind::Gauge => ("gauge", String::new()),
        FamilyKind::Summary => ("summary", String::new()),
    };
    push(json, format_args!(r#","{kind}":{{"dataPoints":["#));
    for (index, (name, reading)) in family.members.iter().enumerate() {
        separate(json, index);
        write_point(json, name, reading, family.kind, around);
    }
    push(json, format_args!("]{more}}}}}"));
}

fn write_point(
    json: &mut String,
    name: &MetricName,
    reading: &Reading,
    kind: FamilyKind,
    around: &Surroundings,
) {
    json.push_str(r#"{"attributes":"#);
    write_attributes(json, name.tags().iter().map(|(key, value)| (*key, value.as_str())));
    if kind != FamilyKind::Gauge {
        push(json, format_args!(r#","startTimeUnixNano":"{}""#, around.started_ns));
    }
    push(json, format_args!(r#","timeUnixNano":"{}","#, around.now_ns));
    match reading {
        Reading::Count(count) => {
            // The protocol's integers have a sign.
            let count = i64::try_from(*count).unwrap_or(i64::MAX);
            push(json, format_args!(r#""asInt":"{count}"}}"#));
        }
        Reading::Value(value) => push(json, format_args!(r#""asInt":"{value}"}}"#)),
        Reading::Number(number) => {
            json.push_str(r#""asDouble":"#);
            write_number(json, *number);
            json.push('}');
        }
        Reading::Distribution(read) => write_summary(json, read),
    }
}

fn write_summary(json: &mut String, read: &Distribution) {
    let Distribution { count, sum, .. } = read;
    push(json, format_args!(r#""count":"{count}","sum":{sum},"quantileValues":["#));
    for (index, (_, share)) in QUANTILES.iter().enumerate() {
        separate(json, index);
        let value = read.quantile(*share);
        push(json, format_args!(r#"{{"quantile":{share},"value":{value}}}"#));
    }
    json.push_str("]}");
}

fn write_attributes<'a>(json: &mut String, attributes: impl Iterator<Item = (&'a str, &'a str)>) {
    json.push('[');
    for (index, (key, value)) in attributes.enumerate() {
        separate(json, index);
        json.push_str(r#"{"key":"#);
        write_text(json, key);
        json.push_str(r#","value":{"stringValue":"#);
        write_text(json, value);
        json.push_str("}}");
    }
    json.push(']');
}

fn separate(json: &mut String, index: usize) {
    if index > 0 {
        json.push(',');
    }
}

fn push(json: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String does not fail.
    let _ = json.write_fmt(text);
}

/// What is no number in JSON has a name in that of protocol buffers.
fn write_number(json: &mut String, number: f64) {
    match number {
        number if number.is_finite() => push(json, format_args!("{number}")),
        number if number.is_nan() => json.push_str(r#""NaN""#),
        number if number > 0.0 => json.push_str(r#""Infinity""#),
        _ => json.push_str(r#""-Infinity""#),
    }
}

fn write_text(json: &mut String, text: &str) {
    json.push('"');
    for letter in text.chars() {
        match letter {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str(r"\\"),
            letter if letter < ' ' => push(json, format_args!("\\u{:04x}", u32::from(letter))),
            letter => json.push(letter),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    use metrics::{Registry, families};

    use super::*;

    fn name(name: &'static str) -> MetricName {
        MetricName::new("kafka.server", "Test", name)
    }

    fn around() -> Surroundings {
        let attributes = vec![("service.name".to_owned(), "gre\"gor".to_owned())];
        Surroundings { attributes, started_ns: 5, now_ns: 1_000_000_000_000_000_007 }
    }

    const HEAD: &str = concat!(
        r#"{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","#,
        r#""value":{"stringValue":"gre\"gor"}}]},"#,
        r#""scopeMetrics":[{"scope":{"name":"gregor"},"metrics":["#
    );

    /// The metrics of one request for these readings.
    fn encoded(readings: &[(MetricName, Reading)]) -> String {
        let request = request(&families(readings), &around());
        let metrics = request.strip_prefix(HEAD).unwrap_or_else(|| panic!("{request}"));
        metrics.strip_suffix("]}]}]}").unwrap_or_else(|| panic!("{request}")).to_owned()
    }

    const NOW: &str = r#""timeUnixNano":"1000000000000000007""#;

    #[test]
    fn each_kind_of_reading_has_its_form() {
        let point = |reading| encoded(&[(name("x").with_tag("topic", "a\\b\n"), reading)]);
        let tag = r#""attributes":[{"key":"topic","value":{"stringValue":"a\\b\u000a"}}]"#;
        let sum = [
            r#"{"name":"kafka_server_test_x_total","sum":{"dataPoints":[{"#,
            tag,
            r#","startTimeUnixNano":"5","#,
            NOW,
            r#","asInt":"9223372036854775807"}],"aggregationTemporality":2,"isMonotonic":true}}"#,
        ];
        assert_eq!(point(Reading::Count(u64::MAX)), sum.concat());
        for (reading, value) in [
            (Reading::Value(-3), r#""asInt":"-3""#),
            (Reading::Number(0.5), r#""asDouble":0.5"#),
            (Reading::Number(f64::NAN), r#""asDouble":"NaN""#),
            (Reading::Number(f64::NEG_INFINITY), r#""asDouble":"-Infinity""#),
        ] {
            let gauge = r#"{"name":"kafka_server_test_x","gauge":{"dataPoints":[{"#;
            let gauge = [gauge, tag, ",", NOW, ",", value, "}]}}"].concat();
            assert_eq!(point(reading), gauge);
        }
        let seconds = MetricName::new("process", "cpu", "seconds_total");
        let seconds = encoded(&[(seconds, Reading::Number(2.5))]);
        assert!(seconds.starts_with(r#"{"name":"process_cpu_seconds_total","sum":"#), "{seconds}");
        assert!(seconds.contains(r#""asDouble":2.5}"#) && seconds.contains("isMonotonic"));
    }

    #[test]
    fn a_distribution_is_a_summary_of_the_pages_quantiles() {
        let registry = Registry::default();
        let times = registry.histogram(name("TimeMs"));
        (1..=4).for_each(|ms| times.record(ms));
        let quantiles = [(0.5, 2), (0.75, 3), (0.95, 4), (0.98, 4), (0.99, 4), (0.999, 4)];
        let quantiles =
            quantiles.map(|(share, value)| format!(r#"{{"quantile":{share},"value":{value}}}"#));
        let summary = [
            r#"{"name":"kafka_server_test_timems","summary":{"dataPoints":[{"attributes":[],"#,
            r#""startTimeUnixNano":"5","#,
            NOW,
            r#","count":"4","sum":10,"quantileValues":["#,
            &quantiles.join(","),
            "]}]}}",
        ];
        assert_eq!(encoded(&registry.read()), summary.concat());
    }

    #[test]
    fn no_request_has_more_points_than_it_may() {
        let of = |at: usize| (name("x").with_tag("partition", at.to_string()), Reading::Count(1));
        let mut readings: Vec<_> = (0..7).map(of).collect();
        readings
            .extend((0..3).map(|at| (name("y").with_tag("p", at.to_string()), Reading::Value(1))));
        for (points_max, expected) in [
            (100, vec![vec![7, 3]]),
            (10, vec![vec![7, 3]]),
            (8, vec![vec![7, 1], vec![2]]),
            (3, vec![vec![3], vec![3], vec![1, 2], vec![1]]),
        ] {
            let parts = parts(families(&readings), points_max);
            let sizes: Vec<Vec<usize>> = parts
                .iter()
                .map(|part| part.iter().map(|family| family.members.len()).collect())
                .collect();
            assert_eq!(sizes, expected, "{points_max}");
        }
        assert!(parts(Vec::new(), 3).is_empty());
    }
}
