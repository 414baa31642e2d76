//! What differs from run to run in a tool's output, replaced by a word: ports, folders, ids, times.
//!
//! The masks are deliberately few and typed; everything else in the output must be equal byte for
//! byte. `numbers` and `sorted` are asked for by the step that needs them.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use uuid::{Uuid, Variant};

use crate::server::{CLUSTER_ID, Server};

/// The masks that hold for every step.
#[must_use]
pub fn usual(text: &str, server: &Server) -> String {
    let folder = server.folder().display().to_string();
    let mut masked = text
        .replace(&folder, "DIR")
        .replace(&server.address(), "SERVER")
        .replace(&server.controller_address(), "CONTROLLER")
        .replace(CLUSTER_ID, "CLUSTER-ID");
    for (port, word) in [(server.port, "PORT"), (server.controller_port, "CONTROLLER-PORT")] {
        masked = number(&masked, &port.to_string(), word);
    }
    words(&dates(&masked))
}

/// A number becomes a word where it stands by itself, and not within a longer one.
#[must_use]
pub fn number(text: &str, number: &str, word: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(number) {
        masked.push_str(before);
        let is_within = masked.ends_with(|c: char| c.is_ascii_digit())
            || after.starts_with(|c: char| c.is_ascii_digit());
        masked.push_str(if is_within { number } else { word });
        rest = after;
    }
    masked + rest
}

/// Ids alone, wherever they come from.
#[must_use]
pub fn ids(text: &str) -> String {
    words(&dates(&text.replace(CLUSTER_ID, "CLUSTER-ID")))
}

/// Every number becomes N, and runs of spaces one space: for figures that no two runs share. What
/// Java divides by a time of no millisecond is a number, too: `Infinity` and `NaN`.
#[must_use]
pub fn numbers(text: &str) -> String {
    let text = text.replace("Infinity", "0").replace("NaN", "0");
    let mut masked = String::new();
    let mut chars = text.chars().peekable();
    while let Some(next) = chars.next() {
        if next.is_ascii_digit() {
            while chars.peek().is_some_and(|c| c.is_ascii_digit() || matches!(c, '.' | ',')) {
                let after = chars.next();
                if after.is_some_and(|c| !c.is_ascii_digit())
                    && !chars.peek().is_some_and(char::is_ascii_digit)
                {
                    masked.push('N');
                    masked.extend(after);
                    break;
                }
            }
            if !masked.ends_with("N.") && !masked.ends_with("N,") {
                masked.push('N');
            }
        } else if next != ' ' || !masked.ends_with(' ') {
            masked.push(next);
        }
    }
    masked
}

/// The number after each `Epoch: ` becomes N: an offset of the metadata log.
#[must_use]
pub fn epochs(text: &str) -> String {
    number_after("Epoch: ", text)
}

/// The number after each `avg_throughput":` becomes N.
#[must_use]
pub fn rates(text: &str) -> String {
    number_after("avg_throughput\":", text)
}

/// The number after each `metadataHash":` becomes N: a hash over ids of topics, of either sign.
#[must_use]
pub fn hashes(text: &str) -> String {
    let label = "metadataHash\":";
    number_after(label, &text.replace(&format!("{label}-"), label))
}

/// The number after each such label becomes N.
#[must_use]
pub fn number_after(label: &str, text: &str) -> String {
    let mut parts = text.split(label);
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        masked.push_str(label);
        masked.push('N');
        masked.push_str(part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.'));
    }
    masked
}

/// The replicas after each `Isr: ` in the order of their ids: they stand in the order they joined.
#[must_use]
pub fn in_sync(text: &str) -> String {
    let mut parts = text.split("Isr: ");
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit() && c != ',').unwrap_or(part.len());
        let mut ids: Vec<&str> = part[..end].split(',').collect();
        ids.sort_unstable();
        masked.push_str("Isr: ");
        masked.push_str(&ids.join(","));
        masked.push_str(&part[end..]);
    }
    masked
}

/// The lines in the order of their bytes: for what a tool prints in a hash map's order.
#[must_use]
pub fn sorted(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines.join("\n") + if text.ends_with('\n') { "\n" } else { "" }
}

/// Masks ids and epoch milliseconds, word by word (a word: letters, digits, `-`, `_`).
fn words(text: &str) -> String {
    let mut masked = String::new();
    let mut word = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_alphanumeric() || c == '-' || c == '_' {
            word.push(c);
        } else {
            masked.push_str(&mask_word(&word, &masked));
            word.clear();
            masked.push(c);
        }
    }
    masked.pop();
    masked
}

