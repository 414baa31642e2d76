//! A native tool beside stock's: the same command line, on the same server, at the same time.

use crate::golden::tool;
use crate::mask;
use crate::native::{run, without_trace, without_trace_on_stdout};
use crate::oracle::Finished;
use crate::server::Server;
use crate::transcript::split;

/// Runs `TOOL ARGS` (SERVER is the server's address) with both, stock's first.
///
/// # Panics
/// Where they do not say the same.
pub fn compare(server: &Server, line: &str) -> Finished {
    let mut words = split(line).into_iter().map(|word| word.replace("SERVER", &server.address()));
    let name = words.next().expect("a tool");
    let arguments: Vec<String> = words.collect();
    let stock = tool(server, &line.replacen(&name, &format!("{name}@4.3.1"), 1), "");
    let ours = run(&name, &arguments, "");
    assert_eq!(without(&ours), without(&stock), "{line}\nstock:\n{stock:?}\nours:\n{ours:?}");
    ours
}

/// The same for what changes something: GROUP is `NAME-1` to stock's tool and `NAME-2` to ours.
///
/// # Panics
/// Where they do not say the same of the two.
pub fn compare_changes(server: &Server, line: &str, name: &str) {
    let [first, second] = [1, 2].map(|number| format!("{name}-{number}"));
    let words = line.replace("SERVER", &server.address()).replace("GROUP", &second);
    let words = split(&words);
    let (name, arguments) = words.split_first().expect("a tool");
    let stock = line.replace("GROUP", &first).replacen(name, &format!("{name}@4.3.1"), 1);
    let stock = tool(server, &stock, "");
    let ours = run(name, arguments, "");
    let same = |finished: &Finished| {
        let (stdout, stderr, code) = without(finished);
        (stdout.replace(&second, &first), stderr.replace(&second, &first), code)
    };
    assert_eq!(same(&ours), same(&stock), "{line}\nstock:\n{stock:?}\nours:\n{ours:?}");
}

fn without(finished: &Finished) -> (String, String, i32) {
    let is_said = |line: &&str| {
        !line.starts_with("\tat ") && !line.starts_with("SLF4J") && !line.contains("StatusLogger")
    };
    let said = |text: &str| -> String {
        text.lines().filter(is_said).map(|line| format!("{}\n", line.trim_end())).collect()
    };
    let (stdout, stderr) = (said(&finished.stdout), said(&finished.stderr));
    let trace = without_trace(&stdout, &stderr);
    (mask::ids(&without_trace_on_stdout(&stdout)), trace, finished.code)
}
