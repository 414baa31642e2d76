//! Figures as Java's performance tests of consumers print them.
//!
//! Pure. Answers to `ConsumerPerformance`, `ShareConsumerPerformance` and `ToolsUtils`.

pub(crate) fn megabytes(bytes: i64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}

/// `%.4f`, and Java's words for what is no number.
pub(crate) fn figure(value: f64) -> String {
    match value {
        value if value.is_nan() => "NaN".to_owned(),
        value if value.is_infinite() && value > 0.0 => "Infinity".to_owned(),
        value if value.is_infinite() => "-Infinity".to_owned(),
        value => format!("{value:.4}"),
    }
}

/// Names and values below each other, as `ToolsUtils.printMetrics` prints them.
pub(crate) fn metrics(client_id: &str, values: &[(&str, &str, f64)]) -> String {
    let name = |group: &str, name: &str| format!("{group}:{name}:{{client-id={client_id}}}");
    let mut lines: Vec<(String, f64)> =
        values.iter().map(|(group, metric, value)| (name(group, metric), *value)).collect();
    lines.sort_by(|a, b| a.0.cmp(&b.0));
    let width = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = format!("\n{:width$}   Value\n", "Metric Name");
    for (name, value) in lines {
        text.push_str(&format!("{name:width$} : {value:.3}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_stand_in_columns_sorted_by_name() {
        let text = metrics("c", &[("g", "longer", 2.0), ("g", "a", 1.5)]);
        let expected = "\nMetric Name              Value\ng:a:{client-id=c}      : 1.500\n\
                        g:longer:{client-id=c} : 2.000\n";
        assert_eq!(text, expected);
    }
}
