//! The image: what is in it, whom it runs as, how it stops, and what it says to bad input.

use std::process::Command;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use tests::docker::{
    Bases, Container, Volume, both, docker, docker_output, gregor_image, repository, unique,
};

/// Bytes that the image may have, of a program that was built quickly. One of the release profile
/// is a third smaller (docs/decisions/0391).
const LARGEST: u64 = 52 * 1000 * 1000;

/// A combined node for containers of the tests.
const COMBINED: [&str; 8] = [
    "KAFKA_NODE_ID=1",
    "KAFKA_PROCESS_ROLES=broker,controller",
    "KAFKA_CONTROLLER_QUORUM_VOTERS=1@localhost:9093",
    "KAFKA_CONTROLLER_LISTENER_NAMES=CONTROLLER",
    "KAFKA_LISTENERS=PLAINTEXT://:9092,CONTROLLER://:9093",
    "KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://localhost:9092",
    "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR=1",
    "CLUSTER_ID=Z3JlZ29yLXRlc3QtaW1hZw",
];

/// A combined node with other variables behind the usual ones, and other options of `docker run`.
fn node(name: &str, variables: &[&str], options: &[&str]) -> Container {
    let mut words: Vec<&str> = options.to_vec();
    for variable in COMBINED.iter().chain(variables) {
        words.extend(["-e", variable]);
    }
    Container::run(name, &words, &[])
}

fn in_image(options: &[&str], script: &str) -> String {
    let words = [&["run", "--rm"], options, &[gregor_image(), "bash", "-ec", script]].concat();
    docker(&words)
}

#[test]
fn the_image_is_small_has_no_base_and_runs_as_appuser() {
    let inspect = |template| docker(&["image", "inspect", "--format", template, gregor_image()]);
    let size: u64 = inspect("{{.Size}}").parse().expect("a number");
    println!("image size: {:.1} MB", size as f64 / 1e6);
    assert!(size <= LARGEST, "{size} bytes");
    assert_eq!(inspect("{{.Config.User}}"), "appuser");
    assert_eq!(inspect("{{json .Config.Entrypoint}}"), "null");
    assert_eq!(
        inspect("{{json .Config.Volumes}}"),
        r#"{"/var/lib/kafka/data":{},"/var/lib/zookeeper/data":{}}"#
    );
    assert_eq!(
        inspect("{{json .Config.Healthcheck.Test}}"),
        r#"["CMD","/usr/bin/gregor","container","health"]"#
    );
    assert_eq!(in_image(&[], "id -u; id -g; id -un; pwd"), "1000\n1000\nappuser\n/home/appuser");
}

#[test]
fn scripts_of_a_bitnami_user_run_once_for_each_volume() {
    let script = "cd /docker-entrypoint-initdb.d; setup=/opt/bitnami/scripts/kafka/setup.sh; \
        echo 'echo read as $PPID >>/tmp/seen' >1.sh; \
        printf '#!/bin/sh\\necho run >>/tmp/seen\\n' >2.sh; chmod +x 2.sh; echo 'exit 9' >3.txt; \
        $setup >/dev/null; $setup >/dev/null; sed 's/[0-9].*/N/' /tmp/seen; \
        rm /bitnami/kafka/.user_scripts_initialized; printf '#!/bin/sh\\nexit 3\\n' >2.sh; \
        $setup >/dev/null && echo went on || echo ended with $?";
    let seen = in_image(&[], script);
    assert_eq!(seen, "read as N\nrun\nended with 1");
}

#[test]
fn every_default_data_path_is_a_volume_that_any_user_writes_to() {
    for path in [
        "/var/lib/kafka/data",
        "/var/lib/zookeeper/data",
        "/var/lib/zookeeper/log",
        "/bitnami/kafka",
        "/bitnami/zookeeper",
        "/kafka",
        "/data",
        "/datalog",
    ] {
        for user in ["appuser", "1001", "4711:4712"] {
            let volume = Volume::new("data-path");
            let script =
                format!("mkdir {path}/topic-0 && touch {path}/topic-0/x && ls {path}/topic-0");
            let listed = in_image(&["-u", user, "-v", &volume.at(path)], &script);
            assert_eq!(listed, "x", "{path} as {user}");
        }
    }
}

