//! No circles inside a room: at every level of folders, the graph of sibling modules has none.
//!
//! What a module takes from its parent counts as taken from the child that the parent re-exports it from. Arrows
//! between a parent and its own children do not count.

use std::collections::{BTreeMap, BTreeSet};

use super::{Source, sources};

/// A path of names from the root of the crate.
type Path = Vec<String>;

/// An import as it is written, from the root of the crate.
struct Import {
    path: Path,
    /// What the importing module calls it.
    name: String,
}

/// The modules of a crate.
#[derive(Default)]
struct Modules {
    /// What each module imports with `use`.
    imports: BTreeMap<Path, Vec<Import>>,
    /// All paths into the crate that each module names, with `use` or without.
    named: BTreeMap<Path, Vec<Path>>,
}

impl Modules {
    /// `code`: the path of each module, and its text without comments and tests.
    fn of(code: &[(Path, String)]) -> Modules {
        let known: BTreeSet<&Path> = code.iter().map(|(module, _)| module).collect();
        let mut modules = Modules::default();
        for (module, text) in code {
            let absolute = |path: &str| absolute(module, path, &known);
            let (uses, rest) = statements(text);
            let imports: Vec<Import> = uses.iter().filter_map(|path| import(path, absolute)).collect();
            let reaching_out = uses.iter().filter(|path| path.starts_with("crate::") || path.starts_with("super::"));
            let mut named: Vec<Path> = reaching_out.filter_map(|path| Some(import(path, absolute)?.path)).collect();
            named.extend(paths_in(&rest).iter().filter_map(|path| absolute(path)));
            modules.imports.insert(module.clone(), imports);
            modules.named.insert(module.clone(), named);
        }
        modules
    }

    /// The module that a path leads to, through re-exports.
    fn home(&self, path: &Path) -> Path {
        let (mut path, mut seen) = (path.clone(), BTreeSet::from([path.clone()]));
        loop {
            let depth = (0..=path.len()).rev().find(|depth| self.imports.contains_key(&path[..*depth])).unwrap_or(0);
            let (module, rest) = path.split_at(depth);
            let Some(name) = rest.first() else { return path };
            let imports = self.imports.get(module).map_or(&[][..], Vec::as_slice);
            // A child may import what its parent re-exports from it: that way leads nowhere.
            match imports.iter().find(|import| import.name == *name && seen.insert(import.path.clone())) {
                Some(import) => path = import.path.iter().chain(&rest[1..]).cloned().collect(),
                None => return module.to_vec(),
            }
        }
    }

    /// By folder: which of the modules in it imports which.
    fn arrows(&self) -> BTreeMap<Path, BTreeSet<(String, String)>> {
        let mut arrows: BTreeMap<Path, BTreeSet<(String, String)>> = BTreeMap::new();
        for (module, paths) in &self.named {
            for home in paths.iter().map(|path| self.home(path)) {
                let shared = module.iter().zip(&home).take_while(|(a, b)| a == b).count();
                if let (Some(from), Some(to)) = (module.get(shared), home.get(shared)) {
                    arrows.entry(module[..shared].to_vec()).or_default().insert((from.clone(), to.clone()));
                }
            }
        }
        arrows
    }

    /// The shortest circle of each folder that has one: `shop: cart > till > cart`.
    fn circles(&self) -> Vec<String> {
        let found = self.arrows().into_iter().filter_map(|(folder, arrows)| {
            let starts = arrows.iter().map(|(from, _)| from);
            let circle = starts.filter_map(|start| way_back(start, &arrows)).min_by_key(Vec::len)?;
            Some(format!("{}: {}", folder.join("/"), circle.join(" > ")))
        });
        found.collect()
    }
}

/// The shortest way along the arrows from a module back to itself.
fn way_back(start: &String, arrows: &BTreeSet<(String, String)>) -> Option<Vec<String>> {
    let mut ways = vec![vec![start.clone()]];
    let mut seen = BTreeSet::new();
    while !ways.is_empty() {
        let longer = |way: &Vec<String>| {
            let from = way.last().cloned();
            let next = arrows.iter().filter(move |(this, _)| Some(this) == from.as_ref()).map(|(_, to)| to.clone());
            let way = way.clone();
            next.map(move |to| way.iter().cloned().chain([to]).collect::<Vec<_>>()).collect::<Vec<_>>()
        };
        ways = ways.iter().flat_map(longer).collect();
        if let Some(way) = ways.iter().find(|way| way.last() == Some(start)) {
            return Some(way.clone());
        }
        ways.retain(|way| way.last().is_some_and(|end| seen.insert(end.clone())));
    }
    None
}

/// What `use` statements name, each path on its own, and the text without them.
fn statements(text: &str) -> (Vec<String>, String) {
    let (mut uses, mut rest) = (Vec::new(), String::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let begin = line.trim_start();
        let is_public = begin.starts_with("pub");
        let Some((_, tree)) = begin.split_once("use ").filter(|(before, _)| before.is_empty() || is_public) else {
            rest += line;
            rest.push('\n');
            continue;
        };
        let mut tree = tree.to_owned();
        while !tree.contains(';') {
            let Some(more) = lines.next() else { break };
            tree += more.trim();
        }
        expand("", tree.trim_end_matches(';'), &mut uses);
    }
    (uses, rest)
}

