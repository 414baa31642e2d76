//! What a power loss may leave of a directory: a recorder of what was written, cut, renamed and
//! synced there, and the images that the record allows at any of its points.
//!
//! ```text
//! file       what was synced + of the writes since: a prefix to any byte, or any pages of them
//! directory  what was synced + a prefix of the creations, renames and removals since
//! ```
//! Files and directories are independent of one another. A file's cut is an entry of the file
//! system's journal: pages written behind it are seen only with it. Nothing else is ordered.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "tests share it in parts")]

use std::collections::{BTreeMap, HashMap};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use storage::{DiskOp, Faults, Verdict};

type Id = u64;

/// One change of the directory, or one promise of the disk.
#[derive(Debug, Clone)]
pub enum Event {
    /// Names of one directory that changed at once; a rename is two of them.
    Names {
        directory: String,
        changes: Vec<(String, Option<Entry>)>,
    },
    Write {
        file: Id,
        at: usize,
        bytes: Vec<u8>,
    },
    Cut {
        file: Id,
        len: usize,
    },
    Sync(Id),
    SyncDirectory(String),
    SyncAll,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    File(Id),
    Directory,
}

/// A file or directory as the last look found it.
#[derive(Debug, Clone)]
struct Seen {
    id: Id,
    inode: u64,
    /// `None` of a directory.
    content: Option<Vec<u8>>,
}

/// Looks at the directory before every operation on it; what changed is what the one before did.
#[derive(Debug)]
pub struct Recorder {
    root: PathBuf,
    inner: Option<Arc<dyn Faults>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    seen: BTreeMap<String, Seen>,
    events: Vec<Event>,
    /// The operation that has been let through and not been looked at yet.
    under_way: Option<(DiskOp, String)>,
    next_id: Id,
}

impl Faults for Recorder {
    fn before(&self, operation: DiskOp, path: &Path) -> Verdict {
        let mut state = self.state.lock().unwrap();
        state.look(&self.root);
        let verdict = self.inner.as_ref().map_or(Verdict::Proceed, |f| f.before(operation, path));
        let proceeds = matches!(verdict, Verdict::Proceed);
        state.under_way = proceeds.then(|| (operation, relative(&self.root, path)));
        verdict
    }
}

impl Recorder {
    pub fn new(root: &Path) -> Arc<Self> {
        Self::over(root, None)
    }

    /// One whose operations may fail.
    pub fn over(root: &Path, inner: Option<Arc<dyn Faults>>) -> Arc<Self> {
        Arc::new(Self { root: root.to_owned(), inner, state: Mutex::default() })
    }

    /// How much has happened, all operations that have returned included.
    pub fn now(&self) -> usize {
        let mut state = self.state.lock().unwrap();
        state.look(&self.root);
        state.events.len()
    }

    pub fn events(&self) -> Vec<Event> {
        self.now();
        self.state.lock().unwrap().events.clone()
    }
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap().to_str().unwrap().to_owned()
}

/// The directory of a relative path, and the name in it.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() { name.to_owned() } else { format!("{directory}/{name}") }
}

impl State {
    fn look(&mut self, root: &Path) {
        let mut found = BTreeMap::new();
        self.find(root, "", &mut found);
        let mut names: BTreeMap<String, Vec<(String, Option<Entry>)>> = BTreeMap::new();
        for path in self.seen.keys().chain(found.keys()) {
            let (before, after) = (self.seen.get(path), found.get(path));
            if before.map(|seen| seen.id) != after.map(|seen| seen.id) {
                let (directory, name) = split(path);
                let changes = names.entry(directory.to_owned()).or_default();
                if changes.iter().all(|(known, _)| known != name) {
                    changes.push((name.to_owned(), after.map(entry)));
                }
            }
        }
        for (directory, changes) in names {
            self.events.push(Event::Names { directory, changes });
        }
        let contents = |seen: &BTreeMap<String, Seen>| -> BTreeMap<Id, Vec<u8>> {
            let files = seen.values().filter_map(|seen| Some((seen.id, seen.content.clone()?)));
            files.collect()
        };
        let before = contents(&self.seen);
        for (file, after) in contents(&found) {
            self.note_content(file, before.get(&file).map_or(&[], Vec::as_slice), &after);
        }
        self.seen = found;
        match self.under_way.take() {
            Some((DiskOp::Sync, path)) => match self.seen.get(&path) {
                Some(Seen { id, content: Some(_), .. }) => self.events.push(Event::Sync(*id)),
                _ => self.events.push(Event::SyncAll),
            },
            Some((DiskOp::SyncDirectory, path)) => self.events.push(Event::SyncDirectory(path)),
            _ => {}
        }
    }

