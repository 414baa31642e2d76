//! Clients that come while a cluster starts: no answer empties their list of nodes (decision 0330).

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use protocol::messages::{DescribeClusterRequest, MetadataRequest};
use tests::cluster::{Cluster, Layout};
use tests::wire::Client;

/// Starts of the cluster: the time without registered nodes is short.
const STARTS: usize = 5;
const CONTROLLERS: i8 = 2;
const BROKER_NOT_AVAILABLE: i16 = 8;
/// Time after the start in which every node must have named others; a standby controller reads of
/// the registrations after the active one.
const LEARNT: Duration = Duration::from_secs(10);

/// Answers of one kind that came during a start.
#[derive(Debug, Default, PartialEq, Eq)]
struct Answers {
    with_nodes: usize,
    without_nodes: usize,
    errors: usize,
}

/// Asks a node again and again, on a new connection where the last one ended, until the cluster is
/// ready and the node has named others. `ask` answers with the error code and the number of nodes.
fn asked(
    address: &str,
    ready: &AtomicBool,
    ask: impl Fn(&mut Client) -> std::io::Result<(i16, usize)>,
) -> Answers {
    let mut answers = Answers::default();
    let began = Instant::now();
    let is_done = |answers: &Answers| {
        ready.load(Ordering::Relaxed) && (answers.with_nodes > 0 || began.elapsed() > LEARNT)
    };
    while !is_done(&answers) {
        let Ok(mut client) = Client::connect(address) else {
            // Leaves the processor to the nodes that start.
            std::thread::sleep(Duration::from_micros(200));
            continue;
        };
        while let Ok((error, nodes)) = ask(&mut client) {
            match (error, nodes) {
                (0, 0) => answers.without_nodes += 1,
                (0, _) => answers.with_nodes += 1,
                _ => answers.errors += 1,
            }
            if is_done(&answers) {
                break;
            }
        }
    }
    answers
}

fn metadata(client: &mut Client) -> std::io::Result<(i16, usize)> {
    let request = MetadataRequest::default().with_topics(Some(Vec::new()));
    client.call(12, &request).map(|response| (0, response.brokers.len()))
}

fn controllers(client: &mut Client) -> std::io::Result<(i16, usize)> {
    let request = DescribeClusterRequest::default().with_endpoint_type(CONTROLLERS);
    client.call(1, &request).map(|response| {
        // Any other error is an answer that an Admin client does not ask again after.
        let error = response.error_code;
        assert!([0, BROKER_NOT_AVAILABLE].contains(&error), "{response:?}");
        (error, response.brokers.len())
    })
}

#[test]
fn no_answer_empties_a_list_of_nodes_while_a_cluster_starts() {
    let mut refused = 0;
    for _ in 0..STARTS {
        let mut cluster = Cluster::prepare(Layout::split(3, 3));
        let address = |port: u16| format!("127.0.0.1:{port}");
        let plans = cluster.layout.nodes.clone().into_iter();
        let (brokers, quorum): (Vec<_>, Vec<_>) = plans.partition(|plan| plan.roles.is_broker());
        let brokers: Vec<_> = brokers.iter().map(|plan| address(plan.port)).collect();
        let quorum: Vec<_> = quorum.iter().map(|plan| address(plan.controller_port)).collect();
        let ready = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let ready = &ready;
            let brokers = brokers.iter().map(|at| scope.spawn(move || asked(at, ready, metadata)));
            let quorum = quorum.iter().map(|at| scope.spawn(move || asked(at, ready, controllers)));
            let asking: Vec<_> = brokers.chain(quorum).collect();
            cluster.launch_all();
            cluster.wait_ready();
            ready.store(true, Ordering::Relaxed);
            for each in asking {
                let answers = each.join().expect("an asking thread");
                assert!(answers.with_nodes > 0, "{answers:?}");
                assert_eq!(answers.without_nodes, 0, "{answers:?}");
                refused += answers.errors;
            }
        });
        // That there was nobody to name yet is no fault of who asked.
        for plan in &cluster.layout.nodes {
            let said = cluster.output(plan.id);
            assert!(!said.contains("Closing socket for"), "{said}");
        }
    }
    assert!(refused > 0, "nobody asked early enough");
}
