//! The program as its users meet it: exit codes, pipes, interrupts, files.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

fn whatcart(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_whatcart"));
    command.args(args).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").env_remove("COLUMNS");
    command
}

fn output(args: &[&str]) -> Output {
    whatcart(args).output().expect("the program starts")
}

/// Exit code, standard output, standard error.
fn ran(args: &[&str]) -> (i32, String, String) {
    let output = output(args);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code().expect("not killed"), text(output.stdout), text(output.stderr))
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a place for files")
}

fn path(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).to_str().expect("UTF-8").into()
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    names
}

/// A run longer than anybody would wait for, in many slices.
const LONG: [&str; 7] = ["run", "what-cart", "--set", "duration=20h", "--set", "users.count=2_000", "--format=json"];

#[test]
fn alone_it_tells_the_opening_story() {
    let (code, alone, errors) = ran(&[]);
    assert_eq!((code, &*errors), (0, ""));
    assert_eq!(alone, ran(&["run", "what-cart"]).1);
    for part in ["what-cart", "carts lost", "User ", "MISSING", "Lesson", "whatcart run grow"] {
        assert!(alone.contains(part), "{part}:\n{alone}");
    }
    assert!(!alone.contains('\u{1b}'), "no colour in a pipe");
    assert!(alone.lines().all(|line| line.chars().count() <= 100), "{alone}");
}

