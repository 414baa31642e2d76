//! kafka-storage beside stock's, on the same properties: words, exit codes, and the tree it leaves.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use tests::mask::{ids, sorted};
use tests::node::binary;
use tests::oracle::{EQUALLED, ToolServer};
use tests::server::CLUSTER_ID;

/// What a run printed and left, masked.
#[derive(Debug, PartialEq, Eq)]
struct Left {
    code: i32,
    printed: String,
    tree: String,
}

const STATIC: &str = "process.roles=broker,controller\nnode.id=1\n\
    controller.quorum.voters=1@localhost:19093\nlisteners=PLAINTEXT://:19092,CONTROLLER://:19093\n\
    advertised.listeners=PLAINTEXT://localhost:19092\ncontroller.listener.names=CONTROLLER\n\
    log.dirs=DIR/data\n";
const DYNAMIC: &str = "process.roles=broker,controller\nnode.id=1\n\
    controller.quorum.bootstrap.servers=localhost:19093\n\
    listeners=PLAINTEXT://:19092,CONTROLLER://:19093\n\
    advertised.listeners=PLAINTEXT://localhost:19092\ncontroller.listener.names=CONTROLLER\n\
    log.dirs=DIR/data\n";
const BROKER: &str = "process.roles=broker\nnode.id=2\n\
    controller.quorum.bootstrap.servers=localhost:19093\nlisteners=PLAINTEXT://:19092\n\
    advertised.listeners=PLAINTEXT://localhost:19092\ncontroller.listener.names=CONTROLLER\n\
    log.dirs=DIR/one,DIR/two\n";

fn words(line: &str, folder: &Path) -> Vec<String> {
    let folder = folder.display().to_string();
    let filled = line.replace("FILE", "DIR/server.properties").replace("DIR", &folder);
    filled.replace("CLUSTER", CLUSTER_ID).split_whitespace().map(String::from).collect()
}

fn stock(args: &[String]) -> (i32, String) {
    let finished = ToolServer::shared().run(EQUALLED, "kafka-storage", args, "");
    (finished.code, finished.stdout + &finished.stderr)
}

fn ours(args: &[String]) -> (i32, String) {
    let output = Command::new(binary())
        .arg("kafka-storage")
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("gregor starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout) + &text(&output.stderr))
}

/// Every file below a folder with its content; checkpoints as stock's dump tool reads them.
fn tree(folder: &Path) -> String {
    let mut lines = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&next) else { continue };
        for entry in entries {
            let path = entry.expect("a readable entry").path();
            let name = path.strip_prefix(folder).expect("below").display().to_string();
            if path.is_dir() {
                lines.push(format!("{name}/"));
                folders.push(path);
                continue;
            }
            let content = if name.ends_with(".checkpoint") && !name.contains("offset-checkpoint") {
                let options = ["--cluster-metadata-decoder", "--skip-record-metadata", "--files"];
                let mut args: Vec<String> = options.map(String::from).to_vec();
                args.push(path.display().to_string());
                let dump = ToolServer::shared().run(EQUALLED, "kafka-dump-log", &args, "");
                assert_eq!(dump.code, 0, "{name}: {dump:?}");
                let length = path.metadata().expect("a size").len();
                let kept = dump.stdout.lines().filter(|line| line.contains("payload"));
                format!("{length} bytes\n{}", kept.collect::<Vec<_>>().join("\n"))
            } else {
                let text = std::fs::read_to_string(&path).expect("a text file");
                let is_date = |line: &&str| line.starts_with('#') && line.contains("20");
                sorted(&text.lines().filter(|line| !is_date(line)).collect::<Vec<_>>().join("\n"))
            };
            lines.push(format!("{name}\n{content}"));
        }
    }
    lines.sort();
    lines.join("\n")
}

