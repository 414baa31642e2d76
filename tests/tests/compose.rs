//! The compose files on a real engine: five brokers on three racks under a client's load from
//! outside while each of them goes and comes, volumes, two projects side by side.

use std::time::{Duration, Instant};

use tests::cluster::reader::{Values, whole};
use tests::cluster::verdict::{Promise, judge_by_view};
use tests::cluster::view::{View, alive, metadata, until};
use tests::cluster::{Load, Reader};
use tests::docker::{Container, Project, both, docker, docker_output};

/// The last container's start to the last of them being healthy.
const HEALTHY_WITHIN: f64 = 3.0;
/// How long writes may stop when a broker's container is killed, in the median of all brokers; a
/// busy machine of two processors may take more from any single one.
const STOPPED_FOR: Duration = Duration::from_millis(500);
const PORTS: [&str; 5] =
    ["KAFKA1_PORT", "KAFKA2_PORT", "KAFKA3_PORT", "KAFKA4_PORT", "KAFKA5_PORT"];
const NODES: usize = 8;

fn lab(name: &str) -> Project {
    Project::new(name, "docker-compose.yml", &PORTS)
}

/// Where clients on this machine find the brokers.
fn view(project: &Project) -> View {
    let address = |port: &&str| format!("127.0.0.1:{}", project.variable(port));
    let brokers = (1..).zip(PORTS.iter().map(address)).collect();
    View { brokers, controllers: Vec::new() }
}

fn wait_all_up(view: &View) {
    for (id, address) in &view.brokers {
        until(&format!("broker {id} knows of five"), Duration::from_secs(30), || {
            alive(address).is_ok_and(|seen| seen.len() == 5).then_some(())
        });
    }
}

#[test]
fn brokers_of_a_lab_go_and_come_and_lose_nothing_that_was_acknowledged() {
    let project = lab("lab");
    let view = view(&project);
    let began = Instant::now();
    project.compose(&["up", "-d"]);
    let up = began.elapsed();
    let seconds = project.seconds_to_healthy();
    println!("up -d took {up:?}; all healthy {seconds:.2} s after the last start");
    assert!(seconds <= HEALTHY_WITHIN, "{seconds} s");
    wait_all_up(&view);
    placed_on_all_racks(&view);
    names_resolve(&project);
    idle(&project);

    view.create("all", &[&[1, 4, 5], &[2, 5, 4], &[5, 3, 4]], &[]);
    let running = Load::all("all", 3).start(&view);
    let reader = Reader::start(&view, "all", 3);
    let mut taken = Vec::new();
    for broker in 1..=5 {
        let container = project.container(&format!("kafka{broker}"));
        for way in ["stop", "kill"] {
            running.wait_for(50);
            let since = Instant::now();
            docker(&[way, &container]);
            fenced(&view, broker);
            running.wait_for(50);
            taken.push((broker, way, since, Instant::now()));
            docker(&["start", &container]);
            view.wait_in_sync("all", 3);
        }
    }
    paused(&project, &view, &running);
    cut_off(&project, &view, &running);
    let sent = running.finish();
    let counts = judge_by_view(&view, "all", Promise::NothingLost, &sent, &reader.finish());
    println!("{counts:?}, longest pause {:?}", sent.longest_gap(began));
    assert!(counts.acknowledged > 1000, "{counts:?}");
    let mut killed = Vec::new();
    for (broker, way, since, until) in taken {
        let gap = sent.longest_gap_between(since, until);
        println!("docker {way} of broker {broker}: acks=all writes stopped for {gap:?}");
        killed.extend(Some(gap).filter(|_| way == "kill"));
    }
    killed.sort_unstable();
    assert!(killed[killed.len() / 2] <= STOPPED_FOR, "{killed:?}");
    assert!(killed.iter().all(|gap| *gap <= 4 * STOPPED_FOR), "{killed:?}");

    let kept: Vec<Values> = (0..3).map(|partition| of_leader(&view, partition)).collect();
    beside(&view);
    project.compose(&["down"]);
    assert_eq!(project.containers(), Vec::<String>::new());
    project.compose(&["up", "-d"]);
    wait_all_up(&view);
    view.wait_in_sync("all", 3);
    let again: Vec<Values> = (0..3).map(|partition| of_leader(&view, partition)).collect();
    assert!(again == kept, "the volumes keep what was there before down");
    project.compose(&["down", "-v"]);
    project.compose(&["up", "-d"]);
    wait_all_up(&view);
    assert_eq!(topics(&view), Vec::<String>::new(), "down -v takes the data");
}

