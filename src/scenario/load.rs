//! Builds runnable variants from a scenario file and the patches of the command line.

use std::collections::BTreeSet;

use super::args::{self, Choice};
use super::check::{check, check_texts};
use super::decode::decode;
use super::error::ScenarioError;
use super::patch::{MOST_VARIANTS, PatchError, changes_the_run, exclusive, merge};
use super::tree::{Entry, Node, Origin, Problem, Sources, Table, Value, document};
use super::violation::{Violation, line};
use super::{Loaded, Scenario, Variant};

/// The name of the single variant of a scenario without variants.
pub const AS_WRITTEN: &str = "as written";

/// Reads a scenario: parses `text`, merges each variant's patch over it and then every `--set`, multiplies the
/// variants by every `--vary`, and checks all limits. Reports use `name`; errors call the text `file`.
///
/// # Errors
///
/// The first problem, with its place in the file or the argument.
pub fn load(name: &str, file: &str, text: &str, set: &[String], vary: &[String]) -> Result<Loaded, ScenarioError> {
    let mut sources = Sources::new();
    let read = read(&mut sources, file, text, set, vary);
    match read {
        Ok((tree, base, variants)) => {
            let patched = !set.is_empty() || !vary.is_empty();
            Ok(Loaded { name: name.into(), base, variants, patched, tree, sources })
        }
        Err(LoadProblem { problem, note }) => {
            let mut error = sources.error(problem);
            error.note = note;
            Err(error)
        }
    }
}

