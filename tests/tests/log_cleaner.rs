//! Kafka's own cleaner and ours are given the same logs: segments, batches, records, indexes and
//! transaction indexes are the same afterwards, byte by byte where nothing was compressed anew.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use protocol::batch::{
    BatchBuilder, BatchHeader, BatchView, Compression, ControlType, HEADER_LEN, LOG_OVERHEAD,
    NO_SEQUENCE, TimestampType, batches,
};
use storage::{
    AppendOrigin, CleanableOffsets, CleanedSegment, CleanerConfig, CleanerHost, CleaningError,
    CleanupPolicy, Log, LogConfig, OpenOptions,
};
use tests::oracle::{ToolServer, cleaner_class_path};

const T: i64 = 1_700_000_000_000;
const DELETE_RETENTION_MS: i64 = 5_000;
const SEEDS: u64 = 24;

/// Numbers that a seed gives (splitmix64).
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// One cleaning: from where, up to where, and when.
#[derive(Debug, Clone, Copy)]
struct Step {
    first_dirty: i64,
    first_uncleanable: i64,
    now_ms: i64,
}

/// A log that a seed gives, in a directory of its own, and what is to be done with it.
struct Course {
    seed: u64,
    stock: PathBuf,
    ours: PathBuf,
    segment_bytes: u32,
    dedupe_bytes: usize,
    timestamp_type: TimestampType,
    steps: Vec<Step>,
}

impl Course {
    /// Whether no batch is compressed.
    fn is_plain(&self) -> bool {
        self.seed.is_multiple_of(2)
    }

    fn config(&self) -> LogConfig {
        config(self.segment_bytes, self.timestamp_type)
    }
}

fn config(segment_bytes: u32, timestamp_type: TimestampType) -> LogConfig {
    LogConfig {
        segment_bytes,
        index_interval_bytes: 300,
        timestamp_type,
        timestamp_after_max_ms: i64::MAX,
        delete_retention_ms: DELETE_RETENTION_MS,
        cleanup: CleanupPolicy { delete: false, compact: true },
        file_delete_delay_ms: 0,
        verify_transactions: false,
        ..LogConfig::default()
    }
}

fn open(directory: &Path, config: LogConfig) -> Log {
    let options = OpenOptions {
        clean_shutdown: true,
        now_ms: T,
        producer_expiration_ms: i64::from(i32::MAX),
        ..OpenOptions::default()
    };
    Log::open(directory, config, options).unwrap()
}

/// The batch in another codec.
fn compressed(batch: &Bytes, codec: Compression) -> Bytes {
    let batch = BatchView::parse(batch).unwrap();
    let payload = compression::compress(codec, batch.payload()).unwrap();
    let mut bytes = *batch.header_copy().as_bytes();
    let length = (payload.len() + HEADER_LEN - LOG_OVERHEAD) as i32;
    bytes[8..12].copy_from_slice(&length.to_be_bytes());
    bytes[22] |= codec.id();
    let mut header = BatchHeader::from_bytes(bytes);
    header.seal(&payload);
    [header.as_bytes().as_slice(), &payload].concat().into()
}

/// A producer of the log's life.
struct Producer {
    id: i64,
    epoch: i16,
    sequence: i32,
    in_transaction: bool,
}

/// Values and tombstones of few keys, some with headers, a few without a key.
fn add_records(builder: &mut BatchBuilder, draws: &mut Draws, count: u64, now: i64) {
    for _ in 0..count {
        let key = format!("key-{}", draws.below(25));
        let key = (draws.below(40) > 0).then_some(key.as_bytes());
        let value = "v".repeat(draws.below(90) as usize) + &now.to_string();
        let value = (draws.below(5) > 0).then_some(value.as_bytes());
        let timestamp = now - draws.below(3) as i64;
        let headers: &[(&str, Option<&[u8]>)] =
            if draws.below(3) == 0 { &[("h", Some(b"one")), ("i", None)] } else { &[] };
        builder.append_with_headers(timestamp, key, value, headers);
    }
}

