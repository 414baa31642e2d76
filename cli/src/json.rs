//! What a tool found as one JSON document: `--json`, an option of our own (docs/decisions/0420).
//!
//! Owns: how rows and objects are written. A row of a table is an object and stands on a line; its
//! keys are Kafka's names of what the columns show, numbers are numbers, and what is not there is
//! null. The rows themselves are their tool's.

use std::io::{self, Write};

use serde::{Serialize, Serializer};

/// What a tool reports: lines of text as they are found, or rows that are one document at the end.
/// A command that fails leaves no half of a document.
pub(crate) struct Report<'a> {
    pub(crate) out: &'a mut dyn Write,
    pub(crate) err: &'a mut dyn Write,
    rows: Option<Vec<String>>,
}

impl<'a> Report<'a> {
    pub(crate) fn new(is_json: bool, out: &'a mut dyn Write, err: &'a mut dyn Write) -> Self {
        Self { out, err, rows: is_json.then(Vec::new) }
    }

    /// One row, or how it looks as text.
    pub(crate) fn row(
        &mut self,
        row: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> io::Result<()> {
        match &mut self.rows {
            Some(rows) => rows.push(serde_json::to_string(row)?),
            None => self.out.write_all(text().as_bytes())?,
        }
        Ok(())
    }

    /// A table of rows, or how it looks as text.
    pub(crate) fn rows<T: Serialize>(
        &mut self,
        rows: impl IntoIterator<Item = T>,
        text: impl FnOnce() -> String,
    ) -> io::Result<()> {
        match self.rows {
            Some(_) => rows.into_iter().try_for_each(|row| self.row(&row, String::new)),
            None => self.out.write_all(text().as_bytes()),
        }
    }

    /// Text that is no row: a heading.
    pub(crate) fn heading(&mut self, text: &str) -> io::Result<()> {
        match self.rows {
            Some(_) => Ok(()),
            None => self.out.write_all(text.as_bytes()),
        }
    }

    /// Words beside what is found, which would break a document: they go to stderr then.
    pub(crate) fn remark(&mut self, words: &str) -> io::Result<()> {
        match self.rows {
            Some(_) => writeln!(self.err, "{words}"),
            None => writeln!(self.out, "{words}"),
        }
    }

    /// Nothing more is found.
    pub(crate) fn end(self) -> io::Result<()> {
        match self.rows.as_deref() {
            None => Ok(()),
            Some([]) => writeln!(self.out, "[]"),
            Some(rows) => writeln!(self.out, "[\n{}\n]", rows.join(",\n")),
        }
    }
}

/// Writes a table of rows that are all known.
pub(crate) fn rows<T: Serialize>(
    rows: impl IntoIterator<Item = T>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut nobody = io::sink();
    let mut report = Report::new(true, out, &mut nobody);
    report.rows(rows, String::new)?;
    report.end()
}

/// Writes one thing.
pub(crate) fn object(one: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", serde_json::to_string(one)?)
}

/// Names and values, in their order, as the fields of an object.
pub(crate) fn fields<K, V, S>(pairs: &[(K, V)], serializer: S) -> Result<S::Ok, S::Error>
where
    K: Serialize,
    V: Serialize,
    S: Serializer,
{
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Row {
        group_id: &'static str,
        lag: Option<i64>,
        #[serde(serialize_with = "fields")]
        configs: Vec<(&'static str, Option<&'static str>)>,
    }

    fn row(lag: Option<i64>) -> Row {
        Row { group_id: "a\"b", lag, configs: vec![("z", Some("1")), ("a", None)] }
    }

    #[test]
    fn a_row_is_an_object_on_a_line() {
        let mut out = Vec::new();
        rows([row(Some(7)), row(None)], &mut out).unwrap();
        let expected = concat!(
            "[\n",
            r#"{"groupId":"a\"b","lag":7,"configs":{"z":"1","a":null}},"#,
            "\n",
            r#"{"groupId":"a\"b","lag":null,"configs":{"z":"1","a":null}}"#,
            "\n]\n"
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        let mut out = Vec::new();
        rows([(); 0], &mut out).unwrap();
        object(&[1], &mut out).unwrap();
        assert_eq!(out, b"[]\n[1]\n");
    }

    #[test]
    fn what_is_no_row_stands_in_no_document() {
        for (is_json, stdout, stderr) in
            [(false, "head\nline\naside\n", ""), (true, "[\n1\n]\n", "aside\n")]
        {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let mut report = Report::new(is_json, &mut out, &mut err);
            report.heading("head\n").unwrap();
            report.row(&1, || "line\n".to_owned()).unwrap();
            report.remark("aside").unwrap();
            report.end().unwrap();
            let said = [out, err].map(|bytes| String::from_utf8(bytes).unwrap());
            assert_eq!(said, [stdout, stderr], "{is_json}");
        }
    }
}