    fn find(&mut self, root: &Path, below: &str, found: &mut BTreeMap<String, Seen>) {
        for entry in std::fs::read_dir(root.join(below)).unwrap() {
            let entry = entry.unwrap();
            let path = join(below, entry.file_name().to_str().unwrap());
            let metadata = entry.metadata().unwrap();
            let inode = metadata.ino();
            let known = self.seen.values().find(|seen| seen.inode == inode);
            let id = known.map_or(self.next_id, |seen| seen.id);
            self.next_id += Id::from(known.is_none());
            if metadata.is_dir() {
                found.insert(path.clone(), Seen { id, inode, content: None });
                self.find(root, &path, found);
            } else {
                let content = Some(std::fs::read(entry.path()).unwrap());
                found.insert(path, Seen { id, inode, content });
            }
        }
    }

    fn note_content(&mut self, file: Id, before: &[u8], after: &[u8]) {
        if after.len() < before.len() {
            self.events.push(Event::Cut { file, len: after.len() });
        }
        let common = before.len().min(after.len());
        let differs = (0..common).filter(|&at| before[at] != after[at]);
        let at = differs.clone().next().unwrap_or(common);
        let end = if after.len() > before.len() {
            after.len()
        } else {
            differs.max().map_or(at, |last| last + 1)
        };
        if at < end {
            self.events.push(Event::Write { file, at, bytes: after[at..end].to_vec() });
        }
    }
}

fn entry(seen: &Seen) -> Entry {
    if seen.content.is_some() { Entry::File(seen.id) } else { Entry::Directory }
}

// --- what the disk holds -------------------------------------------------------------------

#[derive(Debug, Clone)]
enum Pending {
    Write(usize, Vec<u8>),
    Cut(usize),
}

#[derive(Debug, Clone, Default)]
struct File {
    synced: Vec<u8>,
    since: Vec<Pending>,
}

type Changes = Vec<(String, Option<Entry>)>;

#[derive(Debug, Clone, Default)]
struct Directory {
    synced: BTreeMap<String, Entry>,
    since: Vec<Changes>,
}

/// What was synced of everything, and what happened since.
#[derive(Debug, Clone, Default)]
pub struct Disks {
    files: HashMap<Id, File>,
    directories: BTreeMap<String, Directory>,
}

/// Files by their path; a directory is one that ends with `/`.
pub type Image = BTreeMap<String, Vec<u8>>;

impl Disks {
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::Names { directory, changes } => {
                self.directories.entry(directory.clone()).or_default().since.push(changes.clone());
            }
            Event::Write { file, at, bytes } => {
                self.file(*file).since.push(Pending::Write(*at, bytes.clone()));
            }
            Event::Cut { file, len } => self.file(*file).since.push(Pending::Cut(*len)),
            Event::Sync(file) => self.file(*file).sync(),
            Event::SyncDirectory(path) => {
                self.directories.entry(path.clone()).or_default().sync();
            }
            Event::SyncAll => {
                self.files.values_mut().for_each(File::sync);
                self.directories.values_mut().for_each(Directory::sync);
            }
        }
    }

    fn file(&mut self, id: Id) -> &mut File {
        self.files.entry(id).or_default()
    }

    /// The image in which `names` says how many of a directory's changes are there, and `content`
    /// what of a file is.
    fn image(
        &self,
        names: &mut dyn FnMut(&Directory) -> usize,
        content: &mut dyn FnMut(&str, &File) -> Vec<u8>,
    ) -> Image {
        let mut image = Image::new();
        self.fill("", &mut image, names, content);
        image
    }

    fn fill(
        &self,
        path: &str,
        image: &mut Image,
        names: &mut dyn FnMut(&Directory) -> usize,
        content: &mut dyn FnMut(&str, &File) -> Vec<u8>,
    ) {
        let Some(directory) = self.directories.get(path) else { return };
        for (name, entry) in directory.with(names(directory)) {
            let path = join(path, &name);
            match entry {
                Entry::Directory => {
                    image.insert(format!("{path}/"), Vec::new());
                    self.fill(&path, image, names, content);
                }
                Entry::File(id) => {
                    let file = self.files.get(&id).cloned().unwrap_or_default();
                    let bytes = content(&path, &file);
                    image.insert(path, bytes);
                }
            }
        }
    }

    /// The corners: nothing but what was synced, everything, and each without the other.
    pub fn corners(&self) -> Vec<Image> {
        let mut images = Vec::new();
        for all_names in [false, true] {
            for all_bytes in [false, true] {
                let names = &mut |directory: &Directory| {
                    if all_names { directory.since.len() } else { 0 }
                };
                let content = &mut |_: &str, file: &File| {
                    if all_bytes { file.prefix(usize::MAX) } else { file.synced.clone() }
                };
                images.push(self.image(names, content));
            }
        }
        images
    }

    /// One of all that may be left.
    pub fn drawn(&self, draws: &mut Draws) -> Image {
        let seed = draws.next();
        let mut of_names = Draws::new(seed);
        let mut of_bytes = Draws::new(!seed);
        let names = &mut |directory: &Directory| of_names.below(directory.since.len() + 1);
        self.image(names, &mut |_, file| file.drawn(&mut of_bytes))
    }

    /// For the files whose path `wanted` accepts and that have changed since they were synced, an
    /// image for each byte at which the writing may have ended; everything else is there.
    pub fn cut_at_every_byte(&self, wanted: impl Fn(&str) -> bool) -> Vec<Image> {
        let mut sizes = BTreeMap::new();
        let names = &mut |directory: &Directory| directory.since.len();
        self.image(names, &mut |path, file| {
            sizes.insert(path.to_owned(), file.size_since());
            Vec::new()
        });
        let mut images = Vec::new();
        for (chosen, size) in sizes.into_iter().filter(|(path, _)| wanted(path)) {
            for cut in 0..size {
                images.push(self.image(names, &mut |path, file| {
                    file.prefix(if path == chosen { cut } else { usize::MAX })
                }));
            }
        }
        images
    }
}