#[test]
fn start_scripts_are_files_that_their_user_edits_and_appends_to() {
    let scripts = "/etc/confluent/docker/run /etc/confluent/docker/configure \
        /etc/confluent/docker/ensure /etc/confluent/docker/launch \
        /etc/confluent/docker/bash-config /etc/kafka/docker/run /etc/kafka/docker/configure \
        /etc/kafka/docker/configureDefaults /etc/kafka/docker/launch \
        /etc/kafka/docker/bash-config /opt/bitnami/scripts/kafka/entrypoint.sh \
        /opt/bitnami/scripts/kafka/run.sh /opt/bitnami/scripts/kafka/setup.sh \
        /opt/bitnami/scripts/zookeeper/entrypoint.sh /opt/bitnami/scripts/zookeeper/run.sh";
    let script = format!(
        "for file in {scripts}; do [ -f $file ] && [ ! -L $file ] && [ -x $file ]; \
         sed -i /KAFKA_ZOOKEEPER_CONNECT/d $file; echo '# appended' >> $file; bash -n $file; \
         tail -n 1 $file; done"
    );
    for user in ["appuser", "1001"] {
        let tails = in_image(&["-u", user], &script);
        assert_eq!(tails.lines().count(), scripts.split_whitespace().count(), "{tails}");
        assert!(tails.lines().all(|line| line == "# appended"), "{tails}");
    }
}

#[test]
fn commands_are_on_the_path_where_the_images_have_them() {
    let found = in_image(
        &[],
        "type -P bash sh sed sleep ls cat grep timeout nc wget start-kafka.sh zkServer.sh \
         kafka-storage kafka-server-start kafka-storage.sh; ls /bin/kafka-storage \
         /opt/kafka/bin/kafka-storage.sh /opt/bitnami/kafka/bin/kafka-storage.sh /bin/bash",
    );
    assert_eq!(found.lines().count(), 19, "{found}");
    let id =
        in_image(&[], "kafka-storage random-uuid; /opt/kafka/bin/kafka-storage.sh random-uuid");
    assert!(id.lines().all(|line| line.len() == 22), "{id}");
}

#[test]
fn every_link_to_the_program_is_a_command_that_it_knows() {
    let script = "for link in /usr/bin/* /opt/kafka/bin/*; do \
        [ $(readlink -f $link) = /usr/bin/gregor ] && [ -L $link ] || continue; \
        said=$($link --no-such-option </dev/null 2>&1 || true); \
        case $said in *'unrecognized subcommand'* | '') echo \"$link: $said\" ;; *) echo ok ;; \
        esac; done";
    let said = in_image(&[], script);
    assert!(said.lines().count() >= 90, "{said}");
    let unknown: Vec<&str> = said.lines().filter(|line| *line != "ok").collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
    let absent = in_image(&[], "connect-standalone 2>&1 || true");
    assert!(absent.contains("is Kafka Connect's"), "{absent}");
    assert_eq!(absent.lines().count(), 1, "{absent}");
}

#[test]
fn sigterm_ends_the_first_process_cleanly_within_a_second() {
    let node = node("sigterm", &[], &[]);
    node.wait_healthy();
    let first = node.exec(&["cat", "/proc/1/comm"]);
    assert_eq!(both(&first), "gregor\n", "the node is the container's first process");
    let asked = Instant::now();
    docker(&["kill", "--signal", "TERM", &node.name]);
    let code = node.wait_for_end();
    let took = asked.elapsed();
    println!("SIGTERM to the end of the container: {took:?}, exit code {code}");
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert!(matches!(code, 0 | 143), "exit code {code}");
    let logs = node.logs();
    assert!(logs.contains("shut down completed"), "{logs}");
}