fn of_leader(view: &View, partition: i32) -> Values {
    let (_, leader) = view.leader("all", partition).expect("a leader");
    whole(&leader, "all", partition)
}

fn topics(view: &View) -> Vec<String> {
    let seen = metadata(&view.brokers[0].1).expect("metadata");
    let names = seen.topics.iter().filter_map(|topic| topic.name.as_ref());
    names.map(|name| name.to_string()).collect()
}

/// With racks 3/1/1 a partition of three replicas has one on each rack, so both lone brokers.
fn placed_on_all_racks(view: &View) {
    let project_topic = "placed";
    view.create_by_default(project_topic, 12);
    for partition in 0..12 {
        let found = view.wait_for_partition(project_topic, partition, "three replicas", |one| {
            one.replicas.len() == 3
        });
        assert!(found.replicas.contains(&4) && found.replicas.contains(&5), "{found:?}");
    }
}

/// Waits until no other broker counts this one as up.
fn fenced(view: &View, broker: i32) {
    let rest = view.without(broker);
    for (_, address) in &rest.brokers {
        until(&format!("broker {broker} is fenced"), Duration::from_secs(30), || {
            alive(address).is_ok_and(|seen| !seen.contains(&broker)).then_some(())
        });
    }
}

/// A container that stands still is fenced when its session is over, and comes back by itself.
fn paused(project: &Project, view: &View, running: &tests::cluster::load::Running) {
    let (leader, _) = view.leader("all", 0).expect("a leader");
    let container = project.container(&format!("kafka{leader}"));
    docker(&["pause", &container]);
    let since = Instant::now();
    fenced(view, leader);
    println!("broker {leader} paused: fenced after {:?}", since.elapsed());
    running.wait_for(50);
    docker(&["unpause", &container]);
    view.wait_in_sync("all", 3);
}

/// A container without a network is fenced, and is back when it has one again.
fn cut_off(project: &Project, view: &View, running: &tests::cluster::load::Running) {
    let (leader, _) = view.leader("all", 1).expect("a leader");
    let service = format!("kafka{leader}");
    let container = project.container(&service);
    let network = format!("{}_default", project.name);
    docker(&["network", "disconnect", &network, &container]);
    let since = Instant::now();
    fenced(view, leader);
    println!("broker {leader} without network: fenced after {:?}", since.elapsed());
    running.wait_for(50);
    docker(&["network", "connect", "--alias", &service, &network, &container]);
    view.wait_in_sync("all", 3);
}

fn names_resolve(project: &Project) {
    let container = project.container("kafka1");
    for name in ["kafka5", "controller3"] {
        let found = docker_output(&["exec", &container, "nslookup", name]);
        assert!(found.status.success(), "{name}: {}", both(&found));
    }
}

/// What eight health checks cost while nothing else happens.
fn idle(project: &Project) {
    const WHILE: Duration = Duration::from_secs(10);
    let nodes: Vec<u32> = project
        .containers()
        .iter()
        .map(|id| docker(&["inspect", "--format", "{{.State.Pid}}", id]).parse().expect("a pid"))
        .collect();
    let shims: Vec<u32> = nodes.iter().filter_map(|pid| parent(*pid)).collect();
    let engine = engine_processes();
    let cpu = |pids: &[u32]| pids.iter().map(|pid| seconds_of_cpu(*pid)).sum::<f64>();
    let before = (cpu(&nodes), cpu(&shims) + cpu(&engine));
    std::thread::sleep(WHILE);
    let after = (cpu(&nodes), cpu(&shims) + cpu(&engine));
    let percent = |from: f64, to: f64| (to - from) / WHILE.as_secs_f64() * 100.0;
    println!(
        "idle, of one core: {NODES} health checks with the engine's part {:.1} %, {NODES} nodes \
         {:.1} %",
        percent(before.1, after.1),
        percent(before.0, after.0)
    );
    assert!(percent(before.0, after.0) < 25.0, "idle nodes are idle");
}

