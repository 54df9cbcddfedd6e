//! The designs of a scenario: each variant's patch over the rest of the file, then `--set`, then `--vary`.

use std::collections::BTreeSet;
use std::fmt;

use super::Scenario;
use super::args::{self, Choice};
use super::decode::decode;
use super::nearest::suggest;
use super::patch::{MOST_VARIANTS, PatchError, WHOLE, changes_the_run, merge};
use super::tree::{Entry, Node, Origin, Problem, Table, Value};
use super::violation::line;

/// The name of the single variant of a scenario without variants.
pub const AS_WRITTEN: &str = "as written";

/// The number of a design: its place in the file. When `--vary` makes several designs of it, they share the number and
/// are told apart by the place of their values: `2.1`, `2.2`. Whoever leaves designs out changes no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DesignNumber {
    /// Its place in the file, from 1.
    pub design: usize,
    /// Which of the designs that `--vary` made of it, from 1.
    pub choice: Option<usize>,
}

impl DesignNumber {
    /// The number of a design as the file has it.
    #[must_use]
    pub fn of(design: usize) -> DesignNumber {
        DesignNumber { design, choice: None }
    }
}

/// `2` or `2.1`
impl fmt::Display for DesignNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.choice {
            None => self.design.fmt(f),
            Some(choice) => format!("{}.{choice}", self.design).fmt(f),
        }
    }
}

/// An unfinished variant: its name, the place of the name, and the tree that patches are merged into.
#[derive(Clone)]
pub(super) struct Draft {
    pub number: DesignNumber,
    pub name: String,
    pub at: Origin,
    pub tree: Node,
}

/// Removes the variants' patches from the tree and returns them.
pub(super) fn take_patches(root: &mut Node, problems: &mut Vec<Problem>) -> Vec<Node> {
    let Value::Table(table) = &mut root.value else { return Vec::new() };
    let Some(entry) = table.remove("variants") else { return Vec::new() };
    let help = || Some("write each variant as `[[variants]]` with a `name` and its differences".to_owned());
    let Value::List(patches) = entry.node.value else {
        problems.push(Problem::new(entry.origin, "expected a list of variants", help()));
        return Vec::new();
    };
    let (patches, strays): (Vec<_>, Vec<_>) = patches.into_iter().partition(|patch| patch.table().is_some());
    problems.extend(strays.iter().map(|stray| Problem::new(stray.origin, "expected a table", help())));
    patches
}

/// The names of the variants, as far as they have one.
pub(super) fn names(patches: &[Node]) -> Vec<String> {
    let names: Vec<String> = patches.iter().filter_map(Node::name).map(str::to_owned).collect();
    if patches.is_empty() { vec![AS_WRITTEN.into()] } else { names }
}

/// A draft of each variant; of those that are wrong, the problem.
pub(super) fn drafts(root: &Node, patches: Vec<Node>, problems: &mut Vec<Problem>) -> Vec<Draft> {
    if patches.is_empty() {
        let number = DesignNumber::of(1);
        return vec![Draft { number, name: AS_WRITTEN.into(), at: root.origin, tree: root.clone() }];
    }
    if let Some(too_many) = patches.get(MOST_VARIANTS) {
        problems.extend(few_enough(patches.len(), too_many.origin).err());
        return Vec::new();
    }
    let mut drafts = Vec::new();
    for (number, patch) in (1..).zip(patches) {
        match draft(root, patch) {
            Ok((name, at, tree)) => drafts.push(Draft { number: DesignNumber::of(number), name, at, tree }),
            Err(problem) => problems.push(problem),
        }
    }
    problems.extend(unique(&drafts).err());
    drafts
}

fn draft(root: &Node, mut patch: Node) -> Result<(String, Origin, Node), Problem> {
    let (name, at) = take_name(&mut patch)?;
    let left_out = patch.remove("without");
    changes_the_run(&patch, "a variant")?;
    let mut tree = root.clone();
    if let Some(entry) = left_out {
        leave_out(&mut tree, &entry.node)?;
    }
    merge(&mut tree, &patch).map_err(PatchError::problem)?;
    Ok((name, at, tree))
}

fn take_name(patch: &mut Node) -> Result<(String, Origin), Problem> {
    let at = patch.origin;
    let Some(entry) = patch.remove("name") else {
        let help = Some("such as name = \"sticky, server memory\"".to_owned());
        return Err(Problem::new(at, "a variant needs a `name`", help));
    };
    let Value::Text(name) = entry.node.value else {
        return Err(Problem::new(entry.node.origin, "a variant's name is a text", None));
    };
    line("name", &name).map_err(|finding| Problem::new(entry.node.origin, finding.message, finding.help))?;
    Ok((name, entry.node.origin))
}

/// Removes the keys and tables that a variant does without.
fn leave_out(tree: &mut Node, keys: &Node) -> Result<(), Problem> {
    let help = || Some("such as without = [\"autoscaler\", \"servers.boot\"]".to_owned());
    let Value::List(keys) = &keys.value else {
        return Err(Problem::new(keys.origin, "`without` is a list of keys", help()));
    };
    for node in keys {
        let parts = node.text().and_then(|text| args::keys(text, node.origin.source));
        let Some(parts) = parts else {
            return Err(Problem::new(node.origin, "this is not a key", help()));
        };
        let parts: Vec<String> = parts.into_iter().map(|(part, _)| part).collect();
        if let Some(whole) = WHOLE.iter().find(|whole| parts[0] == **whole) {
            let help = Some(format!("`{whole}` belongs to the scenario as a whole, not to one design"));
            return Err(Problem::new(node.origin, format!("a variant cannot do without `{whole}`"), help));
        }
        remove(tree, &parts).map_err(|(missing, there)| {
            let message = format!("there is no `{missing}` that this variant could do without");
            let help = suggest(missing, "the scenario sets", there.iter().map(String::as_str));
            Problem::new(node.origin, message, help)
        })?;
    }
    Ok(())
}

