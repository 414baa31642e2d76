//! What networks do to brokers that live fences none of them and costs no election.
//!
//! The test runs itself in network and mount namespaces of its own (root, iptables): a few seconds
//! for each disturbance, a minute with `GREGOR_LONG`. Connections with the active controller are
//! reset meanwhile, again and again, so that it wonders each time whether their other ends live.
//! All times are the defaults, and each disturbance is seen to have met somebody.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use tests::cluster::verdict::{Promise, judge};
use tests::cluster::view::until;
use tests::cluster::{Cluster, Layout, Load, Reader, long, ports};

/// Where the names of this test's namespaces are.
const HOSTS: &str = "GREGOR_NAMESPACE_HOSTS";
const THREE: [&[i32]; 3] = [&[1, 2, 3], &[2, 3, 1], &[3, 1, 2]];
const BROKERS: [i32; 3] = [1, 2, 3];
/// Of a heartbeat, by default.
const INTERVAL: Duration = Duration::from_secs(2);

/// A flow to the active controller: the other end's port, the controller's.
type Flow = (u16, u16);

fn run(program: &str, args: &[&str]) -> String {
    let done = Command::new(program).args(args).output().expect(program);
    assert!(done.status.success(), "{program} {args:?}: {done:?}");
    String::from_utf8_lossy(&done.stdout).into_owned()
}

fn lasting() -> Duration {
    Duration::from_secs(if long() { 60 } else { 5 })
}

/// Does this to every packet that `matching` names, until it is dropped.
struct Rule(Vec<String>);

impl Rule {
    fn new(matching: &str, target: &str) -> Self {
        let words = format!("OUTPUT -o lo -p tcp {matching} -j {target}");
        let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
        Self::iptables("-I", &words);
        Self(words)
    }

    fn iptables(what: &str, words: &[String]) {
        let mut args = vec!["-w", what];
        args.extend(words.iter().map(String::as_str));
        run("iptables", &args);
    }
}

impl Drop for Rule {
    fn drop(&mut self) {
        Self::iptables("-D", &self.0);
    }
}

/// How many packets the rules met that stand now.
fn packets_met() -> u64 {
    let listed = run("iptables", &["-w", "-nvxL", "OUTPUT"]);
    let rules = listed.lines().skip(2);
    rules.filter_map(|line| line.split_whitespace().next()?.parse::<u64>().ok()).sum()
}

/// The cluster under load, and what must not change while all of its nodes live.
struct Living<'a> {
    cluster: &'a Cluster,
    calm: (i32, Vec<i32>, usize),
}

impl<'a> Living<'a> {
    fn new(cluster: &'a Cluster) -> Self {
        Self { cluster, calm: Self::state(cluster) }
    }

    /// The quorum's epoch, partitions' leader epochs, how many fencings controllers have told of.
    fn state(cluster: &Cluster) -> (i32, Vec<i32>, usize) {
        let view = cluster.view();
        let epoch_of = |partition| {
            let what = format!("all-{partition} is shown");
            let ask = || view.partition("all", partition).map(|one| one.leader_epoch);
            until(&what, Duration::from_secs(10), ask)
        };
        let fencings = |id: &i32| cluster.output(*id).matches("Fencing broker").count();
        let fenced = cluster.ids().iter().map(fencings).sum();
        (cluster.quorum().leader_epoch, BROKERS.map(|id| epoch_of(id - 1)).to_vec(), fenced)
    }

    fn assert_calm(&self, what: &str) {
        let state = Self::state(self.cluster);
        assert_eq!(state, self.calm, "{what}: quorum's epoch, leader epochs, fencings");
        println!("{what}: nobody fenced, nobody elected");
    }

    fn active(&self) -> i32 {
        self.cluster.quorum().leader
    }

    fn port_of(&self, id: i32) -> u16 {
        let node = self.cluster.layout.nodes.iter().find(|node| node.id == id).expect("a node");
        if node.roles.is_broker() { node.port } else { node.controller_port }
    }

    /// Every flow that a node has with the active controller now.
    fn flows(&self, node: i32, active: i32) -> Vec<Flow> {
        let to = self.port_of(active);
        let pid = format!("pid={},", self.cluster.pid(node));
        let listed = run("ss", &["-tnpH", "state", "established", "dport", &format!("= :{to}")]);
        let own = listed.lines().filter(|line| line.contains(&pid));
        let port = |line: &str| line.split_whitespace().nth(2)?.rsplit(':').next()?.parse().ok();
        own.filter_map(|line| Some((port(line)?, to))).collect()
    }

