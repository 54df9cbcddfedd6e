//! Whoever writes a scenario: what the program writes to start from, and what it says about what was written.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// Exit code, standard output, standard error.
fn ran(args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_whatcart"));
    let output = command.args(args).env_remove("COLUMNS").output().expect("the program starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("not killed"), text(output.stdout), text(output.stderr))
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a place for files")
}

fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).to_str().expect("UTF-8").into()
}

/// What is wrong with claims and columns is told at once, as everything else in a file.
#[test]
fn all_wrong_claims_and_columns_are_told() {
    let folder = folder();
    let file = path(&folder, "wrong.toml");
    let text = "title = 'x'
duration = '20s'
lesson = 'It is {a third: carts.lots / carts.opnd}, and {some: carts.lost}.'
columns = ['lots', 'prise']
expect = [{ that = 'carts.lost' }, { that = 'lost_by.wipd > carts.opnd' }]";
    fs::write(&file, text).expect("written");
    let (code, _, errors) = ran(&["run", &file]);
    assert_eq!(code, 2);
    let told = [
        "no figure `carts.lots`",
        "no figure `carts.opnd`",
        "`some` is no quantity",
        "no column `lots`",
        "no column `prise`",
        "a comparison is missing",
        "no figure `lost_by.wipd`",
    ];
    assert!(told.iter().all(|told| errors.contains(told)), "{errors}");
    assert_eq!(errors.matches("no figure `carts.opnd`").count(), 2, "in the lesson and in a claim: {errors}");
}

/// Whatever the written scenario proposes is accepted.
#[test]
fn what_init_invites_is_accepted() {
    let folder = folder();
    let file = path(&folder, "mine.toml");
    ran(&["init", &file]);
    let text = fs::read_to_string(&file).expect("written");
    let value = |line: &str| line.split_once(" = ").is_some_and(|(key, _)| !key.trim_end().contains(' '));
    let proposed: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# ")).filter(|line| value(line)).collect();
    assert!(proposed.len() >= 8, "{text}");
    // One of two: users who stay, or visitors at a rate.
    let all = proposed.iter().filter(|line| !line.starts_with("rate "));
    let text = all.fold(text.clone(), |text, line| text.replace(&format!("# {line}"), line));
    fs::write(&file, text).expect("written");
    let (code, out, errors) = ran(&["check", &file]);
    assert_eq!(code, 0, "{out}{errors}");
    for other in ["{ cookie = '10m' }", "{ cookie = 'user' }", "none"] {
        let (code, _, errors) = ran(&["run", &file, "-q", "--set", &format!("balancer.affinity={other}")]);
        assert_eq!(code, 0, "{errors}");
    }
}

#[test]
fn init_writes_a_scenario_that_holds() {
    let folder = folder();
    let file = path(&folder, "mine.toml");
    let (code, out, _) = ran(&["init", &file]);
    assert_eq!(code, 0);
    assert!(out.contains("whatcart run"));
    let (code, out, errors) = ran(&["check", &file]);
    assert_eq!(code, 0, "{out}{errors}");
    assert!(out.contains("All 2 expectations hold."), "{out}");
}

/// The blocks of TOML on the page, each with the line before it.
fn blocks(page: &'static str) -> Vec<(&'static str, &'static str)> {
    let parts: Vec<&str> = page.split("```toml\n").collect();
    let before = |text: &'static str| text.trim_end().lines().last().unwrap_or_default();
    let block = |text: &'static str| text.split("```").next().unwrap_or_default();
    parts.windows(2).map(|pair| (before(pair[0]), block(pair[1]))).collect()
}

/// The page leads to one file, piece by piece: it holds, and every other piece can be read.
#[test]
fn the_page_on_writing_scenarios_shows_one_that_holds() {
    let blocks = blocks(include_str!("../../docs/writing-scenarios.md"));
    let ((_, whole), pieces) = blocks.split_last().expect("blocks");
    assert!(pieces.len() > 6);
    let folder = folder();
    for (number, (before, piece)) in pieces.iter().enumerate() {
        if *before != "<!-- instead -->" {
            assert!(whole.contains(piece), "not in the whole file:\n{piece}");
            continue;
        }
        let file = path(&folder, &format!("{number}.toml"));
        fs::write(&file, format!("title = 'x'\nduration = '2m'\n{piece}")).expect("written");
        let (code, _, errors) = ran(&["run", &file, "-q"]);
        assert_eq!((code, &*errors), (0, ""), "{piece}");
    }
    let file = path(&folder, "mine.toml");
    fs::write(&file, whole).expect("written");
    let (code, out, errors) = ran(&["check", &file, "--seeds", "20"]);
    assert_eq!((code, &*errors), (0, ""), "{out}");
    assert!(out.contains("All 6 expectations hold in 20 seeds."), "{out}");
    let (code, out, _) = ran(&["check", &file, "--seeds", "1"]);
    assert_eq!(code, 0, "{out}");
    fs::write(&file, whole.replace("seed     = 2", "seed     = 1")).expect("written");
    let (code, out, _) = ran(&["check", &file]);
    assert!(code == 1 && out.contains("it is 0.29"), "{out}");
}

