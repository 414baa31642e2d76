//! The graph of a crate's modules, read from its sources: who names whom.
//!
//! An arrow goes from a file to each file whose items it names, by `use` or by a path that begins
//! with `crate`, `self`, `super` or a child's name. A re-export (`pub use`) is an address, no
//! arrow: who names it points to where the item is. Tests are left out, they may look anywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A module's path below its crate's root, which is empty.
type Module = Vec<String>;

/// A crate's modules and their arrows.
#[derive(Debug, Default)]
pub struct ModuleGraph {
    sources: BTreeMap<Module, String>,
    /// By module, what each name that it re-exports stands for.
    exported: BTreeMap<Module, BTreeMap<String, Module>>,
    arrows: BTreeMap<Module, BTreeSet<Module>>,
}

impl ModuleGraph {
    /// Of the sources below this folder.
    pub fn read(sources: &Path) -> Self {
        let mut graph = Self::default();
        graph.gather(sources, &[]);
        let modules: Vec<(Module, String)> = graph.sources.clone().into_iter().collect();
        for (module, text) in &modules {
            for (is_exported, path) in used(text) {
                let Some(mut path) = graph.absolute(module, &path) else { continue };
                let name = renamed(&mut path);
                if is_exported && let Some(name) = name {
                    graph.exported.entry(module.clone()).or_default().insert(name, path);
                }
            }
        }
        for (module, text) in &modules {
            let arrows = graph.arrows_from(module, text);
            graph.arrows.insert(module.clone(), arrows);
        }
        graph
    }

    /// The same graph with each folder at the root for one module.
    pub fn of_rooms(&self) -> Self {
        let room = |module: &Module| module.iter().take(1).cloned().collect::<Module>();
        let mut rooms = Self::default();
        for (module, arrows) in &self.arrows {
            let from = room(module);
            let to = arrows.iter().map(room).filter(|to| *to != from);
            rooms.arrows.entry(from.clone()).or_default().extend(to);
            rooms.sources.insert(from, String::new());
        }
        rooms
    }

    /// How many files and arrows there are.
    pub fn size(&self) -> (usize, usize) {
        (self.sources.len(), self.arrows.values().map(BTreeSet::len).sum())
    }

    /// The modules that can be reached from themselves, each with those on its way back.
    pub fn circles(&self) -> Vec<String> {
        let mut circles = BTreeSet::new();
        for module in self.sources.keys() {
            let from_here = self.reached_from(module);
            if from_here.contains(module) {
                let leads_back = |other: &Module| self.reached_from(other).contains(module);
                let circle = from_here.iter().filter(|other| leads_back(other));
                let circle: Vec<String> = circle.map(|module| shown(module)).collect();
                circles.insert(circle.join(", "));
            }
        }
        circles.into_iter().collect()
    }

    fn reached_from(&self, module: &Module) -> BTreeSet<&Module> {
        let mut reached = BTreeSet::new();
        let mut next: Vec<&Module> = self.arrows.get(module).into_iter().flatten().collect();
        while let Some(module) = next.pop() {
            if reached.insert(module) {
                next.extend(self.arrows.get(module).into_iter().flatten());
            }
        }
        reached
    }

    fn gather(&mut self, folder: &Path, module: &[String]) {
        for entry in std::fs::read_dir(folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let below: Module = module.iter().cloned().chain([stem.clone()]).collect();
            if stem.contains("test") {
                continue;
            }
            if path.is_dir() {
                self.gather(&path, &below);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("text in UTF-8");
                let is_root = ["mod", "lib", "main"].contains(&stem.as_str());
                let module = if is_root { module.to_vec() } else { below };
                self.sources.insert(module, code(&text));
            }
        }
    }

    fn arrows_from(&self, module: &Module, text: &str) -> BTreeSet<Module> {
        let in_use = used(text).into_iter().filter(|(is_exported, _)| !is_exported);
        let named = in_use.map(|(_, path)| path).chain(paths(text));
        let absolute = named.filter_map(|path| self.absolute(module, &path));
        let found = absolute.filter_map(|mut path| {
            renamed(&mut path);
            self.home_of(&path, 0)
        });
        found.filter(|found| found != module).collect()
    }

    /// A path as one from the crate's root; none where it leads out of the crate.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<Module> {
        let first = path.first()?;
        let rest = |from: usize| path.iter().skip(from).cloned();
        match first.as_str() {
            "crate" => Some(rest(1).collect()),
            "self" => Some(module.iter().cloned().chain(rest(1)).collect()),
            "super" => {
                let up = path.iter().take_while(|part| *part == "super").count();
                let base = module.iter().take(module.len().checked_sub(up)?).cloned();
                Some(base.chain(rest(up)).collect())
            }
            _ => {
                let child: Module = module.iter().chain([first]).cloned().collect();
                let path = module.iter().cloned().chain(rest(0)).collect();
                self.sources.contains_key(&child).then_some(path)
            }
        }
    }

    /// The file that an item is in, through re-exports.
    fn home_of(&self, path: &[String], depth: usize) -> Option<Module> {
        const RE_EXPORTS_MAX: usize = 8;
        let within = (0..=path.len()).rev().find(|end| self.sources.contains_key(&path[..*end]))?;
        let (module, rest) = path.split_at(within);
        let exported = self.exported.get(module).zip(rest.first());
        let exported = exported.and_then(|(names, name)| names.get(name));
        match exported.filter(|_| depth < RE_EXPORTS_MAX) {
            Some(real) => {
                let real: Module = real.iter().chain(rest.iter().skip(1)).cloned().collect();
                self.home_of(&real, depth + 1)
            }
            None => Some(module.to_vec()),
        }
    }
}

