//! Dates (`2026-01-31T12:34:56.789`, with or without a zone) and durations (`P1DT2H`) as people
//! type them for offsets.
//!
//! Answers to `Utils.getDateTime` and `java.time.Duration.parse`. Pure.

/// Milliseconds since 1970; what Java's `ParseException` says where it is no date.
pub(crate) fn date_millis(text: &str) -> Result<i64, String> {
    let mut parts = text.split('T');
    let (Some(_), Some(time)) = (parts.next(), parts.next().filter(|time| !time.is_empty())) else {
        return Err("Error parsing timestamp. It does not contain a 'T' according to ISO8601 \
                    format"
            .to_owned());
    };
    let with_zone = match time.contains(['+', '-', 'Z']) {
        true => text.to_owned(),
        false => format!("{text}Z"),
    };
    millis(&with_zone).ok_or_else(|| format!("Unparseable date: \"{with_zone}\""))
}

/// Reads `yyyy-MM-ddTHH:mm:ss.SSS` and a zone; what stands behind it is passed over, as by Java's
/// `SimpleDateFormat`.
fn millis(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut fields = [0_i64; 7];
    for (field, end) in fields.iter_mut().zip(["-", "-", "T", ":", ":", ".", ""]) {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        *field = number.parse().ok()?;
        rest = after.strip_prefix(end)?;
    }
    let [year, month, day, hour, minute, second, milli] = fields;
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let month_days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    let is_there = (1..=month_days).contains(&day) && (1..=9999).contains(&year);
    if !is_there || hour > 23 || minute > 59 || second > 59 || milli > 999 {
        return None;
    }
    let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
    Some((seconds - zone_seconds(rest)?) * 1000 + milli)
}

/// `Z`, `+02:00` or `+02`: how far ahead of UTC.
fn zone_seconds(text: &str) -> Option<i64> {
    let mut letters = text.chars();
    let sign = match letters.next()? {
        'Z' => return Some(0),
        '+' => 1,
        '-' => -1,
        _ => return None,
    };
    let two = |text: &str| -> Option<i64> {
        let digits = text.get(..2)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
    };
    let rest = letters.as_str();
    let hours = two(rest).filter(|hours| *hours <= 23)?;
    let minutes = rest.get(2..).and_then(|rest| rest.strip_prefix(':')).and_then(two);
    let minutes = minutes.filter(|minutes| *minutes <= 59).unwrap_or(0);
    Some(sign * (hours * 60 + minutes) * 60)
}

/// Days since 1970 of a date of the Gregorian calendar, whose years begin with March here.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Milliseconds of an ISO 8601 duration, rounded up; nothing where it is none.
pub(crate) fn duration_millis(text: &str) -> Option<i64> {
    let upper = text.to_ascii_uppercase();
    let (is_negative, rest) = match upper.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, upper.strip_prefix('+').unwrap_or(&upper)),
    };
    let rest = rest.strip_prefix('P')?;
    let (date, time) = match rest.split_once('T') {
        Some((date, time)) if !time.is_empty() => (date, time),
        Some(_) => return None,
        None => (rest, ""),
    };
    let mut nanos: i128 = 0;
    let mut is_any = false;
    let units: [(&str, char, i128); 4] =
        [(date, 'D', 86_400), (time, 'H', 3600), (time, 'M', 60), (time, 'S', 1)];
    let (mut date_left, mut time_left) = (date, time);
    for (_, unit, seconds) in units {
        let left = if unit == 'D' { &mut date_left } else { &mut time_left };
        let Some((number, after)) = left.split_once(unit) else { continue };
        nanos += amount(number, unit == 'S')? * seconds;
        (*left, is_any) = (after, true);
    }
    if !is_any || !date_left.is_empty() || !time_left.is_empty() {
        return None;
    }
    let nanos = if is_negative { -nanos } else { nanos };
    i64::try_from(-(-nanos).div_euclid(1_000_000)).ok()
}

/// Nanoseconds of so many seconds; a fraction where one may stand.
fn amount(number: &str, may_have_fraction: bool) -> Option<i128> {
    let (whole, fraction) = match number.split_once(['.', ',']) {
        Some((whole, fraction)) if may_have_fraction => (whole, fraction),
        Some(_) => return None,
        None => (number, ""),
    };
    let digits = whole.strip_prefix(['-', '+']).unwrap_or(whole);
    let is_number = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if digits.is_empty() || !is_number(digits) || fraction.len() > 9 || !is_number(fraction) {
        return None;
    }
    let whole_nanos = i128::from(whole.parse::<i64>().ok()?) * 1_000_000_000;
    let fraction: i128 = format!("{fraction:0<9}").parse().ok()?;
    Some(if whole.starts_with('-') { whole_nanos - fraction } else { whole_nanos + fraction })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_with_and_without_a_zone() {
        let table = [
            ("1970-01-01T00:00:00.000", 0),
            ("2024-02-29T12:34:56.789", 1_709_210_096_789),
            ("2024-02-29T12:34:56.789Z", 1_709_210_096_789),
            ("2024-02-29T14:34:56.789+02:00", 1_709_210_096_789),
            ("2024-02-29T10:34:56.789-02", 1_709_210_096_789),
            ("1969-12-31T23:59:59.999", -1),
            ("2024-2-29T1:2:3.4", 1_709_168_523_004),
        ];
        for (text, millis) in table {
            assert_eq!(date_millis(text), Ok(millis), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused_in_javas_words() {
        for text in ["2023-02-29T00:00:00.000", "2024-01-01T00:00:00", "2024-13-01T00:00:00.000"] {
            assert_eq!(date_millis(text), Err(format!("Unparseable date: \"{text}Z\"")), "{text}");
        }
        assert!(date_millis("2024-01-01").unwrap_err().contains("does not contain a 'T'"));
    }

    #[test]
    fn durations_are_javas() {
        let table = [
            ("PT1S", Some(1000)),
            ("P1DT2H3M4.5S", Some(93_784_500)),
            ("-PT1M", Some(-60_000)),
            ("pt0.0001s", Some(1)),
            ("P-1D", Some(-86_400_000)),
            ("P1D", Some(86_400_000)),
            ("PT", None),
            ("P", None),
            ("1S", None),
            ("P1Y", None),
            ("PT1S2M", None),
            ("PT1.5H", None),
        ];
        for (text, millis) in table {
            assert_eq!(duration_millis(text), millis, "{text}");
        }
    }
}