impl Loaded {
    /// An error about the value at `path` (`expect[0].that`) of the scenario as written, or about the nearest
    /// enclosing value.
    #[must_use]
    pub fn error_at(&self, path: &str, message: impl Into<String>, help: Option<String>) -> ScenarioError {
        self.sources.error(Problem::new(self.tree.locate(path), message, help))
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

struct LoadProblem {
    problem: Problem,
    note: Option<String>,
}

impl From<Problem> for LoadProblem {
    fn from(problem: Problem) -> LoadProblem {
        LoadProblem { problem, note: None }
    }
}

/// An unfinished variant: its name, the place of the name, and the tree that patches are merged into.
#[derive(Clone)]
struct Draft {
    name: String,
    at: Origin,
    tree: Node,
}

fn read(
    sources: &mut Sources,
    file: &str,
    text: &str,
    set: &[String],
    vary: &[String],
) -> Result<(Node, Scenario, Vec<Variant>), LoadProblem> {
    let mut root = document(sources.add(file, text), text)?;
    let patches = take_variants(&mut root)?;
    exclusive(&root)?;
    let written: Scenario = decode(&root, &["variants"])?;

    let has_variants = !patches.is_empty();
    let mut drafts = drafts(&root, patches)?;
    let names: Vec<String> = drafts.iter().map(|draft| draft.name.clone()).collect();
    check_texts(&written, &names).map_err(|finding| at(&root, finding))?;

    let telling = Telling::of(&drafts);
    for argument in set {
        let choice = args::set(sources, argument)?;
        let before = drafts.clone();
        apply_to_all(&mut drafts, &choice.patch)?;
        apply_if_there(&mut root, &choice.patch)?;
        for (draft, before) in drafts.iter_mut().zip(&before) {
            if has_variants && telling.is_belied(&choice, before, draft) {
                rename(draft, &choice, &format!("{}, but {}={}", draft.name, choice.key, choice.shown))?;
            }
        }
    }
    let axes = vary.iter().map(|argument| args::vary(sources, argument)).collect::<Result<Vec<_>, _>>()?;
    let drafts = multiplied(drafts, &axes, has_variants, &telling)?;
    unique(&drafts)?;

    let base = decode(&root, &["variants"])?;
    let in_base = check(&base).err();
    let several = has_variants || !vary.is_empty();
    let variants = drafts
        .iter()
        .map(|draft| {
            resolved(draft, in_base.as_ref()).map_err(|mut trouble| {
                trouble.note = trouble.note.filter(|_| several);
                trouble
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok((root, base, variants))
}

/// Removes the variants' patches from the tree and returns them.
fn take_variants(root: &mut Node) -> Result<Vec<Node>, Problem> {
    let Value::Table(table) = &mut root.value else { return Ok(Vec::new()) };
    let Some(entry) = table.remove("variants") else { return Ok(Vec::new()) };
    let help = || Some("write each variant as `[[variants]]` with a `name` and its differences".to_owned());
    let Value::List(patches) = entry.node.value else {
        return Err(Problem::new(entry.origin, "expected a list of variants", help()));
    };
    match patches.iter().find(|patch| patch.table().is_none()) {
        Some(stray) => Err(Problem::new(stray.origin, "expected a table", help())),
        None => Ok(patches),
    }
}

fn drafts(root: &Node, patches: Vec<Node>) -> Result<Vec<Draft>, Problem> {
    if patches.is_empty() {
        return Ok(vec![Draft { name: AS_WRITTEN.into(), at: root.origin, tree: root.clone() }]);
    }
    few_enough(patches.len(), patches.get(MOST_VARIANTS).map_or(root.origin, |patch| patch.origin))?;
    let mut drafts = Vec::new();
    for mut patch in patches {
        let (name, at) = take_name(&mut patch)?;
        changes_the_run(&patch, "a variant")?;
        let mut tree = root.clone();
        merge(&mut tree, &patch).map_err(PatchError::problem)?;
        drafts.push(Draft { name, at, tree });
    }
    unique(&drafts)?;
    Ok(drafts)
}

fn take_name(patch: &mut Node) -> Result<(String, Origin), Problem> {
    let at = patch.origin;
    let entry: Option<Entry> = match &mut patch.value {
        Value::Table(table) => Table::remove(table, "name"),
        _ => None,
    };
    let Some(entry) = entry else {
        let help = Some("such as name = \"sticky, server memory\"".to_owned());
        return Err(Problem::new(at, "a variant needs a `name`", help));
    };
    let Value::Text(name) = entry.node.value else {
        return Err(Problem::new(entry.node.origin, "a variant's name is a text", None));
    };
    line("name", &name).map_err(|finding| Problem::new(entry.node.origin, finding.message, finding.help))?;
    Ok((name, entry.node.origin))
}

/// Applies a patch to every variant that has the named items the patch refers to. At least one variant must have them.
fn apply_to_all(drafts: &mut [Draft], patch: &Node) -> Result<(), Problem> {
    let mut refused = None;
    let mut taken = false;
    for draft in drafts {
        let mut tree = draft.tree.clone();
        match merge(&mut tree, patch) {
            Ok(()) => {
                draft.tree = tree;
                taken = true;
            }
            Err(PatchError::NoSuchName(problem)) => refused = refused.or(Some(problem)),
            Err(PatchError::Wrong(problem)) => return Err(problem),
        }
    }
    refused.filter(|_| !taken).map_or(Ok(()), Err)
}

fn apply_if_there(tree: &mut Node, patch: &Node) -> Result<(), Problem> {
    let mut patched = tree.clone();
    match merge(&mut patched, patch) {
        Ok(()) => *tree = patched,
        Err(PatchError::NoSuchName(_)) => {}
        Err(PatchError::Wrong(problem)) => return Err(problem),
    }
    Ok(())
}

/// Every variant with every combination of choices; the last axis varies fastest.
fn multiplied(
    mut drafts: Vec<Draft>,
    axes: &[Vec<Choice>],
    has_variants: bool,
    telling: &Telling,
) -> Result<Vec<Draft>, Problem> {
    let labels = labels(axes);
    for (i, axis) in axes.iter().enumerate() {
        let Some(first) = axis.first() else { continue };
        few_enough(drafts.len() * axis.len(), first.at)?;
        let mut columns = Vec::new();
        for choice in axis {
            let mut column = drafts.clone();
            apply_to_all(&mut column, &choice.patch)?;
            for (draft, before) in column.iter_mut().zip(&drafts) {
                let label = format!("{}={}", labels[i], choice.shown);
                let belied = has_variants && telling.is_belied(choice, before, draft);
                let name = match (has_variants || i > 0, belied) {
                    (false, _) => label,
                    (true, false) => format!("{} · {label}", draft.name),
                    (true, true) => format!("{}, but {label}", draft.name),
                };
                rename(draft, choice, &name)?;
            }
            columns.push(column.into_iter());
        }
        drafts =
            (0..drafts.len()).flat_map(|_| columns.iter_mut().filter_map(Iterator::next).collect::<Vec<_>>()).collect();
    }
    Ok(drafts)
}

fn rename(draft: &mut Draft, choice: &Choice, name: &str) -> Result<(), Problem> {
    line("name", name).map_err(|finding| Problem::new(choice.at, finding.message, finding.help))?;
    draft.name = name.into();
    draft.at = choice.at;
    Ok(())
}

/// The designs as the file has them. What differs between them is what their names tell.
struct Telling(Vec<Node>);

impl Telling {
    fn of(drafts: &[Draft]) -> Telling {
        Telling(drafts.iter().map(|draft| draft.tree.clone()).collect())
    }

    /// Whether a change makes a design's name untrue: it gives another value to a key in which the file's designs
    /// differ.
    fn is_belied(&self, choice: &Choice, before: &Draft, after: &Draft) -> bool {
        let played = |draft: &Draft| decode::<Scenario>(&draft.tree, &["variants"]).ok();
        let differ = |pair: &[Node]| match (pair[0].at(&choice.keys), pair[1].at(&choice.keys)) {
            (Some(one), Some(other)) => !one.is_same(other),
            (one, other) => one.is_some() != other.is_some(),
        };
        self.0.windows(2).any(differ) && played(before) != played(after)
    }
}

/// The label of each axis: the last part of its key, or the whole key if another axis has the same last part.
fn labels(axes: &[Vec<Choice>]) -> Vec<String> {
    let keys: Vec<_> = axes.iter().map(|axis| axis.first()).collect();
    let alike = |key: &str| keys.iter().flatten().filter(|choice| choice.key == key).count() > 1;
    keys.iter()
        .map(|choice| choice.map_or(String::new(), |c| if alike(&c.key) { c.keys.join(".") } else { c.key.clone() }))
        .collect()
}

fn few_enough(count: usize, at: Origin) -> Result<(), Problem> {
    if count <= MOST_VARIANTS {
        return Ok(());
    }
    Err(Problem::new(at, format!("{count} variants are too many: at most {MOST_VARIANTS}"), None))
}

fn unique(drafts: &[Draft]) -> Result<(), Problem> {
    let mut seen = BTreeSet::new();
    for draft in drafts {
        if !seen.insert(&draft.name) {
            let help = Some("expectations and `--only` refer to variants by name: give each its own".to_owned());
            return Err(Problem::new(draft.at, format!("two variants are named `{}`", draft.name), help));
        }
    }
    Ok(())
}

/// The resolved variant, or its problem; with a note if the scenario without its patch is fine.
fn resolved(draft: &Draft, in_base: Option<&Violation>) -> Result<Variant, LoadProblem> {
    let note = || Some(format!("in the variant `{}`", draft.name));
    let scenario: Scenario =
        decode(&draft.tree, &["variants"]).map_err(|problem| LoadProblem { problem, note: note() })?;
    match check(&scenario) {
        Ok(()) => Ok(Variant { name: draft.name.clone(), scenario }),
        Err(finding) => {
            let note = if in_base == Some(&finding) { None } else { note() };
            Err(LoadProblem { problem: at(&draft.tree, finding), note })
        }
    }
}

fn at(tree: &Node, finding: Violation) -> Problem {
    Problem::new(tree.locate(&finding.path), finding.message, finding.help)
}
