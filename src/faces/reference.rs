//! The reference of every key of a scenario: docs/reference.md, and the same on a terminal for one key.

use super::text::{Page, Tone, left, paint, width};
use crate::scenario::reference::{Choice, Key, Table, find, header, tables};
use crate::scenario::{Whose, whose};

/// The sections of the page, each with its tables.
const SECTIONS: &[(&str, &[&str])] = &[
    ("The scenario itself", &["", "variants[]", "expect[]", "predict"]),
    ("Who visits, and when", &["users", "users.heavy"]),
    ("Servers and the balancer", &["servers", "balancer", "balancer.health", "balancer.outlier"]),
    ("Where state lives", &["homes", "store", "store.memory", "tokens", "objects", "replication", "migration"]),
    ("Hidden state", &["hidden", "hidden.rate", "hidden.cache"]),
    ("What breaks", &["faults[]", "random_faults[]"]),
    (
        "What changes on purpose",
        &["faults[].deploy", "faults[].scale", "autoscaler", "faults[].deploy.drain", "faults[].join"],
    ),
    ("Elsewhere", &["regions", "serverless"]),
];

const INTRODUCTION: &str = "\
# Every key of a scenario

`whatcart explain KEY` prints the same on a terminal, `whatcart explain --keys` a list. A first scenario is written in ten
minutes with [Writing scenarios](writing-scenarios.md).

Each key has the values that may be written, the default with whose it is (*ours* is one that was chosen for the scenarios
here), and an example. Some keys have an effect only together with something else; where that is missing in every design,
`run`, `show` and `check` warn.

";

const VALUES: &str = "\
## Values

- **A time** is a text with units: `\"30s\"`, `\"20ms\"`, `\"1m30s\"`, `\"1.5h\"`. The units are d, h, m, s, ms, us and ns.
- **A distribution** says how long something takes, anew each time: `{ constant = \"2s\" }` always the same,
  `{ exponential = \"2s\" }` memoryless with this mean, `{ uniform = { from = \"1s\", to = \"3s\" } }` between two bounds,
  `{ lognormal = { median = \"3s\", sigma = 1.0 } }` skewed to the right, as people think.
- **A share** is a number from 0 to 1: `0.25` is a quarter.
- **A whole number** may have underscores: `1_000`.
- Tables may be written with a header (`[users]`), in braces (`users = { count = 500 }`) or with dots
  (`users.count = 500`), as everywhere in TOML.
";

/// The page docs/reference.md.
#[must_use]
pub fn page() -> String {
    let mut text = String::from(INTRODUCTION);
    for (section, paths) in SECTIONS {
        let links: Vec<String> = paths.iter().map(|path| link(path)).collect();
        text += &format!("- {section}: {}\n", links.join(", "));
    }
    text += &format!("\n{VALUES}");
    for (section, paths) in SECTIONS {
        text += &format!("\n## {section}\n");
        text = paths.iter().fold(text, |text, path| text + &section_of(path));
    }
    text
}

/// The table at this path.
fn table(path: &str) -> Option<&'static Table> {
    tables().iter().find(|table| table.paths.iter().any(|known| known == path))
}

/// The path under which the page has the table at this path.
fn listed(path: &str) -> Option<&'static str> {
    let table = table(path)?;
    let mut places = SECTIONS.iter().flat_map(|(_, paths)| *paths);
    places.find(|place| table.paths.iter().any(|known| known == *place)).copied()
}

fn heading(path: &str) -> String {
    if path.is_empty() { "Outside of all tables".into() } else { header(path) }
}

/// A link to the heading, as sites that show Markdown name it.
fn link(path: &str) -> String {
    let heading = heading(path);
    let kept = heading.to_lowercase();
    let anchor = kept.chars().filter(|c| c.is_alphanumeric() || " _-".contains(*c));
    format!("[{heading}](#{})", anchor.collect::<String>().replace(' ', "-"))
}

