//! Builds runnable variants from a scenario file and the patches of the command line.
//!
//! Problems are collected rather than returned one by one: what cannot be read, and what contradicts the rules, as far as
//! everything that a rule looks at could be read.

use std::collections::BTreeSet;

use super::args;
use super::check::{check, check_beside, check_texts};
use super::decode::{Partly, decode_partly};
use super::error::ScenarioError;
use super::needs;
use super::patch::exclusive;
use super::tree::{Node, Problem, Sources, document};
use super::variants::{self, Draft, Telling};
use super::violation::Violation;
use super::{Fault, Loaded, Scenario, Variant};
use crate::base::fnv::Fnv;

/// Reads a scenario: parses `text`, merges each variant's patch over it and then every `--set`, multiplies the
/// variants by every `--vary`, and checks all limits. Reports use `name`; errors call the text `file`.
///
/// # Errors
///
/// Everything that is wrong, each with its place in the file or the argument.
pub fn load(name: &str, file: &str, text: &str, set: &[String], vary: &[String]) -> Result<Loaded, ScenarioError> {
    let mut sources = Sources::new();
    match read(&mut sources, file, text, set, vary) {
        Ok(Read { tree, base, variants, unmet }) => {
            let patched = !set.is_empty() || !vary.is_empty();
            // What arguments have made useless in the file is no mistake.
            let unmet = unmet.into_iter().filter(|problem| !patched || !problem.at.is_in_file());
            let warnings = unmet.map(|problem| sources.error(problem)).collect();
            Ok(Loaded { name: name.into(), base, variants, patched, warnings, tree, sources })
        }
        Err(problems) => Err(problems.told(&sources)),
    }
}

impl Loaded {
    /// An error about the value at `path` (`expect[0].that`) of the scenario as written, or about the nearest
    /// enclosing value.
    #[must_use]
    pub fn error_at(&self, path: &str, message: impl Into<String>, help: Option<String>) -> ScenarioError {
        self.sources.error(Problem::new(self.tree.locate(path), message, help))
    }

    /// A hash of the text and of all changes to it, in their order.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut hash = Fnv::default();
        self.sources.texts().for_each(|text| hash.text(text));
        hash.hash()
    }

    /// Adds a fault to every design in which it can strike.
    ///
    /// # Errors
    ///
    /// If it can strike in none.
    pub fn break_too(&mut self, fault: &Fault) -> Result<(), Violation> {
        let mut refused = None;
        let mut strikes = false;
        for scenario in self.variants.iter_mut().map(|variant| &mut variant.scenario).chain([&mut self.base]) {
            scenario.faults.push(fault.clone());
            match check(scenario).into_iter().next() {
                None => strikes = true,
                Some(violation) => {
                    scenario.faults.pop();
                    refused = Some(violation);
                }
            }
        }
        self.patched = true;
        refused.filter(|_| !strikes).map_or(Ok(()), Err)
    }

    /// The file or argument that sets the value at `path` (`servers.count`) in the scenario without any variant's
    /// patch; `None` if it is a default.
    #[must_use]
    pub fn source_of(&self, path: &str) -> Option<&str> {
        let mut node = &self.tree;
        for key in path.split('.') {
            node = &node.table()?.get(key)?.node;
        }
        Some(self.sources.name(node.origin))
    }
}

/// A scenario that was read, and is sound.
struct Read {
    tree: Node,
    base: Scenario,
    variants: Vec<Variant>,
    /// Keys without effect.
    unmet: Vec<Problem>,
}

/// Everything that is wrong with a scenario, each with a note.
#[derive(Default)]
struct Problems(Vec<(Problem, Option<String>)>);

impl Problems {
    /// Adds problems, unless something is known to be wrong at the same place.
    fn add(&mut self, problems: impl IntoIterator<Item = Problem>, note: Option<&str>) {
        for problem in problems {
            if self.0.iter().all(|(known, _)| known.at != problem.at) {
                self.0.push((problem, note.map(str::to_owned)));
            }
        }
    }

    fn none_yet(self) -> Result<Problems, Problems> {
        if self.0.is_empty() { Ok(self) } else { Err(self) }
    }

    /// One error with the others behind it, in the order of the text.
    fn told(mut self, sources: &Sources) -> ScenarioError {
        self.0.sort_by_key(|(problem, _)| problem.at);
        let errors = self.0.into_iter().map(|(problem, note)| ScenarioError { note, ..sources.error(problem) });
        ScenarioError::all(errors).expect("something is wrong")
    }
}

