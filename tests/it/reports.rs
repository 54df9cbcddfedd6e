//! Reports to send (`--html`) and films for slides (`--film`): well-formed, without scripts and styles, small, the same
//! bytes each time, with the figures of the terminal, and with nothing from a scenario as markup.

use std::fs;
use std::process::{Command, Output};

use roxmltree::{Document, Node, ParsingOptions};
use tempfile::TempDir;

/// The limits that `.ci/run` holds all scenarios to.
const LARGEST_REPORT: usize = 200_000;
const LARGEST_FILM: usize = 300_000;

fn whatcart(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_whatcart")).args(args).output().expect("the program starts")
}

/// What a run writes: its output, its report and its film.
struct Written {
    printed: String,
    html: String,
    film: String,
}

fn written(args: &[&str]) -> Written {
    let folder = tempfile::tempdir().expect("a place for files");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (html, film) = (path("report.html"), path("film.svg"));
    let output = whatcart(&[&["run"], args, &["--html", &html, "--film", &film]].concat());
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    let read = |path: &str| fs::read_to_string(path).expect("it is written");
    Written { printed: String::from_utf8(output.stdout).expect("UTF-8"), html: read(&html), film: read(&film) }
}

fn parsed(text: &str) -> Document<'_> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

fn named<'a, 'i>(node: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    node.descendants().filter(move |node| node.tag_name().name() == name)
}

