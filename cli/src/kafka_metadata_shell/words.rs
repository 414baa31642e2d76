//! A line of the shell cut into words, and the lines that were typed before it.
//!
//! Answers to `DefaultParser`, `DefaultHistory` and `DefaultExpander` of JLine 3.

/// The words of a line: blanks part them, quotes at a word's beginning and backslashes hold them
/// together. A quote that is never closed ends with the line.
pub(super) fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote: Option<(char, bool)> = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            // Behind a backslash a letter stands for itself.
            (_, '\\') => word.extend(letters.next()),
            (None, '\'' | '"') => {
                quote = Some((letter, word.is_empty()));
                if !word.is_empty() {
                    word.push(letter);
                }
            }
            (Some((open, holds_word)), letter) if open == letter => {
                if !holds_word {
                    word.push(letter);
                }
                quote = None;
            }
            (None, blank) if blank.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            (_, letter) => word.push(letter),
        }
    }
    words.push(word);
    words
}

/// Lines that were typed.
#[derive(Debug, Default)]
pub(super) struct History(Vec<String>);

impl History {
    /// Keeps a line, but for one that begins with a blank and one that repeats the last.
    pub(super) fn add(&mut self, line: &str) {
        let kept = line.trim();
        let is_kept = !line.starts_with(' ') && !kept.is_empty();
        if is_kept && self.0.last().is_none_or(|last| last != kept) {
            self.0.push(kept.to_owned());
        }
    }

    /// The last `count` lines with their numbers.
    pub(super) fn last(&self, count: usize) -> impl Iterator<Item = (usize, &String)> {
        self.0.iter().enumerate().skip(self.0.len().saturating_sub(count))
    }

    /// A line with the earlier ones that it names by `!` and `^`; as it stands where one of them is
    /// not there.
    pub(super) fn expand(&self, line: &str) -> String {
        self.expanded(line).unwrap_or_else(|| line.to_owned())
    }

    fn expanded(&self, line: &str) -> Option<String> {
        if let Some(change) = line.strip_prefix('^') {
            let mut parts = change.splitn(3, '^');
            let (from, to) = (parts.next()?, parts.next()?);
            return Some(self.0.last()?.replacen(from, to, 1));
        }
        let mut whole = String::new();
        let mut rest = line;
        while let Some((before, event)) = rest.split_once('!') {
            whole.push_str(before);
            if before.ends_with('\\') {
                whole.push('!');
                rest = event;
                continue;
            }
            let (text, behind) = self.event(event)?;
            whole.push_str(&text);
            rest = behind;
        }
        Some(whole + rest)
    }

    /// What `!` stands for before this text, and what of the text is left.
    fn event<'a>(&self, text: &'a str) -> Option<(String, &'a str)> {
        let last = || self.0.last().cloned();
        if let Some(rest) = text.strip_prefix('!') {
            return Some((last()?, rest));
        }
        if let Some(rest) = text.strip_prefix('$') {
            return Some((last()?.rsplit(' ').next()?.to_owned(), rest));
        }
        if text.is_empty() || text.starts_with([' ', '\t']) {
            return Some(("!".to_owned(), text));
        }
        if let Some(searched) = text.strip_prefix('?') {
            let (searched, rest) = searched.split_once('?').unwrap_or((searched, ""));
            let found = self.0.iter().rfind(|line| line.contains(searched))?;
            return Some((found.clone(), rest));
        }
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let digits = unsigned.chars().take_while(char::is_ascii_digit).count();
        if digits == 0 {
            let found = self.0.iter().rfind(|line| line.starts_with(text))?;
            return Some((found.clone(), ""));
        }
        let (number, rest) = unsigned.split_at(digits);
        let number: usize = number.parse().ok()?;
        let at = match text.starts_with('-') {
            true => self.0.len().checked_sub(number)?,
            false => number.checked_sub(1)?,
        };
        Some((self.0.get(at)?.clone(), rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_cut_as_jline_cuts_them() {
        let table: &[(&str, &[&str])] = &[
            ("cat 'a b' \"c d\"", &["cat", "a b", "c d"]),
            ("cat a\\ b \\!x", &["cat", "a b", "!x"]),
            ("cat \"a", &["cat", "a"]),
            ("cat a'b", &["cat", "a'b"]),
            ("c' d", &["c' d"]),
            ("ls  ", &["ls", ""]),
            ("", &[""]),
        ];
        for (line, words) in table {
            assert_eq!(split(line), *words, "{line}");
        }
    }

    #[test]
    fn earlier_lines_are_named_by_number_and_by_what_they_hold() {
        let mut history = History::default();
        for line in ["ls /local", "pwd", " hidden", "pwd", "", "cd  x "] {
            history.add(line);
        }
        let kept: Vec<_> = history.last(9).map(|(at, line)| format!("{at} {line}")).collect();
        assert_eq!(kept, ["0 ls /local", "1 pwd", "2 cd  x"]);
        assert_eq!(history.last(1).count(), 1);
        let table = [
            ("!!", "cd  x"),
            ("cat !$ y", "cat x y"),
            ("!1", "ls /local"),
            ("!-2", "pwd"),
            ("!l", "ls /local"),
            ("!?loc?", "ls /local"),
            ("^x^y^", "cd  y"),
            ("cat x! ! \\!y", "cat x! ! \\!y"),
            ("!99", "!99"),
            ("cat !nope", "cat !nope"),
        ];
        for (line, expanded) in table {
            assert_eq!(history.expand(line), expanded, "{line}");
        }
    }
}
