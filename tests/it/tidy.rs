//! The design is kept: imports point one way, between rooms and inside them; the core knows no clock and no threads;
//! files stay small.

mod circles;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Which module may import which. A module is a file of `src` together with its folder.
const ARROWS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("scenario", &["base"]),
    ("link", &["base", "scenario"]),
    ("history", &["base"]),
    ("regions", &["base", "scenario"]),
    ("balancing", &["base", "regions", "scenario"]),
    ("operations", &["balancing", "base", "history", "scenario"]),
    ("traffic", &["balancing", "base", "history", "scenario"]),
    ("state", &["base", "history", "scenario"]),
    ("judging", &["base", "history", "regions", "scenario", "traffic"]),
    ("sim", &["balancing", "base", "history", "operations", "regions", "scenario", "state", "traffic"]),
    ("http", &["balancing", "base", "history", "judging", "operations", "scenario", "state", "traffic"]),
    ("results", &["base", "history", "judging", "operations", "scenario"]),
    ("faces", &["base", "history", "judging", "operations", "regions", "results", "scenario"]),
    ("live", &["base", "faces", "history", "judging", "operations", "results", "scenario", "sim"]),
    ("page", &["base", "faces", "history", "judging", "live", "operations", "results", "scenario", "sim"]),
    ("serve", &["page"]),
    ("experiment", &["base", "faces", "history", "http", "judging", "live", "results", "scenario", "sim", "traffic"]),
    ("cli", &["base", "experiment", "faces", "http", "link", "operations", "results", "scenario", "serve"]),
    ("main", &["cli"]),
];

/// Imports that are allowed only for one part of a module.
const NARROW: &[(&str, &str, &str)] = &[
    ("traffic", "balancing", "affinity"),
    ("judging", "traffic", "HeavyUsers"),
    ("results", "operations", "faults"),
    ("faces", "operations", "faults"),
    ("live", "operations", "faults"),
    ("page", "operations", "faults"),
    ("cli", "operations", "faults"),
];

/// Modules that may use the terminal, files, threads and the clock.
const EDGES: &[&str] = &["cli", "main", "experiment", "http", "serve"];

/// What the other modules must not mention.
const FORBIDDEN: &[&str] = &[
    "std::time",
    "std::thread",
    "std::fs",
    "std::env",
    "std::net",
    "tokio",
    "rayon",
    "HashMap",
    "HashSet",
    "SystemTime",
    "RandomState",
    "thread_rng",
    "println!",
    "static mut",
];

/// The maximum number of lines of code in a file, without comments and blank lines.
const LONGEST: usize = 450;

struct Source {
    path: PathBuf,
    /// The top-level module: `balancing` for `balancing/affinity.rs`.
    module: String,
    /// The names of the modules on the way to it: `policy` and `affinity`.
    parts: Vec<String>,
    text: String,
}

impl Source {
    /// Lines of code outside of tests, without comments.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let tests = self.path.iter().any(|part| part == "tests" || part == "tests.rs");
        let text = if tests { "" } else { &self.text };
        let untested = text.lines().take_while(|line| line.trim() != "mod tests {");
        (1..).zip(untested).filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files = Vec::new();
    files_below(&root, &mut files);
    let source = |path: PathBuf| {
        let inside = path.strip_prefix(&root).expect("below the root").with_extension("");
        let parts: Vec<_> = inside.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        let text = fs::read_to_string(&path).expect("readable");
        Source { path, module: parts[0].clone(), parts, text }
    };
    files.into_iter().map(source).collect()
}

/// Paths into the crate that a line names, without `crate::`: `balancing::affinity::Pin`.
fn crate_paths(source: &Source, line: &str) -> Vec<String> {
    let up = "super::".repeat(source.parts.len());
    let roots = ["crate::", up.as_str(), "whatcart::"];
    let mut found = Vec::new();
    for root in roots {
        for (at, _) in line.match_indices(root) {
            // `super::super::x` also ends in `super::x`.
            let before = line[..at].chars().next_back();
            if before.is_some_and(|c| c == ':' || c == '_' || c.is_alphanumeric()) {
                continue;
            }
            let rest = &line[at + root.len()..];
            if rest.starts_with("super::") {
                continue;
            }
            if let Some(list) = rest.strip_prefix('{') {
                found.extend(list.trim_end_matches(['}', ';']).split(", ").map(str::to_owned));
            } else {
                let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
                found.push(rest[..end.unwrap_or(rest.len())].to_owned());
            }
        }
    }
    found
}

