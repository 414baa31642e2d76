//! Numbers with a point as Java shows them. Answers to `Double.toString` and `Float.toString` of
//! JDK 19 and later.

/// Java has two digits at least, and takes those that lie nearest: `4.9E-324`, not `5.0E-324`.
pub(crate) fn java_float(value: f32) -> String {
    let (shortest, two) = (format!("{value:e}"), format!("{value:.1e}"));
    let is_two = shortest.len() < two.len() && two.parse() == Ok(value);
    java_decimal(if is_two { &two } else { &shortest }, f64::from(value))
}

pub(crate) fn java_double(value: f64) -> String {
    let (shortest, two) = (format!("{value:e}"), format!("{value:.1e}"));
    let is_two = shortest.len() < two.len() && two.parse() == Ok(value);
    java_decimal(if is_two { &two } else { &shortest }, value)
}

/// `Double.toString` (JDK 19 and later) of the shortest digits, which stand in `scientific`: plain
/// from a thousandth to ten millions, `d.dEn` beyond.
fn java_decimal(scientific: &str, value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity".to_owned() } else { "-Infinity".to_owned() };
    }
    let (sign, rest) = scientific.strip_prefix('-').map_or(("", scientific), |rest| ("-", rest));
    let (mantissa, exponent) = rest.split_once('e').unwrap_or((rest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let digits = match digits.trim_end_matches('0') {
        "" => "0",
        significant => significant,
    };
    let or_zero = |part: &str| if part.is_empty() { "0".to_owned() } else { part.to_owned() };
    match exponent {
        _ if value == 0.0 => format!("{sign}0.0"),
        0..=6 => {
            let whole = usize::try_from(exponent + 1).unwrap_or(1);
            let padded = format!("{digits:0<whole$}");
            let (before, after) = padded.split_at(whole);
            format!("{sign}{before}.{}", or_zero(after))
        }
        -3..=-1 => {
            let zeros = "0".repeat(usize::try_from(-1 - exponent).unwrap_or(0));
            format!("{sign}0.{zeros}{digits}")
        }
        _ => {
            let (first, after) = digits.split_at(1);
            format!("{sign}{first}.{}E{exponent}", or_zero(after))
        }
    }
}
