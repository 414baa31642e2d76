//! `allowed.paths`: which files a provider may look at.
//!
//! Paths are compared part by part after `.` and `..` are resolved in the text; links are not
//! followed. Answers to AllowedPaths.

use super::Machine;

/// Nothing: every path is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AllowedPaths(Option<Vec<String>>);

impl AllowedPaths {
    pub(super) fn read(given: Option<&str>, machine: &dyn Machine) -> Result<Self, String> {
        let Some(given) = given.filter(|given| !given.is_empty()) else { return Ok(Self(None)) };
        let mut allowed = Vec::new();
        // As Java splits: empty elements at the end are none.
        for path in given.trim_end_matches(',').split(',') {
            let path = normalized(path);
            if !path.starts_with('/') {
                return Err(format!("Path {path} is not absolute"));
            }
            if !machine.exists(&path) {
                return Err(format!("Path {path} does not exist"));
            }
            allowed.push(path);
        }
        Ok(Self(Some(allowed)))
    }

    /// The path to open; nothing if it is not allowed.
    pub(super) fn admit(&self, path: &str) -> Option<String> {
        let Some(allowed) = &self.0 else { return Some(path.to_owned()) };
        let path = normalized(path);
        let is_below = |above: &String| {
            let above = above.trim_end_matches('/');
            path.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        allowed.iter().any(is_below).then_some(path)
    }
}

/// The path without `.`, without `..` and what it takes back, and without doubled slashes.
pub(super) fn normalized(path: &str) -> String {
    let is_absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        let takes_back = part == ".." && parts.last().is_some_and(|last| *last != "..");
        if takes_back {
            parts.pop();
        } else if part != ".." || !is_absolute {
            parts.push(part);
        }
    }
    let joined = parts.join("/");
    if is_absolute { format!("/{joined}") } else { joined }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_normalize_as_javas_do() {
        for (path, expected) in [
            ("/a/b", "/a/b"),
            ("/a//b/", "/a/b"),
            ("/a/./b/../c", "/a/c"),
            ("/../a", "/a"),
            ("/a/../../b", "/b"),
            ("a/../../b", "../b"),
            ("..", ".."),
            ("/", "/"),
            ("", ""),
        ] {
            assert_eq!(normalized(path), expected, "{path}");
        }
    }
}
