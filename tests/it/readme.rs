//! The README shows what the program prints: every marked block is compared with real output, and its scenario runs.
//!
//! Its table has the scenarios' own summaries, whose claims `whatcart check` judges; the glossary and the reference
//! of keys are the program's.
//!
//! `UPDATE_README=1 cargo test readme` regenerates all of that.

use std::path::Path;
use std::process::Command;

use whatcart::faces::{glossary, reference};
use whatcart::scenario::{library, load, prose};

const FENCE: &str = "```\n";
const OUTPUT: &str = "<!-- output: whatcart";
const SCENARIO: &str = "<!-- scenario -->\n```toml\n";

fn whatcart(arguments: &[&str]) -> String {
    let mut program = Command::new(env!("CARGO_BIN_EXE_whatcart"));
    let output = program.args(arguments).env_remove("COLUMNS").output().expect("the program runs");
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("it prints text")
}

/// The README with every marked block regenerated.
fn refreshed(readme: &str) -> (String, usize) {
    let (mut text, mut blocks) = (String::new(), 0);
    let mut rest = readme;
    while let Some(at) = rest.find(OUTPUT) {
        let (before, marked) = rest.split_at(at);
        let (marker, block) = marked.split_once(" -->\n").expect("the marker ends");
        let arguments: Vec<&str> = marker[OUTPUT.len()..].split_whitespace().collect();
        let old = block.strip_prefix(FENCE).expect("a fence follows the marker");
        let (_, after) = old.split_once(FENCE).expect("the fence is closed");
        text += &format!("{before}{marker} -->\n{FENCE}{}{FENCE}", whatcart(&arguments));
        (rest, blocks) = (after, blocks + 1);
    }
    (text + rest, blocks)
}

/// The README with the summary of each scenario in its row.
fn with_summaries(readme: &str) -> String {
    let row = |line: &str| {
        let (head, rest) = line.strip_prefix("| ")?.split_once(" | [")?;
        let (name, _) = rest.split_once("](scenarios/")?;
        let entry = library::find(name)?;
        let base = load(entry.name, entry.name, entry.text, &[], &[]).expect(entry.name).base;
        let summary = prose::plain(&base.summary);
        assert!(!summary.is_empty(), "{name} needs a summary");
        Some(format!("| {head} | [{name}](scenarios/{name}.toml) | {summary} |"))
    };
    readme.split_inclusive('\n').map(|line| row(line).map_or_else(|| line.to_owned(), |row| row + "\n")).collect()
}

/// Compares a page of docs/ with what the program makes of it, or writes it.
fn is_the_programs(name: &str, fresh: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&path, fresh).expect("the page can be written");
    }
    let page = std::fs::read_to_string(&path).expect("there is a page");
    assert!(page == fresh, "{name}: `UPDATE_README=1 cargo test readme` writes it anew");
}

#[test]
fn the_glossary_is_the_programs() {
    is_the_programs("glossary.md", &glossary::page());
}

#[test]
fn the_reference_is_the_programs() {
    is_the_programs("reference.md", &reference::page());
}

#[test]
fn what_it_shows_is_what_is_printed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).expect("there is a README");
    let (fresh, blocks) = refreshed(&with_summaries(&readme));
    assert!(blocks >= 2, "the README shows the opening story and a crash");
    if std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(&path, fresh).expect("the README can be written");
        return;
    }
    let differs = readme.lines().zip(fresh.lines()).find(|(old, new)| old != new);
    assert!(readme == fresh, "first difference: {differs:?}; `UPDATE_README=1 cargo test readme` writes it anew");
}

#[test]
fn its_table_has_every_scenario_in_order() {
    let row = |line: &str| {
        line.strip_prefix("| ")?.split_once(" | [")?.1.split_once("](scenarios/").map(|(name, _)| name.to_owned())
    };
    let named: Vec<String> = include_str!("../../README.md").lines().filter_map(row).collect();
    let all: Vec<&str> = whatcart::scenario::library::all().iter().map(|entry| entry.name).collect();
    assert_eq!(named, all);
}

#[test]
fn its_scenario_runs_and_holds() {
    let readme = include_str!("../../README.md");
    let (_, scenario) = readme.split_once(SCENARIO).expect("it shows a scenario");
    let (scenario, _) = scenario.split_once("```").expect("the fence is closed");
    assert!(scenario.lines().count() <= 11, "about ten lines");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mine.toml");
    std::fs::write(&file, scenario).expect("a file");
    let table = whatcart(&["run", file.to_str().expect("text"), "--quiet"]);
    assert!(table.contains("shared store") && table.contains("opened"), "{table}");
    assert!(whatcart(&["check", file.to_str().expect("text")]).contains("ok"));
}
