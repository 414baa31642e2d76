//! Opening a directory as a log: leftovers of interrupted work first, then the segments, then what
//! was not flushed, then epochs and producers. Kafka's `LogLoader`.
//!
//! After a clean stop nothing is read but the last index entries and the batches behind them.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64};

use arc_swap::ArcSwap;
use parking_lot::RwLock;

use super::recover::Recovery;
use super::roll::{create_segment, jitter};
use super::snapshots::Snapshots;
use super::{Active, Log, Shared};
use crate::config::LogConfig;
use crate::dir::Checkpointed;
use crate::disk::Disk;
use crate::epochs::LeaderEpochs;
use crate::error::StorageError;
use crate::names;
use crate::open_files::OpenFiles;
use crate::producer::{ProducerState, Unstable};
use crate::segment::{Home, Segment};

/// What the log dir knows about a log before it is opened.
#[derive(Debug, Clone)]
pub struct OpenOptions {
    /// The log dir was shut down cleanly: nothing needs to be validated.
    pub clean_shutdown: bool,
    /// Everything below is on the disk. 0 if unknown.
    pub recovery_point: i64,
    /// 0 if unknown: the first segment's base offset then.
    pub log_start_offset: i64,
    pub now_ms: i64,
    /// `producer.id.expiration.ms`.
    pub producer_expiration_ms: i64,
    /// A random number, for `segment.jitter.ms`.
    pub jitter_draw: u64,
    pub disk: Disk,
    pub open_files: Arc<OpenFiles>,
    /// Where the recovery point and the high watermark are written down, to be lowered before a cut
    /// below them.
    pub checkpointed: Option<Checkpointed>,
}

impl Default for OpenOptions {
    fn default() -> Self {
        Self {
            clean_shutdown: false,
            recovery_point: 0,
            log_start_offset: 0,
            now_ms: 0,
            producer_expiration_ms: 24 * 60 * 60 * 1000,
            jitter_draw: 0,
            disk: Disk::default(),
            open_files: Arc::new(OpenFiles::new(1000)),
            checkpointed: None,
        }
    }
}

/// What a directory listing shows.
#[derive(Debug, Default)]
struct Listing {
    /// Base offsets and sizes, ascending.
    segments: Vec<(i64, u64)>,
    snapshots: BTreeSet<i64>,
    names: Vec<String>,
}

impl Log {
    /// Opens the log in `directory`, or begins one there.
    pub fn open(
        directory: &Path,
        config: LogConfig,
        options: OpenOptions,
    ) -> Result<Self, StorageError> {
        let home = Arc::new(Home {
            path: RwLock::new(directory.to_owned()),
            disk: options.disk.clone(),
            open_files: Arc::clone(&options.open_files),
        });
        let fail = |error| StorageError::io("open", directory, error);
        match list(directory) {
            Ok(mut listing) => {
                if finish_interrupted(&home, directory, &listing)? {
                    listing = list(directory).map_err(fail)?;
                }
                Self::load(home, listing, config, options, Arc::default())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                home.disk.create_dir(directory).map_err(fail)?;
                Self::load(home, Listing::default(), config, options, Arc::default())
            }
            Err(error) => Err(fail(error)),
        }
    }

    /// Reads the directory anew, as after a kill, into a log that shares nothing with the one
    /// before but what readers know of undecided transactions.
    pub(super) fn load_again(
        home: &Arc<Home>,
        config: LogConfig,
        options: OpenOptions,
        unstable: &Arc<Unstable>,
    ) -> Result<Self, StorageError> {
        let directory = home.path();
        let list = || list(&directory).map_err(|error| StorageError::io("open", &directory, error));
        let mut listing = list()?;
        if finish_interrupted(home, &directory, &listing)? {
            listing = list()?;
        }
        Self::load(Arc::clone(home), listing, config, options, Arc::clone(unstable))
    }

    fn load(
        home: Arc<Home>,
        listing: Listing,
        config: LogConfig,
        options: OpenOptions,
        unstable: Arc<Unstable>,
    ) -> Result<Self, StorageError> {
        let fresh = listing.names.is_empty();
        let (epochs, epochs_fit) = if fresh {
            (LeaderEpochs::default(), true)
        } else {
            read_epochs(&home, listing.segments.iter().any(|&(_, size)| size > 0))?
        };
        let space = u64::from(config.segment_bytes);
        let mut segments: Vec<_> = listing
            .segments
            .iter()
            .map(|&(base, size)| Segment::new(&home, base, size, space.max(size)))
            .collect();
        if segments.is_empty() {
            segments.push(create_segment(&home, options.log_start_offset, &config)?);
        }
        let first_base = segments[0].base_offset();
        let last = Arc::clone(&segments[segments.len() - 1]);
        let name = home
            .path
            .read()
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let jitter_ms = jitter(options.jitter_draw, last.base_offset(), &config);
        let mut log = Self {
            shared: Arc::new(Shared {
                home,
                segments: ArcSwap::from_pointee(segments),
                start: AtomicI64::new(options.log_start_offset.max(first_base)),
                end: AtomicI64::new(last.base_offset()),
                unstable: Arc::clone(&unstable),
                cuts: AtomicU64::new(0),
            }),
            name,
            config,
            active: Active::new(last, options.now_ms, jitter_ms),
            epochs,
            epochs_unwritten: false,
            epochs_unsynced: true,
            directory_unsynced: true,
            name_unsynced: true,
            flush_under_way: false,
            producers: ProducerState::new(unstable, options.producer_expiration_ms),
            snapshots: Snapshots::new(listing.snapshots),
            recovery_point: options.recovery_point,
            checkpointed: options.checkpointed,
            last_flush_ms: options.now_ms,
            high_watermark: 0,
            jitter_draw: options.jitter_draw,
            doomed: Vec::new(),
            closed: None,
            interrupted: None,
        };
        if fresh {
            log.recovery_point = options.log_start_offset;
            log.producers.set_end_offset(options.log_start_offset);
            log.create_epochs()?;
            return Ok(log);
        }
        let recovery = Recovery {
            clean: options.clean_shutdown,
            epochs_fit: epochs_fit && !log.forgets_epochs(),
            log_start_offset: options.log_start_offset,
            now_ms: options.now_ms,
        };
        log.recover(&recovery)?;
        Ok(log)
    }
}