/// All imports between modules of the crate, each with a place where it occurs.
fn arrows() -> BTreeMap<(String, String), String> {
    let modules: BTreeSet<&str> = ARROWS.iter().map(|(module, _)| *module).collect();
    let mut arrows = BTreeMap::new();
    for source in sources("src").iter().filter(|source| source.module != "lib") {
        for (number, line) in source.code() {
            for path in crate_paths(source, line) {
                let target = path.split("::").next().unwrap_or_default().to_owned();
                if target != source.module && modules.contains(target.as_str()) {
                    let place = format!("{}:{number}: {}", source.path.display(), line.trim());
                    assert_narrow(&source.module, &path, &place);
                    arrows.insert((source.module.clone(), target), place);
                }
            }
        }
    }
    arrows
}

fn assert_narrow(from: &str, path: &str, place: &str) {
    let mut parts = path.split("::");
    let (target, part) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    for (_, _, only) in NARROW.iter().filter(|(this, to, _)| (*this, *to) == (from, target)) {
        assert_eq!(part, *only, "{from} may use nothing else of {target}\n{place}");
    }
}

#[test]
fn imports_point_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    for ((from, to), place) in arrows() {
        let may = allowed.get(from.as_str()).unwrap_or_else(|| panic!("{from} has no row in the table\n{place}"));
        assert!(may.contains(&to.as_str()), "{from} must not import {to}\n{place}");
    }
}

/// The table itself has no cycle: an imported module comes before its importer.
#[test]
fn the_table_points_up() {
    for (i, (from, targets)) in ARROWS.iter().enumerate() {
        for target in *targets {
            let above = ARROWS[..i].iter().any(|(module, _)| module == target);
            assert!(above, "{from} imports {target}, which must stand above it");
        }
    }
}

#[test]
fn every_module_has_a_row() {
    for source in sources("src").iter().filter(|source| source.module != "lib") {
        let known = ARROWS.iter().any(|(module, _)| *module == source.module);
        assert!(known, "{} has no row in the table", source.path.display());
    }
}

/// The import reader works: these imports are known to exist.
#[test]
fn known_arrows_are_seen() {
    let arrows = arrows();
    for (from, to) in
        [("sim", "balancing"), ("judging", "traffic"), ("results", "judging"), ("operations", "balancing")]
    {
        assert!(arrows.contains_key(&(from.to_owned(), to.to_owned())), "{from} imports {to}");
    }
}

/// Only compiled with the program: it reads the files that users name.
const READER: &str = "scenario/read.rs";

#[test]
fn the_core_knows_no_clock_and_no_threads() {
    let core = |source: &&Source| !EDGES.contains(&source.module.as_str()) && !source.path.ends_with(READER);
    for source in sources("src").iter().filter(core) {
        for (number, line) in source.code() {
            for word in FORBIDDEN {
                assert!(!line.contains(word), "{word}\n{}:{number}: {}", source.path.display(), line.trim());
            }
        }
    }
}

#[test]
fn files_stay_small_and_finished() {
    let unfinished =
        [concat!("to", "do!("), concat!("#[ig", "nore"), concat!("unimple", "mented!("), concat!("db", "g!(")];
    for source in ["src", "tests", "benches"].into_iter().flat_map(sources) {
        let code = source.text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//"));
        let lines = code.count();
        assert!(lines <= LONGEST, "{} has {lines} lines of code", source.path.display());
        for (number, line) in (1..).zip(source.text.lines()) {
            for word in unfinished {
                assert!(!line.contains(word), "{}:{number}: {}", source.path.display(), line.trim());
            }
        }
    }
}
