//! `kafka-storage` beside stock's of 4.3.1: the trees that `format` leaves, and what the tool says.
//!
//! fixtures/trees holds what stock formatted, fixtures/kafka-storage-4.3.1.txt what it printed
//! (tests/dump/StorageTranscript.java, run by hand). `ROOT` stands for the folder of the tests; the
//! class names and stack traces of Java are left out.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use protocol::batch::batches;

const CLUSTER: &str = "MkU3OEVBNTcwNTJENDM2Qg";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn tool(arguments: &[String]) -> (i32, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = cli::run_to("kafka-storage.sh", arguments, &mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).expect("the tool prints text");
    (code.expect("the tool is there"), text(out), text(err))
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Puts the properties that stock was run with below a folder.
fn lay_out(root: &Path) {
    let root_text = root.to_str().expect("a path of text");
    let mut names: Vec<String> = Vec::new();
    let trees = fixtures().join("trees");
    for entry in fs::read_dir(&trees).expect("fixtures") {
        let path = entry.expect("fixtures").path();
        if path.extension().is_some_and(|end| end == "properties") {
            let text = fs::read_to_string(&path).expect("fixture").replace("ROOT", root_text);
            let name = path.file_name().and_then(|name| name.to_str()).expect("name").to_owned();
            fs::write(root.join(&name), text).expect("written");
            names.push(name);
        }
    }
    assert_eq!(names.len(), 11);
}

/// Files by path, without directories.
fn files(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("a folder").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(root).expect("below").display().to_string();
            found.insert(name, fs::read(&path).expect("a file"));
        }
    }
    found
}

/// Timestamps and checksums of a file of batches as zeros; the checksums are verified first.
fn without_times(bytes: &[u8]) -> Vec<u8> {
    let mut masked = bytes.to_vec();
    let mut at = 0;
    for batch in batches(bytes) {
        let batch = batch.expect("a whole batch");
        batch.verify_crc().expect("a valid batch");
        masked[at + 17..at + 21].fill(0);
        masked[at + 27..at + 43].fill(0);
        at += batch.len();
    }
    assert_eq!(at, bytes.len(), "nothing follows the last batch");
    // The time in the header of the snapshot, the first record of the first batch.
    masked[73..81].fill(0);
    masked
}

fn directory_id(meta: &[u8]) -> String {
    let text = std::str::from_utf8(meta).expect("text");
    let line = text.lines().find_map(|line| line.strip_prefix("directory.id="));
    line.expect("a directory id").to_owned()
}

fn id_bytes(id: &str) -> Vec<u8> {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bits = 0_u128;
    for letter in id.chars().take(21) {
        bits = bits << 6 | alphabet.find(letter).expect("base64") as u128;
    }
    let last = id.chars().nth(21).and_then(|letter| alphabet.find(letter)).expect("base64");
    (bits << 2 | (last >> 4) as u128).to_be_bytes().to_vec()
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let Some(at) = bytes.windows(from.len()).position(|window| window == from) else {
        return bytes.to_vec();
    };
    [&bytes[..at], to, &bytes[at + from.len()..]].concat()
}