fn list(directory: &Path) -> io::Result<Listing> {
    let mut listing = Listing::default();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(base) = names::offset_with_suffix(&name, names::LOG) {
            listing.segments.push((base, entry.metadata()?.len()));
        } else if let Some(offset) = names::offset_with_suffix(&name, names::SNAPSHOT) {
            listing.snapshots.insert(offset);
        }
        listing.names.push(name);
    }
    listing.segments.sort_unstable();
    Ok(listing)
}

/// The leader epochs, and whether they can be relied upon: a log with records has some.
fn read_epochs(home: &Home, has_records: bool) -> Result<(LeaderEpochs, bool), StorageError> {
    let path = home.path.read().join(names::EPOCHS);
    match home.disk.read(&path) {
        Ok(content) => match LeaderEpochs::decode(&content) {
            Ok(epochs) => {
                let fit = !has_records || epochs.latest().is_some();
                Ok((epochs, fit))
            }
            // Unlike Kafka, which takes the log dir offline: the batches know their epochs
            // (docs/decisions/0021).
            Err(error) => {
                tracing::warn!(file = %path.display(), %error, "leader epochs are read again");
                Ok((LeaderEpochs::default(), false))
            }
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Ok((LeaderEpochs::default(), false))
        }
        Err(error) => Err(StorageError::io("read", &path, error)),
    }
}

/// Finishes or undoes what a stop interrupted; whether anything was there to do.
///
/// `.deleted` goes, `.cleaned` was not finished and goes, `.swap` is whole and takes the place of
/// the segments it covers, unless an unfinished `.cleaned` lies before it.
fn finish_interrupted(
    home: &Home,
    directory: &Path,
    listing: &Listing,
) -> Result<bool, StorageError> {
    let ending =
        |suffix: &'static str| listing.names.iter().filter(move |name| name.ends_with(suffix));
    let remove = |name: &String| {
        let path = directory.join(name);
        home.disk.remove(&path).map_err(|error| StorageError::io("remove", &path, error))
    };
    let mut found = false;
    for name in ending(names::DELETED).filter(|name| !name.contains(".checkpoint")) {
        found = true;
        remove(name)?;
    }
    let cleaned: Vec<_> = ending(names::CLEANED).collect();
    let unfinished_from = cleaned.iter().filter_map(|name| names::offset_of(name)).min();
    let (mut valid, mut invalid) = (Vec::new(), Vec::new());
    for name in ending(names::SWAP) {
        let offset = names::offset_of(name);
        let undone = unfinished_from.is_some_and(|from| offset.is_none_or(|at| at >= from));
        if undone { invalid.push(name) } else { valid.push(name) }
    }
    found |= !cleaned.is_empty() || !valid.is_empty() || !invalid.is_empty();
    cleaned.into_iter().chain(invalid).try_for_each(remove)?;
    if !valid.is_empty() {
        finish_swap(home, directory, listing, &valid)?;
    }
    for (suffix, name) in
        names::OF_SEGMENT[1..].iter().flat_map(|suffix| ending(suffix).map(move |n| (suffix, n)))
    {
        let orphan = names::offset_with_suffix(name, suffix).is_some_and(|base| {
            let log = format!("{base:020}{}", names::LOG);
            !listing.names.contains(&log) && !listing.names.contains(&format!("{log}.swap"))
        });
        if orphan {
            found = true;
            remove(name)?;
        }
    }
    Ok(found)
}

fn finish_swap(
    home: &Home,
    directory: &Path,
    listing: &Listing,
    swaps: &[&String],
) -> Result<(), StorageError> {
    let (mut from, mut to) = (i64::MAX, i64::MIN);
    for name in swaps {
        let log = name.strip_suffix(names::SWAP).unwrap_or(name);
        let Some(base) = names::offset_with_suffix(log, names::LOG) else {
            continue;
        };
        from = from.min(base);
        // The files of its own base are in its place even where no batch was left.
        let end = super::recover::next_offset_of(home, &directory.join(name), base)?;
        to = to.max(end).max(base + 1);
    }
    for name in &listing.names {
        let covered = names::offset_of(name).is_some_and(|offset| (from..to).contains(&offset));
        if covered && !name.ends_with(names::SWAP) {
            let path = directory.join(name);
            home.disk.remove(&path).map_err(|error| StorageError::io("remove", &path, error))?;
        }
    }
    for name in swaps {
        let path = directory.join(name);
        let final_path = directory.join(name.strip_suffix(names::SWAP).unwrap_or(name));
        let renamed = home.disk.rename(&path, &final_path);
        renamed.map_err(|error| StorageError::io("rename", &path, error))?;
    }
    Ok(())
}