#[test]
fn a_health_check_takes_a_few_milliseconds_and_tells_the_truth() {
    let node = node("health", &[], &[]);
    node.wait_healthy();
    // bash's clock inside the container, so that the engine's own exec is left out.
    let script = "for i in {1..41}; do a=$EPOCHREALTIME; gregor container health >/dev/null; \
                  b=$EPOCHREALTIME; echo $(( ${b/./} - ${a/./} )); done";
    let times = both(&node.exec(&["bash", "-c", script]));
    let mut micros: Vec<u64> = times.lines().map(|line| line.parse().expect(&times)).collect();
    micros.sort_unstable();
    let median = micros[micros.len() / 2];
    println!("health check, median of {}: {:.1} ms", micros.len(), median as f64 / 1000.0);
    assert!(median <= 10_000, "{micros:?}");
    assert_eq!(both(&node.exec(&["gregor", "container", "health"])), "broker 1 is unfenced\n");
    docker(&["kill", "--signal", "STOP", &node.name]);
    let stopped = node.exec(&["gregor", "container", "health"]);
    docker(&["kill", "--signal", "CONT", &node.name]);
    assert_eq!(stopped.status.code(), Some(1), "{}", both(&stopped));
    let nothing = docker_output(&["run", "--rm", gregor_image(), "gregor", "container", "health"]);
    assert_eq!(both(&nothing), "no node runs here\n");
    assert_eq!(nothing.status.code(), Some(1));
}

#[test]
fn orphans_leave_no_zombies() {
    let node = node("orphans", &[], &[]);
    node.wait_healthy();
    let orphans = "for i in 1 2 3 4 5; do (sleep 0.1 & exec true); done";
    docker(&["exec", &node.name, "bash", "-c", orphans]);
    std::thread::sleep(Duration::from_millis(300));
    // The child of a shell that execs away: nobody but the first process is left to reap it.
    docker(&["exec", &node.name, "bash", "-c", "(sleep 0.1 & sleep 0.1 &) ; exit 0"]);
    std::thread::sleep(Duration::from_millis(600));
    let script = "grep -l '^State:.Z' /proc/[0-9]*/status || true";
    let zombies = both(&node.exec(&["bash", "-c", script]));
    assert_eq!(zombies, "");
}

/// Held by who measures seconds, and alone by who keeps the engine busy.
static CALM: RwLock<()> = RwLock::new(());

/// A node that cannot run: what it said, the last of it within a second of its start, before it
/// ended with an exit code.
fn refused(name: &str, variables: &[&str], options: &[&str]) -> String {
    let _calm = CALM.read().unwrap_or_else(PoisonError::into_inner);
    let container = node(name, variables, options);
    let code = container.wait_for_end();
    let logs = container.logs();
    assert_ne!(code, 0, "{logs}");
    let seconds = container.seconds_to_last_line();
    assert!(seconds < 1.0, "{seconds} s to the last line:\n{logs}");
    assert!(!logs.contains("panicked"), "{logs}");
    logs
}

fn says(logs: &str, words: &[&str]) {
    let all = |line: &&str| words.iter().all(|word| line.contains(word));
    assert!(logs.lines().any(|line| all(&line)), "no line with {words:?} in:\n{logs}");
}

#[test]
fn a_typo_in_an_advertised_listener_is_named() {
    let advertised = "KAFKA_ADVERTISED_LISTENERS=PLAINTEXT:/kafka1:9092";
    let logs = refused("typo", &[advertised], &[]);
    says(&logs, &["PLAINTEXT:/kafka1:9092"]);
    let advertised = "KAFKA_ADVERTISED_LISTENERS=PLAINTEX://kafka1:9092";
    let logs = refused("typo", &[advertised], &[]);
    says(&logs, &["PLAINTEX"]);
}

