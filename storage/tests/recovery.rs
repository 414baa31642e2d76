//! Whatever a stop leaves behind, the log that opens is a prefix of what was appended that holds
//! everything synced, and its side files are those of a rebuild from the log alone.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use protocol::batch::{BatchBuilder, ControlType, NO_SEQUENCE, batches};
use storage::{AppendOrigin, EpochEntry, Log, LogConfig, OpenOptions, ProducerSummary};
use support::{Row, contents, in_memory, records_of};

type Files = BTreeMap<String, Vec<u8>>;

const NOW: i64 = 100_000;

fn config() -> LogConfig {
    LogConfig {
        segment_bytes: 1000,
        index_interval_bytes: 100,
        verify_transactions: false,
        ..LogConfig::default()
    }
}

fn open(dir: &Path, clean_shutdown: bool, recovery_point: i64) -> Log {
    let options =
        OpenOptions { clean_shutdown, recovery_point, now_ms: NOW, ..OpenOptions::default() };
    Log::open(dir, config(), options).unwrap()
}

fn read_all(dir: &Path) -> Files {
    std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect()
}

fn write_all(dir: &Path, files: &Files) {
    if dir.exists() {
        std::fs::remove_dir_all(dir).unwrap();
    }
    std::fs::create_dir(dir).unwrap();
    for (name, content) in files {
        std::fs::write(dir.join(name), content).unwrap();
    }
}

/// Plain, idempotent, transactional and marker batches over several epochs and segments. The files
/// as a kill leaves them, and the offset up to which they were synced.
fn killed() -> (Files, i64) {
    let dir = in_memory();
    let path = dir.path().join("t-0");
    let mut log = open(&path, false, 0);
    let mut synced = 0;
    for round in 0..13_i32 {
        let base = i64::from(round) * 100;
        let mut plain = BatchBuilder::new(0);
        plain.append(base + 7, Some(b"key"), Some(&vec![b'v'; round as usize * 3]));
        let mut idempotent = BatchBuilder::new(0).producer(1, 0, round * 2);
        idempotent.append(base + 3, None, Some(b"i"));
        idempotent.append(base + 50, None, None);
        let transactional = BatchBuilder::new(0).producer(2, 0, round).transactional();
        let mut transactional = transactional;
        transactional.append(base + 1, Some(b"t"), Some(b"transactional"));
        for builder in [plain, idempotent, transactional] {
            let records = builder.build();
            log.append_as_leader(&records, round / 3, NOW, AppendOrigin::Client).unwrap();
        }
        if round % 2 == 1 {
            let kind = if round % 4 == 1 { ControlType::Abort } else { ControlType::Commit };
            let mut marker = BatchBuilder::new(0).producer(2, 0, NO_SEQUENCE).transactional();
            marker.append_control(base + 60, kind, &[0, 0, 0, 0, 0, 5]);
            let records = marker.build();
            log.append_as_leader(&records, round / 3, NOW, AppendOrigin::Coordinator).unwrap();
        }
        if round == 9 {
            log.flush(NOW).unwrap();
            synced = log.log_end_offset();
        }
    }
    assert!(log.segment_count() >= 4);
    let files = read_all(&path);
    drop(log);
    (files, synced)
}

#[derive(Debug, PartialEq)]
struct State {
    rows: Vec<Row>,
    end: i64,
    stable: i64,
    epochs: Vec<EpochEntry>,
    producers: Vec<ProducerSummary>,
    aborted: Vec<storage::AbortedTransaction>,
    times: Vec<Option<storage::TimestampOffset>>,
}

fn state(log: &mut Log) -> State {
    let end = log.log_end_offset();
    log.high_watermark_moved(end);
    let mut producers = log.producers();
    producers.sort_by_key(|producer| producer.producer_id);
    State {
        rows: contents(log),
        end,
        stable: log.last_stable_offset(end),
        epochs: log.leader_epochs().to_vec(),
        producers,
        aborted: log.aborted_transactions(0, i64::MAX).unwrap(),
        times: (0..14).map(|t| log.offset_for_timestamp(t * 100 - 40).unwrap()).collect(),
    }
}