/// Leads a log's life: plain, idempotent and transactional batches of all codecs, tombstones,
/// records without keys, aborts, several leaderships and segments.
fn lead(directory: &Path, seed: u64, config: LogConfig) -> Vec<i64> {
    let mut draws = Draws(seed);
    let codecs = [
        Compression::None,
        Compression::Gzip,
        Compression::Snappy,
        Compression::Lz4,
        Compression::Zstd,
    ];
    let codecs = if seed.is_multiple_of(2) { &codecs[..1] } else { &codecs };
    let mut log = open(directory, config);
    let mut producers: Vec<Producer> = (0..5)
        .map(|id| Producer { id: 1000 + id, epoch: 0, sequence: 0, in_transaction: false })
        .collect();
    let (mut now, mut epoch) = (T, 0);
    for _ in 0..120 + draws.below(150) {
        now += draws.below(40) as i64;
        epoch += i32::from(draws.below(40) == 0);
        if draws.below(25) == 0 {
            log.roll(now).unwrap();
        }
        let which = draws.below(12) as usize;
        let mut builder = BatchBuilder::new(0);
        let count = 1 + draws.below(6);
        let mut origin = AppendOrigin::Client;
        let mut is_marker = false;
        if let Some(producer) = producers.get_mut(which) {
            let is_transactional = which >= 2;
            if is_transactional && producer.in_transaction && draws.below(3) == 0 {
                let kind =
                    if draws.below(2) == 0 { ControlType::Abort } else { ControlType::Commit };
                builder = builder.producer(producer.id, producer.epoch, NO_SEQUENCE);
                builder = builder.transactional();
                builder.append_control(now, kind, &[0, 0, 0, 0, 0, 0]);
                producer.in_transaction = false;
                (origin, is_marker) = (AppendOrigin::Coordinator, true);
            } else {
                builder = builder.producer(producer.id, producer.epoch, producer.sequence);
                producer.sequence += count as i32;
                if is_transactional {
                    builder = builder.transactional();
                    producer.in_transaction = true;
                }
            }
        }
        if !is_marker {
            add_records(&mut builder, &mut draws, count, now);
        }
        let codec = codecs[draws.below(codecs.len() as u64) as usize];
        let batch = builder.build();
        let batch = if is_marker { batch } else { compressed(&batch, codec) };
        log.append_as_leader(&batch, epoch, now, origin).unwrap();
    }
    // A transaction that stays open ends what may be compacted.
    for producer in producers.iter().filter(|producer| producer.in_transaction) {
        let builder = BatchBuilder::new(0).producer(producer.id, producer.epoch, NO_SEQUENCE);
        let mut builder = builder.transactional();
        builder.append_control(now, ControlType::Abort, &[0, 0, 0, 0, 0, 0]);
        log.append_as_leader(&builder.build(), epoch, now, AppendOrigin::Coordinator).unwrap();
    }
    log.roll(now).unwrap();
    let bases = log.segment_offsets();
    let mut last = BatchBuilder::new(0);
    last.append(now, Some(b"last"), Some(b"one"));
    log.append_as_leader(&last.build(), epoch, now, AppendOrigin::Client).unwrap();
    log.close(now).unwrap();
    bases
}

