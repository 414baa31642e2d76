//! Running stock tools: a client of `ToolServer.java`, the one JVM that runs them all.
//!
//! A tool run in it costs what its work costs; `run_as_process` starts the tool as its own JVM,
//! which is how a test shows that both give the same bytes.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustix::process::{Pid, Signal, kill_process};

use super::jars::{class_path, jars, tool_server_classes};
use super::main_class;

/// What a tool may take that was not given another time.
const PATIENCE: Duration = Duration::from_secs(90);

/// What a tool left behind when it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Finished {
    /// Who was ended by a signal has the code that a shell gives SIGTERM.
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(143),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Finished {
    /// Waits for a process, 90 seconds at most: then it is killed, and its code is that of SIGTERM.
    ///
    /// # Panics
    /// When it cannot be waited for.
    #[must_use]
    pub fn of(process: Child) -> Self {
        let pid = Pid::from_child(&process);
        let (ended, has_ended) = channel::<()>();
        let patience = std::thread::spawn(move || {
            if has_ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let _ = kill_process(pid, Signal::KILL);
            }
        });
        let output = process.wait_with_output().expect("the tool ends");
        drop(ended);
        patience.join().expect("it only waits");
        Self::from(output)
    }
}

/// A tool that runs; `finish` waits for its end, `stop` asks for it as SIGTERM does.
#[derive(Debug)]
pub struct Running {
    server: &'static ToolServer,
    id: String,
    done: Receiver<Finished>,
}

/// The JVM that runs stock tools, one per test process.
#[derive(Debug)]
pub struct ToolServer {
    requests: Mutex<ChildStdin>,
    waiting: Arc<Waiting>,
    next_id: AtomicU64,
    _process: Child,
}

#[derive(Debug, Default)]
struct Waiting {
    done: Mutex<HashMap<String, Sender<Finished>>>,
    peeked: Mutex<HashMap<String, Sender<String>>>,
}

impl ToolServer {
    /// The process-wide server, started at the first call.
    #[must_use]
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<ToolServer> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    fn start() -> Self {
        let mut process = Command::new("java")
            .args(["-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx768m"])
            .arg("-cp")
            .arg(tool_server_classes())
            .arg("ToolServer")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("java starts");
        let answers = BufReader::new(process.stdout.take().expect("stdout is piped"));
        let waiting = Arc::new(Waiting::default());
        let hand_out = Arc::clone(&waiting);
        std::thread::spawn(move || {
            for line in answers.lines().map_while(Result::ok) {
                hand_out.answer(&line);
            }
        });
        Self {
            requests: Mutex::new(process.stdin.take().expect("stdin is piped")),
            waiting,
            next_id: AtomicU64::new(1),
            _process: process,
        }
    }

    /// Runs a tool to its end, one minute at most (exit code 124 then).
    #[must_use]
    pub fn run(&'static self, version: &str, tool: &str, args: &[String], stdin: &str) -> Finished {
        self.spawn(version, tool, args, stdin).finish()
    }

    /// Starts a tool.
    #[must_use]
    pub fn spawn(
        &'static self,
        version: &str,
        tool: &str,
        args: &[String],
        stdin: &str,
    ) -> Running {
        let main = main_class(tool, version);
        // The console consumers count their records in a static, which the old one never clears.
        let own_loader = match main {
            "kafka.tools.ConsoleConsumer" => "!",
            "org.apache.kafka.tools.consumer.ConsoleConsumer" => "1",
            _ => "",
        };
        self.spawn_main(&format!("{own_loader}{}", class_path(version)), main, args, stdin)
    }

    /// Starts any main class of any class path that holds kafka-clients.
    #[must_use]
    pub fn spawn_main(
        &'static self,
        class_path: &str,
        main: &str,
        args: &[String],
        stdin: &str,
    ) -> Running {
        self.spawn_main_within(class_path, main, args, stdin, Duration::from_secs(60))
    }

    /// The same with another time after which it is ended.
    #[must_use]
    pub fn spawn_main_within(
        &'static self,
        class_path: &str,
        main: &str,
        args: &[String],
        stdin: &str,
        patience: Duration,
    ) -> Running {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed).to_string();
        let (sender, done) = channel();
        self.waiting.done.lock().expect("not poisoned").insert(id.clone(), sender);
        let mut fields = vec![
            "run".to_owned(),
            id.clone(),
            BASE64_STANDARD.encode(class_path),
            main.to_owned(),
            patience.as_millis().to_string(),
            BASE64_STANDARD.encode(stdin),
        ];
        fields.extend(args.iter().map(|arg| BASE64_STANDARD.encode(arg)));
        self.send(&fields);
        Running { server: self, id, done }
    }

    fn send(&self, fields: &[String]) {
        let mut requests = self.requests.lock().expect("not poisoned");
        writeln!(requests, "{}", fields.join("\t")).expect("the tool server lives");
        requests.flush().expect("the tool server lives");
    }
}

impl Running {
    /// Waits for the end.
    #[must_use]
    pub fn finish(self) -> Finished {
        self.done.recv_timeout(PATIENCE).expect("the tool server answers")
    }

    /// Ends it as SIGTERM would: its shutdown hooks run. Its exit code is 143.
    #[must_use]
    pub fn stop(self) -> Finished {
        self.server.send(&["stop".to_owned(), self.id.clone()]);
        self.finish()
    }

    /// What it printed so far.
    #[must_use]
    pub fn stdout_so_far(&self) -> String {
        let (sender, answer) = channel();
        self.server.waiting.peeked.lock().expect("not poisoned").insert(self.id.clone(), sender);
        self.server.send(&["peek".to_owned(), self.id.clone()]);
        answer.recv_timeout(Duration::from_secs(30)).expect("the tool server answers")
    }
}

impl Waiting {
    fn answer(&self, line: &str) {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields.as_slice() {
            ["done", id, code, stdout, stderr] => {
                let finished = Finished {
                    code: code.parse().unwrap_or(-1),
                    stdout: text(stdout),
                    stderr: text(stderr),
                };
                if let Some(waiter) = self.done.lock().expect("not poisoned").remove(*id) {
                    let _ = waiter.send(finished);
                }
            }
            ["peek", id, stdout] => {
                if let Some(waiter) = self.peeked.lock().expect("not poisoned").remove(*id) {
                    let _ = waiter.send(text(stdout));
                }
            }
            other => panic!("the tool server said {other:?}"),
        }
    }
}

fn text(field: &str) -> String {
    let bytes = BASE64_STANDARD.decode(field).expect("the tool server speaks base64");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Runs a tool as a process of its own, as Kafka's bin/*.sh do.
#[must_use]
pub fn run_as_process(version: &str, tool: &str, args: &[String], stdin: &str) -> Finished {
    run_by_java(&[], version, tool, args, stdin)
}

/// The same with options for Java, as those of KAFKA_OPTS.
#[must_use]
pub fn run_by_java(
    options: &[String],
    version: &str,
    tool: &str,
    args: &[String],
    stdin: &str,
) -> Finished {
    let mut process = Command::new("java")
        .args(options)
        .args(["-XX:TieredStopAtLevel=1", "-cp"])
        .arg(format!("{}/*", jars(version).display()))
        .arg(main_class(tool, version))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("java starts");
    let mut input = process.stdin.take().expect("stdin is piped");
    input.write_all(stdin.as_bytes()).expect("the tool reads its stdin");
    drop(input);
    Finished::of(process)
}
