//! OpenTelemetry's environment variables for metrics, as its specification reads them.
//!
//! ```text
//! OTEL_EXPORTER_OTLP_METRICS_ENDPOINT            as it is
//! OTEL_EXPORTER_OTLP_ENDPOINT                    with /v1/metrics behind it
//! OTEL_EXPORTER_OTLP_[METRICS_]HEADERS           name=value,name=value; values percent-encoded
//! OTEL_EXPORTER_OTLP_[METRICS_]TIMEOUT           of one request, in ms
//! OTEL_EXPORTER_OTLP_[METRICS_]CERTIFICATE       a file of PEM: whom an https: URL may be
//! OTEL_METRIC_EXPORT_INTERVAL                    in ms
//! OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES    whose metrics they are
//! OTEL_SDK_DISABLED=true, OTEL_METRICS_EXPORTER  off, or no otlp among them
//! ```
//! Pure. A value that is none is passed over with a warning, as the specification says.

use std::time::Duration;

use security::Secret;

/// Where the variables are.
pub(super) type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

const PATH: &str = "v1/metrics";

/// What is pushed, where to and how.
#[cfg_attr(not(feature = "otlp"), allow(dead_code))]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) url: String,
    pub(super) headers: Vec<(String, Secret)>,
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
    pub(super) certificate: Option<String>,
    /// Of the resource, besides those that the node knows itself.
    pub(super) attributes: Vec<(String, String)>,
}

/// Where metrics are to go, if anywhere.
pub(super) fn endpoint(variables: Variables<'_>) -> Option<String> {
    let given = |name: &str| {
        let text = variables(name).map(|text| text.trim().to_owned());
        text.filter(|text| !text.is_empty())
    };
    if given("OTEL_SDK_DISABLED").is_some_and(|word| word.eq_ignore_ascii_case("true")) {
        return None;
    }
    let exporters = given("OTEL_METRICS_EXPORTER").unwrap_or_else(|| "otlp".to_owned());
    if !exporters.split(',').any(|name| name.trim() == "otlp") {
        return None;
    }
    given("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT").or_else(|| {
        let base = given("OTEL_EXPORTER_OTLP_ENDPOINT")?;
        Some(format!("{}/{PATH}", base.trim_end_matches('/')))
    })
}

#[cfg_attr(not(feature = "otlp"), allow(dead_code))]
impl Settings {
    /// What the variables ask for, and what of them is passed over.
    pub(super) fn of(variables: Variables<'_>) -> Option<(Self, Vec<String>)> {
        let url = endpoint(variables)?;
        let mut warnings = Vec::new();
        // A variable of metrics goes before that of all signals.
        let own = |name: &str| {
            let of_metrics = variables(&format!("OTEL_EXPORTER_OTLP_METRICS_{name}"));
            let text = of_metrics.or_else(|| variables(&format!("OTEL_EXPORTER_OTLP_{name}")));
            text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
        };
        if let Some(protocol) = own("PROTOCOL").filter(|protocol| !protocol.starts_with("http/")) {
            warnings.push(format!(
                "OTEL_EXPORTER_OTLP_PROTOCOL={protocol} is not spoken here: {url} is asked by \
                 http/json, for which a collector has another port, usually 4318"
            ));
        }
        if let Some(name) = own("COMPRESSION").filter(|name| name != "none") {
            warnings.push(format!(
                "OTEL_EXPORTER_OTLP_COMPRESSION={name} is passed over: nothing is compressed"
            ));
        }
        let mut ms = |name: &str, text: Option<String>, usual: u64| {
            let Some(text) = text else { return Duration::from_millis(usual) };
            let number = text.trim().parse().ok().filter(|ms| *ms > 0);
            if number.is_none() {
                warnings.push(format!("{name}={text} is no number of ms: {usual} counts"));
            }
            Duration::from_millis(number.unwrap_or(usual))
        };
        let interval_name = "OTEL_METRIC_EXPORT_INTERVAL";
        let interval = ms(interval_name, variables(interval_name), 60_000);
        let timeout = ms("OTEL_EXPORTER_OTLP_TIMEOUT", own("TIMEOUT"), 10_000);
        let mut list = |name: &str, text: Option<String>| {
            let (pairs, others) = pairs(&text.unwrap_or_default());
            if others > 0 {
                warnings.push(format!("{name}: {others} of its elements are no name=value"));
            }
            pairs
        };
        let headers = list("OTEL_EXPORTER_OTLP_HEADERS", own("HEADERS"));
        let is_header = |(name, value): &(String, String)| {
            let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            name.bytes().all(is_of_name) && !value.chars().any(char::is_control)
        };
        let attributes = "OTEL_RESOURCE_ATTRIBUTES";
        let mut attributes = list(attributes, variables(attributes));
        let service = variables("OTEL_SERVICE_NAME").filter(|name| !name.trim().is_empty());
        if let Some(service) = service {
            attributes.retain(|(name, _)| name != "service.name");
            attributes.push(("service.name".to_owned(), service));
        }
        let headers = headers.into_iter().filter(is_header);
        let settings = Self {
            url,
            headers: headers.map(|(name, value)| (name, Secret::new(value))).collect(),
            interval,
            timeout,
            certificate: own("CERTIFICATE"),
            attributes,
        };
        Some((settings, warnings))
    }
}

