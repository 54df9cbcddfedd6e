//! Variants, `--set` and `--vary` are all patches: smaller tables that are merged over a larger one.
//!
//! Tables merge; anything else is replaced. Two more rules: a table whose keys are names reaches into a list of named
//! tables, and if keys exclude each other, the patch's key replaces the others.

use std::collections::BTreeMap;

use super::FaultKind;
use super::nearest::suggest;
use super::tree::{Entry, Node, Origin, Problem, Table, Value};

/// Groups of keys of which a table may have at most one.
const EXCLUSIVE: [&[&str]; 7] = [
    &["constant", "exponential", "lognormal", "uniform"],
    &FaultKind::KEYS,
    &["restart_after", "replace_after"],
    &["every", "mtbf"],
    &["count", "rate"],
    &["count", "one_in"],
    &["to", "rate_to"],
];

/// The maximum number of variants of a scenario.
pub(super) const MOST_VARIANTS: usize = 64;

/// Keys that describe the scenario as a whole and do not affect the run.
pub(super) const WHOLE: [&str; 11] =
    ["title", "question", "predict", "varies", "lesson", "summary", "story", "next", "columns", "expect", "variants"];

/// Why a patch could not be applied.
#[derive(Debug)]
pub(super) enum PatchError {
    /// It refers to a name that does not exist here; another variant may have it.
    NoSuchName(Problem),
    /// It is wrong for every variant.
    Wrong(Problem),
}

impl PatchError {
    pub fn problem(self) -> Problem {
        match self {
            PatchError::NoSuchName(problem) | PatchError::Wrong(problem) => problem,
        }
    }
}

/// Merges `patch` over `base`. If it fails, `base` is half merged and must be discarded.
pub(super) fn merge(base: &mut Node, patch: &Node) -> Result<(), PatchError> {
    match (&mut base.value, &patch.value) {
        (Value::Table(base), Value::Table(patch)) => merge_tables(base, patch),
        (Value::List(items), Value::Table(names)) => merge_named(items, names, patch.origin),
        _ => {
            no_rivals(patch)?;
            *base = patch.clone();
            Ok(())
        }
    }
}

fn merge_tables(base: &mut Table, patch: &Table) -> Result<(), PatchError> {
    at_most_one(patch).map_err(PatchError::Wrong)?;
    for (key, entry) in patch {
        for rival in rivals(key) {
            base.remove(rival);
        }
        if let Some(old) = base.get_mut(key) {
            merge(&mut old.node, &entry.node)?;
            old.origin = entry.origin;
        } else if let ("faults" | "random_faults", Some(names)) = (key.as_str(), entry.node.table()) {
            merge_named(&mut [], names, entry.origin)?;
        } else {
            no_rivals(&entry.node)?;
            base.insert(key.clone(), entry.clone());
        }
    }
    Ok(())
}

fn merge_named(items: &mut [Node], names: &Table, at: Origin) -> Result<(), PatchError> {
    let index: BTreeMap<String, usize> =
        items.iter().enumerate().filter_map(|(i, item)| Some((item.name()?.to_owned(), i))).collect();
    if index.is_empty() && items.iter().any(|item| item.table().is_none()) {
        let help = Some("give the whole list: `[…]`".to_owned());
        return Err(PatchError::Wrong(Problem::new(
            at,
            "this is a list: a patch can only replace it as a whole",
            help,
        )));
    }
    for (name, entry) in names {
        let Some(i) = index.get(name) else {
            let help = if name == "at" || FaultKind::KEYS.contains(&&**name) {
                Some("a patch gives a fault's name first: faults.\"the crash\".at; a new list is in [ ]".to_owned())
            } else {
                suggest(name, "the names are", index.keys().map(String::as_str))
                    .or_else(|| Some("no fault here has a name".to_owned()))
            };
            let problem = Problem::new(entry.origin, format!("there is no fault named `{name}`"), help);
            return Err(PatchError::NoSuchName(problem));
        };
        if entry.node.table().is_none() {
            let help = Some(format!("say which of its keys: `faults.\"{name}\".at`"));
            return Err(PatchError::Wrong(Problem::new(entry.node.origin, "a fault is a table", help)));
        }
        merge(&mut items[*i], &entry.node)?;
    }
    Ok(())
}

fn rivals(key: &str) -> impl Iterator<Item = &'static str> {
    EXCLUSIVE.iter().filter(move |group| group.contains(&key)).copied().flatten().copied().filter(move |k| *k != key)
}

/// Every table that has keys that exclude each other.
pub(super) fn exclusive(node: &Node) -> Vec<Problem> {
    match &node.value {
        Value::Table(table) => {
            let within = table.values().flat_map(|entry| exclusive(&entry.node));
            at_most_one(table).err().into_iter().chain(within).collect()
        }
        Value::List(items) => items.iter().flat_map(exclusive).collect(),
        _ => Vec::new(),
    }
}

