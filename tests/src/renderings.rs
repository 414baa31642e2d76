//! What a native tool finds, as text and with `--json`: the same, twice.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::cluster::child::Child;
use crate::native::{command, run};
use crate::oracle::{Finished, NEWEST};
use crate::server::{Kind, Server};

/// Both renderings of what a tool finds.
pub struct Both {
    pub text: Finished,
    pub json: Value,
    pub remarks: String,
}

pub struct Tools {
    pub server: Server,
}

impl Tools {
    pub fn start(kind: Kind, extra: &[&str]) -> Self {
        let extra: Vec<String> = extra.iter().map(|line| (*line).to_owned()).collect();
        Self { server: Server::start(kind, &extra) }
    }

    /// A stock node of 4.3.1, which has all kinds of groups by itself.
    pub fn newest(extra: &[&str]) -> Self {
        let extra: Vec<String> = extra.iter().map(|line| (*line).to_owned()).collect();
        let mut server = Server::prepare(Kind::Stock, &extra);
        server.stock = Some(NEWEST.to_owned());
        server.start_again();
        Self { server }
    }

    /// A native tool that runs until it is dropped.
    pub fn started(&self, line: &str, name: &str) -> Child {
        let (tool, words) = self.words(line);
        Child::start(command(NEWEST, &tool).args(words), &self.server.folder().join(name))
    }

    pub fn words(&self, line: &str) -> (String, Vec<String>) {
        let line = line
            .replace("SERVER", &format!("--bootstrap-server {}", self.server.address()))
            .replace("DIR", &self.server.folder().display().to_string());
        let mut words = line.split_whitespace().map(str::to_owned);
        (words.next().expect("a tool"), words.collect())
    }

    pub fn run(&self, line: &str) -> Finished {
        let (tool, words) = self.words(line);
        run(&tool, &words, "")
    }

    pub fn done(&self, line: &str) -> Finished {
        let done = self.run(line);
        assert_eq!(done.code, 0, "{line}: {done:?}");
        done
    }

    pub fn both(&self, line: &str) -> Both {
        let (text, json) = (self.done(line), self.done(&format!("{line} --json")));
        let parsed = serde_json::from_str(&json.stdout);
        let parsed = parsed.unwrap_or_else(|error| panic!("{line}: {error}: {}", json.stdout));
        Both { text, json: parsed, remarks: json.stderr }
    }

    /// A failure is the same with and without.
    pub fn fails_alike(&self, line: &str) {
        let (text, json) = (self.run(line), self.run(&format!("{line} --json")));
        assert_eq!(
            (text.code, text.stdout, text.stderr),
            (json.code, json.stdout, json.stderr),
            "{line}"
        );
    }
}

pub fn rows(json: &Value) -> &Vec<Value> {
    json.as_array().expect("rows")
}

/// As a table shows it.
pub fn shown(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

pub fn list(value: &Value) -> String {
    rows(value).iter().map(shown).collect::<Vec<_>>().join(",")
}

/// `CURRENT-OFFSET` is `currentOffset`.
pub fn key(header: &str) -> String {
    let header = match header {
        "GROUP" => "GROUP-ID",
        "#PARTITIONS" => "PARTITION-COUNT",
        "#MEMBERS" => "MEMBER-COUNT",
        other => other,
    };
    let mut words = header.split(['-', '_']).map(str::to_ascii_lowercase);
    let first = words.next().unwrap_or_default();
    let rest = words.map(|word| word[..1].to_uppercase() + &word[1..]);
    first + &rest.collect::<String>()
}

/// `ProducerId` is `producerId`.
pub fn pascal(header: &str) -> String {
    header[..1].to_lowercase() + &header[1..]
}

/// A table whose cells have no blanks, by the keys of its columns.
pub fn table(text: &str) -> Vec<BTreeMap<String, String>> {
    table_with(text, key)
}

pub fn table_with(text: &str, key: impl Fn(&str) -> String) -> Vec<BTreeMap<String, String>> {
    let mut lines = text.lines().filter(|line| !line.is_empty());
    let header: Vec<String> =
        lines.next().unwrap_or_default().split_whitespace().map(key).collect();
    let row = |line: &str| {
        let cells = line.split_whitespace().map(str::to_owned);
        header.iter().cloned().zip(cells).collect()
    };
    lines.map(row).collect()
}

/// Every cell of the table stands in the rows of JSON.
pub fn same_table(both: &Both) {
    let table = table(&both.text.stdout);
    let json = rows(&both.json);
    assert_eq!(table.len(), json.len(), "{}", both.json);
    for (cells, row) in table.iter().zip(json) {
        for (key, cell) in cells {
            let value = row.get(key).unwrap_or_else(|| panic!("no {key} in {row}"));
            assert_eq!(&shown(value), cell, "{key} of {row}");
        }
    }
}

/// The same of a table with a coordinator, whose address and id have blanks between them.
pub fn same_state(both: Both, blanks: &str) {
    let coordinator = &both.json[0]["coordinator"];
    let address = format!("{}:{}", shown(&coordinator["host"]), coordinator["port"]);
    let named = format!("{address}{blanks}({})", coordinator["id"]);
    let text = both.text.stdout.replace(&named, "").replace("COORDINATOR (ID)", "");
    assert_ne!(text.len() + named.len(), both.text.stdout.len(), "{named} is not named");
    same_table(&Both { text: Finished { stdout: text, ..both.text }, ..both });
}

/// What stands in a table without blanks, by what makes a text of a list.
pub fn with_texts(mut both: Both, key: &str, text: impl Fn(&Value) -> String) -> Both {
    for row in both.json.as_array_mut().expect("rows") {
        row[key] = Value::String(text(&row[key]));
    }
    both
}