/// What the file of `init` and its output lead to is there.
#[test]
fn init_leads_to_the_pages_and_to_the_schema() {
    let folder = folder();
    let file = path(&folder, "mine.toml");
    let (_, out, _) = ran(&["init", &file]);
    let text = fs::read_to_string(&file).expect("written");
    for told in [&out, &text] {
        for page in ["docs/writing-scenarios.md", "docs/reference.md"] {
            assert!(told.contains(page), "{told}");
            assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(page).exists(), "{page}");
        }
    }
    let named = text.lines().next().and_then(|line| line.strip_prefix("#:schema ./")).expect("a schema");
    assert!(out.contains(named), "{out}");
    let schema = fs::read_to_string(path(&folder, named)).expect("written beside it");
    assert_eq!(schema, ran(&["schema"]).1);
    let version = format!("\"$id\": \"urn:whatcart:scenario:{}\"", env!("CARGO_PKG_VERSION"));
    assert!(schema.contains(&version));
    fs::write(path(&folder, named), "mine").expect("written");
    assert_eq!(ran(&["init", &path(&folder, "other.toml")]).0, 0, "a second file needs no second schema");
    assert_eq!(fs::read_to_string(path(&folder, named)).expect("still there"), "mine");
}

/// A key without effect is told by every command that reads a scenario, and changes nothing else.
#[test]
fn warnings_go_to_standard_error() {
    let folder = folder();
    let file = path(&folder, "mine.toml");
    let text = "title = 'x'\nduration = '5s'\nusers.count = 3\n";
    fs::write(&file, text).expect("written");
    let quiet = ran(&["run", &file, "-q"]);
    fs::write(&file, format!("{text}store.latency = {{ constant = '2ms' }}\n")).expect("written");
    for args in [&["run", &file, "-q"][..], &["show", &file], &["check", &file]] {
        let (code, out, errors) = ran(args);
        assert_eq!(code, 0, "{errors}");
        assert!(errors.contains("warning: `store.latency` has no effect here"), "{errors}");
        assert!(errors.contains("mine.toml:4:30") && errors.contains("it needs something in the store"), "{errors}");
        assert!(args[0] != "run" || out == quiet.1, "{out}");
    }
    let (code, _, errors) = ran(&["run", "what-cart", "-q", "--set", "replication.copies=2"]);
    assert!(code == 0 && errors.contains("`replication` has no effect here"), "{errors}");
}

#[test]
fn keys_are_explained() {
    let (_, one, _) = ran(&["explain", "balancer.retries"]);
    assert!(one.contains("a whole number from 0 to 10; default 3 (HAProxy's default)"), "{one}");
    assert!(one.contains("example: retries = 1") && one.contains("needs requests that fail"), "{one}");
    let (_, both, _) = ran(&["explain", "drain"]);
    assert!(both.starts_with("drain   Before") && both.contains("\nautoscaler.drain   "), "{both}");
    let (_, all, _) = ran(&["explain", "--keys"]);
    assert!(all.contains("[balancer.health]\n") && all.contains("\n  journey "), "{all}");
    let (code, _, errors) = ran(&["explain", "jorney"]);
    assert!(code == 2 && errors.contains("did you mean `journey`?"), "{errors}");
}

/// What packages install: a man page and completions, printed one by one or written all at once.
#[test]
fn man_pages_and_completions_are_printed_or_written() {
    let folder = folder();
    let (code, page, errors) = ran(&["man"]);
    assert_eq!((code, &*errors), (0, ""));
    assert!(page.contains(".TH whatcart 1") && page.contains("whatcart\\-run(1)"), "{page}");
    let written = |command: &str| {
        let to = path(&folder, command);
        assert_eq!(ran(&[command, "--dir", &to]), (0, String::new(), String::new()));
        let mut names: Vec<String> = fs::read_dir(to)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
            .collect();
        names.sort();
        names.join(" ")
    };
    let pages = written("man");
    for name in ["whatcart.1", "whatcart-run.1", "whatcart-explain.1", "whatcart-check.1"] {
        assert!(pages.split(' ').any(|written| written == name), "{pages}");
    }
    assert_eq!(written("completions"), "_whatcart _whatcart.ps1 whatcart.bash whatcart.elv whatcart.fish");
    assert_eq!(ran(&["completions"]).0, 2);
}