fn mask_word(word: &str, before: &str) -> String {
    let at = word.len().saturating_sub(36);
    if word.is_char_boundary(at) && is_uuid(&word[at..]) {
        return format!("{}UUID", &word[..at]);
    }
    let is_time = word.len() == 13 && word.starts_with('1');
    // A fraction may have as many digits.
    if is_time && word.bytes().all(|b| b.is_ascii_digit()) && !before.ends_with('.') {
        return "TIME".to_owned();
    }
    let follows_label = ["Id: ", "ID: ", "Id:", "id:", "Id=", "id="].iter();
    let labelled =
        follows_label.clone().any(|label| before.trim_end_matches('\t').ends_with(label));
    let has = |kind: fn(&u8) -> bool| word.as_bytes().iter().any(kind);
    let is_mixed = has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && (has(u8::is_ascii_digit) || is_random_id(word));
    if word.len() == 22 && (labelled || is_mixed) { "ID".to_owned() } else { word.to_owned() }
}

/// Whether 22 characters of URL-safe Base64 are a random UUID: one id of forty has no digit to tell
/// it from a word.
fn is_random_id(word: &str) -> bool {
    let id = BASE64_URL_SAFE_NO_PAD.decode(word).ok();
    let id = id.and_then(|bytes| Uuid::from_slice(&bytes).ok());
    id.is_some_and(|id| id.get_version_num() == 4 && id.get_variant() == Variant::RFC4122)
}

fn is_uuid(word: &str) -> bool {
    word.len() == 36
        && word.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

/// Masks `2026-01-31T10:11:12.123+00:00` and `2026-01-31 10:11:12:123`.
fn dates(text: &str) -> String {
    let mut masked = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("20") {
        masked.push_str(&rest[..start]);
        rest = &rest[start..];
        let length = date_length(rest.as_bytes());
        if length == 0 {
            masked.push_str(&rest[..2]);
            rest = &rest[2..];
        } else {
            masked.push_str("DATE");
            rest = &rest[length..];
        }
    }
    masked + rest
}

fn date_length(text: &[u8]) -> usize {
    let shape = b"dddd-dd-dd dd:dd:dd";
    let fits = text.len() >= shape.len()
        && shape.iter().zip(text).all(|(want, got)| match want {
            b'd' => got.is_ascii_digit(),
            b' ' => matches!(got, b' ' | b'T'),
            _ => want == got,
        });
    if !fits {
        return 0;
    }
    let tail = &text[shape.len()..];
    let is_fraction = |b: &&u8| b.is_ascii_digit() || matches!(b, b'.' | b':' | b'Z' | b'+');
    shape.len() + tail.iter().take_while(is_fraction).count()
}

#[cfg(test)]
mod tests {
    use super::{dates, epochs, hashes, in_sync, number, numbers, sorted, words};

    #[test]
    fn a_port_is_masked_where_it_stands_by_itself() {
        let text = "size=134217728, localhost:21772, 217721, 21772";
        let masked = "size=134217728, localhost:PORT, 217721, PORT";
        assert_eq!(number(text, "21772", "PORT"), masked);
    }

    #[test]
    fn ids_times_and_dates_become_words() {
        let id = words("TopicId: 4L6g3nShT-eMCtK--X86sw\tX");
        assert_eq!(id, "TopicId: ID\tX");
        let without_digit = words("cluster kDhqLmneSBGnMpQrxTuVwA, a BrokerRegistrationError");
        assert_eq!(without_digit, "cluster ID, a BrokerRegistrationError");
        let member = words("consumer-g-1-0f8fad5b-d9cb-469f-a165-70867728950e /127.0.0.1");
        assert_eq!(member, "consumer-g-1-UUID /127.0.0.1");
        assert_eq!(words("\"timestamp\":1763703000123,"), "\"timestamp\":TIME,");
        assert_eq!(words("104.1666666666667"), "104.1666666666667");
        assert_eq!(words("segment.bytes=1073741824"), "segment.bytes=1073741824");
        assert_eq!(dates("at 2026-11-21T05:37:12.345Z, 2026"), "at DATE, 2026");
        assert_eq!(
            dates("2026-11-21 05:37:12:345, 2026-11-21 05:37:13:001, 0.9"),
            "DATE, DATE, 0.9"
        );
    }

    #[test]
    fn hashes_of_either_sign_are_one() {
        let text = "{\"epoch\":2,\"metadataHash\":-77}{\"metadataHash\":77}";
        assert_eq!(hashes(text), "{\"epoch\":2,\"metadataHash\":N}{\"metadataHash\":N}");
    }

    #[test]
    fn replicas_in_sync_stand_in_order() {
        assert_eq!(in_sync("Isr: 3,1\tElr: \nIsr: 2"), "Isr: 1,3\tElr: \nIsr: 2");
    }

    #[test]
    fn numbers_and_order_are_masked_on_request() {
        assert_eq!(
            numbers("100 records sent, 12.5 records/sec."),
            "N records sent, N records/sec."
        );
        assert_eq!(numbers("a  b 1,000 end 3."), "a b N end N.");
        assert_eq!(numbers("0, Infinity, NaN"), "N, N, N");
        assert_eq!(epochs("Level: 7 Epoch: 23\nEpoch: 4"), "Level: 7 Epoch: N\nEpoch: N");
        assert_eq!(sorted("b\na\n"), "a\nb\n");
    }
}