/// `meta.properties` without its date and directory.
fn without_date(meta: &[u8]) -> String {
    let text = std::str::from_utf8(meta).expect("text");
    let lines = text.lines().enumerate().map(|(number, line)| match number {
        1 => {
            assert_eq!(line.split(' ').count(), 6, "a date: {line}");
            "#date"
        }
        _ if line.starts_with("directory.id=") => "directory.id=*",
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Formats with these flags and compares file by file with what stock left.
fn formats_as_stock(case: &str, flags: &[&str]) {
    let root = tempfile::tempdir().expect("a folder");
    lay_out(root.path());
    let properties = root.path().join(format!("{case}.properties")).display().to_string();
    let mut arguments = words(&["format", "-t", CLUSTER, "-c", &properties]);
    arguments.extend(words(flags));
    let (code, out, err) = tool(&arguments);
    assert_eq!((code, err.as_str()), (0, ""), "{case}: {out}");
    let (ours, theirs) =
        (files(&root.path().join(case)), files(&fixtures().join("trees").join(case)));
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&ours), names(&theirs), "{case}");
    for (name, bytes) in &ours {
        let their_bytes = &theirs[name];
        if name.ends_with("meta.properties") {
            assert_eq!(without_date(bytes), without_date(their_bytes), "{case}: {name}");
            continue;
        }
        let meta = |files: &BTreeMap<String, Vec<u8>>| {
            files.get("meta.properties").map(|meta| id_bytes(&directory_id(meta)))
        };
        let ours_masked = match (meta(&ours), meta(&theirs)) {
            (Some(our_id), Some(their_id)) => replaced(&without_times(bytes), &our_id, &their_id),
            _ => without_times(bytes),
        };
        assert_eq!(ours_masked, without_times(their_bytes), "{case}: {name}");
    }
}

#[test]
fn a_static_quorum_is_formatted_as_stock_formats_it() {
    formats_as_stock("plain", &[]);
}

#[test]
fn older_releases_are_formatted_as_stock_formats_them() {
    formats_as_stock("r33", &["--release-version", "3.3-IV3"]);
    formats_as_stock("r39", &["-r", "3.9-IV0"]);
    formats_as_stock("r40", &["--release-version=4.0"]);
}

#[test]
fn chosen_features_are_formatted_as_stock_formats_them() {
    formats_as_stock("feat", &["-f", "transaction.version=0", "--feature", "group.version=0"]);
}

#[test]
fn a_standalone_controller_is_formatted_as_stock_formats_it() {
    formats_as_stock("alone", &["--standalone"]);
}

#[test]
fn a_node_without_initial_controllers_is_formatted_as_stock_formats_it() {
    formats_as_stock("noinit", &["--no-initial-controllers"]);
}

#[test]
fn initial_controllers_are_formatted_as_stock_formats_them() {
    let both = "1@localhost:9093:MvDxzVmcRsaTz33bUuRU6A,2@host2:9094:07R5amHmR32VDA6jHkGbTA";
    formats_as_stock("init", &["-I", both]);
    let other = "1@localhost:9093:MvDxzVmcRsaTz33bUuRU6A";
    formats_as_stock("initother", &["--initial-controllers", other]);
}

#[test]
fn several_directories_are_formatted_as_stock_formats_them() {
    formats_as_stock("dirs", &[]);
}

#[test]
fn scram_credentials_are_formatted_as_stock_formats_them() {
    let salted = "SCRAM-SHA-256=[name=alice,salt=\"N3E=\",saltedpassword=\"YCE=\"]";
    let password = "SCRAM-SHA-512=[name=bob,iterations=8192,\
                    salt=\"MWx2NHBkbnc0ZndxN25vdGN4bTB5Y3Bt\",password=bob-secret]";
    formats_as_stock("scram", &["-S", salted, "--add-scram", password]);
}

#[test]
fn a_checkpoint_can_only_be_read_by_its_owner() {
    let root = tempfile::tempdir().expect("a folder");
    lay_out(root.path());
    let properties = root.path().join("alone.properties").display().to_string();
    tool(&words(&["format", "-st", CLUSTER, "-c", &properties]));
    let name = "alone/__cluster_metadata-0/00000000000000000000-0000000000.checkpoint";
    let mode = fs::metadata(root.path().join(name)).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o400);
}

