//! Points in time by a pattern, UTC, as Java's `SimpleDateFormat` prints them in English.
//!
//! Pure. Letters that Java knows and that make no difference without a calendar of one's own
//! (era, week of the year) are among them; text stands between single quotes.

/// Why a pattern is none, in Java's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DateFormatError {
    #[error("Illegal pattern character '{0}'")]
    Character(char),
    #[error("Unterminated quote")]
    Quote,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// A letter and how often it stands.
    Field(char, usize),
}

/// A pattern, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SimpleDateFormat(Vec<Piece>);

const LETTERS: &str = "GyYMLwWDdFEuaHkKhmsSzZX";
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

impl SimpleDateFormat {
    pub(crate) fn parse(pattern: &str) -> Result<Self, DateFormatError> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut chars = pattern.chars().peekable();
        while let Some(c) = chars.next() {
            if c == '\'' {
                pieces.push(Piece::Text(quoted(&mut chars)?));
            } else if c.is_ascii_alphabetic() {
                if !LETTERS.contains(c) {
                    return Err(DateFormatError::Character(c));
                }
                let mut count = 1;
                while chars.next_if_eq(&c).is_some() {
                    count += 1;
                }
                pieces.push(Piece::Field(c, count));
            } else {
                pieces.push(Piece::Text(c.to_string()));
            }
        }
        Ok(Self(pieces))
    }

    pub(crate) fn format(&self, since_1970_ms: i64) -> String {
        let time = CivilTime::at(since_1970_ms);
        let one = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Field(letter, count) => time.field(*letter, *count),
        };
        self.0.iter().map(one).collect()
    }
}

/// What stands until the closing quote; nothing between them is a quote itself.
fn quoted(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String, DateFormatError> {
    if chars.next_if_eq(&'\'').is_some() {
        return Ok("'".to_owned());
    }
    let mut text = String::new();
    loop {
        match chars.next() {
            None => return Err(DateFormatError::Quote),
            Some('\'') if chars.next_if_eq(&'\'').is_some() => text.push('\''),
            Some('\'') => return Ok(text),
            Some(c) => text.push(c),
        }
    }
}

/// A point in time by the Gregorian calendar.
struct CivilTime {
    year: i64,
    month: i64,
    day: i64,
    day_of_year: i64,
    /// Sunday is 0.
    weekday: i64,
    hour: i64,
    minute: i64,
    second: i64,
    millis: i64,
}

impl CivilTime {
    fn at(since_1970_ms: i64) -> Self {
        let (days, of_day) =
            (since_1970_ms.div_euclid(86_400_000), since_1970_ms.rem_euclid(86_400_000));
        let (year, month, day) = civil_date(days);
        let day_of_year = days - days_to(year, 1, 1) + 1;
        Self {
            year,
            month,
            day,
            day_of_year,
            weekday: (days + 4).rem_euclid(7),
            hour: of_day / 3_600_000,
            minute: of_day / 60_000 % 60,
            second: of_day / 1000 % 60,
            millis: of_day % 1000,
        }
    }

    fn field(&self, letter: char, count: usize) -> String {
        let number = |value: i64| format!("{value:0count$}");
        let name = |names: &[&str], at: i64| {
            let name = usize::try_from(at).ok().and_then(|at| names.get(at)).unwrap_or(&"");
            name[..if count >= 4 { name.len() } else { 3.min(name.len()) }].to_owned()
        };
        match letter {
            'G' => "AD".to_owned(),
            'y' | 'Y' if count == 2 => format!("{:02}", self.year % 100),
            'y' | 'Y' => number(self.year),
            'M' | 'L' if count >= 3 => name(&MONTHS, self.month - 1),
            'M' | 'L' => number(self.month),
            'w' => number(
                (self.day_of_year - 1 + days_to(self.year, 1, 1).wrapping_add(4).rem_euclid(7)) / 7
                    + 1,
            ),
            'W' => number((self.day - 1 + (self.weekday - self.day + 1).rem_euclid(7)) / 7 + 1),
            'D' => number(self.day_of_year),
            'd' => number(self.day),
            'F' => number((self.day - 1) / 7 + 1),
            'E' => name(&DAYS, self.weekday),
            'u' => number((self.weekday + 6) % 7 + 1),
            'a' => if self.hour < 12 { "AM" } else { "PM" }.to_owned(),
            'H' => number(self.hour),
            'k' => number(if self.hour == 0 { 24 } else { self.hour }),
            'K' => number(self.hour % 12),
            'h' => number((self.hour + 11) % 12 + 1),
            'm' => number(self.minute),
            's' => number(self.second),
            'S' => number(self.millis),
            'z' if count >= 4 => "Coordinated Universal Time".to_owned(),
            'z' => "UTC".to_owned(),
            'Z' => "+0000".to_owned(),
            _ => "Z".to_owned(),
        }
    }
}

/// Year, month and day of a number of days since 1970-01-01, counted in eras of 400 years that
/// begin on the first of March.
fn civil_date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Days from 1970-01-01 to this date.
fn days_to(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * shifted_month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(pattern: &str, ms: i64) -> String {
        SimpleDateFormat::parse(pattern).unwrap().format(ms)
    }

    #[test]
    fn times_are_printed_as_java_prints_them() {
        // Thu Feb 29 12:34:56 UTC 2024
        let ms = 1_709_210_096_007;
        let table = [
            ("yyyy-MM-dd HH:mm:ss:SSS", "2024-02-29 12:34:56:007"),
            ("yy/M/d h:m:s a", "24/2/29 12:34:56 PM"),
            ("EEE, d MMM yyyy", "Thu, 29 Feb 2024"),
            ("EEEE MMMM u D F", "Thursday February 4 60 5"),
            ("w W k K", "9 5 12 0"),
            ("'at' HH 'o''clock' ''", "at 12 o'clock '"),
            ("HHmmss z Z X", "123456 UTC +0000 Z"),
        ];
        for (pattern, expected) in table {
            assert_eq!(formatted(pattern, ms), expected, "{pattern}");
        }
        assert_eq!(formatted("yyyy-MM-dd HH:mm", -60_000), "1969-12-31 23:59");
    }

    #[test]
    fn patterns_that_are_none_are_refused_in_javas_words() {
        let refused = |pattern| SimpleDateFormat::parse(pattern).unwrap_err().to_string();
        assert_eq!(refused("yyyy-q"), "Illegal pattern character 'q'");
        assert_eq!(refused("'yyyy"), "Unterminated quote");
    }
}
