//! Names in columns, as many as the terminal's width takes. Answers to `LsCommandHandler`.

use std::io::{self, Write};

/// Widths of the columns, and how many names stand in each.
struct Columns {
    widths: Vec<usize>,
    rows: usize,
}

/// Prints names below each other; in columns where a width is known.
pub(super) fn print(
    names: &[String],
    screen: Option<usize>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Columns { widths, rows } = fitting(names, screen);
    let lines = names.len().div_ceil(widths.len());
    for line in 0..lines {
        let mut text = String::new();
        for (column, width) in widths.iter().enumerate() {
            let Some(name) = names.get(line + column * rows) else { continue };
            text.push_str(name);
            if column + 1 < widths.len() {
                text.push_str(&" ".repeat(width.saturating_sub(name.chars().count())));
            }
        }
        writeln!(out, "{text}")?;
    }
    Ok(())
}

/// The most columns, all of which hold a name, that are no wider than the screen.
fn fitting(names: &[String], screen: Option<usize>) -> Columns {
    let screen = screen.unwrap_or(0);
    let one = || Columns { widths: vec![0], rows: names.len() };
    let fits = |columns: &Columns| {
        columns.widths.last().is_some_and(|width| *width != 0)
            && columns.widths.iter().sum::<usize>() <= screen
    };
    let counts = (2..=screen / 4).rev();
    counts.map(|count| columns(names, count)).find(fits).unwrap_or_else(one)
}

fn columns(names: &[String], count: usize) -> Columns {
    let rows = names.len().div_ceil(count).max(1);
    let mut widths = vec![0; count];
    for (names, width) in names.chunks(rows).zip(&mut widths) {
        *width = names.iter().map(|name| name.chars().count() + 2).max().unwrap_or(0);
    }
    Columns { widths, rows }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(names: &str, screen: Option<usize>) -> String {
        let names: Vec<String> = names.split(' ').map(str::to_owned).collect();
        let mut out = Vec::new();
        print(&names, screen, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn names_stand_in_as_many_columns_as_fit() {
        let names = "a bb ccc dddd e";
        assert_eq!(printed(names, None), "a\nbb\nccc\ndddd\ne\n");
        assert_eq!(printed(names, Some(7)), "a\nbb\nccc\ndddd\ne\n");
        assert_eq!(printed(names, Some(14)), "a   ccc   e\nbb  dddd  \n");
        assert_eq!(printed(names, Some(80)), "a  bb  ccc  dddd  e\n");
    }
}