/// Removes a key, or a fault by its name. Otherwise returns the part that is not there, and what is there instead.
fn remove<'a>(here: &mut Node, parts: &'a [String]) -> Result<(), (&'a str, Vec<String>)> {
    let (part, rest) = parts.split_first().expect("a key has a part");
    let index = here.named(part);
    match (&mut here.value, index) {
        (Value::Table(table), _) => match table.get_mut(part) {
            Some(entry) if !rest.is_empty() => remove(&mut entry.node, rest),
            Some(_) => {
                table.remove(part);
                Ok(())
            }
            None => Err((part, table.keys().cloned().collect())),
        },
        (Value::List(items), Some(i)) if rest.is_empty() => {
            items.remove(i);
            Ok(())
        }
        (Value::List(items), Some(i)) => remove(&mut items[i], rest),
        (Value::List(items), None) => Err((part, items.iter().filter_map(Node::name).map(str::to_owned).collect())),
        _ => Err((part, Vec::new())),
    }
}

/// Applies a patch to every variant that has the named items the patch refers to. At least one variant must have them.
fn apply_to_all(drafts: &mut [Draft], patch: &Node) -> Result<(), Problem> {
    let mut refused = None;
    let mut taken = drafts.is_empty();
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

/// Applies a `--set`. A design whose name it makes untrue says so.
pub(super) fn set(drafts: &mut [Draft], choice: &Choice, telling: Option<&Telling>) -> Result<(), Problem> {
    let before = drafts.to_vec();
    apply_to_all(drafts, &choice.patch)?;
    for (draft, before) in drafts.iter_mut().zip(&before) {
        if telling.is_some_and(|telling| telling.is_belied(choice, before, draft)) {
            rename(draft, choice, &format!("{}, but {}={}", draft.name, choice.key, choice.shown))?;
        }
    }
    Ok(())
}

/// Applies a patch, unless it refers to a named item that the tree does not have.
pub(super) fn apply_if_there(tree: &mut Node, patch: &Node) -> Result<(), Problem> {
    let mut patched = tree.clone();
    match merge(&mut patched, patch) {
        Ok(()) => *tree = patched,
        Err(PatchError::NoSuchName(_)) => {}
        Err(PatchError::Wrong(problem)) => return Err(problem),
    }
    Ok(())
}

/// Every variant with every combination of choices; the last axis varies fastest. If the scenario has no variants of
/// its own, the values are its designs.
pub(super) fn multiplied(
    mut drafts: Vec<Draft>,
    axes: &[Vec<Choice>],
    telling: Option<&Telling>,
) -> Result<Vec<Draft>, Problem> {
    let has_variants = telling.is_some();
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
                let belied = telling.is_some_and(|telling| telling.is_belied(choice, before, draft));
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
    if !axes.is_empty() {
        number(&mut drafts, has_variants);
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
pub(super) struct Telling(Vec<Node>);

impl Telling {
    pub fn of(drafts: &[Draft]) -> Telling {
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

/// Numbers the designs that `--vary` made: within the design that they were made of.
fn number(drafts: &mut [Draft], has_variants: bool) {
    let (mut design, mut choice) = (0, 0);
    for draft in drafts {
        choice = if draft.number.design == design { choice + 1 } else { 1 };
        design = draft.number.design;
        draft.number =
            if has_variants { DesignNumber { design, choice: Some(choice) } } else { DesignNumber::of(choice) };
    }
}

/// The label of each axis: the last part of its key, or the whole key if another axis has the same last part.
fn labels(axes: &[Vec<Choice>]) -> Vec<String> {
    let keys: Vec<_> = axes.iter().map(|axis| axis.first()).collect();
    let alike = |key: &str| keys.iter().flatten().filter(|choice| choice.key == key).count() > 1;
    keys.iter()
        .map(|choice| choice.map_or(String::new(), |c| if alike(&c.key) { c.whole_key() } else { c.key.clone() }))
        .collect()
}

fn few_enough(count: usize, at: Origin) -> Result<(), Problem> {
    if count <= MOST_VARIANTS {
        return Ok(());
    }
    Err(Problem::new(at, format!("{count} variants are too many: at most {MOST_VARIANTS}"), None))
}

pub(super) fn unique(drafts: &[Draft]) -> Result<(), Problem> {
    let mut seen = BTreeSet::new();
    for draft in drafts {
        if !seen.insert(&draft.name) {
            let help = Some("expectations and `--only` refer to variants by name: give each its own".to_owned());
            return Err(Problem::new(draft.at, format!("two variants are named `{}`", draft.name), help));
        }
    }
    Ok(())
}

impl Node {
    /// Removes a key from a table.
    fn remove(&mut self, key: &str) -> Option<Entry> {
        match &mut self.value {
            Value::Table(table) => Table::remove(table, key),
            _ => None,
        }
    }
}