fn section_of(path: &str) -> String {
    let Some(table) = table(path) else { return String::new() };
    let mut text = format!("\n### {}\n\n", heading(path));
    if !path.is_empty() {
        text += &format!("{}\n\n", table.about);
    }
    let elsewhere: Vec<String> = table.paths.iter().filter(|known| *known != path).map(|path| header(path)).collect();
    if !elsewhere.is_empty() {
        text += &format!("{} is the same table.\n\n", elsewhere.join(" and "));
    }
    table.keys.iter().fold(text, |text, key| text + &entry(key))
}

/// One key: what it does, what may be written, an example, what it needs, and what may be chosen.
fn entry(key: &Key) -> String {
    let inner = [key.path.clone(), format!("{}[]", key.path)];
    let inner =
        inner.iter().find_map(|path| listed(path)).map_or(String::new(), |path| format!(", see {}", link(path)));
    let about = key.about.replace("\n\n", "\n\n  ");
    let mut text = format!("- **`{}`** {about}\n  *{}{inner}; {}.*", key.name(), capitalised(&key.value), default(key));
    text += &key.example.map_or(String::new(), |example| format!(" Example: `{} = {example}`.", key.name()));
    text = key.needs().fold(text, |text, need| text + &format!(" Needs {}.", need.what)) + "\n";
    let choice = |choice: &Choice| format!("  - `\"{}\"`: {}\n", choice.name, choice.about);
    key.choices.iter().map(choice).fold(text, |text, choice| text + &choice)
}

fn capitalised(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map_or(String::new(), |first| first.to_uppercase().chain(rest).collect())
}

/// What applies without the key, and whose default that is.
fn default(key: &Key) -> String {
    match (&key.default, key.required) {
        (_, true) => "must be given".into(),
        (None, false) => "optional".into(),
        (Some(default), false) if ["\"\"", "[]", "{}"].contains(&&**default) => "optional".into(),
        (Some(default), false) => match whose(&key.path) {
            Whose::Of(words) => format!("default `{default}` ({words})"),
            Whose::Ours => format!("default `{default}` (ours)"),
            Whose::HealthPreset => format!("default {default}"),
        },
    }
}

/// All keys with this path or name, explained on a terminal; `None` if there is none.
#[must_use]
pub fn explained(wanted: &str, page: Page) -> Option<String> {
    let keys = find(wanted);
    let one = |key: &&Key| {
        let mut text = page.wrap(&format!("{}   ", paint(Tone::Strong, &key.path)), &key.about.replace("\n\n", " "));
        text += &page.wrap("   ", &format!("{}; {}", key.value, default(key)).replace('`', ""));
        let widest = key.choices.iter().map(|choice| width(&choice.name)).max().unwrap_or(0);
        for choice in &key.choices {
            text += &page.wrap(&format!("   {}  ", left(&choice.name, widest)), &choice.about);
        }
        text += &key
            .example
            .map_or(String::new(), |example| page.wrap("   example: ", &format!("{} = {example}", key.name())));
        key.needs().fold(text, |text, need| text + &page.wrap("   needs ", need.what))
    };
    (!keys.is_empty()).then(|| keys.iter().map(one).collect::<Vec<_>>().join("\n"))
}

/// A list of all keys, table by table, for a terminal.
#[must_use]
pub fn list(page: Page) -> String {
    let mut text = String::new();
    for path in SECTIONS.iter().flat_map(|(_, paths)| *paths) {
        let Some(table) = table(path) else { continue };
        text += &format!("{}\n", paint(Tone::Strong, &heading(path).replace('`', "")));
        let widest = table.keys.iter().map(|key| width(key.name())).max().unwrap_or(0);
        for key in &table.keys {
            let first = key.about.split_inclusive(". ").next().unwrap_or_default().trim_end();
            text += &page.wrap(&format!("  {}  ", left(key.name(), widest)), first);
        }
        text += "\n";
    }
    text + "whatcart explain KEY   the whole of it\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_its_place() {
        for table in tables() {
            let places = SECTIONS.iter().flat_map(|(_, paths)| *paths);
            let places = places.filter(|path| table.paths.iter().any(|known| known == *path)).count();
            assert_eq!(places, 1, "{:?}", table.paths);
        }
        let tables = tables().len();
        assert_eq!(SECTIONS.iter().map(|(_, paths)| paths.len()).sum::<usize>(), tables);
    }
}