/// The lesson is about what this run shows, not about the scenario as it was written.
#[test]
fn a_changed_run_keeps_no_unchanged_lesson() {
    let lesson = |args: &[&str]| {
        let (code, text, errors) = ran(&[&["run", "sticky-crash"], args].concat());
        assert_eq!((code, &*errors), (0, ""));
        let (table, lesson) = text.split_once("\nLesson").expect("a lesson");
        (table.to_owned(), lesson.split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let (table, told) = lesson(&[]);
    assert!(!table.contains("Changed:") && told.contains("when a third of all open carts are lost"), "{told}");
    let (table, told) = lesson(&["--set", "servers.count=5"]);
    assert!(table.contains("\nChanged: servers.count=5\n") && !told.contains("a third"), "{table}{told}");
    assert!(told.contains("when 20 % of all open carts are lost"), "{told}");
    let (table, told) = lesson(&["--set", "faults=[]", "--seed", "7"]);
    assert!(table.contains("\nChanged: faults=[] · seed 7 instead of 270\n"), "{table}");
    assert!(!told.contains("the day the server dies") && told.contains("State survives"), "{told}");
    let (table, told) = lesson(&["--only", "2"]);
    assert!(table.contains("\nChanged: only 2\n"), "{table}");
    assert!(told.contains("a third") && !told.contains("State survives"), "{told}");
    let (table, told) = lesson(&["--set", "homes.cart=shared-store"]);
    assert!(table.contains("sticky, server memory, but") && told.contains("as it was written"), "{table}{told}");
}

/// Whose memory it was, and who gets most of the requests, is said in the words of the design.
#[test]
fn a_table_answers_its_title() {
    for (name, shown) in [
        ("serverless", "their items sit in another instance's memory"),
        ("edge-workers", "their last copy went with an instance"),
        ("sinkhole", "23/54/23 %"),
        ("zero-downtime-deploy", "0:30 the deploy, as each design says"),
        ("autoscale-in", "2:00 the rate of new visitors goes to 15 a second within 1 min"),
    ] {
        let (_, text, _) = ran(&["run", name]);
        assert!(text.contains(shown), "{text}");
    }
}

/// A story shows the design that its lesson is about, and the event that did the harm.
#[test]
fn a_story_shows_what_did_the_harm() {
    for (name, shown) in [
        ("what-cart", "looks at cart  server-3  \"What cart?\" Empty."),
        ("token-cart", "└ looks at cart  server-1  shows mug lamp pen"),
        ("token-cart", "mug lamp pen are back"),
        ("crash-recovery", "server-8 does not answer: the balancer tries another"),
        ("slow-server", "ok, after 9.2 s"),
        ("retry-storm", "The same user in design 3"),
        ("hash-resize", "server-5 is new and takes requests now"),
        ("store-eviction", "the full store has evicted this cart by now"),
        ("autoscale-in", "The same user in design 5"),
        ("sinkhole", "User 42, design 3"),
    ] {
        let (_, text, _) = ran(&["run", name]);
        assert!(text.contains(shown), "{text}");
    }
}

#[test]
fn words_are_explained() {
    let (code, text, _) = ran(&["explain", "X", "mean"]);
    assert_eq!(code, 0);
    assert!(text.starts_with("busiest x mean   How uneven the load is"), "{text}");
    let (_, text, _) = ran(&["explain", "cut", "off"]);
    assert!(text.contains("cut off   A server that the network") && text.contains("cut-offs   How often"), "{text}");
    let (code, text, _) = ran(&["explain", "of those open at the crash"]);
    assert_eq!(code, 0);
    assert!(text.starts_with("open   A cart is open"), "{text}");
    let (_, all, _) = ran(&["explain"]);
    assert!(all.contains("\nleeway ") && all.contains("\nwrong view "), "{all}");
    let (code, _, errors) = ran(&["explain", "jian"]);
    assert_eq!(code, 2);
    assert!(
        errors.contains("`jian` is neither a word of the output nor a key") && errors.contains("did you mean `Jain`?"),
        "{errors}"
    );
}

/// The words of a lesson are claims: one that the run does not bear out fails.
#[test]
fn a_lesson_that_is_not_so_fails() {
    let folder = folder();
    let file = path(&folder, "mine.toml");
    let text = |words: &str| {
        format!("title = 'x'\nduration = '20s'\nlesson = 'It loses {{{words}: carts.lost / carts.opened}}.'\n")
    };
    fs::write(&file, text("nearly all")).expect("written");
    assert_eq!(ran(&["check", &file]).0, 0);
    fs::write(&file, text("a third")).expect("written");
    let (code, out, _) = ran(&["check", &file]);
    assert_eq!(code, 1);
    assert!(out.contains("FAILED") && out.contains("\"a third\": carts.lost / carts.opened"), "{out}");
    fs::write(&file, text("a lot")).expect("written");
    let (code, _, errors) = ran(&["check", &file]);
    assert_eq!(code, 2);
    assert!(errors.contains("`a lot` is no quantity"), "{errors}");
}

/// For a claim that still numbers faults, the error gives their names.
#[test]
fn paths_of_the_first_schema_are_told_the_new_ones() {
    let folder = folder();
    let file = path(&folder, "old.toml");
    let claim = "[[expect]]\nthat = \"1 < faults.0.open_carts\"\n";
    fs::write(
        &file,
        format!("title = 'x'\nduration = '2m'\n[[faults]]\nname = 'the crash'\nat = '9s'\ncrash = 'server-2'\n{claim}"),
    )
    .expect("written");
    for command in ["check", "run"] {
        let (code, _, errors) = ran(&[command, &file]);
        assert_eq!(code, 2, "{errors}");
        for part in
            ["old.toml:8:", "`faults.0.open_carts` is a path of former versions", "`faults.\"the crash\".open_carts`"]
        {
            assert!(errors.contains(part), "{part}: {errors}");
        }
    }
}

#[test]
fn same_input_same_bytes() {
    let args = ["run", "sticky-crash", "--seed=7", "--runs=3", "--format=json"];
    let first = output(&args).stdout;
    let again = whatcart(&args).env("RAYON_NUM_THREADS", "1").output().expect("the program starts").stdout;
    assert!(first == again);
}

#[test]
fn bad_input_ends_with_2_and_says_what_to_do() {
    let folder = folder();
    fs::write(folder.path().join("bytes.toml"), b"title = \"\xff\"").expect("written");
    fs::write(folder.path().join("broken.toml"), "title = \"a\nduration = 1").expect("written");
    fs::write(folder.path().join("exists.toml"), "mine").expect("written");
    let claim = "title = \"a\"\nduration = \"1m\"\n[[expect]]\nthat = \"lost_by.wipd > 0\"\n";
    fs::write(folder.path().join("claim.toml"), claim).expect("written");
    fs::write(folder.path().join("silent.toml"), "title = \"a\"\nduration = \"1m\"\n").expect("written");
    let column = "title = \"a\"\nduration = \"1m\"\ncolumns = [\"lost\", \"bussy\"]\n";
    fs::write(folder.path().join("column.toml"), column).expect("written");
    let file = |name: &str| path(&folder, name);
    for (args, part) in [
        (vec!["run", &file("missing.toml")], "there is no file"),
        (vec!["run", "stickycrash"], "did you mean `sticky-crash`?"),
        (vec!["run", &path(&folder, ".")], "is a directory"),
        (vec!["run", &file("bytes.toml")], "not UTF-8"),
        (vec!["run", &file("broken.toml")], "broken.toml:1"),
        (vec!["run", &file("claim.toml")], "did you mean `lost_by.wiped`?"),
        (vec!["check", &file("claim.toml")], "claim.toml:4"),
        (vec!["run", &file("column.toml")], "did you mean `busy`?"),
        (vec!["show", "nothing-like-it"], "whatcart list"),
        (vec!["init", &file("exists.toml")], "nothing was overwritten"),
        (vec!["run", "sticky-crash", "--only", "stiky, server memory"], "did you mean `sticky, server memory`?"),
        (vec!["run", "sticky-crash", "--only", "5"], "has no design `5`"),
        (vec!["run", "sticky-crash", "--follow", "301"], "the users of this shop are 1 to 300"),
        (vec!["run", "sticky-crash", "--set", "servers.cuont=5"], "did you mean `count`?"),
        (vec!["run", "sticky-crash", "--runs", "0"], "1..=1000"),
        (vec!["run", "sticky-crash", "--runs", "1000000000"], "1..=1000"),
        (vec!["run", "sticky-crash", "--until-precise", "0"], "written as 5%, from 0.1% to 100%"),
        (vec!["run", &file("silent.toml"), "--predict"], "has no question to predict"),
        (vec!["run", "sticky-crash", "--set", "servers.count=5", "--predict"], "leave out --set, --vary"),
        (vec!["run", "sticky-crash", "--format", "xml"], "possible values"),
        (vec!["run", "sticky-crash", "--incomplete"], "add --format csv or --series FILE"),
        (vec!["fly"], "unrecognized subcommand"),
    ] {
        let (code, out, errors) = ran(&args);
        assert_eq!(code, 2, "{args:?}: {errors}");
        assert_eq!(out, "", "{args:?}");
        assert!(errors.contains(part), "{args:?}: {part} is not in\n{errors}");
    }
    assert_eq!(fs::read_to_string(folder.path().join("exists.toml")).expect("still there"), "mine");
}

#[test]
fn without_a_terminal_nobody_is_asked_and_nothing_is_answered() {
    let (code, out, errors) = ran(&["run", "what-cart", "--predict"]);
    assert_eq!((code, &*out), (2, ""));
    let errors = errors.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(errors.contains("there is nobody to ask") && errors.contains("show what-cart --no-spoilers"), "{errors}");
}

#[test]
fn two_outputs_need_two_files() {
    let folder = folder();
    let (one, same) = (path(&folder, "out.csv"), path(&folder, "./out.csv"));
    let (code, out, errors) = ran(&["run", "what-cart", "--format=csv", "-o", &one, "--series", &same]);
    assert_eq!((code, &*out), (2, ""));
    assert!(errors.contains("-o and --series name the same file"), "{errors}");
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_precision_that_is_never_reached_ends_at_a_thousand_runs() {
    let small = ["--only=2", "--set=users.count=3", "--set=duration=20s", "--until-precise=0.1%"];
    let (code, out, errors) = ran(&[&["run", "what-cart"], &small[..]].concat());
    assert_eq!(code, 0, "{errors}");
    assert!(out.contains("1,000 runs"), "{out}");
    assert!(errors.contains("0.1 % was not reached within the maximum of 1,000 runs"), "{errors}");
}

#[test]
fn what_cannot_be_written_is_known_before_the_run() {
    let folder = folder();
    let nowhere = path(&folder, "no/such/folder/out.json");
    let here = path(&folder, ".");
    for target in [&nowhere, &here] {
        for flag in ["-o", "--series"] {
            let long = [&LONG[..], &[flag, target]].concat();
            let (code, out, errors) = ran(&long);
            assert_eq!((code, &*out), (3, ""), "{errors}");
            assert!(errors.contains("cannot be written") || errors.contains("is a directory"), "{errors}");
        }
    }
    assert!(names(folder.path()).is_empty());
}

#[test]
fn files_appear_whole() {
    let folder = folder();
    let (out, series) = (path(&folder, "out.md"), path(&folder, "series.csv"));
    fs::write(&out, "old").expect("written");
    let (code, printed, errors) = ran(&["run", "sticky-crash", "--format=markdown", "-o", &out, "--series", &series]);
    assert_eq!((code, &*printed, &*errors), (0, "", ""));
    assert_eq!(names(folder.path()), ["out.md", "series.csv"]);
    let text = fs::read_to_string(&out).expect("written");
    assert!(text.starts_with("# sticky-crash") && text.contains("whatcart run sticky-crash --seed "), "{text}");
    assert!(fs::read_to_string(&series).expect("written").starts_with("variant,seed,from_s,"));
}

/// Users who do several steps at once, all of which fail and are retried after a pause.
#[test]
fn a_pause_of_all_is_no_defect() {
    let set = ["--only=3", "--set=users.count=1", "--set=users.timeout=30ms"];
    let (code, _, errors) = ran(&[&["run", "two-tabs"], &set[..]].concat());
    assert_eq!((code, &*errors), (0, ""));
    let folder = folder();
    let file = path(&folder, "refused.toml");
    let text = "title = \"a\"\nduration = \"1m\"\nseed = 3\nusers = { count = 2, journey = [[\"browse\", \"browse\"]] }\n\
                servers = { count = 1, workers = 1, queue = 0 }\n";
    fs::write(&file, text).expect("written");
    let (code, out, errors) = ran(&["run", &file, "--format=json"]);
    assert_eq!((code, &*errors), (0, ""));
    let read: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert!(read["variants"][0]["requests"]["refused"].as_u64() > Some(0), "{}", read["variants"][0]["requests"]);
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let mut child = whatcart(&["run", "sticky-crash", "--runs=40", "--format=json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut line = String::new();
    BufReader::with_capacity(16, child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!(line, "{\n");
    assert_eq!((ended.status.code(), &*String::from_utf8_lossy(&ended.stderr)), (Some(0), ""));
}

#[cfg(unix)]
#[test]
fn an_interrupt_prints_what_was_measured() {
    let child = whatcart(&LONG).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let id = child.id().to_string();
    // The handler is installed before the first slice. An earlier signal would end the program without results.
    let wait = Command::new("sleep").arg("1").status().expect("sleep");
    let sent = Command::new("kill").args(["-INT", &id]).status().expect("kill");
    assert!(wait.success() && sent.success());
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(130), "{}", String::from_utf8_lossy(&ended.stderr));
    let read: serde_json::Value = serde_json::from_slice(&ended.stdout).expect("whole JSON");
    assert_eq!(read["interrupted"], true);
    assert_eq!(read["runs"], serde_json::json!({"planned": 4, "complete": 0}));
    assert!(read["variants"][0]["cut_short_at_s"].as_f64() > Some(0.0) && read["variants"][0]["runs"] == 0);
    assert!(read["variants"][0]["requests"]["sent"].as_u64() > Some(0), "{}", read["variants"][0]["requests"]);
}

/// Whatever the moment of the interrupt, only complete runs count: the same as if exactly these had been asked for.
#[cfg(unix)]
#[test]
fn an_interrupted_series_has_the_figures_of_its_complete_runs() {
    let args = ["run", "sticky-crash", "--runs=1000", "--set=users.count=150", "--format=csv"];
    let child = whatcart(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let id = child.id().to_string();
    let wait = Command::new("sleep").arg("3").status().expect("sleep");
    let sent = Command::new("kill").args(["-INT", &id]).status().expect("kill");
    assert!(wait.success() && sent.success());
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!(ended.status.code(), Some(130), "{}", String::from_utf8_lossy(&ended.stderr));
    let text = String::from_utf8(ended.stdout).expect("UTF-8");
    let first = text.lines().next().expect("a line").replace(',', "");
    assert!(first.starts_with("# Interrupted: ") && first.contains(" of 4000 runs went to the end"), "{first}");
    let rows: Vec<&str> = text.lines().skip(2).collect();
    assert!(first.contains(&format!("Interrupted: {} of", rows.len())), "{first}: {} rows", rows.len());
    let counts: Vec<usize> = ["round robin, server memory", "sticky, server memory"]
        .map(|design| rows.iter().filter(|row| row.contains(design)).count())
        .into();
    assert!(counts[0].abs_diff(counts[1]) <= 64 && counts[1] > 0, "designs have about as many runs: {counts:?}");
    let whole = ran(&["run", "sticky-crash", "--runs=4", "--set=users.count=150", "--format=csv"]).1;
    let known: Vec<&str> = whole.lines().skip(1).collect();
    let same = known.iter().filter(|row| rows.contains(row)).count();
    assert!(same > 0, "the same rows as without an interrupt");
}

#[test]
fn check_fails_when_something_does_not_hold() {
    let folder = folder();
    let file = path(&folder, "wrong.toml");
    let text = "title = \"a\"\nduration = \"20s\"\n[[expect]]\nthat = \"carts.lost == 0\"\n[[expect]]\nthat = \"carts.opened > 0\"\n";
    fs::write(&file, text).expect("written");
    let (code, out, _) = ran(&["check", &file]);
    assert_eq!(code, 1);
    assert!(out.contains("FAILED") && out.contains("carts.lost == 0") && out.contains("carts.lost = "), "{out}");
    assert!(out.contains("1 of 2 expectations did not hold: wrong. ("), "{out}");
}

#[test]
fn check_compares_designs_and_takes_many_seeds() {
    let folder = folder();
    let file = path(&folder, "mine.toml");
    let claims = ["carts.lost < 0.5 * carts.lost[\"scattered\"]", "carts.lost == 0", "carts.opened == 0"];
    let expects = claims.map(|claim| format!("[[expect]]\nvariant = \"one\"\nthat = '{claim}'\n")).concat();
    let text = format!(
        "title = \"a\"\nduration = \"20s\"\nusers.count = 30\n[[variants]]\nname = \"scattered\"\n\
         [[variants]]\nname = \"one\"\nservers.count = 1\n{expects}"
    );
    fs::write(&file, &text).expect("written");
    let (code, out, errors) = ran(&["check", "--seeds=4", &file, "what-cart"]);
    assert_eq!(code, 1, "{out}{errors}");
    for part in ["carts.lost[\"scattered\"] = ", " to ", "fails in 4 of 4 seeds, as in seed 1: ", "in 4 seeds: mine. ("]
    {
        assert!(out.contains(part), "{part}:\n{out}");
    }
    assert!(out.lines().all(|line| line.chars().count() <= 100), "{out}");
    fs::write(&file, text.replace("[\"scattered", "[\"scatered")).expect("written");
    let (code, out, errors) = ran(&["check", &file]);
    assert_eq!((code, &*out), (2, ""));
    assert!(errors.contains("did you mean `scattered`?") && errors.contains("mine.toml:11"), "{errors}");
}

#[test]
fn show_can_keep_the_secret() {
    let (_, all, _) = ran(&["show", "sticky-crash"]);
    let (_, some, _) = ran(&["show", "sticky-crash", "--no-spoilers"]);
    assert!(all.contains("They moved it to the day") && all.contains("lost_by.wiped > 20"));
    assert!(!some.contains("They moved it to the day") && !some.contains("expect"), "{some}");
    assert!(!some.contains("[[variants]]") && some.contains("Question") && some.contains("Designs"));
}

#[test]
fn only_one_design_and_one_user() {
    let (code, out, errors) = ran(&["run", "sticky-crash", "--only", "2", "--follow", "17", "--color=always"]);
    assert_eq!(code, 0, "{errors}");
    assert!(out.contains("User 17, design 2") && out.contains('\u{1b}'), "{out}");
    assert!(out.contains("sticky, server memory") && !out.contains("round robin, signed token"), "{out}");
    let plain = whatcart(&["run", "sticky-crash"]).env("NO_COLOR", "1").output().expect("the program starts");
    assert!(!String::from_utf8_lossy(&plain.stdout).contains('\u{1b}'));
}

#[test]
fn only_one_design_in_every_size() {
    let sizes = |only: &str| ran(&["run", "sticky-crash", "--only", only, "--vary", "servers.count=2,5"]);
    let (code, out, errors) = sizes("sticky, server memory");
    assert_eq!(code, 0, "{errors}");
    // A number means the same design as without --vary.
    let rows = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.starts_with("Changed: ")).map(str::to_owned).collect()
    };
    assert_eq!(rows(&sizes("2").1), rows(&out));
    assert!(out.contains("\n2.1  sticky") && out.contains("\n2.2  sticky") && out.contains(", design 2.1"), "{out}");
    let (_, one, _) = sizes("2.2");
    assert!(!one.contains("· count=2") && one.contains("\n2.2  sticky"), "{one}");
    assert!(
        out.contains("· count=2") && out.contains("· count=5") && !out.contains("round robin, signed token"),
        "{out}"
    );
}

#[test]
fn changed_scenarios_need_not_hold() {
    let (code, out, _) =
        ran(&["run", "sticky-crash", "--set", "servers.count=1", "--set", "faults=[]", "--format=json"]);
    assert_eq!(code, 0);
    let read: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(read["expectations"], serde_json::json!([]));
}

#[test]
fn helps_editors_and_shells() {
    assert!(serde_json::from_str::<serde_json::Value>(&ran(&["schema"]).1).expect("JSON").is_object());
    assert!(ran(&["completions", "bash"]).1.contains("whatcart"));
    let (code, help, _) = ran(&["--help"]);
    assert_eq!(code, 0);
    assert!(help.contains("Examples:") && help.lines().all(|line| line.chars().count() <= 100), "{help}");
    for args in [&["--help"][..], &["run", "--help"]] {
        let help = ran(args).1.split_whitespace().collect::<Vec<_>>().join(" ");
        for code in
            ["Exit codes: 0 fine", "2 bad usage", "3 the run could not be done", "70 a defect", "130 interrupted"]
        {
            assert!(help.contains(code), "{code}: {help}");
        }
    }
    let (_, list, _) = ran(&["list"]);
    assert!(list.lines().all(|line| line.chars().count() <= 100) && list.contains("sticky-crash"), "{list}");
}
