//! Paths with `*`, `?` and `{a,b}`: which nodes of a tree they name.
//!
//! Answers to `GlobVisitor`, `GlobComponent` and `CommandUtils`. A component that is no sound
//! pattern (a group in a group, one that is not closed) is a name as it stands.

use super::node::{Node, Tree};

/// A node that a path led to.
pub(super) struct Found<'a> {
    path: Vec<String>,
    pub(super) node: Node<'a>,
}

impl Found<'_> {
    pub(super) fn last_component(&self) -> &str {
        self.path.last().map_or("/", String::as_str)
    }

    pub(super) fn absolute_path(&self) -> String {
        format!("/{}", self.path.join("/"))
    }
}

/// A name stands among a node's children and leads to none, which ends a Java tool.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("Expected {name} to be a valid child of {parent}, but it was not.")]
pub(super) struct NoSuchChild {
    pub(super) name: String,
    pub(super) parent: String,
}

/// The class of the only node whose children can lead nowhere.
const QUOTAS_CLASS: &str = "class org.apache.kafka.image.node.ClientQuotasImageNode";

/// The nodes that a path names, in order; none where there is no such path.
pub(super) fn find<'a>(
    tree: Tree<'a>,
    directory: &str,
    path: &str,
) -> Result<Vec<Found<'a>>, NoSuchChild> {
    let mut found = Vec::new();
    visit(tree, &components(directory, path), &[], tree.root(), &mut found)?;
    Ok(found)
}

fn visit<'a>(
    tree: Tree<'a>,
    components: &[String],
    path: &[String],
    node: Node<'a>,
    found: &mut Vec<Found<'a>>,
) -> Result<(), NoSuchChild> {
    let Some((component, rest)) = components.split_first() else {
        found.push(Found { path: path.to_vec(), node });
        return Ok(());
    };
    let below = |name: &str| [path, &[name.to_owned()]].concat();
    let Some(pattern) = pattern(component) else {
        return match tree.child(&node, component) {
            Some(child) => visit(tree, rest, &below(component), child, found),
            None => Ok(()),
        };
    };
    for name in tree.children(&node).into_iter().filter(|name| pattern.is_match(name)) {
        let Some(child) = tree.child(&node, &name) else {
            return Err(NoSuchChild { name, parent: QUOTAS_CLASS.to_owned() });
        };
        visit(tree, rest, &below(&name), child, found)?;
    }
    Ok(())
}

/// A path's components from the root on, without `.` and `..`.
pub(super) fn components(directory: &str, path: &str) -> Vec<String> {
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{directory}/{path}") };
    let mut kept = Vec::new();
    for component in whole.split('/').filter(|component| !component.is_empty()) {
        match component {
            "." => {}
            ".." => {
                kept.pop();
            }
            name => kept.push(name.to_owned()),
        }
    }
    kept
}

/// The pattern that a component is; `None` for a name.
fn pattern(component: &str) -> Option<regex_lite::Regex> {
    let mut pattern = String::from("^");
    let (mut is_literal, mut in_group) = (true, false);
    let mut letters = component.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '?' => pattern.push('.'),
            '*' => pattern.push_str(".*"),
            '\\' => pattern.push_str(&regex_lite::escape(
                &letters.next().map_or_else(|| "\\".to_owned(), String::from),
            )),
            '{' if in_group => return None,
            '{' => {
                in_group = true;
                pattern.push_str("(?:(?:");
            }
            ',' if in_group => pattern.push_str(")|(?:"),
            '}' if in_group => {
                in_group = false;
                pattern.push_str("))");
            }
            other => pattern.push_str(&regex_lite::escape(&other.to_string())),
        }
        is_literal &= !matches!(letter, '?' | '*' | '{');
    }
    if is_literal || in_group {
        return None;
    }
    pattern.push('$');
    regex_lite::Regex::new(&pattern).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_go_on_from_a_directory() {
        let table = [
            ("/a", "b//c/", vec!["a", "b", "c"]),
            ("/a", "/b", vec!["b"]),
            ("/a/b", "../.././../c", vec!["c"]),
            ("/", "", vec![]),
        ];
        for (directory, path, expected) in table {
            assert_eq!(components(directory, path), expected, "{directory} {path}");
        }
    }

    #[test]
    fn patterns_match_whole_names() {
        let table = [
            ("a*", "abc", true),
            ("a?", "abc", false),
            ("*b", "ab", true),
            ("{a,b}c", "bc", true),
            ("{a,b}c", "cc", false),
            ("a.b*", "axb", false),
            ("\\**", "*x", true),
            ("\\**", "ax", false),
        ];
        for (glob, name, expected) in table {
            assert_eq!(pattern(glob).unwrap().is_match(name), expected, "{glob} {name}");
        }
        for literal in ["abc", "a,b", "a}", "{a", "{a{b}}", "a\\*"] {
            assert!(pattern(literal).is_none(), "{literal}");
        }
    }
}