/// The first of these.
fn no_rivals(node: &Node) -> Result<(), PatchError> {
    exclusive(node).into_iter().next().map_or(Ok(()), |problem| Err(PatchError::Wrong(problem)))
}

fn at_most_one(table: &Table) -> Result<(), Problem> {
    for group in EXCLUSIVE {
        let mut found: Vec<(&str, &Entry)> = Vec::new();
        found.extend(group.iter().filter_map(|key| Some((*key, table.get(*key)?))));
        found.sort_by_key(|(_, entry)| entry.origin);
        if let [(first, _), (second, entry), ..] = found[..] {
            let message = format!("`{first}` and `{second}` exclude each other");
            let all: Vec<_> = group.iter().map(|key| format!("`{key}`")).collect();
            return Err(Problem::new(entry.origin, message, Some(format!("keep one of {}", all.join(", ")))));
        }
    }
    Ok(())
}

/// A patch may change the run, but not the scenario's texts and expectations.
pub(super) fn changes_the_run(patch: &Node, who: &str) -> Result<(), Problem> {
    let table = patch.table().into_iter().flatten();
    for (key, entry) in table {
        if WHOLE.contains(&key.as_str()) {
            let help = Some(format!("`{key}` belongs to the scenario as a whole: change it in the file itself"));
            return Err(Problem::new(entry.origin, format!("{who} cannot change `{key}`"), help));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tree::document;
    use super::*;

    /// Merges one TOML text over another and prints what is left, sorted by key.
    fn merged(base: &str, patch: &str) -> Result<String, String> {
        let mut base = document(0, base).unwrap();
        match merge(&mut base, &document(1, patch).unwrap()) {
            Ok(()) => Ok(shown(&base)),
            Err(refusal) => Err(refusal.problem().message),
        }
    }

    fn shown(node: &Node) -> String {
        match &node.value {
            Value::Text(text) => text.clone(),
            Value::Integer(number) => number.to_string(),
            Value::List(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(" ")),
            Value::Table(table) => {
                let entries: Vec<_> = table.iter().map(|(k, e)| format!("{k}={}", shown(&e.node))).collect();
                format!("{{{}}}", entries.join(" "))
            }
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn tables_merge_and_the_rest_is_replaced() {
        assert_eq!(merged("a.x=1\na.y=2\nb=[1,2]", "a.y=3\nb=[9]\nc=1").unwrap(), "{a={x=1 y=3} b=[9] c=1}");
        assert_eq!(merged("a='none'", "a.cookie='visit'").unwrap(), "{a={cookie=visit}}");
        assert_eq!(merged("a.cookie='visit'", "a='none'").unwrap(), "{a=none}");
    }

    #[test]
    fn names_reach_into_a_list() {
        let base = "[[faults]]\nname='x'\nat=1\n[[faults]]\nname='y'\nat=2\n";
        assert_eq!(merged(base, "faults.y.at=7").unwrap(), "{faults=[{at=1 name=x} {at=7 name=y}]}");
        assert_eq!(merged(base, "faults.z.at=7").unwrap_err(), "there is no fault named `z`");
        assert_eq!(merged("a=1", "faults.z.at=7").unwrap_err(), "there is no fault named `z`");
        assert_eq!(merged(base, "faults=[]").unwrap(), "{faults=[]}");
        assert_eq!(merged(base, "faults.y=7").unwrap_err(), "a fault is a table");
        assert!(merged("b=[1]", "b.x=7").unwrap_err().contains("as a whole"));
    }

    #[test]
    fn of_rivals_the_patch_wins() {
        assert_eq!(merged("t.constant=1", "t.exponential=2").unwrap(), "{t={exponential=2}}");
        assert_eq!(merged("u.count=1", "u.rate=2").unwrap(), "{u={rate=2}}");
        assert_eq!(merged("u.rate=1", "u.count=2").unwrap(), "{u={count=2}}");
        assert_eq!(merged("h.one_in=1", "h.count=2").unwrap(), "{h={count=2}}");
        let base = "[[faults]]\nname='x'\ncrash='a'\nreplace_after=1";
        let patch = "faults.x={ vanish='b', restart_after=2 }";
        assert_eq!(merged(base, patch).unwrap(), "{faults=[{name=x restart_after=2 vanish=b}]}");
    }

    #[test]
    fn two_rivals_in_one_table_are_an_error() {
        let both = document(0, "[[f]]\nslow=1\ncrash=2").unwrap();
        assert_eq!(exclusive(&both)[0].message, "`slow` and `crash` exclude each other");
        assert!(merged("t=1", "t={constant=1, uniform=2}").unwrap_err().contains("exclude"));
        assert!(merged("t.constant=1", "t={constant=1, uniform=2}").unwrap_err().contains("exclude"));
    }
}
