//! The name of a node that stands for what a quota belongs to: `clientId(c)_user(u)`.
//!
//! Answers to `ClientQuotasImageNode`. The default of a type has no text there, so that what
//! belongs to defaults alone is named by nothing, and is found by no name.

use super::image::Entity;

/// Types as records and as names have them, in the names' order.
const TYPES: &[(&str, &str)] = &[("client-id", "clientId"), ("ip", "ip"), ("user", "user")];

pub(super) fn name(entity: &Entity) -> String {
    let part = |(of, shown): &(&str, &str)| {
        let value = entity.get(*of)?.as_ref()?;
        let escaped = value.replace('\\', "\\\\").replace('(', "\\(").replace(')', "\\)");
        Some(format!("{shown}({escaped})"))
    };
    TYPES.iter().filter_map(part).collect::<Vec<_>>().join("_")
}

/// What a name stands for; its parts may stand in any order.
pub(super) fn read(name: &str) -> Option<Entity> {
    let mut entity = Entity::new();
    let mut rest = name;
    loop {
        let opened = |(of, shown): &(&'static str, &str)| {
            Some((*of, rest.strip_prefix(shown)?.strip_prefix('(')?))
        };
        let (of, value) = TYPES.iter().find_map(opened)?;
        let (value, behind) = closed(value)?;
        entity.insert(of.to_owned(), Some(value));
        if behind.is_empty() {
            return Some(entity);
        }
        rest = behind.strip_prefix('_')?;
    }
}

/// Up to the parenthesis that closes a value, and what stands behind it.
fn closed(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            ')' => return Some((value, text.get(at + 1..)?)),
            '\\' => value.push(letters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(parts: &[(&str, Option<&str>)]) -> Entity {
        parts.iter().map(|(of, name)| ((*of).to_owned(), name.map(str::to_owned))).collect()
    }

    #[test]
    fn a_name_is_read_as_it_was_written() {
        let table = [
            (
                entity(&[("user", Some("bo(b)\\")), ("client-id", Some("c"))]),
                "clientId(c)_user(bo\\(b\\)\\\\)",
            ),
            (entity(&[("ip", Some("1.2.3.4"))]), "ip(1.2.3.4)"),
        ];
        for (entity, shown) in table {
            assert_eq!(name(&entity), shown);
            assert_eq!(read(shown), Some(entity));
        }
        assert_eq!(read("user(u)_clientId(c)"), read("clientId(c)_user(u)"));
        assert_eq!(name(&entity(&[("user", None)])), "");
        for wrong in ["", "user(", "user(a)_", "user(a)ip(b)", "group(a)", "user(a\\"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
