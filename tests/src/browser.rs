//! A headless Chromium that opens pages, spoken to by its own protocol over a pipe: JSON with a NUL
//! behind each message, requests on descriptor 3 and answers on 4.
//!
//! Kept true: what a script throws, and what a page's policy stops, is collected; a test that asks
//! for [`Browser::complaints`] sees all of it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::cluster::view::until;

/// How long the browser may take for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// One browser with one page.
#[derive(Debug)]
pub struct Browser {
    process: Child,
    asks: ChildStdin,
    messages: Receiver<Value>,
    next_id: u64,
    session: Option<String>,
    complaints: Vec<String>,
    _profile: TempDir,
}

impl Browser {
    /// Starts one with an empty page.
    ///
    /// # Panics
    /// When Chromium is not installed, or does not start: no test goes without it.
    #[must_use]
    pub fn start() -> Self {
        let profile = tempfile::Builder::new().prefix("gregor-browser-").tempdir();
        let profile = profile.expect("a folder");
        let flags = [
            "--headless=new",
            "--remote-debugging-pipe",
            "--no-first-run",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--ignore-certificate-errors",
            "--window-size=1280,800",
        ];
        let line = format!(
            "exec chromium {} --user-data-dir={} about:blank 3<&0 4>&1 </dev/null >/dev/null",
            flags.join(" "),
            profile.path().display(),
        );
        let mut command = Command::new("bash");
        command.arg("-c").arg(line).stdin(Stdio::piped()).stdout(Stdio::piped());
        let log = std::fs::File::create(profile.path().join("stderr")).expect("a file");
        let mut process = command.stderr(log).spawn().expect("bash starts");
        let asks = process.stdin.take().expect("a pipe");
        let answers = BufReader::new(process.stdout.take().expect("a pipe"));
        let (told, messages) = mpsc::channel();
        std::thread::spawn(move || {
            for message in answers.split(0).map_while(Result::ok) {
                let read = serde_json::from_slice(&message);
                // Nobody waits any more when the browser is done with.
                if read.is_ok_and(|message: Value| told.send(message).is_err()) {
                    return;
                }
            }
        });
        let (next_id, session, complaints) = (1, None, Vec::new());
        let mut browser =
            Self { process, asks, messages, next_id, session, complaints, _profile: profile };
        browser.begin();
        browser
    }

    fn begin(&mut self) {
        let target = self.call("Target.createTarget", json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = self.call("Target.attachToTarget", attach);
        self.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
    }

    /// Has the browser do something; what it answers.
    ///
    /// # Panics
    /// When it refuses, or takes too long.
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        let id = self.next_id;
        self.next_id += 1;
        let mut message = json!({"id": id, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.asks.write_all(&bytes).unwrap_or_else(|error| {
            panic!("chromium does not take {method} ({error}): {}", self.log());
        });
        loop {
            let Ok(mut answer) = self.messages.recv_timeout(PATIENCE) else {
                panic!("chromium does not answer {method}: {}", self.log());
            };
            if answer["id"].as_u64() == Some(id) {
                assert_eq!(answer["error"], Value::Null, "{method}");
                return answer["result"].take();
            }
            self.note(&answer);
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self._profile.path().join("stderr")).unwrap_or_default()
    }

    fn note(&mut self, event: &Value) {
        let params = &event["params"];
        match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => {
                self.complaints.push(params["exceptionDetails"].to_string());
            }
            // A question that the network fails is no fault of the page.
            Some("Log.entryAdded") if params["entry"]["source"] != "network" => {
                self.complaints.push(params["entry"].to_string());
            }
            _ => {}
        }
    }

    /// What scripts threw and policies stopped until now.
    pub fn complaints(&mut self) -> Vec<String> {
        self.evaluate("1");
        std::mem::take(&mut self.complaints)
    }

    pub fn open(&mut self, url: &str) {
        self.call("Page.navigate", json!({"url": url}));
    }

    /// What an expression in the page comes to.
    ///
    /// # Panics
    /// When it throws.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut answer = self.call("Runtime.evaluate", asked);
        assert_eq!(answer["exceptionDetails"], Value::Null, "{expression}");
        answer["result"]["value"].take()
    }

    /// Resolves when an expression is true.
    ///
    /// # Panics
    /// When it does not become so.
    pub fn wait_for(&mut self, expression: &str) {
        let begun = std::time::Instant::now();
        // While a page is replaced there may be nothing to look at.
        let guarded = format!(
            "(() => {{ try {{ return Boolean({expression}) }} catch {{ return false }} }})()"
        );
        while self.evaluate(&guarded) != Value::Bool(true) {
            if begun.elapsed() > PATIENCE {
                let text = self.text();
                panic!("not so: {expression}; {:?}; {text}", self.complaints);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What somebody who looks at the page reads.
    pub fn text(&mut self) -> String {
        self.evaluate("document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    /// The rows of the first table in which a row has this text, cells parted by bars.
    pub fn rows(&mut self) -> Vec<String> {
        let rows = self.evaluate(
            "[...document.querySelectorAll('tbody tr')].map(row => \
             [...row.cells].map(cell => cell.innerText.trim().replaceAll('\\n', ' ')).join('|'))",
        );
        let rows = rows.as_array().cloned().unwrap_or_default();
        rows.iter().map(|row| row.as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Presses one key and lets it go.
    pub fn press(&mut self, key: &str) {
        let text = match key {
            "Enter" => "\r",
            single if single.chars().count() == 1 => single,
            _ => "",
        };
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            _ => 0,
        };
        let down = json!({"type": "keyDown", "key": key, "text": text,
            "windowsVirtualKeyCode": code});
        self.call("Input.dispatchKeyEvent", down);
        let up = json!({"type": "keyUp", "key": key, "windowsVirtualKeyCode": code});
        self.call("Input.dispatchKeyEvent", up);
    }

    /// The screen's size, and whether its owner prefers it dark.
    pub fn screen(&mut self, width: u32, height: u32, is_dark: bool) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1,
            "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", size);
        let value = if is_dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": value}]});
        self.call("Emulation.setEmulatedMedia", media);
    }

    /// Writes what is on the screen into a file.
    ///
    /// # Panics
    /// When there is no picture.
    pub fn picture(&mut self, file: &Path) {
        let taken = self.call("Page.captureScreenshot", json!({"format": "png"}));
        let bytes = STANDARD.decode(taken["data"].as_str().unwrap_or_default());
        std::fs::write(file, bytes.expect("base64")).expect("the picture is written");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.session = None;
        // It may have ended by itself.
        let _ = self.asks.write_all(b"{\"id\":0,\"method\":\"Browser.close\"}\0");
        let ended = || self.process.try_wait().ok().flatten();
        if !std::thread::panicking() {
            until("the browser ends", PATIENCE, ended);
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