/// The paths of a tree of imports, without its braces.
fn expand(prefix: &str, tree: &str, paths: &mut Vec<String>) {
    let tree = tree.trim();
    let Some((before, inside)) = tree.split_once('{') else {
        if !tree.is_empty() {
            paths.push(format!("{prefix}{tree}"));
        }
        return;
    };
    let prefix = format!("{prefix}{before}");
    let inside = inside.strip_suffix('}').unwrap_or(inside);
    let (mut depth, mut begin) = (0, 0);
    for (at, c) in inside.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                expand(&prefix, &inside[begin..at], paths);
                begin = at + 1;
            }
            _ => {}
        }
    }
    expand(&prefix, &inside[begin..], paths);
}

/// Paths outside of `use` that begin with `crate` or `super`.
fn paths_in(text: &str) -> Vec<String> {
    let is_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let words = text.split(|c| !is_path(c)).map(|word| word.trim_end_matches(':'));
    words.filter(|word| word.starts_with("crate::") || word.starts_with("super::")).map(str::to_owned).collect()
}

/// A path that a module names, from the root of the crate; `None` for one that leads out of it.
fn absolute(module: &Path, path: &str, known: &BTreeSet<&Path>) -> Option<Path> {
    let mut parts = path.split("::").map(|part| part.trim().to_owned()).peekable();
    let mut base: Path = match parts.peek()?.as_str() {
        "crate" => Vec::new(),
        "self" | "super" => module.clone(),
        child => {
            let child: Path = module.iter().cloned().chain([child.to_owned()]).collect();
            return known.contains(&child).then(|| module.iter().cloned().chain(parts).collect());
        }
    };
    while let Some(part) = parts.next_if(|part| ["crate", "self", "super"].contains(&part.as_str())) {
        if part == "super" {
            base.pop();
        }
    }
    Some(base.into_iter().chain(parts).collect())
}

/// `a::B as C`, `a::{self}` and the like.
fn import(written: &str, absolute: impl Fn(&str) -> Option<Path>) -> Option<Import> {
    let (path, alias) = written.split_once(" as ").map_or((written, None), |(path, alias)| (path, Some(alias)));
    let path = absolute(path.strip_suffix("::self").unwrap_or(path))?;
    let name = alias.map(|alias| alias.trim().to_owned()).or_else(|| path.last().cloned())?;
    Some(Import { path, name })
}

/// The modules of the program, without their tests.
fn of_the_program() -> Modules {
    let tests = |source: &Source| source.path.iter().any(|part| part == "tests" || part == "tests.rs");
    let code = |source: &Source| {
        let lines: Vec<&str> = source.code().map(|(_, line)| line).collect();
        let module = if source.parts == ["lib"] { Vec::new() } else { source.parts.clone() };
        (module, lines.join("\n"))
    };
    Modules::of(&sources("src").iter().filter(|source| !tests(source)).map(code).collect::<Vec<_>>())
}

fn planted(files: &[(&str, &str)]) -> Vec<String> {
    let file = |(path, text): &(&str, &str)| (path.split('/').map(str::to_owned).collect(), (*text).to_owned());
    Modules::of(&files.iter().map(file).collect::<Vec<_>>()).circles()
}

#[test]
fn rooms_have_no_circles() {
    assert_eq!(of_the_program().circles(), [""; 0]);
}

/// The reader of imports reads them: these arrows between siblings are known to exist.
#[test]
fn known_arrows_between_siblings_are_seen() {
    let arrows = of_the_program().arrows();
    for (folder, from, to) in [
        ("scenario", "faults", "deploy"),
        ("scenario", "check", "violation"),
        ("traffic", "client", "workload"),
        ("judging", "observer", "checker"),
        ("faces/table/columns", "deploys", "cells"),
    ] {
        let folder: Path = folder.split('/').map(str::to_owned).collect();
        assert!(arrows[&folder].contains(&(from.to_owned(), to.to_owned())), "{}: {from} > {to}", folder.join("/"));
    }
}

/// One of the arrows goes through the parent, which re-exports what it points to; another begins in a folder below.
#[test]
fn planted_circles_are_found() {
    let shop = ("shop", "mod cart;\nmod till;\npub use cart::{Cart as Trolley, Item};");
    let till = ("shop/till", "use super::{\n    Trolley,\n};");
    let drawer = ("shop/till/drawer", "fn open() -> crate::shop::Item {}");
    let cart = ("shop/cart", "use crate::base::Id;\nuse super::till::{self, drawer::Drawer};");
    let circle = ["shop: cart > till > cart".to_owned()];
    assert_eq!(planted(&[shop, cart, till]), circle);
    assert_eq!(planted(&[shop, cart, ("shop/till", ""), drawer]), circle);
    assert_eq!(planted(&[shop, ("shop/cart", "use super::Item;"), till, drawer]), [""; 0]);
}

#[test]
fn parents_and_their_children_may_know_each_other() {
    assert_eq!(planted(&[("shop", "mod cart;\nuse cart::Cart;"), ("shop/cart", "use super::Shop;")]), [""; 0]);
}