fn read(sources: &mut Sources, file: &str, text: &str, set: &[String], vary: &[String]) -> Result<Read, Problems> {
    let mut problems = Problems::default();
    let mut root = document(sources.add(file, text), text).map_err(|broken| {
        problems.add(broken, None);
        std::mem::take(&mut problems)
    })?;
    let mut found = Vec::new();
    let patches = variants::take_patches(&mut root, &mut found);
    let rivals = exclusive(&root);
    let unclear = rivals.iter().filter_map(|rival| root.key_around(rival.at).map(str::to_owned)).collect();
    found.extend(rivals);
    let has_variants = !patches.is_empty();
    texts(&root, &variants::names(&patches), &mut found);
    let mut drafts = variants::drafts(&root, patches, &mut found);
    let set = each(set, |argument| args::set(sources, argument), &mut found);
    let telling = Telling::of(&drafts);
    for choice in &set {
        found.extend(variants::set(&mut drafts, choice, has_variants.then_some(&telling)).err());
        found.extend(variants::apply_if_there(&mut root, &choice.patch).err());
    }
    let axes = each(vary, |argument| args::vary(sources, argument), &mut found);
    found.extend(args::conflict(&set, &axes));
    let drafts = variants::multiplied(drafts, &axes, has_variants.then_some(&telling)).unwrap_or_else(|problem| {
        found.push(problem);
        Vec::new()
    });
    found.extend(variants::unique(&drafts).err());
    problems.add(found, None);

    let several = has_variants || !vary.is_empty();
    let mut base = decode_partly::<Scenario>(&root, BESIDE);
    problems.add(std::mem::take(&mut base.problems), None);
    let scenarios = designs(&base, &drafts, &unclear, several, &mut problems);
    problems.none_yet()?;
    let base = base.value.ok_or_else(Problems::default)?;
    let designs: Vec<_> = drafts.iter().map(|draft| &draft.tree).zip(&scenarios).collect();
    let unmet = needs::unmet(&designs);
    let variant = |(draft, scenario): (Draft, Scenario)| Variant { number: draft.number, name: draft.name, scenario };
    let variants = drafts.into_iter().zip(scenarios).map(variant).collect();
    Ok(Read { tree: root, base, variants, unmet })
}

/// What is wrong with the texts of the file, as far as they can be read, and what cannot.
fn texts(root: &Node, variants: &[String], found: &mut Vec<Problem>) {
    let read = decode_partly::<Scenario>(root, BESIDE);
    found.extend(read.problems);
    let findings = read.value.map(|written| check_texts(&written, variants)).unwrap_or_default();
    let is_read = |finding: &Violation| !read.unread.iter().any(|key| finding.is_about(key));
    found.extend(findings.into_iter().filter(is_read).map(|finding| at(root, finding)));
}

/// The designs. What cannot be read in them is a problem, and so is what contradicts, as far as they could be read and
/// are not `unclear`.
fn designs(
    base: &Partly<Scenario>,
    drafts: &[Draft],
    unclear: &BTreeSet<String>,
    several: bool,
    problems: &mut Problems,
) -> Vec<Scenario> {
    let checked = |read: &Partly<Scenario>| {
        let scenario = read.value.as_ref();
        scenario.map(|scenario| check_beside(scenario, &(&read.unread | unclear))).unwrap_or_default()
    };
    let in_base = checked(base);
    let mut scenarios = Vec::new();
    for draft in drafts {
        let mut read = decode_partly::<Scenario>(&draft.tree, BESIDE);
        problems.add(std::mem::take(&mut read.problems), note(draft, several).as_deref());
        for finding in checked(&read) {
            let note = note(draft, several && !in_base.contains(&finding));
            problems.add([at(&draft.tree, finding)], note.as_deref());
        }
        scenarios.extend(read.value);
    }
    scenarios
}

/// What a file may have beside the keys of a scenario.
const BESIDE: &[&str] = &["variants"];

/// What each argument means; of those that mean nothing, the problem.
fn each<T>(
    arguments: &[String],
    read: impl FnMut(&String) -> Result<T, Problem>,
    problems: &mut Vec<Problem>,
) -> Vec<T> {
    arguments.iter().map(read).filter_map(|read| read.map_err(|problem| problems.push(problem)).ok()).collect()
}

/// Which variant it is about, if that is worth saying.
fn note(draft: &Draft, worth: bool) -> Option<String> {
    worth.then(|| format!("in the variant `{}`", draft.name))
}

fn at(tree: &Node, finding: Violation) -> Problem {
    Problem::new(tree.locate(&finding.path), finding.message, finding.help)
}