impl Directory {
    fn with(&self, count: usize) -> BTreeMap<String, Entry> {
        let mut entries = self.synced.clone();
        for (name, entry) in self.since[..count].iter().flatten() {
            match entry {
                Some(entry) => drop(entries.insert(name.clone(), *entry)),
                None => drop(entries.remove(name)),
            }
        }
        entries
    }

    fn sync(&mut self) {
        self.synced = self.with(self.since.len());
        self.since.clear();
    }
}

fn write_to(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    let end = at + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[at..end].copy_from_slice(bytes);
}

impl File {
    fn sync(&mut self) {
        self.synced = self.prefix(usize::MAX);
        self.since.clear();
    }

    /// Bytes written since the last sync; a cut counts as one.
    fn size_since(&self) -> usize {
        let size = |pending: &Pending| match pending {
            Pending::Write(_, bytes) => bytes.len(),
            Pending::Cut(_) => 1,
        };
        self.since.iter().map(size).sum()
    }

    /// With the first `left` bytes of what was written since.
    fn prefix(&self, mut left: usize) -> Vec<u8> {
        let mut content = self.synced.clone();
        for pending in &self.since {
            match pending {
                Pending::Write(at, bytes) => {
                    let count = left.min(bytes.len());
                    write_to(&mut content, *at, &bytes[..count]);
                    left -= count;
                }
                Pending::Cut(len) if left > 0 => {
                    content.truncate(*len);
                    left -= 1;
                }
                Pending::Cut(_) => {}
            }
            if left == 0 {
                break;
            }
        }
        content
    }

    fn drawn(&self, draws: &mut Draws) -> Vec<u8> {
        match draws.below(4) {
            0 => self.synced.clone(),
            1 => self.prefix(usize::MAX),
            2 => self.prefix(draws.below(self.size_since() + 1)),
            _ => self.pages(draws),
        }
    }

    /// Up to one of the cuts everything, of what was written behind it any pages.
    fn pages(&self, draws: &mut Draws) -> Vec<u8> {
        let is_cut = |pending: &Pending| matches!(pending, Pending::Cut(_));
        let cuts = self.since.iter().filter(|pending| is_cut(pending)).count();
        let (mut old, mut behind) = (self.synced.clone(), self.since.as_slice());
        for _ in 0..draws.below(cuts + 1) {
            let at = behind.iter().position(is_cut).unwrap();
            let (before, rest) = behind.split_at(at + 1);
            old = Self { synced: old, since: before.to_vec() }.prefix(usize::MAX);
            behind = rest;
        }
        let writes = behind.iter().take_while(|pending| !is_cut(pending)).cloned().collect();
        let new = Self { synced: old.clone(), since: writes }.prefix(usize::MAX);
        let page = [16, 64, 512][draws.below(3)];
        let len = match draws.below(3) {
            0 => new.len(),
            1 => old.len(),
            _ => old.len() + draws.below(new.len() - old.len() + 1),
        };
        let mut content = old;
        content.resize(len, 0);
        for at in (0..len).step_by(page) {
            if draws.below(2) == 0 {
                let end = (at + page).min(len);
                content[at..end].copy_from_slice(&new[at..end]);
            }
        }
        content
    }
}

/// Replaces what is below `root` by an image.
pub fn restore(root: &Path, image: &Image) {
    if root.exists() {
        std::fs::remove_dir_all(root).unwrap();
    }
    std::fs::create_dir(root).unwrap();
    for (path, content) in image {
        match path.strip_suffix('/') {
            Some(directory) => std::fs::create_dir(root.join(directory)).unwrap(),
            None => std::fs::write(root.join(path), content).unwrap(),
        }
    }
}

/// Numbers that a seed gives (splitmix64).
#[derive(Debug, Clone)]
pub struct Draws(u64);

impl Draws {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}
