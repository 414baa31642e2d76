//! What the page asks for behind the question mark: which part of a list, and which names.
//!
//! Kept true: no answer has more than [`COUNT_MAX`] rows, whatever is asked for.

/// Rows of an answer, where it is not said how many.
const COUNT: usize = 50;
const COUNT_MAX: usize = 200;

/// The part of a list that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) offset: usize,
    pub(super) count: usize,
    /// What names have in them, in whatever case.
    pub(super) find: String,
    /// Of one topic or group.
    pub(super) name: String,
    /// Only what somebody should look at.
    pub(super) troubled: bool,
}

impl Query {
    /// Reads `offset=…&count=…&find=…&name=…&troubled=1`; what else there is changes nothing.
    pub(super) fn parse(query: &str) -> Self {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        let mut parsed = Self {
            offset: 0,
            count: COUNT,
            find: String::new(),
            name: String::new(),
            troubled: false,
        };
        for (key, value) in pairs {
            let value = decoded(value);
            match key {
                "offset" => parsed.offset = value.parse().unwrap_or(0),
                "count" => parsed.count = value.parse().unwrap_or(COUNT).clamp(1, COUNT_MAX),
                "find" => parsed.find = value.to_lowercase(),
                "name" => parsed.name = value,
                "troubled" => parsed.troubled = value == "1",
                _ => {}
            }
        }
        parsed
    }

    /// Whether a name has what is looked for in it.
    pub(super) fn finds(&self, name: &str) -> bool {
        self.find.is_empty() || name.to_lowercase().contains(&self.find)
    }

    /// The part of these that is asked for.
    pub(super) fn part<'a, T>(&self, all: &'a [T]) -> &'a [T] {
        let begin = self.offset.min(all.len());
        let end = begin.saturating_add(self.count).min(all.len());
        &all[begin..end]
    }
}

/// `%41` is A; a percent sign before anything else is one.
fn decoded(text: &str) -> String {
    let (bytes, mut out, mut at) = (text.as_bytes(), Vec::new(), 0);
    while let Some(&byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        let escaped = hex.filter(|_| byte == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok());
        at += if escaped.is_some() { 3 } else { 1 };
        out.push(escaped.unwrap_or(byte));
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_bounded_whatever_is_asked_for() {
        let query = Query::parse("offset=3&count=1000000&find=Or%44ers&name=a%2Fb%20c&troubled=1");
        let name = "a/b c".to_owned();
        let find = "orders".to_owned();
        assert_eq!(query, Query { offset: 3, count: COUNT_MAX, find, name, troubled: true });
        assert!(query.finds("my-ORDERS-2") && !query.finds("bills"));
        let all: Vec<i32> = (0..1000).collect();
        assert_eq!(query.part(&all).len(), COUNT_MAX);
        assert_eq!(query.part(&all)[0], 3);
        for odd in ["", "&&=&x", "offset=-1&count=x", "count=0", "find=%", "find=%zz&name=%e4"] {
            let query = Query::parse(odd);
            assert!((1..=COUNT).contains(&query.count) && query.offset == 0, "{odd}");
        }
        assert_eq!(Query::parse("offset=18446744073709551615").part(&all), [] as [i32; 0]);
    }
}
