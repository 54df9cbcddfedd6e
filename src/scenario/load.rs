//! Builds runnable variants from a scenario file and the patches of the command line.
//!
//! Problems are collected rather than returned one by one. There are two stages: what cannot be read, and then, because
//! it needs every value, what contradicts the rules.

use super::args;
use super::check::{check, check_texts};
use super::decode::decode;
use super::error::ScenarioError;
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
        Ok(Read { tree, base, variants }) => {
            let patched = !set.is_empty() || !vary.is_empty();
            Ok(Loaded { name: name.into(), base, variants, patched, tree, sources })
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
    found.extend(exclusive(&root));
    let written: Option<Scenario> = decode(&root, BESIDE).map_err(|wrong| found.extend(wrong)).ok();
    let has_variants = !patches.is_empty();
    let names = variants::names(&patches);
    let mut drafts = variants::drafts(&root, patches, &mut found);
    if let Some(written) = written {
        found.extend(check_texts(&written, &names).into_iter().map(|finding| at(&root, finding)));
    }
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
    let base = decode::<Scenario>(&root, BESIDE).map_err(|wrong| problems.add(wrong, None));
    let decoded: Vec<Option<Scenario>> = drafts
        .iter()
        .map(|draft| {
            decode(&draft.tree, BESIDE).map_err(|wrong| problems.add(wrong, note(draft, several).as_deref())).ok()
        })
        .collect();
    let mut problems = problems.none_yet()?;
    let base = base.map_err(|()| Problems::default())?;
    let scenarios: Vec<Scenario> = decoded.into_iter().flatten().collect();
    let in_base = check(&base);
    for (draft, scenario) in drafts.iter().zip(&scenarios) {
        for finding in check(scenario) {
            let note = note(draft, several && !in_base.contains(&finding));
            problems.add([at(&draft.tree, finding)], note.as_deref());
        }
    }
    problems.none_yet()?;
    let variant = |(draft, scenario): (Draft, Scenario)| Variant { number: draft.number, name: draft.name, scenario };
    let variants = drafts.into_iter().zip(scenarios).map(variant).collect();
    Ok(Read { tree: root, base, variants })
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