/// Opens `files`, then only their `.log`s: state and index files must be the same.
fn open_and_compare_with_rebuild(dir: &Path, files: &Files, recovery_point: i64) -> State {
    let path = dir.join("t-0");
    write_all(&path, files);
    let mut log = open(&path, false, recovery_point);
    let opened = state(&mut log);
    drop(log);
    let after = read_all(&path);

    let bare: Files = after.iter().filter(|(name, _)| name.ends_with(".log")).map(pair).collect();
    let path = dir.join("r-0");
    write_all(&path, &bare);
    let mut log = open(&path, false, 0);
    assert_eq!(opened, state(&mut log));
    drop(log);
    let rebuilt = read_all(&path);
    for (name, content) in &after {
        if name.ends_with("index") {
            assert_eq!(Some(content), rebuilt.get(name), "{name}");
        }
    }
    opened
}

fn pair((name, content): (&String, &Vec<u8>)) -> (String, Vec<u8>) {
    (name.clone(), content.clone())
}

fn active_log(files: &Files) -> String {
    files.keys().rfind(|name| name.ends_with(".log")).unwrap().clone()
}

/// Where each batch of a `.log` begins and ends, with its rows.
fn spans(content: &[u8]) -> Vec<(usize, usize, Vec<Row>)> {
    let mut position = 0;
    batches(content)
        .map(|batch| {
            let batch = batch.unwrap();
            let begin = position;
            position += batch.len();
            (begin, position, records_of(&batch))
        })
        .collect()
}

fn original_rows(files: &Files) -> Vec<Row> {
    let logs = files.iter().filter(|(name, _)| name.ends_with(".log"));
    logs.flat_map(|(_, content)| spans(content)).flat_map(|(_, _, rows)| rows).collect()
}

#[test]
fn a_log_cut_at_any_byte_opens_as_the_batches_before_the_cut() {
    let (files, _) = killed();
    let original = original_rows(&files);
    let name = active_log(&files);
    let spans = spans(&files[&name]);
    let before = original.len() - spans.iter().map(|(_, _, rows)| rows.len()).sum::<usize>();
    let dir = in_memory();
    for cut in 0..=files[&name].len() {
        let mut files = files.clone();
        files.get_mut(&name).unwrap().truncate(cut);
        let recovered = open_and_compare_with_rebuild(dir.path(), &files, 0);
        let whole = spans.iter().filter(|(_, end, _)| *end <= cut);
        let kept = before + whole.map(|(_, _, rows)| rows.len()).sum::<usize>();
        assert_eq!(recovered.rows, original[..kept], "cut at {cut}");
    }
}

#[test]
fn any_flipped_byte_costs_no_more_than_its_batch_and_those_behind_it() {
    let (files, _) = killed();
    let original = original_rows(&files);
    let name = active_log(&files);
    let spans = spans(&files[&name]);
    let mut kept = original.len() - spans.iter().map(|(_, _, rows)| rows.len()).sum::<usize>();
    let dir = in_memory();
    let path = dir.path().join("t-0");
    for (number, (begin, end, rows)) in spans.iter().enumerate() {
        for position in *begin..*end {
            // One flip says all about a byte that the CRC covers.
            let flips = if position < begin + 21 { &[0x01, 0xff][..] } else { &[0x10] };
            for &flip in flips {
                let mut files = files.clone();
                files.get_mut(&name).unwrap()[position] ^= flip;
                let in_epoch = (12..16).contains(&(position - begin));
                let recovered = if in_epoch {
                    write_all(&path, &files);
                    contents(&open(&path, false, 0))
                } else {
                    open_and_compare_with_rebuild(dir.path(), &files, 0).rows
                };
                assert_eq!(recovered[..kept], original[..kept], "{position} {flip}");
                match position - begin {
                    // The leader epoch is outside of the CRC: the records are what they were.
                    12..16 => assert_eq!(recovered, original),
                    // So is the base offset: damage shows by the next batch, if there is one.
                    0..8 if number + 1 == spans.len() => {
                        let moved = recovered[kept..].iter().map(|row| &row.3);
                        assert!(moved.eq(rows.iter().map(|row| &row.3)) || recovered.len() == kept);
                    }
                    _ => assert_eq!(recovered.len(), kept, "{position} {flip}"),
                }
            }
        }
        kept += rows.len();
    }
}