    /// Resets all flows that brokers have with the active controller, and lets new ones through:
    /// now the controller hears of it first, now the brokers.
    fn reset(&self, is_controller_first: bool) {
        let active = self.active();
        let before = packets_met();
        let rules: Vec<Rule> = BROKERS
            .iter()
            .flat_map(|id| self.flows(*id, active))
            .map(|(own, to)| match is_controller_first {
                true => Rule::new(&format!("--sport {to} --dport {own}"), RESET),
                false => Rule::new(&format!("--sport {own} --dport {to}"), RESET),
            })
            .collect();
        // A heartbeat comes in every interval; fetches of metadata come all the time.
        std::thread::sleep(INTERVAL + Duration::from_millis(100));
        assert!(packets_met() >= before + 3, "{} flows, none met", rules.len());
    }

    /// Resets flows of all brokers as long as a disturbance lasts.
    fn keep_resetting(&self) {
        let began = Instant::now();
        let mut is_controller_first = true;
        while began.elapsed() < lasting() {
            self.reset(is_controller_first);
            is_controller_first = !is_controller_first;
        }
    }
}

const RESET: &str = "REJECT --reject-with tcp-reset";

/// Broker 1 tells its clients a name that nobody knows, 2 an address without a way, 3 one that
/// refuses; and the names by which brokers reach each other are forgotten, too.
fn addresses_lead_nowhere(living: &Living<'_>, hosts: &Path) {
    living.keep_resetting();
    living.assert_calm("clients' addresses that lead nowhere");
    std::fs::write(hosts, "127.0.0.1 localhost\n").expect("names are forgotten");
    assert!(std::net::ToSocketAddrs::to_socket_addrs(&("broker-1.test", 1)).is_err());
    living.keep_resetting();
    name_brokers(hosts);
    living.assert_calm("names that don't resolve");
}

/// What lies between brokers and controller drops the flows that are there and says nothing of it.
fn flows_are_half_open(living: &Living<'_>) {
    let active = living.active();
    let old = BROKERS.map(|id| living.flows(id, active));
    let rules: Vec<Rule> = old
        .iter()
        .flatten()
        .map(|(own, to)| Rule::new(&format!("--sport {own} --dport {to}"), "DROP"))
        .collect();
    let began = Instant::now();
    for (id, old) in BROKERS.into_iter().zip(&old) {
        assert!(!old.is_empty(), "broker {id} has no flow");
        // A heartbeat is sent within an interval and waited for during another; fetches of metadata
        // have two seconds.
        until(&format!("broker {id} has replaced its flows"), 3 * INTERVAL, || {
            let new = living.flows(id, active);
            (new.iter().filter(|flow| !old.contains(flow)).count() >= 2).then_some(())
        });
    }
    println!("flows replaced after {:?}", began.elapsed());
    std::thread::sleep(lasting().saturating_sub(began.elapsed()));
    assert!(packets_met() > 0, "nothing was dropped");
    living.assert_calm("half-open connections");
    drop(rules);
}

/// Nothing that asks for a connection to any broker is answered.
fn addresses_do_not_answer(living: &Living<'_>) {
    let deaf = |id| Rule::new(&format!("--dport {} --syn", living.port_of(id)), "DROP");
    let rules = BROKERS.map(deaf);
    living.keep_resetting();
    drop(rules);
    living.assert_calm("addresses that don't answer");
}

/// Connects until nobody answers any more. A queue that is full for a moment answers when it is
/// asked again, which the kernel does after a second.
fn crowd(port: u16) -> Vec<TcpStream> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let connect = |_| TcpStream::connect_timeout(&address, Duration::from_millis(1_500)).ok();
    let crowd: Vec<TcpStream> = (0..300).map_while(connect).collect();
    assert!(crowd.len() < 300, "port {port} takes any number of connections");
    crowd
}

/// Broker 2's inter-broker listener has all the connections that it may have and a full queue, and
/// broker 3 as many as it may have in all, by the listener of its clients.
fn listeners_are_full(living: &Living<'_>, outside: u16) {
    let crowds = [crowd(living.port_of(2)), crowd(outside)];
    println!("crowds of {:?}", crowds.each_ref().map(Vec::len));
    living.keep_resetting();
    drop(crowds);
    living.assert_calm("max.connections and full accept queues");
}

/// Leaves a process this many descriptors more than it has open.
fn limit_descriptors(pid: u32, more: usize) {
    let open = std::fs::read_dir(format!("/proc/{pid}/fd")).expect("its descriptors").count();
    let limit = format!("--nofile={}:", open + more);
    run("prlimit", &["--pid", &pid.to_string(), &limit]);
}