fn text(node: Node) -> String {
    let all: String = node.descendants().filter(Node::is_text).filter_map(|node| node.text()).collect();
    all.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Nothing runs, nothing is styled, nothing is loaded, and nothing is named twice.
fn is_inert(document: &Document) {
    let mut ids = std::collections::BTreeSet::new();
    for node in document.descendants().filter(Node::is_element) {
        let name = node.tag_name().name();
        assert!(!["script", "style", "link", "iframe", "object", "image", "img", "a"].contains(&name), "{name}");
        for attribute in node.attributes() {
            let (key, value) = (attribute.name(), attribute.value());
            assert!(!key.starts_with("on") && !["style", "class", "src"].contains(&key), "{name} {key}={value}");
            assert!(key != "href" || value.starts_with('#'), "{name} {key}={value}");
            assert!(!value.contains("data:") && !value.contains("url("), "{name} {key}={value}");
            assert!(key != "id" || ids.insert(value), "{value} is there twice");
        }
    }
    for node in document.descendants() {
        for part in node.attribute("aria-labelledby").unwrap_or_default().split_whitespace() {
            assert!(ids.contains(part), "there is no {part}");
        }
        if let Some(shape) = node.attribute("href") {
            assert!(ids.contains(shape.trim_start_matches('#')), "there is no {shape}");
        }
    }
}

#[test]
fn a_report_has_the_figures_of_the_terminal_and_says_where_they_come_from() {
    let Written { printed, html, film } = written(&["sticky-crash"]);
    let document = parsed(&html);
    is_inert(&document);
    let headings: Vec<String> = named(document.root(), "h2").map(text).collect();
    let wanted = [
        "Results",
        "Over time",
        "The story of user 42",
        "The same as sequence diagrams",
        "Lesson",
        "Assumptions",
        "To repeat it",
    ];
    assert_eq!(headings, wanted);
    let table = named(document.root(), "table").next().expect("a table");
    let rows: Vec<Vec<String>> =
        named(table, "tr").map(|row| row.children().filter(Node::is_element).map(text).collect()).collect();
    assert_eq!(rows.len(), 5);
    for row in &rows[1..] {
        let line = printed.lines().find(|line| line.starts_with(&format!("{}  {}", row[0], row[1])));
        let line = line.unwrap_or_else(|| panic!("{row:?}\n{printed}"));
        let told = line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(row.join(" ").replace(['(', ')'], ""), told, "{printed}");
    }
    let all = text(document.root());
    for part in [
        "At 0:30 server-2 dies",
        "0:30 server-2 crashes",
        "HAProxy's default",
        "house setting",
        "a third of all open carts",
    ] {
        assert!(all.contains(part), "{part}");
    }
    assert!(named(document.root(), "svg").count() > 20, "charts, frames and diagrams");
    is_inert(&parsed(&film));
}

#[test]
fn the_command_and_the_digest_in_a_report_are_true() {
    let Written { html, .. } = written(&["what-cart", "--set", "users.count=30"]);
    let document = parsed(&html);
    let codes: Vec<String> = named(document.root(), "code").map(text).collect();
    let [command, digest] = &codes[..] else { panic!("{codes:?}") };
    let arguments: Vec<&str> = command.split(' ').skip(1).chain(["--format", "json"]).collect();
    let json: serde_json::Value = serde_json::from_slice(&whatcart(&arguments).stdout).expect("JSON");
    assert_eq!(json["digest"], **digest);
}

#[test]
fn every_frame_has_a_name_and_the_crash_is_in_the_story() {
    let Written { html, film, .. } = written(&["sticky-crash"]);
    let document = parsed(&html);
    let pictures = named(document.root(), "svg").filter(|svg| svg.attribute("role") == Some("img"));
    let titles: Vec<String> = pictures.map(|svg| text(named(svg, "title").next().expect("a title"))).collect();
    assert!(titles.iter().all(|title| !title.is_empty()), "{titles:?}");
    for wanted in [
        "0:30.0 server-2 crashes: 49 open carts gone, this one too",
        "0:30.9 user 42 adds pen. server-1 answers: \"What cart?\" New one. It sees in the cart: pen. The user has put in: mug lamp pen.",
        "Sequence diagram of user 42 in design 4, round robin, shared store",
    ] {
        assert!(titles.iter().any(|title| title == wanted), "{wanted}: {titles:#?}");
    }
    let document = parsed(&film);
    let told = text(named(document.root(), "desc").next().expect("a description"));
    assert!(
        told.contains("Design 2, sticky, server memory: ") && told.contains("Design 4, round robin, shared store: ")
    );
    let animated = named(document.root(), "animate").count();
    assert!(animated > 10 && named(document.root(), "animateMotion").count() >= 4, "{animated}");
    for node in document.descendants().filter(|node| node.attribute("keyTimes").is_some()) {
        let times: Vec<f64> = node
            .attribute("keyTimes")
            .unwrap_or_default()
            .split(';')
            .map(|time| time.parse().expect("a share"))
            .collect();
        let values = node.attribute("values").or(node.attribute("keyPoints")).unwrap_or_default();
        assert_eq!(times.len(), values.split(';').count(), "{node:?}");
        assert!(times[0] == 0.0 && times.is_sorted() && times.iter().all(|time| *time <= 1.0), "{times:?}");
        assert_eq!(node.attribute("repeatCount"), Some("indefinite"));
    }
}

/// Where nothing moves, each design shows one line of its story, and the first the one in which something goes wrong.
#[test]
fn a_film_that_stands_still_shows_the_moment_that_matters() {
    let Written { film, .. } = written(&["sticky-crash"]);
    let document = parsed(&film);
    let hidden = |node: &Node| node.ancestors().any(|node| node.attribute("display") == Some("none"));
    let shown: Vec<String> = named(document.root(), "text").filter(|node| !hidden(node)).map(text).collect();
    for wanted in ["0:30.9 adds pen", "\"What cart?\" New one.", "ok", "sticky, server memory"] {
        assert!(shown.iter().any(|line| line == wanted), "{wanted}: {shown:?}");
    }
    assert!(!shown.iter().any(|line| line.contains("charged")), "{shown:?}");
}

#[test]
fn texts_of_a_scenario_are_never_markup() {
    let folder = tempfile::tempdir().expect("a place for files");
    let hostile = r#"<script>alert(1)</script>&amp;\"'><img src=x onerror=alert(2)>"#;
    let scenario = format!(
        r#"
title = "</title>{hostile}"
question = "{hostile}"
varies = "{hostile}"
lesson = "{hostile}"
duration = "40s"
users = {{ count = 60 }}
faults = [{{ at = "20s", crash = "server-2", name = "{hostile}" }}]
variants = [{{ name = "one {hostile}", balancer.affinity = {{ cookie = "visit" }} }}, {{ name = "two {hostile}", homes.cart = "shared-store" }}]
"#
    );
    let file = folder.path().join("<b>hostile.toml");
    fs::write(&file, scenario).expect("written");
    let file = file.to_str().expect("UTF-8");
    let Written { html, film, .. } = written(&[file, "--set", "users.count=61"]);
    for written in [&html, &film] {
        assert!(!written.contains("<script") && !written.contains("<img"), "{written}");
        is_inert(&parsed(written));
    }
    let document = parsed(&html);
    assert!(text(document.root()).contains("one <script>alert(1)</script>&amp;\"'><img src=x onerror=alert(2)>"));
}

#[test]
fn the_same_run_gives_the_same_bytes_and_ascii_means_the_same() {
    let args = ["deploy-drain", "--only", "1", "--only", "2", "--set", "users.count=60"];
    let (one, two) = (written(&args), written(&args));
    assert!(one.html == two.html && one.film == two.film);
    let plain = written(&[&args[..], &["--ascii"]].concat());
    assert!(plain.html.is_ascii() && plain.film.is_ascii());
    assert_eq!(text(parsed(&plain.html).root()), text(parsed(&one.html).root()));
    assert_eq!(text(parsed(&plain.film).root()), text(parsed(&one.film).root()));
}

#[test]
fn several_runs_and_several_values_have_reports_too() {
    let Written { printed, html, .. } = written(&[
        "sticky-crash",
        "--set",
        "users.count=60",
        "--vary",
        "servers.count=2,3",
        "--only",
        "2",
        "--runs",
        "3",
    ]);
    let document = parsed(&html);
    is_inert(&document);
    let all = text(document.root());
    assert!(all.contains("2.1") && all.contains("3 runs") && all.contains("±"), "{all}");
    assert!(all.contains("This is the first run of each."), "{all}");
    assert!(printed.contains("3 runs"));
}

#[test]
fn one_design_alone_has_a_film_of_its_own() {
    let Written { film, .. } = written(&["what-cart", "--only", "2", "--set", "users.count=30"]);
    let document = parsed(&film);
    let told = text(named(document.root(), "desc").next().expect("a description"));
    assert!(told.starts_with("Design 2, ") && !told.contains("Design 1"), "{told}");
}

#[test]
fn no_file_is_written_twice() {
    let folder = TempDir::new().expect("a place for files");
    let same = folder.path().join("same").to_str().expect("UTF-8").to_owned();
    for [one, other] in [["-o", "--html"], ["--series", "--html"], ["--html", "--film"], ["-o", "--film"]] {
        let output = whatcart(&["run", "what-cart", one, &same, other, &same]);
        let told = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(&format!("{one} and {other} name the same file")), "{told}");
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

/// The scenarios that a debug build plays quickly, as they are written. `.ci/run` measures all of them.
#[test]
fn reports_and_films_are_small() {
    for name in ["what-cart", "sticky-crash", "two-tabs", "store-outage", "uploads"] {
        let Written { html, film, .. } = written(&[name, "--quiet"]);
        assert!(html.len() < LARGEST_REPORT, "{name}: {}", html.len());
        assert!(film.len() < LARGEST_FILM, "{name}: {}", film.len());
        is_inert(&parsed(&html));
        is_inert(&parsed(&film));
    }
}

/// Real requests leave a history too. Whether this machine keeps up is not the question here.
#[test]
fn real_runs_have_stories_too() {
    let folder = TempDir::new().expect("a place for files");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (html, film) = (path("report.html"), path("film.svg"));
    let real = ["run", "what-cart", "--engine", "http", "--speed", "20", "--only", "2"];
    let small = ["--set", "users.count=8", "--set", "duration=20s", "--html", &html, "--film", &film];
    let output = whatcart(&[&real[..], &small].concat());
    assert!(matches!(output.status.code(), Some(0 | 3)), "{}", String::from_utf8_lossy(&output.stderr));
    let (html, film) = (fs::read_to_string(html).expect("written"), fs::read_to_string(film).expect("written"));
    let all = text(parsed(&html).root());
    assert!(all.contains("real requests on this machine") && all.contains("The story of user "), "{all}");
    assert!(!all.contains("digest"), "{all}");
    is_inert(&parsed(&film));
}
