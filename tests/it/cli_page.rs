//! Output fits where it is read: on pages from 60 to 200 columns, in ASCII, and on one screen.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;

use whatcart::base::layout::width;
use whatcart::experiment::{self, FAVOURITE, Options};
use whatcart::faces::ascii::ascii;
use whatcart::faces::assumptions;
use whatcart::faces::story;
use whatcart::faces::table::{Look, columns, render};
use whatcart::faces::text::Page;
use whatcart::results::Report;
use whatcart::results::statistics::Summary;
use whatcart::scenario::{Loaded, library, load};

/// Standard output, or standard error if there is none, on a page of this many columns.
fn printed(columns: usize, args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_whatcart"));
    let output = command.args(args).env("COLUMNS", columns.to_string()).output().expect("the program starts");
    let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
    String::from_utf8(text).expect("UTF-8")
}

fn every_line_fits(text: &str, columns: usize, what: &str) {
    for line in text.lines() {
        assert!(width(line) <= columns, "{what}: {} columns instead of {columns}:\n{line}\n\n{text}", width(line));
    }
    assert!(!text.contains('…'), "{what}: something is cut:\n{text}");
}

/// Every scenario of the library, with few users, over this many runs.
fn played(runs: u32) -> Vec<(Loaded, Report)> {
    let options = Options {
        seed: None,
        runs,
        played: 0,
        favourite: FAVOURITE,
        interrupt: &AtomicBool::new(false),
        progress: &|_| (),
    };
    let small = |entry: &library::Entry| {
        let with = |change: &str| load(entry.name, entry.name, entry.text, &[change.into()], &[]).ok();
        let whole = load(entry.name, entry.name, entry.text, &[], &[]).expect(entry.name);
        let few = if whole.base.users.rate.is_some() { "users.rate=0.5" } else { "users.count=12" };
        with(few).unwrap_or(whole)
    };
    let scenarios = library::all().iter().filter(|entry| entry.name != "big-pool").map(small);
    let run = |loaded: Loaded| {
        let report = experiment::run(&loaded, &options).expect("it goes on");
        (loaded, report)
    };
    scenarios.map(run).collect()
}

static ONE_RUN: LazyLock<Vec<(Loaded, Report)>> = LazyLock::new(|| played(1));

fn words(text: &str) -> BTreeMap<&str, usize> {
    let mut words = BTreeMap::new();
    for word in text.split_whitespace() {
        *words.entry(word).or_default() += 1;
    }
    words
}

/// The names of designs and the figures of all columns that are not named as left out stand in the table.
fn nothing_is_missing(report: &Report, text: &str, what: &str) {
    let (table, note) = text.split_once("Not shown, for want of room:").unwrap_or((text, ""));
    let note = note.split_whitespace().collect::<Vec<_>>().join(" ");
    let columns = columns::choose(report, &Summary::all(&report.variants));
    let shown = columns.iter().filter(|column| !note.contains(column.head.join(" ").trim()));
    let figures = shown.flat_map(|column| &column.cells).flat_map(|cell| [cell.figure.as_str(), cell.share.as_str()]);
    let names = report.variants.iter().map(|variant| variant.name.as_str());
    let wanted = figures.chain(names).collect::<Vec<_>>().join(" ");
    let there = words(table);
    for (word, times) in words(&wanted) {
        let found = there.get(word).copied().unwrap_or(0);
        assert!(found >= times, "{what}: `{word}` {found} instead of {times} times:\n{text}");
    }
}

#[test]
fn tables_fit_every_page_and_nothing_is_cut() {
    let several = played(4);
    for (runs, widths, all) in [(1, 1, &*ONE_RUN), (4, 9, &several)] {
        for (loaded, report) in all {
            for columns in (60..=200).step_by(widths) {
                let what = format!("{}, {runs} runs, {columns} columns", loaded.name);
                let page = Page::of(columns);
                let text = render(report, &Look { page, quiet: true, ..Look::default() });
                let text = anstream::adapter::strip_str(&text).to_string();
                every_line_fits(&text, columns, &what);
                nothing_is_missing(report, &text, &what);
                assert!(columns < 160 || runs > 1 || !text.contains("Not shown"), "{what}:\n{text}");
            }
        }
    }
}