/// A broker is left what it has open, as often as it takes: it may close some after they are
/// counted.
fn leave_no_descriptor(living: &Living<'_>, id: i32) -> Vec<TcpStream> {
    let (pid, mut waiting) = (living.cluster.pid(id), Vec::new());
    until(&format!("broker {id} has no descriptor left"), Duration::from_secs(20), || {
        limit_descriptors(pid, 0);
        let ask = |_| TcpStream::connect(("127.0.0.1", living.port_of(id)));
        waiting.extend((0..3).map(ask).map(|queued| queued.expect("it is queued")));
        std::thread::sleep(Duration::from_millis(200));
        living.cluster.output(id).contains("Too many open files").then_some(())
    });
    waiting
}

fn descriptors_run_out(living: &Living<'_>) {
    let waiting = BROKERS.map(|id| leave_no_descriptor(living, id));
    std::thread::sleep(lasting());
    BROKERS.iter().for_each(|id| limit_descriptors(living.cluster.pid(*id), 1_000));
    drop(waiting);
    living.assert_calm("descriptors that ran out");
}

fn name_brokers(hosts: &Path) {
    let names = BROKERS.map(|id| format!("127.0.0.1 broker-{id}.test\n")).concat();
    std::fs::write(hosts, format!("127.0.0.1 localhost\n{names}")).expect("names are written");
}

/// The same test again, in namespaces of its own.
fn again_inside(test: &str) {
    let own = std::env::current_exe().expect("this test's binary").display().to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let hosts = folder.path().join("hosts");
    name_brokers(&hosts);
    let script = format!(
        "ip link set lo up && mount --bind \"${HOSTS}\" /etc/hosts && \
         exec \"$0\" --exact --nocapture \"$1\""
    );
    let mut inside = Command::new("unshare");
    inside.args(["--net", "--mount", "sh", "-c", &script, &own, test]).env(HOSTS, &hosts);
    let status = inside.status().expect("unshare");
    assert!(status.success(), "in a network namespace: {status}");
}

/// Three controllers and three brokers, which reach each other by names, and clients nowhere; also
/// where broker 3 listens for clients.
fn layout() -> (Layout, u16) {
    let map = "listener.security.protocol.map=\
               CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,OUTSIDE:PLAINTEXT";
    let mut layout = Layout::split(3, 3)
        .line("min.insync.replicas=2")
        .line("inter.broker.listener.name=PLAINTEXT")
        .line(map)
        .line_where("listener.name.plaintext.max.connections=60", |plan| plan.id == 2)
        .line_where("max.connections=60", |plan| plan.id == 3);
    let nowhere = ["nobody.invalid:1", "198.51.100.1:1", "localhost:1"];
    let mut outside = 0;
    for (id, nowhere) in BROKERS.into_iter().zip(nowhere) {
        let node = layout.nodes.iter().find(|node| node.id == id).expect("a broker");
        let port = node.port;
        outside = ports::free();
        let listeners =
            format!("listeners=OUTSIDE://localhost:{outside},PLAINTEXT://localhost:{port}");
        let advertised =
            format!("advertised.listeners=OUTSIDE://{nowhere},PLAINTEXT://broker-{id}.test:{port}");
        layout = layout.line_where(&listeners, |plan| plan.id == id);
        layout = layout.line_where(&advertised, |plan| plan.id == id);
    }
    (layout, outside)
}

#[test]
fn brokers_that_live_are_fenced_by_nothing_that_networks_do() {
    let Some(hosts) = std::env::var_os(HOSTS).map(PathBuf::from) else {
        again_inside("brokers_that_live_are_fenced_by_nothing_that_networks_do");
        return;
    };
    let (layout, outside) = layout();
    let cluster = Cluster::start(layout);
    let view = cluster.view();
    view.create("all", &THREE, &[]);
    let load = Load { pause: Duration::from_millis(10), ..Load::all("all", 3) };
    let running = load.start(&view);
    let reader = Reader::start(&view, "all", 3);
    running.wait_for(100);
    let living = Living::new(&cluster);
    addresses_lead_nowhere(&living, &hosts);
    flows_are_half_open(&living);
    addresses_do_not_answer(&living);
    listeners_are_full(&living, outside);
    descriptors_run_out(&living);
    running.wait_for(100);
    let sent = running.finish();
    println!("acknowledged {}, errors {:?}", sent.acknowledged(), sent.errors());
    let _ = judge(&cluster, "all", Promise::NothingLost, &sent, &reader.finish());
}
