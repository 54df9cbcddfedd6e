//! Loads a scenario from a name or a file.

use std::borrow::Cow;
use std::path::Path;

use whatcart::faces::text::clean;
use whatcart::link::Deed;
use whatcart::results::{expectations, prose};
use whatcart::scenario::{self, Loaded, ScenarioError, library, nearest};

use super::screen::Screen;
use super::{Failure, usage};

/// The text of a scenario, and its name.
pub struct Source {
    pub name: String,
    pub file: String,
    pub text: Cow<'static, str>,
}

/// The scenario of the program with this name, or the file.
pub fn find(what: &str) -> Result<Source, Failure> {
    if let Some(entry) = library::find(what) {
        let file = format!("{}.toml", entry.name);
        return Ok(Source { name: entry.name.into(), file, text: entry.text.into() });
    }
    let path = Path::new(what);
    let text = scenario::read::read(path)?;
    let name = path.file_stem().map_or(what.into(), |stem| clean(&stem.to_string_lossy()));
    Ok(Source { name, file: what.into(), text: text.into() })
}

/// Loads the scenario with these changes, and checks its expectations, columns and claims before anything runs.
/// Warns of keys that have no effect.
pub fn load(source: &Source, set: &[String], vary: &[String], screen: &Screen) -> Result<Loaded, Failure> {
    let loaded = scenario::load(&source.name, &source.file, &source.text, set, vary)?;
    let problems = expectations::validate(&loaded).into_iter().chain(prose::validate(&loaded));
    let errors = problems.map(|problem| loaded.error_at(&problem.place, problem.message, problem.help));
    if let Some(error) = ScenarioError::all(errors) {
        return Err(error.into());
    }
    for warning in &loaded.warnings {
        screen.warn(warning);
    }
    Ok(loaded)
}

/// Keeps only the variants with these names or numbers (`2`, `2.1`), including all variants that `--vary` made of them.
pub fn only(loaded: &mut Loaded, wanted: &[String]) -> Result<(), Failure> {
    if wanted.is_empty() {
        return Ok(());
    }
    let mut keep = vec![false; loaded.variants.len()];
    for one in wanted {
        let of_it = |name: &str| {
            name == one
                || name.strip_prefix(&**one).is_some_and(|rest| rest.starts_with(" · ") || rest.starts_with(", but "))
        };
        let named: Vec<usize> = (0..keep.len()).filter(|i| of_it(&loaded.variants[*i].name)).collect();
        let numbered = |i: &usize| {
            let number = loaded.variants[*i].number;
            number.to_string() == *one || number.design.to_string() == *one
        };
        let found = if named.is_empty() { (0..keep.len()).filter(numbered).collect() } else { named };
        if found.is_empty() {
            return Err(no_variant(one, loaded));
        }
        for at in found {
            keep[at] = true;
        }
    }
    let mut keep = keep.into_iter();
    loaded.variants.retain(|_| keep.next().unwrap_or(false));
    Ok(())
}

/// Adds what is done by hand, as faults, to every design in which it can be done.
pub fn by_hand(loaded: &mut Loaded, deeds: &[Deed]) -> Result<(), Failure> {
    for deed in deeds {
        loaded.break_too(&deed.fault()).map_err(|violation| {
            let message = format!("`--do {deed}` cannot be done: {}", violation.message);
            usage(message, violation.help.unwrap_or_default())
        })?;
    }
    Ok(())
}

fn no_variant(wanted: &str, loaded: &Loaded) -> Failure {
    let names = loaded.variants.iter().map(|variant| &*variant.name);
    let most = loaded.variants.iter().map(|variant| variant.number.design).max().unwrap_or(1);
    let help = nearest::suggest(wanted, &format!("give a number from 1 to {most}, or a name"), names);
    usage(format!("`{}` has no design `{wanted}`", loaded.name), help.unwrap_or_default())
}