fn course(root: &Path, seed: u64) -> Course {
    let mut draws = Draws(!seed);
    // Which segments go together is a matter of their sizes.
    let sizes = if seed.is_multiple_of(2) { [4_096, 16_384, 65_536] } else { [1 << 20; 3] };
    let segment_bytes = sizes[draws.below(3) as usize];
    let timestamp_type =
        if seed % 5 == 3 { TimestampType::LogAppendTime } else { TimestampType::CreateTime };
    let (stock, ours) = (root.join(format!("stock-{seed}")), root.join(format!("ours-{seed}")));
    // Records without keys come into a log before its policy is compact.
    let mut lax = config(2_048 + 2_048 * draws.below(3) as u32, timestamp_type);
    lax.cleanup = CleanupPolicy { delete: true, compact: false };
    lax.retention_ms = -1;
    let bases = lead(&ours, seed, lax);
    copy(&ours, &stock);
    let active = bases[bases.len() - 1];
    let middle = bases[bases.len() / 2];
    let first = Step { first_dirty: 0, first_uncleanable: middle, now_ms: T + 100_000 };
    let rest = Step { first_dirty: middle, first_uncleanable: active, now_ms: T + 101_000 };
    let again = Step { first_dirty: 0, first_uncleanable: active, now_ms: T + 103_000 };
    let late = Step { first_dirty: 0, first_uncleanable: active, now_ms: T + 120_000 };
    let steps = match seed % 3 {
        0 => vec![first, rest, again, late, late],
        1 => vec![again, late, late],
        _ => vec![first, rest, late],
    };
    // One in four has no room for all keys.
    let dedupe_bytes = if seed.is_multiple_of(4) { 24 * 16 } else { 1 << 20 };
    Course { seed, stock, ours, segment_bytes, dedupe_bytes, timestamp_type, steps }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

/// Kafka cleans all of them in one go; its lines.
fn clean_with_stock(courses: &[Course]) -> Vec<String> {
    let words: Vec<String> = courses
        .iter()
        .map(|course| {
            let steps = course.steps.iter();
            let steps: Vec<String> = steps
                .map(|s| format!("{}:{}:{}", s.first_dirty, s.first_uncleanable, s.now_ms))
                .collect();
            format!(
                "{},{},{DELETE_RETENTION_MS},{},{T},{}",
                course.stock.display(),
                course.segment_bytes,
                course.dedupe_bytes,
                steps.join(","),
            )
        })
        .collect();
    let main = "org.apache.kafka.storage.internals.log.CleanLog";
    let finished =
        ToolServer::shared().spawn_main(&cleaner_class_path(), main, &words, "").finish();
    assert_eq!(finished.code, 0, "{}", finished.stderr);
    finished.stdout.lines().map(str::to_owned).collect()
}

struct Host<'h> {
    log: &'h mut Log,
    to_clean: &'h storage::LogToClean,
}

impl CleanerHost for Host<'_> {
    fn acquire(&mut self, _: u64) -> Result<(), CleaningError> {
        Ok(())
    }

    fn replace_segments(&mut self, cleaned: &CleanedSegment) -> Result<(), CleaningError> {
        assert!(self.log.replace_segments(self.to_clean, cleaned, T)?);
        Ok(())
    }
}

/// One step by us; what `CleanLog` prints of it.
fn clean(log: &mut Log, course: &Course, step: Step) -> String {
    let offsets = CleanableOffsets {
        first_dirty_offset: step.first_dirty,
        first_uncleanable_offset: step.first_uncleanable,
        clean_bytes: 0,
        cleanable_bytes: 1,
        compaction_delay_ms: 0,
        checkpoint_is_invalid: false,
        min_cleanable_dirty_ratio: 0.0,
    };
    let to_clean = log.begin_cleaning(offsets).unwrap();
    let config = CleanerConfig {
        dedupe_buffer_bytes: course.dedupe_bytes,
        dedupe_buffer_load_factor: 0.9,
        io_buffer_bytes: 1_000,
    };
    let mut host = Host { log, to_clean: &to_clean };
    let cleaned = storage::clean(&to_clean, &config, step.now_ms, &mut host, &mut || {}).unwrap();
    let stats = cleaned.stats;
    format!(
        "{} {} {} {} {}",
        cleaned.end_offset,
        stats.bytes_read,
        stats.messages_read,
        stats.messages_written,
        stats.invalid_messages_read,
    )
}

/// What is counted of a step; where batches were compressed anew, not how many bytes they are.
fn counted(line: &str, course: &Course) -> Vec<String> {
    let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
    if !course.is_plain() {
        words.remove(1);
    }
    words
}

/// The files of a log's segments by their names, but for the active segment's.
fn files(directory: &Path, active: i64) -> BTreeMap<String, Vec<u8>> {
    let kinds = [".log", ".index", ".timeindex", ".txnindex"];
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let is_segments = kinds.iter().any(|kind| name.ends_with(kind));
        if is_segments && !name.starts_with(&format!("{active:020}")) {
            let content = std::fs::read(&path).unwrap();
            // Kafka begins the file of an index that may have none.
            if !(name.ends_with(".txnindex") && content.is_empty()) {
                files.insert(name, content);
            }
        }
    }
    files
}

