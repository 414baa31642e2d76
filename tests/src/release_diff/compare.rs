//! The comparison: `+` is added, `-` removed, `~` changed from what to what.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::facts::{Facts, Place, Properties, Section};

/// Texts up to this long are shown whole, longer ones around what differs.
const SHOWN_WHOLE: usize = 80;
/// Words that are shown before and behind what differs in a long text.
const AROUND: usize = 4;

/// The differences, section by section; nothing where there is none.
pub(super) fn compare(old: &Facts, new: &Facts) -> String {
    let nothing = Section::default();
    let find = |facts: &'_ Facts, name: &str| {
        facts.sections.iter().position(|section| section.name == name)
    };
    let mut text = String::new();
    for section in &new.sections {
        let before = find(old, &section.name).map_or(&nothing, |at| &old.sections[at]);
        text.push_str(&compare_sections(&section.name, before, section));
    }
    for section in &old.sections {
        if find(new, &section.name).is_none() {
            text.push_str(&compare_sections(&section.name, section, &nothing));
        }
    }
    text
}

fn compare_sections(name: &str, old: &Section, new: &Section) -> String {
    let mut text = String::new();
    let places: BTreeSet<&Place> = old.entries.keys().chain(new.entries.keys()).collect();
    for place in places {
        match (old.entries.get(place), new.entries.get(place)) {
            (None, Some(properties)) => added(&place.1, properties, &mut text),
            (Some(_), None) => drop(writeln!(text, "- {}", place.1)),
            (Some(before), Some(after)) => changed(&place.1, before, after, &mut text),
            (None, None) => {}
        }
    }
    if text.is_empty() {
        return text;
    }
    format!("== {name}{}\n{text}\n", source(&old.source, &new.source))
}

/// Which classes were read, where that is a question.
fn source(old: &str, new: &str) -> String {
    match (old, new) {
        ("", "") => String::new(),
        (one, other) if one == other => format!(" ({one})"),
        ("", one) => format!(" (nothing → {one})"),
        (one, "") => format!(" ({one} → nothing)"),
        (old, new) => format!(" ({old} → {new})"),
    }
}

fn added(name: &str, properties: &Properties, text: &mut String) {
    let _ = writeln!(text, "+ {name}");
    for (name, value) in properties.iter().filter(|(name, _)| !name.is_empty()) {
        let _ = writeln!(text, "    {}", said(name, value));
    }
}

fn changed(name: &str, old: &Properties, new: &Properties, text: &mut String) {
    let of = |properties: &Properties, wanted: &str| {
        properties.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone())
    };
    let mut lines = String::new();
    for (name, value) in old.iter().filter(|(name, _)| of(new, name).is_none()) {
        let _ = writeln!(lines, "    - {}", said(name, value));
    }
    for (name, value) in new {
        match of(old, name) {
            None => drop(writeln!(lines, "    + {}", said(name, value))),
            Some(before) if !same(&before, value) => {
                let (before, after) = around_the_difference(&before, value);
                let _ = writeln!(lines, "    ~ {name}: {before} → {after}");
            }
            Some(_) => {}
        }
    }
    if !lines.is_empty() {
        let _ = write!(text, "~ {name}\n{lines}");
    }
}

fn said(name: &str, value: &str) -> String {
    let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
    if value.is_empty() { name.to_owned() } else { format!("{name}: {value}") }
}

/// Whether two texts have the same letters, as where lines are broken is no change; or the same
/// words: some tools list a set, in an order of the moment.
fn same(one: &str, other: &str) -> bool {
    let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let words = |text: &str| {
        let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        words.sort();
        words
    };
    letters(one) == letters(other) || one.len() > SHOWN_WHOLE && words(one) == words(other)
}