fn stat(pid: u32) -> Option<Vec<String>> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The fields behind the command's name, which may have blanks: state is the first.
    let (_, fields) = stat.rsplit_once(") ")?;
    Some(fields.split(' ').map(str::to_owned).collect())
}

fn parent(pid: u32) -> Option<u32> {
    stat(pid)?.get(1)?.parse().ok()
}

/// CPU seconds of a process and of its children that have ended, at 100 ticks a second.
fn seconds_of_cpu(pid: u32) -> f64 {
    let fields = stat(pid).unwrap_or_default();
    let ticks = fields.get(11..15).unwrap_or_default().iter();
    ticks.filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// dockerd and containerd.
fn engine_processes() -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").expect("/proc").filter_map(|entry| {
        let pid: u32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
        let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
        ["dockerd", "containerd"].contains(&name.trim()).then_some(pid)
    });
    processes.collect()
}

/// A second project of the same file lives beside the first; neither sees the other.
fn beside(first: &View) {
    let other = lab("beside");
    other.compose(&["up", "-d"]);
    let seconds = other.seconds_to_healthy();
    println!("a second project: all healthy {seconds:.2} s after the last start");
    let view = view(&other);
    wait_all_up(&view);
    view.create("other", &[&[1, 4, 5]], &[]);
    assert!(!topics(first).contains(&"other".to_owned()));
    assert_eq!(topics(&view), ["other"]);
}

#[test]
fn two_brokers_with_one_id_are_told_apart_in_one_line() {
    let project = lab("one-id");
    project.compose(&["up", "-d", "controller1", "controller2", "controller3", "kafka1"]);
    let _ = project.seconds_to_healthy();
    let first = project.container("kafka1");
    let network = format!("{}_default", project.name);
    let environment =
        docker(&["inspect", "--format", "{{range .Config.Env}}{{println .}}{{end}}", &first]);
    let mut options = vec!["--network", network.as_str()];
    for variable in
        environment.lines().filter(|line| line.contains("KAFKA_") || line.contains("CLUSTER_ID"))
    {
        options.extend(["-e", variable]);
    }
    let second = Container::run("one-id-second", &options, &[]);
    let line = second.wait_for_line("DUPLICATE_BROKER_REGISTRATION");
    println!("{line}");
    let healthy = docker_output(&["exec", &first, "gregor", "container", "health"]);
    assert!(healthy.status.success(), "{}", both(&healthy));
    let told = second.exec(&["gregor", "container", "health"]);
    assert!(!told.status.success(), "{}", both(&told));
}

#[test]
fn three_nodes_of_a_course_are_one_cluster_and_their_volumes_have_its_names() {
    let file = "docker/compose/three-nodes.yml";
    let project = Project::new("three", file, &["KAFKA01_PORT", "KAFKA02_PORT", "KAFKA03_PORT"]);
    project.compose(&["up", "-d"]);
    let seconds = project.seconds_to_healthy();
    println!("three nodes: all healthy {seconds:.2} s after the last start");
    let network = format!("{}_default", project.name);
    for node in ["kafka01", "kafka02", "kafka03"] {
        let found = docker(&["inspect", "--format", "{{.State.Health.Status}}", node]);
        assert_eq!(found, "healthy", "{node}");
    }
    let volumes =
        docker(&["volume", "ls", "-q", "--filter", &format!("name={}_data", project.name)]);
    assert_eq!(volumes.lines().count(), 3, "{volumes}");
    let image = tests::docker::gregor_image();
    let script = "for n in 1 2 3; do nc -w 1 kafka0$n 9092 </dev/null; done; echo reached";
    let reached = docker(&["run", "--rm", "--network", &network, image, "bash", "-ec", script]);
    assert_eq!(reached, "reached");
}