#[test]
fn a_damaged_sealed_segment_drops_what_lies_behind_it() {
    let (files, _) = killed();
    let name = files.keys().filter(|name| name.ends_with(".log")).nth(1).unwrap().clone();
    let original = original_rows(&files);
    let dir = in_memory();
    let first: usize = spans(&files[&files.keys().find(|n| n.ends_with(".log")).unwrap().clone()])
        .iter()
        .map(|(_, _, rows)| rows.len())
        .sum();
    let spans = spans(&files[&name]);
    let mut files = files.clone();
    files.get_mut(&name).unwrap()[spans[1].0 + 30] ^= 1;
    let recovered = open_and_compare_with_rebuild(dir.path(), &files, 0);
    assert_eq!(recovered.rows, original[..first + spans[0].2.len()]);
}

#[test]
fn what_had_been_synced_and_is_cut_for_damage_is_kept_beside() {
    let (files, _) = killed();
    let logs: Vec<_> = files.keys().filter(|name| name.ends_with(".log")).cloned().collect();
    let spans = spans(&files[&logs[1]]);
    let (begin, _, rows) = &spans[1];
    let mut damaged = files.clone();
    damaged.get_mut(&logs[1]).unwrap()[begin + 30] ^= 1;
    let at = rows[0].0;
    // Not synced; synced up to the damage; synced behind it.
    for (recovery_point, kept) in [(0, false), (at, false), (at + 1, true)] {
        let dir = in_memory();
        let path = dir.path().join("t-0");
        // Twice: the second damage does not replace what the first left.
        for round in 1..=2 {
            let earlier = if round == 2 { read_all(&path) } else { Files::new() };
            let beside = |files: &Files| -> Files {
                files.iter().filter(|(name, _)| name.ends_with(".corrupt")).map(pair).collect()
            };
            let mut placed = damaged.clone();
            placed.extend(beside(&earlier));
            write_all(&path, &placed);
            let log = open(&path, false, recovery_point);
            assert_eq!(log.log_end_offset(), at);
            drop(log);
            let after = beside(&read_all(&path));
            let copies = (logs.len() - 1) * round;
            assert_eq!(after.len(), if kept { copies } else { 0 }, "{recovery_point} {after:?}");
            if kept {
                let suffix = if round == 1 { "" } else { ".1" };
                let tail = format!("{at:020}.log{suffix}.corrupt");
                assert_eq!(after[&tail], damaged[&logs[1]][*begin..]);
                for name in &logs[2..] {
                    assert_eq!(after[&format!("{name}{suffix}.corrupt")], files[name]);
                }
            }
        }
    }
}

/// Every kind of damage to one side file.
fn damages(content: &[u8]) -> Vec<Option<Vec<u8>>> {
    let noise = (0..content.len().max(9)).map(|at| (at as u8).wrapping_mul(97) ^ 0x5a).collect();
    vec![
        None,
        Some(Vec::new()),
        Some(vec![0; content.len()]),
        Some(content[..content.len() / 2].to_vec()),
        Some(content[..content.len().saturating_sub(1)].to_vec()),
        Some(noise),
        Some([content, &[0; 1000]].concat()),
        Some([content, b"garbage"].concat()),
    ]
}

#[test]
fn side_files_removed_zeroed_cut_or_garbled_are_built_anew_after_a_kill() {
    let (files, synced) = killed();
    let dir = in_memory();
    let sound = open_and_compare_with_rebuild(dir.path(), &files, 0);
    let mut damaged = 0;
    for (name, content) in files.iter().filter(|(name, _)| !name.ends_with(".log")) {
        for damage in damages(content) {
            let mut files = files.clone();
            match damage {
                None => drop(files.remove(name)),
                Some(content) => drop(files.insert(name.clone(), content)),
            }
            let recovered = open_and_compare_with_rebuild(dir.path(), &files, 0);
            assert_eq!(recovered, sound, "{name}");
            damaged += 1;
        }
    }
    assert!(damaged > 100 && synced > 0);
}