#[test]
fn everything_fits_and_has_a_spelling_in_ascii() {
    for (loaded, report) in &*ONE_RUN {
        let told = story::choose(report).map(|(at, hurt)| {
            let variant = &report.variants[at];
            let tape = experiment::replay(&loaded.variants[at], &variant.runs[0], hurt.visit, hurt.ended);
            story::tell(variant, &tape, 12)
        });
        for columns in [60, 61, 67, 72, 80, 91, 100, 120, 160, 200] {
            let page = Page::of(columns);
            let look =
                Look { page, details: true, charts: true, story: told.as_ref(), next_title: None, ..Look::default() };
            let text = render(report, &look) + &assumptions::table(&assumptions::assumptions(loaded), page);
            let text = anstream::adapter::strip_str(&text).to_string();
            every_line_fits(&text, columns, &loaded.name);
            let plain = ascii(&text);
            assert_eq!(plain.matches('?').count(), text.matches('?').count(), "{plain}");
        }
    }
}

#[test]
fn commands_fit_a_narrow_terminal() {
    for columns in [60, 80] {
        for entry in library::all() {
            for flag in ["--no-spoilers", "--question"] {
                every_line_fits(&printed(columns, &["show", entry.name, flag]), columns, entry.name);
            }
        }
        for args in [
            &["list"][..],
            &["check", "what-cart"],
            &["run", "what-cart", "--explain", "--assume", "--details", "--charts"],
            &["run", "stiky-crash"],
            &["run", "sticky-crash", "--step"],
            &["run", "sticky-crash", "--set", "balancer.health.preset=a-name-that-nobody-has-given-to-anything"],
        ] {
            every_line_fits(&printed(columns, args), columns, &args.join(" "));
        }
    }
}

#[test]
fn before_the_class_predicts_it_sees_one_screen_without_answers() {
    for entry in library::all() {
        let loaded = load(entry.name, entry.name, entry.text, &[], &[]).expect(entry.name);
        for columns in [80, 100] {
            let shown = printed(columns, &["show", entry.name, "--no-spoilers"]);
            assert!(shown.lines().count() <= 30, "{shown}");
            assert!(!shown.contains('#') && !shown.contains("[[variants]]") && !shown.contains("Lesson"), "{shown}");
        }
        let question = printed(100, &["show", entry.name, "--question"]);
        let predict = loaded.base.predict.expect("a question");
        assert!(question.lines().count() < 12, "{question}");
        assert!(predict.choices.iter().all(|choice| question.contains(choice)), "{question}");
        assert!(!question.contains(&loaded.base.title), "{question}");
    }
}

#[test]
fn ascii_holds_for_every_command_and_format() {
    for args in [
        &["list"][..],
        &["show", "edge-workers"],
        &["check", "what-cart"],
        &["run", "sticky-crash", "--runs", "12", "--charts", "--details", "--assume", "--explain"],
        &["run", "what-cart", "--format", "csv"],
        &["run", "what-cart", "--format", "markdown"],
        &["run", "what-cart", "--set", "tïtle=1"],
        &["run", "nö-such-scenario"],
        &["--help"],
        &["run", "--help"],
        &["nö-such-command"],
        &["run", "what-cart", "--férmat", "json"],
        &["run", "what-cart", "--format", "jsön"],
    ] {
        let args = [&["--ascii"], args].concat();
        let text = printed(100, &args);
        assert!(text.is_ascii(), "{args:?}: {text}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("mine.toml");
    std::fs::write(&file, "title = 'é ± 数'\nduration = '5s'\nusers.count = 1\n").expect("a file");
    let file = file.to_str().expect("UTF-8");
    assert!(printed(100, &["run", file, "--ascii"]).is_ascii());
    let json = printed(100, &["run", file, "--ascii", "--format=json"]);
    let read: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert!(json.contains("\\u6570") && read.to_string().contains("é ± 数"), "{json}");
}

#[test]
fn a_teachers_pace_needs_a_terminal() {
    let error = printed(100, &["run", "sticky-crash", "--step"]);
    assert!(error.contains("--step waits for Enter after each part, and this is not a terminal"), "{error}");
    let error = printed(100, &["run", "sticky-crash", "--step", "--format", "json"]);
    assert!(error.contains("leave out --step, or --format"), "{error}");
}