fn shown(module: &[String]) -> String {
    if module.is_empty() { "the root".to_owned() } else { module.join("::") }
}

/// The last name of a path, under which it is known; `x as y` becomes `x`.
fn renamed(path: &mut Module) -> Option<String> {
    let last = path.last_mut()?;
    let (real, name) = match last.split_once(" as ") {
        Some((real, name)) => (real.trim().to_owned(), name.trim().to_owned()),
        None => (last.clone(), last.clone()),
    };
    *last = real;
    Some(name)
}

/// A source without comments, texts in quotes, and the tests at its end.
fn code(text: &str) -> String {
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    let lines = text[..end].lines().map(|line| line.split("//").next().unwrap_or(line));
    let mut code = String::new();
    for line in lines {
        // Every other part is within quotes.
        code.extend(line.replace("\\\"", "").split('"').step_by(2));
        code.push('\n');
    }
    code
}

/// What a source uses, each with whether it is re-exported.
fn used(code: &str) -> Vec<(bool, Module)> {
    let mut found = Vec::new();
    for statement in code.split(';') {
        let lines = statement.trim_start().lines();
        let text = lines.skip_while(|line| !is_use(line)).collect::<Vec<_>>().join(" ");
        let Some((before, tree)) = text.split_once("use ") else { continue };
        let mut paths = Vec::new();
        unfold(&[], tree, &mut paths);
        found.extend(paths.into_iter().map(|path| (before.contains("pub"), path)));
    }
    found
}

fn is_use(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("use ") || (line.starts_with("pub") && line.contains(" use "))
}

/// The paths of a tree such as `a::{b, c::{d, e}}`.
fn unfold(before: &[String], tree: &str, found: &mut Vec<Module>) {
    let parts = |text: &str| -> Module {
        let parts = text.split("::").map(str::trim).filter(|part| !part.is_empty());
        before.iter().cloned().chain(parts.map(str::to_owned)).collect()
    };
    match tree.split_once('{') {
        None => found.push(parts(tree)),
        Some((front, rest)) => {
            let inside = rest.rsplit_once('}').map_or(rest, |(inside, _)| inside);
            let front = parts(front);
            let (mut depth, mut from) = (0, 0);
            for (at, c) in inside.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        unfold(&front, &inside[from..at], found);
                        from = at + 1;
                    }
                    _ => {}
                }
            }
            if !inside[from..].trim().is_empty() {
                unfold(&front, &inside[from..], found);
            }
        }
    }
}

/// The paths that a source names outside of its uses.
fn paths(code: &str) -> Vec<Module> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let bodies = code.split(';').filter(|statement| !statement.lines().any(is_use));
    let words = bodies.flat_map(|body| body.split(|c: char| !is_name(c)));
    let paths = words.filter(|word| word.contains("::") && !word.starts_with("::"));
    paths
        .map(|word| word.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(sources: &[(&str, &str)]) -> ModuleGraph {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, text) in sources {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("made");
            std::fs::write(path, text).expect("written");
        }
        ModuleGraph::read(folder.path())
    }

    #[test]
    fn a_circle_is_found_however_its_arrows_are_written() {
        let root = ("lib.rs", "mod a;\nmod b;\n");
        let back = ("b.rs", "use crate::a::A;\npub struct B(A);\n");
        for there in [
            "use super::b::B;\npub struct A;\n",
            "use crate::{b::{self, B as Other}};\npub struct A;\n",
            "pub struct A;\nfn f(_: crate::b::B) {}\n",
        ] {
            assert_eq!(graph(&[root, back, ("a.rs", there)]).circles(), ["a, b"], "{there}");
        }
        let none = "// use crate::b::B;\nconst TEXT: &str = \"crate::b::B\";\npub struct A;\n";
        assert!(graph(&[root, back, ("a.rs", none)]).circles().is_empty());
    }

    #[test]
    fn a_re_export_is_no_arrow_of_its_own() {
        let sources = [
            ("lib.rs", "mod a;\nmod c;\n"),
            ("a/mod.rs", "mod one;\nmod two;\npub use one::One;\npub use two::Two;\n"),
            ("a/one.rs", "pub struct One;\n"),
            ("a/two.rs", "use super::One;\npub struct Two(One);\n"),
            ("c.rs", "use crate::a::Two;\n"),
        ];
        let graph = graph(&sources);
        assert!(graph.circles().is_empty(), "{:?}", graph.circles());
        assert_eq!(graph.size(), (5, 2), "{graph:?}");
        let rooms = graph.of_rooms();
        assert_eq!((rooms.size(), rooms.circles()), ((3, 1), Vec::new()), "{rooms:?}");
    }
}