#[test]
fn a_volume_of_another_cluster_is_named_and_left_alone() {
    let volume = Volume::new("other-cluster");
    let mount = volume.at("/var/lib/kafka/data");
    let list = || in_image(&["-v", &mount], "cd /var/lib/kafka/data; ls -l; cat meta.properties");
    {
        let first = node("first", &[], &["-v", &mount]);
        first.wait_healthy();
        docker(&["stop", "-t", "5", &first.name]);
    }
    let before = list();
    let other = "CLUSTER_ID=Z3JlZ29yLW90aGVyLW9uZQ";
    let logs = refused("other", &[other], &["-v", &mount]);
    says(&logs, &["Z3JlZ29yLW90aGVyLW9uZQ", "Z3JlZ29yLXRlc3QtaW1hZw"]);
    assert_eq!(list(), before);
}

#[test]
fn a_port_in_use_is_named() {
    let first = node("port-first", &[], &[]);
    first.wait_healthy();
    let network = format!("container:{}", first.name);
    let logs = refused("port-second", &["KAFKA_NODE_ID=1"], &["--network", &network]);
    says(&logs, &["in use"]);
    assert!(first.exec(&["gregor", "container", "health"]).status.success());
}

#[test]
fn a_read_only_volume_is_named() {
    let volume = Volume::new("read-only");
    let mount = volume.at("/var/lib/kafka/data:ro");
    let logs = refused("read-only", &[], &["-v", &mount]);
    says(&logs, &["/var/lib/kafka/data", "read-only file system"]);
}

#[test]
fn a_volume_of_another_user_is_named() {
    let volume = Volume::new("other-user");
    let mount = volume.at("/var/lib/kafka/data");
    in_image(&["-u", "0", "-v", &mount], "cd /var/lib/kafka/data; touch kept; chmod 700 .");
    let logs = refused("other-user", &[], &["-v", &mount]);
    says(&logs, &["/var/lib/kafka/data cannot be written", "user 1000"]);
}

#[test]
fn a_node_serves_with_64_mebibytes_of_memory() {
    let node = node("small", &[], &["-m", "64m", "--memory-swap", "64m"]);
    node.wait_healthy();
    assert_eq!(node.inspect("{{.State.OOMKilled}}"), "false");
}

#[test]
fn the_dockerfile_builds_the_same_tree_from_base_images() {
    let _busy = CALM.write().unwrap_or_else(PoisonError::into_inner);
    let nameless = || docker(&["images", "-q", "--filter", "dangling=true"]);
    let before = nameless();
    let bases = Bases::make();
    let tag = unique("dockerfile");
    let file = repository().join("docker/Dockerfile");
    let built = Command::new("docker")
        .args(["build", "-q", "-t", &tag, "-f"])
        .arg(&file)
        .args(["--build-arg", &format!("RUST_IMAGE={}", bases.rust)])
        .args(["--build-arg", &format!("SHELL_IMAGE={}", bases.shells)])
        .arg(repository())
        .output()
        .expect("docker runs");
    assert!(built.status.success(), "{}", both(&built));
    let list = "find / -xdev ! -path '/proc/*' ! -path '/sys/*' ! -path '/dev/*' \
                ! -path '/etc/host*' ! -path /etc/resolv.conf ! -path /etc/mtab \
                ! -name .dockerenv | sort | xargs stat -c '%n %A %u %g %F'";
    let tree = |image: &str| docker(&["run", "--rm", image, "bash", "-c", list]);
    assert_eq!(tree(&tag), tree(gregor_image()));
    let of =
        |template: &str, image: &str| docker(&["image", "inspect", "--format", template, image]);
    for field in
        ["Env", "Cmd", "User", "Volumes", "Healthcheck", "ExposedPorts", "WorkingDir", "StopSignal"]
    {
        let template = format!("{{{{json .Config.{field}}}}}");
        assert_eq!(of(&template, &tag), of(&template, gregor_image()), "{field}");
    }
    docker(&["rmi", &tag]);
    // What the stages were.
    for image in nameless().lines().filter(|image| !before.contains(image)) {
        let _ = docker_output(&["rmi", "-f", image]);
    }
}
