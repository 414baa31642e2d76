//! A reader's folder: the course's files, with the ports of this run in them.
//!
//! It is kept when the test failed, and its windows' ends are printed; always with `GREGOR_KEEP`.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::cluster::ports;

/// The folder and what is true in it.
#[derive(Debug)]
pub struct Lab {
    folder: Option<TempDir>,
    ports: Vec<(u16, u16)>,
    version: &'static str,
    brokers: String,
}

impl Lab {
    /// A folder with the files of `tests/labs/COURSE`, for stock tools of `version`; each port that
    /// the text names stands for a free one.
    #[must_use]
    pub fn new(course: &str, version: &'static str, named: &[u16]) -> Self {
        let ports: Vec<_> = named.iter().map(|port| (*port, ports::free())).collect();
        Self::with_ports(course, version, &ports)
    }

    /// The same where it is decided already what stands for the text's ports.
    #[must_use]
    pub fn with_ports(course: &str, version: &'static str, ports: &[(u16, u16)]) -> Self {
        let folder = tempfile::Builder::new().prefix("gregor-lab-").tempdir().expect("a folder");
        let (folder, ports) = (Some(folder), ports.to_vec());
        let lab = Self { folder, ports, version, brokers: "localhost:9092".to_owned() };
        lab.bring_folder(course, ".");
        lab
    }

    /// Where `describe` asks, in the text's ports: the first broker unless the scenario stops it.
    #[must_use]
    pub fn asking(mut self, brokers: &str) -> Self {
        brokers.clone_into(&mut self.brokers);
        self
    }

    /// The brokers that `describe` asks.
    #[must_use]
    pub fn brokers(&self) -> &str {
        &self.brokers
    }

    /// Brings the files of a folder of `tests/labs`, if there is one.
    pub(super) fn bring_folder(&self, name: &str, place: &str) {
        let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("labs").join(name);
        if files.is_dir() {
            self.bring(&files, &self.path(place));
        }
    }

    fn bring(&self, from: &Path, to: &Path) {
        std::fs::create_dir_all(to).expect("a folder");
        for entry in std::fs::read_dir(from).expect("a readable folder") {
            let (from, to) = {
                let entry = entry.expect("a readable entry");
                (entry.path(), to.join(entry.file_name()))
            };
            if from.is_dir() {
                self.bring(&from, &to);
            } else {
                std::fs::copy(&from, &to).expect("the file is copied");
                self.edit(&to, |text| self.ported(text));
            }
        }
    }

    /// A place in the folder.
    #[must_use]
    pub fn path(&self, place: impl AsRef<Path>) -> PathBuf {
        self.folder.as_ref().expect("the folder lives as long").path().join(place)
    }

    /// The release of the stock tools that are typed here.
    #[must_use]
    pub fn version(&self) -> &'static str {
        self.version
    }

    /// The port that stands for one of the text's.
    ///
    /// # Panics
    /// For one that was not named.
    #[must_use]
    pub fn port(&self, named: u16) -> u16 {
        let found = self.ports.iter().find(|(port, _)| *port == named);
        found.unwrap_or_else(|| panic!("no port stands for {named}")).1
    }

    /// A text of the course with this run's ports.
    #[must_use]
    pub fn ported(&self, text: &str) -> String {
        let mut ported = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
            let (before, number) = rest.split_at(at);
            let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
            let (number, after) = number.split_at(end);
            let stands_for = |port: &u16| number == port.to_string();
            let found = self.ports.iter().find(|(port, _)| stands_for(port));
            ported.push_str(before);
            ported.push_str(&found.map_or_else(|| number.to_owned(), |(_, own)| own.to_string()));
            rest = after;
        }
        ported + rest
    }

    /// Edits one of the folder's files, as its reader does in an editor.
    ///
    /// # Panics
    /// When it cannot be read or written.
    pub fn edit(&self, file: impl AsRef<Path>, change: impl FnOnce(&str) -> String) {
        let file = self.path(file);
        let text = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{file:?}: {e}"));
        std::fs::write(&file, change(&text)).expect("the file is written");
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let keep = std::env::var_os("GREGOR_KEEP").is_some() || std::thread::panicking();
        if keep {
            let kept = self.folder.take().map(TempDir::keep).unwrap_or_default();
            eprintln!("the lab's folder is kept: {}", kept.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Lab;

    #[test]
    fn only_whole_numbers_that_the_text_names_become_ports() {
        let lab = Lab::new("none", crate::oracle::COURSE, &[9092, 2181]);
        let text = lab.ported("listeners=PLAINTEXT://:9092 zookeeper.connect=localhost:2181 19092");
        let (broker, zookeeper) = (lab.port(9092), lab.port(2181));
        let listeners = format!("listeners=PLAINTEXT://:{broker} ");
        assert_eq!(text, format!("{listeners}zookeeper.connect=localhost:{zookeeper} 19092"));
    }
}