/// Runs the command lines one after the other in a new folder, by one of the two.
fn run(properties: &str, lines: &[&str], tool: fn(&[String]) -> (i32, String)) -> Vec<Left> {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().display().to_string();
    let properties = properties.replace("DIR", &place);
    std::fs::write(folder.path().join("server.properties"), properties).expect("written");
    let mut all = Vec::new();
    for line in lines {
        let (code, printed) = tool(&words(line, folder.path()));
        let masked = |text: &str| ids(&text.replace(&place, "DIR"));
        let is_log = |line: &&str| line.starts_with("SLF4J") || line.starts_with("\tat ");
        let mut kept = String::new();
        for line in printed.lines().filter(|line| !is_log(line)) {
            // What stock lets escape from main carries Java's words before the message.
            let message = line.strip_prefix("Exception in thread \"main\" ");
            let message = message.and_then(|line| line.split_once("Exception: "));
            let _ = writeln!(kept, "{}", message.map_or(line, |(_, message)| message).trim_end());
        }
        // Several directories are named in the order of a hash set of their paths.
        let printed = sorted(&masked(&kept));
        all.push(Left { code, printed, tree: masked(&tree(folder.path())) });
    }
    all
}

#[test]
fn formatting_prints_and_leaves_what_stock_does() {
    let mut differences = String::new();
    for (properties, lines) in [
        (STATIC, &["format -t CLUSTER -c FILE", "format -t CLUSTER -c FILE", "info -c FILE"][..]),
        (STATIC, &["info -c FILE", "format -t CLUSTER -c FILE --ignore-formatted", "info -c FILE"]),
        (STATIC, &["format -t CLUSTER -c FILE --release-version 3.9-IV0", "info -c FILE"]),
        (STATIC, &["format -t CLUSTER -c FILE --release-version 1.0"]),
        (STATIC, &["format -t CLUSTER -c FILE --feature group.version=0"]),
        (STATIC, &["format -t CLUSTER -c FILE --feature share.version=1"]),
        (STATIC, &["format -t CLUSTER -c FILE --feature no.such.feature=1"]),
        (STATIC, &["format -t CLUSTER -c FILE --feature transaction.version=9"]),
        (STATIC, &["format -t CLUSTER -c FILE --standalone"]),
        (STATIC, &["format -t short -c FILE"]),
        (STATIC, &["format -c FILE"]),
        (DYNAMIC, &["format -t CLUSTER -c FILE"]),
        (DYNAMIC, &["format -t CLUSTER -c FILE --standalone", "info -c FILE"]),
        (DYNAMIC, &["format -t CLUSTER -c FILE --no-initial-controllers", "info -c FILE"]),
        (
            DYNAMIC,
            &["format -t CLUSTER -c FILE --initial-controllers \
               1@localhost:19093:3Db5QLSqSZieL3rJBUUegA"],
        ),
        (DYNAMIC, &["format -t CLUSTER -c FILE --initial-controllers nonsense"]),
        (DYNAMIC, &["format -t CLUSTER -c FILE --standalone --no-initial-controllers"]),
        (BROKER, &["format -t CLUSTER -c FILE", "info -c FILE"]),
        (BROKER, &["format -t CLUSTER -c FILE --standalone"]),
        ("node.id=1\nprocess.roles=nobody\nlog.dirs=DIR/data\n", &["format -t CLUSTER -c FILE"]),
    ] {
        let (expected, found) = (run(properties, lines, stock), run(properties, lines, ours));
        for ((line, expected), found) in lines.iter().zip(expected).zip(found) {
            if found != expected {
                let _ = writeln!(differences, "{line}\n  stock: {expected:?}\n  ours:  {found:?}");
            }
        }
    }
    assert!(differences.is_empty(), "not as stock's kafka-storage:\n{differences}");
}

#[test]
fn what_needs_no_directory_prints_what_stock_prints() {
    for line in [
        "version-mapping",
        "version-mapping --release-version 3.8-IV0",
        "version-mapping --release-version nonsense",
        "feature-dependencies --feature transaction.version=2",
        "feature-dependencies --feature kraft.version=1 --feature group.version=1",
        "feature-dependencies --feature nonsense=1",
        "random-uuid",
    ] {
        let args: Vec<String> = line.split(' ').map(String::from).collect();
        let (stock, ours) = (stock(&args), ours(&args));
        let masked = |(code, text): (i32, String)| {
            let kept = text.lines().filter(|line| !line.starts_with("SLF4J"));
            let kept: Vec<&str> = kept.map(str::trim_end).collect();
            let text = kept.join("\n");
            (code, if line == "random-uuid" { text.len().to_string() } else { text })
        };
        assert_eq!(
            masked(ours),
            masked(stock),
            "kafka-storage {line} (left: ours, right: stock's)"
        );
    }
}
