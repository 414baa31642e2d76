//! A replica whose log is damaged under load gives up its leadership, leaves the in-sync set, keeps
//! what it had beside, and is filled anew; the last one in sync is never emptied (decision 0303).

use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use protocol::batch::batches;
use tests::cluster::verdict::{Promise, judge};
use tests::cluster::view::until;
use tests::cluster::{Cluster, Layout, Load, Reader};
use tests::topic::fetch_request;
use tests::wire::Client;

const CORRUPT_MESSAGE: i16 = 2;
const PATIENCE: Duration = Duration::from_secs(20);

/// Takes the length of the second batch of a partition's first segment away; its offset.
fn damage(folder: &Path) -> i64 {
    let file = folder.join("00000000000000000000.log");
    let bytes = std::fs::read(&file).expect("the first segment");
    let mut found = batches(&bytes).filter_map(Result::ok);
    let before = found.next().expect("a batch");
    let damaged = found.next().expect("another batch");
    let file = OpenOptions::new().write(true).open(&file).expect("the first segment");
    file.write_all_at(&[0; 4], before.len() as u64 + 8).expect("it is written");
    damaged.base_offset()
}

fn fetched(cluster: &Cluster, id: i32, topic: &str, from: i64) -> i16 {
    let view = cluster.view();
    let mut client = Client::connect(view.broker(id).expect("it is up")).expect("it accepts");
    let answer = client.call(12, &fetch_request(topic, 0, from)).expect("Fetch is answered");
    answer.responses[0].partitions[0].error_code
}

/// The directories of a partition that were put aside.
fn aside(data: &Path, name: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(data).expect("the data directory");
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    paths
        .filter(|path| {
            let of = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            of.starts_with(&format!("{name}.")) && of.ends_with("-stray")
        })
        .collect()
}

#[test]
fn a_damaged_leader_gives_way_and_is_filled_anew_and_nothing_is_lost() {
    let layout = Layout::combined(3).line("min.insync.replicas=2");
    let cluster = Cluster::start(layout);
    let view = cluster.view();
    view.create("all", &[&[1, 2, 3]], &[]);
    let running = Load::all("all", 1).start(&view);
    let reader = Reader::start(&view, "all", 1);
    running.wait_for(500);
    let leader = cluster.leader("all", 0);
    let data = cluster.data(leader);
    let at = damage(&data.join("all-0"));
    let begun = Instant::now();
    assert_eq!(fetched(&cluster, leader, "all", at), CORRUPT_MESSAGE);
    view.wait_for_partition("all", 0, "another leader", |one| {
        one.leader >= 0 && one.leader != leader
    });
    println!("another leader after {:?}", begun.elapsed());
    let kept = until("the damaged log put aside", PATIENCE, || aside(&data, "all-0").pop());
    view.wait_in_sync("all", 1);
    println!("in sync again after {:?}", begun.elapsed());
    running.wait_for(500);
    let sent = running.finish();
    let counts = judge(&cluster, "all", Promise::NothingLost, &sent, &reader.finish());
    assert!(counts.acknowledged > 500, "{counts:?}");
    assert_eq!(damage_of(&kept), at, "what was damaged is as it was");
    let said = cluster.output(leader);
    let line = "The damaged log of partition all-0 is kept as ";
    assert_eq!(said.matches(line).count(), 1, "{said}");
}

/// The offset behind the last batch before the damage.
fn damage_of(folder: &Path) -> i64 {
    let bytes = std::fs::read(folder.join("00000000000000000000.log")).expect("it is kept");
    let sound = batches(&bytes).map_while(Result::ok);
    sound.last().expect("a batch before the damage").next_offset()
}

#[test]
fn the_last_one_in_sync_is_kept_as_it_is_and_says_so() {
    let cluster = Cluster::start(Layout::combined(3));
    let view = cluster.view();
    view.create("alone", &[&[2]], &[]);
    let running = Load::all("alone", 1).start(&view);
    running.wait_for(50);
    let data = cluster.data(2);
    let at = damage(&data.join("alone-0"));
    assert_eq!(fetched(&cluster, 2, "alone", at), CORRUPT_MESSAGE);
    let line = "alone-0: it is damaged, and kept until others have all that it may have";
    until("a line about it", PATIENCE, || cluster.output(2).contains(line).then_some(()));
    running.wait_for(50);
    assert_eq!(fetched(&cluster, 2, "alone", at), CORRUPT_MESSAGE);
    assert_eq!(fetched(&cluster, 2, "alone", 0), 0, "what can be read is read");
    assert_eq!(cluster.leader("alone", 0), 2);
    assert_eq!(aside(&data, "alone-0"), Vec::<PathBuf>::new());
    let sent = running.finish();
    assert!(!sent.partitions[0].acknowledged.is_empty());
}