/// Folders and files that the transcript speaks of.
fn lay_out_transcript(root: &Path) {
    lay_out(root);
    let nodes = [
        ("e1", "broker,controller", 1, true, "controller.quorum.voters=1@localhost:9093"),
        ("e2", "broker,controller", 1, true, "controller.quorum.bootstrap.servers=localhost:9093"),
        ("e3", "broker", 5, false, "controller.quorum.bootstrap.servers=localhost:9093"),
        ("other", "broker,controller", 2, true, "controller.quorum.voters=2@localhost:9093"),
        ("bad", "broker,controller", 1, true, "controller.quorum.voters=1@localhost:9093"),
        ("afile", "broker,controller", 1, true, "controller.quorum.voters=1@localhost:9093"),
    ];
    for (name, roles, id, controller, quorum) in nodes {
        let listeners = match controller {
            true => "PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093",
            false => "PLAINTEXT://localhost:9092",
        };
        let directory = root.join(if name == "other" { "plain" } else { name });
        let text = format!(
            "node.id={id}\nprocess.roles={roles}\nlisteners={listeners}\n\
             controller.listener.names=CONTROLLER\nlog.dirs={}\n{quorum}\n",
            directory.display()
        );
        fs::write(root.join(format!("{name}.properties")), text).expect("written");
    }
    fs::write(root.join("broken.properties"), "broken=1\n").expect("written");
    fs::create_dir(root.join("bad")).expect("made");
    fs::write(root.join("bad/meta.properties"), "garbage\n").expect("written");
    fs::write(root.join("afile"), "").expect("written");
    for name in ["plain", "dirs"] {
        let properties = root.join(format!("{name}.properties")).display().to_string();
        let (code, ..) = tool(&words(&["format", "-t", CLUSTER, "-c", &properties]));
        assert_eq!(code, 0);
    }
}

fn without_ids(line: &str) -> String {
    match line.split_once("directory.id=") {
        Some((before, rest)) => format!("{before}directory.id=*{}", &rest[22..]),
        None => line.to_owned(),
    }
}

#[test]
fn the_tool_says_what_stock_says() {
    let root = tempfile::tempdir().expect("a folder");
    lay_out_transcript(root.path());
    let root_text = root.path().to_str().expect("a path of text");
    let transcript =
        fs::read_to_string(fixtures().join("kafka-storage-4.3.1.txt")).expect("the transcript");
    let mut compared = 0;
    for block in transcript.split("\n\n") {
        let (command, expected) = block.trim().split_once('\n').expect("a command");
        let command = command.strip_prefix("$").expect("a command").trim_start_matches(' ');
        let arguments: Vec<String> = match command {
            "" => Vec::new(),
            words => words.split('\t').map(|word| word.replace("ROOT", root_text)).collect(),
        };
        let (code, out, err) = tool(&arguments);
        let mark = |stream: &str, text: &str| -> Vec<String> {
            let lines = text.lines().map(|line| line.replace(root_text, "ROOT"));
            lines.map(|line| format!("{stream}|{}", without_ids(&line))).collect()
        };
        let mut ours = mark("out", &out);
        ours.extend(mark("err", &err));
        ours.push(format!("exit {code}"));
        assert_eq!(ours, expected.lines().collect::<Vec<_>>(), "$ {command}");
        compared += 1;
    }
    assert!(compared > 70, "{compared}");
}

#[test]
fn random_ids_are_of_one_form() {
    let (code, out, _) = tool(&words(&["random-uuid"]));
    assert_eq!((code, out.len(), out.ends_with('\n')), (0, 23, true));
    assert!(!out.starts_with('-'));
}

#[test]
fn every_command_has_help() {
    for command in ["", "format", "info", "random-uuid", "version-mapping", "feature-dependencies"]
    {
        let arguments: Vec<_> =
            [command, "-h"].iter().filter(|word| !word.is_empty()).copied().collect();
        let (code, out, err) = tool(&words(&arguments));
        assert_eq!((code, err.as_str()), (0, ""));
        assert!(out.starts_with("usage: kafka-storage"), "{out}");
    }
}

#[test]
fn what_is_no_tool_is_left_to_others() {
    assert_eq!(cli::run(cli::CliRelease::V4_3, "kafka-stooges", &[]), None);
}

#[test]
fn a_node_without_configuration_formats_itself_once() {
    let root = tempfile::tempdir().expect("a folder");
    let mut properties = config::broker::zero_properties();
    properties.set("log.dirs", root.path().join("gregor-data").display().to_string());
    let (config, _) = config::BrokerConfig::from_properties(&properties).expect("it is valid");
    let formatted = cli::format_if_new(&config).expect("it can be written");
    assert_eq!(formatted.len(), 1);
    assert!(formatted[0].to_string().ends_with("gregor-data with metadata.version 4.3-IV0."));
    let first = files(root.path());
    assert!(cli::format_if_new(&config).expect("nothing to do").is_empty());
    assert_eq!(files(root.path()), first);
}