#[test]
fn records_are_found_whatever_befell_side_files_that_recovery_trusts() {
    let (files, synced) = killed();
    let dir = in_memory();
    let path = dir.path().join("t-0");
    write_all(&path, &files);
    let mut log = open(&path, false, 0);
    let sound = state(&mut log);
    log.close(NOW).unwrap();
    let closed = read_all(&path);
    for (clean, recovery_point, files) in [(false, synced, &files), (true, sound.end, &closed)] {
        for (name, content) in files.iter().filter(|(name, _)| !name.ends_with(".log")) {
            for damage in damages(content) {
                let mut files = files.clone();
                match damage {
                    None => drop(files.remove(name)),
                    Some(content) => drop(files.insert(name.clone(), content)),
                }
                write_all(&path, &files);
                let mut log = open(&path, clean, recovery_point);
                assert_eq!(contents(&log), sound.rows, "{name}");
                for row in &sound.rows {
                    let read = log.reader().read(row.0, 1, i64::MAX, true).unwrap();
                    assert!(read.base_offset <= row.0 && !read.slices.is_empty(), "{name}");
                }
                assert_eq!(log.leader_epochs(), sound.epochs, "{name}");
                let mut producers = log.producers();
                producers.sort_by_key(|producer| producer.producer_id);
                assert_eq!(producers, sound.producers, "{name}");
                let end = log.log_end_offset();
                log.high_watermark_moved(end);
                assert_eq!(log.last_stable_offset(end), sound.stable, "{name}");
            }
        }
    }
}

#[test]
fn a_garbled_tail_is_cut_even_after_a_clean_stop() {
    let (files, _) = killed();
    let dir = in_memory();
    let path = dir.path().join("t-0");
    write_all(&path, &files);
    let mut log = open(&path, false, 0);
    let sound = state(&mut log);
    log.close(NOW).unwrap();
    let mut files = read_all(&path);
    let name = active_log(&files);
    let content = files.get_mut(&name).unwrap();
    let tail = spans(content).pop().unwrap();
    content[tail.0 + 40] ^= 1;
    write_all(&path, &files);
    let mut log = open(&path, true, sound.end);
    // It had been synced, so it is kept beside.
    let beside = read_all(&path).into_iter().find(|(name, _)| name.ends_with(".corrupt")).unwrap();
    assert_eq!(beside.1, files[&name][tail.0..]);
    let kept = sound.rows.len() - tail.2.len();
    assert_eq!(state(&mut log).rows, sound.rows[..kept]);
    let next = support::batch(&["goes on"]);
    let appended = log.append_as_leader(&next, 99, NOW, AppendOrigin::Client).unwrap();
    assert_eq!(appended.base_offset, log.log_end_offset() - 1);
}

#[test]
fn leftovers_of_interrupted_work_are_finished_or_undone() {
    let (files, _) = killed();
    let dir = in_memory();
    let sound = open_and_compare_with_rebuild(dir.path(), &files, 0);
    let name = active_log(&files);
    let last = spans(&files[&name]);
    let shorter = files[&name][..last[last.len() - 2].1].to_vec();
    let orphan = format!("{:020}.index", 9_999_999);
    for (extra, content, lost) in [
        (format!("{name}.deleted"), vec![1, 2, 3], 0),
        (format!("{name}.cleaned"), shorter.clone(), 0),
        (format!("{name}.swap"), shorter, last[last.len() - 1].2.len()),
        (orphan, vec![0; 80], 0),
    ] {
        let mut files = files.clone();
        files.insert(extra.clone(), content);
        let recovered = open_and_compare_with_rebuild(dir.path(), &files, 0);
        assert_eq!(recovered.rows, sound.rows[..sound.rows.len() - lost], "{extra}");
        assert!(!read_all(&dir.path().join("t-0")).contains_key(&extra));
    }
}

#[test]
fn a_log_whose_records_all_lie_below_its_start_begins_anew_there() {
    let (files, _) = killed();
    let dir = in_memory();
    let path = dir.path().join("t-0");
    write_all(&path, &files);
    let options = OpenOptions { log_start_offset: 5000, now_ms: NOW, ..OpenOptions::default() };
    let log = Log::open(&path, config(), options).unwrap();
    assert_eq!((log.log_start_offset(), log.log_end_offset()), (5000, 5000));
    assert!(log.producers().is_empty() && log.leader_epochs().is_empty());
}
