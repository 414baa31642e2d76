//! Starts that are refused: run, expected in certain words, with nothing on disk touched.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::node::binary;
use crate::server::{CLUSTER_ID, Kind, Server};

/// Starts on the file and waits for the end, which comes by itself.
#[must_use]
pub fn start(file: &Path) -> Output {
    let mut start = Command::new(binary());
    start.arg("kafka-server-start").arg(file).stdin(Stdio::null());
    start.output().expect("gregor starts")
}

/// Every file below the folder with its bytes, and every folder.
#[must_use]
pub fn tree(folder: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path.clone());
                found.insert(path, None);
            } else {
                let bytes = fs::read(&path).expect("a readable file");
                found.insert(path, Some(bytes));
            }
        }
    }
    found
}

/// A server whose directory is formatted, and its properties file.
#[must_use]
pub fn formatted() -> (Server, PathBuf) {
    let server = Server::prepare(Kind::Gregor, &[]);
    let file = server.folder().join("server.properties");
    let format = ["kafka-storage", "format", "-t", CLUSTER_ID, "-c"];
    let output = Command::new(binary()).args(format).arg(&file).output().expect("gregor starts");
    assert!(output.status.success(), "{output:?}");
    (server, file)
}

/// What the process wrote to both streams.
#[must_use]
pub fn printed(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

/// Starts and expects a refusal in these words, with nothing changed below the server's folder.
///
/// # Panics
/// When it starts, says more or less than one line, or touches something.
pub fn refused(because: &str, server: &Server, file: &Path, said: &[String]) {
    let before = tree(server.folder());
    let output = start(file);
    let printed = printed(&output);
    assert_eq!(output.status.code(), Some(1), "{because}: {printed}");
    let lines: Vec<&str> = printed.lines().filter(|line| !line.contains("] INFO ")).collect();
    assert_eq!(lines.len(), 1, "{because}: one line says it: {printed}");
    assert!(lines[0].contains("] ERROR "), "{because}: {printed}");
    for words in said {
        assert!(lines[0].contains(words), "{because}: {words:?} in {printed}");
    }
    assert!(before == tree(server.folder()), "{because}: nothing is touched");
}

/// A start that is refused: the properties that differ from a good node's, and what is said.
#[derive(Debug)]
pub struct Refused {
    pub because: &'static str,
    pub properties: &'static [&'static str],
    pub said: &'static [&'static str],
}

/// Starts each case on a formatted directory and expects its refusal. In properties and words
/// `DATA` stands for the node's log dir, `PORT` and `CPORT` for its ports.
///
/// # Panics
/// As [`refused`] does.
pub fn each_is_refused(cases: &[Refused]) {
    let (server, file) = formatted();
    let good = fs::read_to_string(&file).expect("readable");
    let data = server.data().display().to_string();
    let fill = |text: &str| {
        let text = text.replace("DATA", &data);
        let text = text.replace("CPORT", &server.controller_port.to_string());
        text.replace("PORT", &server.port.to_string())
    };
    for case in cases {
        let mut text = good.clone();
        for property in case.properties {
            text.push_str(&fill(property));
            text.push('\n');
        }
        fs::write(&file, text).expect("written");
        let said: Vec<String> = case.said.iter().map(|words| fill(words)).collect();
        refused(case.because, &server, &file, &said);
    }
}