/// Long texts without what both begin and end with, but for some words.
fn around_the_difference(old: &str, new: &str) -> (String, String) {
    let (one, other): (Vec<&str>, Vec<&str>) =
        (old.split_whitespace().collect(), new.split_whitespace().collect());
    if old.len().max(new.len()) <= SHOWN_WHOLE {
        return (one.join(" "), other.join(" "));
    }
    let shorter = one.len().min(other.len());
    let equal = |(one, other): &(&&str, &&str)| one == other;
    let head = one.iter().zip(&other).take_while(equal).count();
    let tail = one.iter().rev().zip(other.iter().rev()).take_while(equal).count();
    let tail = tail.min(shorter - head);
    let (from, behind) = (head.saturating_sub(AROUND), tail.saturating_sub(AROUND));
    let shown = |words: &[&str]| {
        let middle = words[from..words.len() - behind].join(" ");
        let before = if from > 0 { "… " } else { "" };
        let after = if behind > 0 { " …" } else { "" };
        format!("{before}{middle}{after}")
    };
    (shown(&one), shown(&other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(lines: &[(&str, i64, &str, &str, &str)]) -> Facts {
        let mut facts = Facts::default();
        for (section, order, entry, property, value) in lines {
            let section = facts.section(section);
            let entry = section.entries.entry((*order, (*entry).to_owned())).or_default();
            entry.push(((*property).to_owned(), (*value).to_owned()));
        }
        facts
    }

    #[test]
    fn what_is_equal_is_not_shown() {
        let old = facts(&[("a", 0, "key", "default", "1 2"), ("b", 0, "x", "y", "z")]);
        let new = facts(&[("a", 0, "key", "default", "1\n2"), ("b", 0, "x", "y", "z")]);
        assert_eq!(compare(&old, &new), "");
    }

    #[test]
    fn entries_are_added_removed_and_changed_in_their_order() {
        let old = facts(&[
            ("keys", 9, "gone", "id", "9"),
            ("keys", 10, "stays", "id", "10"),
            ("keys", 10, "stays", "old", "yes"),
            ("keys", 10, "stays", "versions", "0-1"),
        ]);
        let new = facts(&[
            ("keys", 10, "stays", "id", "10"),
            ("keys", 10, "stays", "new", ""),
            ("keys", 10, "stays", "versions", "0-2"),
            ("keys", 11, "came", "id", "11"),
        ]);
        let expected = "== keys\n- gone\n~ stays\n    - old: yes\n    + new\n    \
                        ~ versions: 0-1 → 0-2\n+ came\n    id: 11\n\n";
        assert_eq!(compare(&old, &new), expected);
    }

    #[test]
    fn a_section_that_one_release_has_says_where_it_is_from() {
        let nothing = Facts::default();
        let mut new = facts(&[("keys", 0, "came", "", "")]);
        new.section("keys").source = "A#b".to_owned();
        assert_eq!(compare(&nothing, &new), "== keys (nothing → A#b)\n+ came\n\n");
        assert_eq!(compare(&new, &nothing), "== keys (A#b → nothing)\n- came\n\n");
        let mut moved = facts(&[("keys", 0, "other", "", "")]);
        moved.section("keys").source = "C#b".to_owned();
        assert_eq!(compare(&new, &moved), "== keys (A#b → C#b)\n- came\n+ other\n\n");
    }

    #[test]
    fn a_set_in_another_order_is_the_same_but_few_words_are_no_set() {
        let listed = |tail: &str| format!("{} {tail}", "word ".repeat(20));
        assert!(same(&listed("Create Delete"), &listed("Delete Create")));
        assert!(!same(&listed("Create Delete"), &listed("Delete Alter")));
        assert!(!same("0 1", "1 0"));
    }

    #[test]
    fn of_long_texts_the_difference_is_shown() {
        let words = |middle: &str| {
            format!("one two three four five six seven {middle} eight nine ten eleven twelve more")
        };
        let (old, new) = around_the_difference(&words("quick brown fox"), &words("slow"));
        assert_eq!(old, "… four five six seven quick brown fox eight nine ten eleven …");
        assert_eq!(new, "… four five six seven slow eight nine ten eleven …");
        // Words that repeat do not make head and tail overlap.
        let long = "again ".repeat(20);
        let (old, new) = around_the_difference(&long, &format!("{long} again"));
        assert!(new.len() > old.len(), "{old} / {new}");
    }
}