/// `name=value,…`, percent-decoded; and how many elements are none.
#[cfg_attr(not(feature = "otlp"), allow(dead_code))]
fn pairs(text: &str) -> (Vec<(String, String)>, usize) {
    let mut others = 0;
    let elements = text.split(',').map(str::trim).filter(|element| !element.is_empty());
    let pairs = elements.filter_map(|element| {
        let pair = element.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
        let pair = pair.filter(|(name, _)| !name.is_empty());
        others += usize::from(pair.is_none());
        pair.map(|(name, value)| (name.to_owned(), decoded(value)))
    });
    (pairs.collect(), others)
}

/// Without `%41` and its like; what is none of them stays.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, others)) = rest.split_first() {
        let digits = others.get(..2).filter(|_| first == b'%');
        let byte = digits
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &others[2..] } else { others };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(given: &[(&str, &str)]) -> Option<(Settings, Vec<String>)> {
        Settings::of(&|name: &str| {
            given.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_is_pushed_unless_somebody_asks() {
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/");
        let own = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "https://other/push?a=b");
        for (given, url) in [
            (vec![], None),
            (vec![("OTEL_EXPORTER_OTLP_ENDPOINT", " ")], None),
            (vec![base], Some("http://collector:4318/v1/metrics")),
            (vec![base, own], Some(own.1)),
            (vec![base, ("OTEL_SDK_DISABLED", "True")], None),
            (vec![base, ("OTEL_METRICS_EXPORTER", "none")], None),
            (
                vec![base, ("OTEL_METRICS_EXPORTER", "prometheus, otlp")],
                Some("http://collector:4318/v1/metrics"),
            ),
        ] {
            assert_eq!(of(&given).map(|(settings, _)| settings.url).as_deref(), url, "{given:?}");
        }
    }

    #[test]
    fn variables_are_read_as_the_specification_says() {
        let (settings, warnings) = of(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=s3cret%20key, x = 1"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "500"),
            ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "700"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "5000"),
            ("OTEL_RESOURCE_ATTRIBUTES", "service.name=other,deployment.environment=a%2Cb"),
            ("OTEL_SERVICE_NAME", "orders"),
        ])
        .unwrap();
        assert_eq!(warnings, [""; 0]);
        assert_eq!(settings.interval, Duration::from_secs(5));
        assert_eq!(settings.timeout, Duration::from_millis(700));
        let headers: Vec<_> =
            settings.headers.iter().map(|(name, value)| (&**name, value.reveal())).collect();
        assert_eq!(headers, [("api-key", "s3cret key"), ("x", "1")]);
        let attributes: Vec<_> =
            settings.attributes.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(attributes, [("deployment.environment", "a,b"), ("service.name", "orders")]);
        assert!(!format!("{settings:?}").contains("s3cret"));
    }

    #[test]
    fn what_is_no_value_is_passed_over_and_said() {
        let (settings, warnings) = of(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "often"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a=b\u{7},c%0d%0ad=e,=x,y,f=%0d%0a,g=%zz"),
        ])
        .unwrap();
        assert_eq!(settings.interval, Duration::from_secs(60));
        let headers: Vec<_> =
            settings.headers.iter().map(|(name, value)| (&**name, value.reveal())).collect();
        assert_eq!(headers, [("g", "%zz")], "no header ends its line");
        let words = ["grpc is not spoken", "gzip is passed over", "often is no number", "2 of its"];
        assert_eq!(warnings.len(), words.len(), "{warnings:?}");
        assert!(warnings.iter().zip(words).all(|(said, words)| said.contains(words)));
    }
}
