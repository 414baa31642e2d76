//! Tables whose columns are as wide as their widest text, a tab behind each.
//!
//! Pure. Answers to `ToolsUtils.prettyPrintTable`.

/// The lines of a table. A row has a text for each header.
pub(crate) fn pretty_table(headers: &[&str], rows: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = headers.iter().map(|header| header.len()).collect();
    for row in rows {
        for (width, text) in widths.iter_mut().zip(row) {
            *width = java_length(text).max(*width);
        }
    }
    let line = |texts: &mut dyn Iterator<Item = &str>| {
        let cells = texts.zip(&widths).map(|(text, width)| {
            let missing = width.saturating_sub(java_length(text));
            format!("{text}{}\t", " ".repeat(missing))
        });
        cells.collect::<String>() + "\n"
    };
    let head = line(&mut headers.iter().copied());
    let rows = rows.iter().map(|row| line(&mut row.iter().map(String::as_str)));
    std::iter::once(head).chain(rows).collect()
}

/// `String.length`, which counts a sign beyond the first 65536 twice.
fn java_length(text: &str) -> usize {
    text.encode_utf16().count()
}

#[cfg(test)]
mod tests {
    use super::pretty_table;

    #[test]
    fn columns_are_as_wide_as_their_widest_text() {
        let row = |texts: [&str; 2]| texts.map(str::to_owned).to_vec();
        assert_eq!(pretty_table(&["A", "Bcd"], &[]), "A\tBcd\t\n");
        assert_eq!(
            pretty_table(&["A", "Bcd"], &[row(["é\u{1f600}", "1"]), row(["x", "12345"])]),
            "A  \tBcd  \t\né\u{1f600}\t1    \t\nx  \t12345\t\n"
        );
    }
}
