//! The oracle is checked itself: the tool server against real processes, the golden files against a
//! stock broker in the same run.

use tests::golden;
use tests::oracle::{COURSE, Finished, NEWEST, ToolServer, run_as_process};
use tests::server::{Kind, Server};

/// What a process prints beyond the tool's own words: log libraries, stack frames.
fn words(finished: &Finished) -> (i32, String, String) {
    let keep = |text: &str| {
        let is_log = |line: &&str| line.starts_with("SLF4J") || line.starts_with("log4j:");
        let lines = text.lines().filter(|line| !is_log(line) && !line.starts_with("\tat "));
        lines.map(|line| format!("{line}\n")).collect()
    };
    (finished.code, keep(&finished.stdout), keep(&finished.stderr))
}

#[test]
fn a_tool_in_the_tool_server_prints_what_its_own_process_prints() {
    let server = Server::start(Kind::Stock, &[]);
    let address = server.address();
    let samples = [
        (NEWEST, "kafka-topics", "--create --topic seen"),
        (NEWEST, "kafka-topics", "--describe --topic __consumer_offsets"),
        (NEWEST, "kafka-topics", "--describe --topic absent"),
        (COURSE, "kafka-topics", "--list"),
        (NEWEST, "kafka-console-consumer", "--topic seen --timeout-ms 1000 --partition 0"),
        (COURSE, "kafka-console-consumer", "--topic seen --timeout-ms 1000 --partition 0"),
        (NEWEST, "kafka-configs", "--describe --all --entity-type topics --entity-name seen"),
        (NEWEST, "kafka-consumer-groups", "--describe --group nobody"),
    ];
    for (version, tool, rest) in samples {
        let line = format!("--bootstrap-server {address} {rest}");
        let args: Vec<String> = line.split(' ').map(String::from).collect();
        let within = ToolServer::shared().run(version, tool, &args, "");
        if rest.starts_with("--create") {
            let delete = line.replace("--create", "--delete");
            let delete: Vec<String> = delete.split(' ').map(String::from).collect();
            assert_eq!(ToolServer::shared().run(version, tool, &delete, "").code, 0);
            std::thread::sleep(std::time::Duration::from_millis(500));
        }
        let alone = run_as_process(version, tool, &args, "");
        assert_eq!(words(&within), words(&alone), "{tool} {rest}");
    }
}

#[test]
fn stock_still_says_what_was_recorded() {
    golden::check_on(Kind::Stock, "topics/lifecycle-4.3.1");
    golden::check_on(Kind::Stock, "cluster/cluster");
}
