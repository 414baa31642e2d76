//! A compose project: the repository's files, ports of its own, taken down with its volumes when
//! dropped.
//!
//! `docker compose` (v2) where it is there, `docker-compose` (1.29) otherwise.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::{both, docker, gregor_image, repository, seconds_since, unique};
use crate::cluster::ports;

/// One project; its containers, networks and volumes are gone when it is dropped.
#[derive(Debug)]
pub struct Project {
    pub name: String,
    file: PathBuf,
    environment: BTreeMap<String, String>,
}

/// The words that compose is called with.
fn program() -> &'static [&'static str] {
    static PROGRAM: OnceLock<&'static [&'static str]> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let v2 = Command::new("docker").args(["compose", "version"]).output();
        match v2 {
            Ok(output) if output.status.success() => &["docker", "compose"],
            _ => &["docker-compose"],
        }
    })
}

impl Project {
    /// A project of one of the repository's compose files. Each of these variables is a free port.
    #[must_use]
    pub fn new(name: &str, file: &str, ports: &[&str]) -> Self {
        let mut environment = BTreeMap::new();
        environment.insert("GREGOR_IMAGE".to_owned(), gregor_image().to_owned());
        for variable in ports {
            environment.insert((*variable).to_owned(), ports::free().to_string());
        }
        Self { name: unique(name), file: repository().join(file), environment }
    }

    /// What a variable was set to.
    ///
    /// # Panics
    /// When it was not.
    #[must_use]
    pub fn variable(&self, name: &str) -> &str {
        &self.environment[name]
    }

    fn command(&self, words: &[&str]) -> Output {
        let [first, rest @ ..] = program() else { unreachable!("compose has a name") };
        Command::new(first)
            .args(rest)
            .args(["-p", &self.name, "-f"])
            .arg(&self.file)
            .args(words)
            .envs(&self.environment)
            .output()
            .expect("compose runs")
    }

    /// Runs compose with these words; what it printed on its standard output.
    ///
    /// # Panics
    /// When it fails.
    pub fn compose(&self, words: &[&str]) -> String {
        let output = self.command(words);
        assert!(output.status.success(), "compose {words:?}: {}", both(&output));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// The network that compose makes for the project's services.
    #[must_use]
    pub fn network(&self) -> String {
        format!("{}_default", self.name)
    }

    /// The container of a service, also when it is stopped.
    ///
    /// # Panics
    /// When there is none.
    #[must_use]
    pub fn container(&self, service: &str) -> String {
        let project = format!("label=com.docker.compose.project={}", self.name);
        let service = format!("label=com.docker.compose.service={service}");
        let found = docker(&["ps", "-aq", "--filter", &project, "--filter", &service]);
        assert!(!found.is_empty(), "no container for {service} in {}", self.name);
        found
    }

    /// All containers of the project.
    #[must_use]
    pub fn containers(&self) -> Vec<String> {
        let project = format!("label=com.docker.compose.project={}", self.name);
        docker(&["ps", "-aq", "--filter", &project]).lines().map(str::to_owned).collect()
    }

    /// Waits until every container is healthy by its own HEALTHCHECK: the seconds that took since
    /// the last of them was started.
    ///
    /// # Panics
    /// When one is not healthy in a minute.
    #[must_use]
    pub fn seconds_to_healthy(&self) -> f64 {
        let containers = self.containers();
        let inspect = |template: &str| {
            let mut words = vec!["inspect", "--format", template];
            words.extend(containers.iter().map(String::as_str));
            docker(&words)
        };
        let began = Instant::now();
        while inspect("{{.State.Health.Status}}").lines().any(|status| status != "healthy") {
            if began.elapsed() > Duration::from_secs(60) {
                let checks = inspect("{{.Name}} {{.State.Status}} {{json .State.Health}}");
                panic!("not healthy within a minute:\n{checks}");
            }
            std::thread::sleep(Duration::from_millis(30));
        }
        let started = inspect("{{.State.StartedAt}}");
        seconds_since(started.lines().max().expect("a container"))
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", both(&self.command(&["ps"])));
            eprintln!("{}", both(&self.command(&["logs", "--no-color", "--tail", "40"])));
        }
        let _ = self.command(&["down", "-v", "-t", "1"]);
    }
}