/// A batch's header without what its compressed size changes, and its records.
fn told(batch: &BatchView<'_>) -> (Vec<u8>, Vec<u8>) {
    let codec = batch.compression().unwrap();
    let mut header = batch.header_copy().as_bytes().to_vec();
    if codec != Compression::None {
        header[8..12].fill(0);
        header[17..21].fill(0);
    }
    (header, compression::decompress(codec, batch.payload()).unwrap())
}

/// How many files were the same byte by byte, and how many but for their compression.
fn compare(stock: &Path, ours: &Path, active: i64, place: &str) -> (usize, usize) {
    let (stock, ours) = (files(stock, active), files(ours, active));
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&ours), names(&stock), "{place}: files");
    let (mut same, mut alike) = (0, 0);
    for (name, expected) in &stock {
        let found = &ours[name];
        if found == expected {
            same += 1;
            continue;
        }
        alike += 1;
        if name.ends_with(".log") {
            let (mut found, mut expected) = (batches(found), batches(expected));
            loop {
                match (found.next(), expected.next()) {
                    (None, None) => break,
                    (Some(found), Some(expected)) => {
                        let (found, expected) = (found.unwrap(), expected.unwrap());
                        found.verify_crc().unwrap();
                        let at = expected.base_offset();
                        assert_eq!(told(&found), told(&expected), "{place}: {name} at {at}");
                    }
                    (found, expected) => panic!("{place}: {name}: {found:?} {expected:?}"),
                }
            }
        } else {
            let log = format!("{}.log", name.split('.').next().unwrap());
            assert_ne!(ours[&log], stock[&log], "{place}: {name} of a log that is the same");
            assert!(!name.ends_with(".txnindex"), "{place}: {name}");
        }
    }
    (same, alike)
}

/// Thousands of files are about bytes, not about a disk.
fn in_memory() -> tempfile::TempDir {
    let shared_memory = Path::new("/dev/shm");
    if shared_memory.is_dir() {
        tempfile::tempdir_in(shared_memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    }
}

#[test]
fn what_stays_of_a_log_is_what_kafkas_own_cleaner_leaves() {
    let root = in_memory();
    let courses: Vec<Course> = (0..SEEDS)
        .map(|seed| {
            let below = root.path().join(format!("{seed}"));
            std::fs::create_dir(&below).unwrap();
            let mut course = course(&below, seed);
            // A log's directory is named after its partition.
            let named = |path: &Path| {
                path.with_file_name(format!(
                    "{}-0",
                    path.file_name().unwrap().to_str().unwrap().split('-').next().unwrap()
                ))
            };
            let (stock, ours) = (named(&course.stock), named(&course.ours));
            std::fs::rename(&course.stock, &stock).unwrap();
            std::fs::rename(&course.ours, &ours).unwrap();
            (course.stock, course.ours) = (stock, ours);
            course
        })
        .collect();
    let lines = clean_with_stock(&courses);
    let mut lines = lines.iter();
    let (mut same, mut alike) = (0, 0);
    for course in &courses {
        let mut log = open(&course.ours, course.config());
        log.high_watermark_moved(log.log_end_offset());
        for (number, step) in course.steps.iter().enumerate() {
            let place = format!("seed {}, step {number}", course.seed);
            let line = clean(&mut log, course, *step);
            let expected = lines.next().unwrap();
            assert_eq!(counted(&line, course), counted(expected, course), "{place}");
            let active = *log.segment_offsets().last().unwrap();
            let name = format!("{}.{number}", course.stock.display());
            let counts = compare(Path::new(&name), &course.ours, active, &place);
            (same, alike) = (same + counts.0, alike + counts.1);
        }
    }
    assert_eq!(lines.next(), None);
    println!("{same} files are the same, {alike} but for their compression");
    assert!(same > 1_000, "{same}");
}
