//! The passwords that tests give to nodes. Every node that a test has started is asked for them
//! when the test is over: none of them may stand in what it wrote.

use crate::certificates;

/// How the passwords of users, tokens and keys end.
const ENDING: &str = "-secret";

/// The first line that has a password.
#[must_use]
pub fn revealed(output: &str) -> Option<&str> {
    let has_login = |line: &str| {
        line.match_indices(ENDING).any(|(at, _)| line[..at].ends_with(|c: char| c.is_alphabetic()))
    };
    output.lines().find(|line| line.contains(certificates::PASSWORD) || has_login(line))
}

/// # Panics
/// When the node wrote a password.
pub(crate) fn assert_kept(output: &str, node: &str) {
    let line = revealed(output);
    assert!(line.is_none(), "{node} wrote a password: {}", line.unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_found_wherever_it_stands_in_a_line() {
        for line in ["password=alice-secret;", "\0bob\0bob-secret", "ssl.key.password = secret1"] {
            assert_eq!(revealed(&format!("one\n{line}\nthree")), Some(line));
        }
        for line in ["the secret is kept", "sasl.jaas.config = [hidden]", "/tmp/x/-secret", ""] {
            assert_eq!(revealed(line), None);
        }
    }
}
