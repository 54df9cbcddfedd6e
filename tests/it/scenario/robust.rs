//! No text makes the reader panic or hang.

use proptest::prelude::*;
use whatcart::scenario::{ScenarioError, library, load};

fn loads_or_says_why(text: &str, set: &[String], vary: &[String]) {
    match load("t", "t.toml", text, set, vary) {
        Ok(loaded) => assert!((1..=64).contains(&loaded.variants.len())),
        Err(error) => shown(&error),
    }
}

fn shown(error: &ScenarioError) {
    let line = error.to_string();
    assert!(!error.message.is_empty() && !line.contains(char::is_control), "{line:?}");
    #[cfg(feature = "cli")]
    assert!(error.draw(true, 100).len() >= error.draw(false, 100).len());
}

/// A shipped scenario with part of its text removed or replaced.
fn mutated() -> impl Strategy<Value = String> {
    let scraps = prop::sample::select(vec![
        "",
        "\"",
        "=",
        "[",
        "]",
        "[[",
        "{",
        "}",
        "\n",
        "-1",
        "0",
        "nan",
        "1e400",
        "99999999999999999999",
        "true",
        "µ",
        "\u{feff}",
        "\"\"\"",
        "name = 1\n",
        "[variants]\n",
        "[[faults]]\n",
        "at = \"3s\"\n",
        "# ",
        "\r",
        "\0",
        "1979-05-27",
        "a.b.c = 1\n",
    ]);
    let entries = prop::sample::select(library::all());
    (entries, prop::collection::vec((any::<prop::sample::Index>(), 0_usize..40, scraps), 1..4)).prop_map(
        |(entry, cuts)| {
            let mut chars: Vec<char> = entry.text.chars().collect();
            for (at, length, scrap) in cuts {
                let at = at.index(chars.len().max(1)).min(chars.len());
                let end = (at + length).min(chars.len());
                chars.splice(at..end, scrap.chars());
            }
            chars.into_iter().collect()
        },
    )
}

/// Arguments that resemble valid ones.
fn argument() -> impl Strategy<Value = String> {
    let keys = prop::sample::select(vec![
        "users.count",
        "users",
        "faults",
        "faults.\"the crash\".at",
        "balancer.affinity",
        "title",
        "a b",
        "",
        "variants",
        "seed",
    ]);
    let values = prop::sample::select(vec![
        "1",
        "1,2",
        "",
        ",",
        "{ a = 1 }",
        "{",
        "\"",
        "'a,b'",
        "[1,2],3",
        "30s,40s",
        "nan",
        "é",
    ]);
    prop_oneof![3 => (keys, values).prop_map(|(key, value)| format!("{key}={value}")), 1 => ".{0,20}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_text(text in ".{0,200}") {
        loads_or_says_why(&text, &[], &[]);
    }

    #[test]
    fn shipped_scenarios_gone_wrong(text in mutated()) {
        loads_or_says_why(&text, &[], &[]);
    }

    #[test]
    fn any_arguments(set in prop::collection::vec(argument(), 0..3), vary in prop::collection::vec(argument(), 0..3)) {
        let entry = library::find("sticky-crash").unwrap();
        loads_or_says_why(entry.text, &set, &vary);
    }
}

#[test]
fn deep_nesting_is_an_error() {
    for (deep, why) in [
        ("a.".repeat(200_000) + "b = 1", "t.toml:1:1: broken TOML: recursion limit"),
        (format!("[{}b]", "a.".repeat(200_000)), "t.toml:1:1: broken TOML: recursion limit"),
        ("x = ".to_owned() + &"[".repeat(200_000), "t.toml:1:85: broken TOML: cannot recurse further"),
    ] {
        let error = load("t", "t.toml", &deep, &[], &[]).unwrap_err().to_string();
        assert!(error.starts_with(why), "{error:.200}");
        let set = std::slice::from_ref(&deep);
        let error = load("t", "t.toml", "title=\"t\"\nduration=\"1m\"", set, &[]).unwrap_err().to_string();
        assert!(error.starts_with("--set:1:"), "{error:.200}");
    }
}

#[test]
fn a_long_file_is_read_quickly() {
    let fault = "[[faults]]\nat = \"1s\"\ncrash = \"server-1\"\n";
    let text = format!("title = \"t\"\nduration = \"1m\"\n{}", fault.repeat(20_000));
    let error = load("t", "t.toml", &text, &[], &[]).unwrap_err();
    assert_eq!(error.to_string(), "t.toml:3:1: 20,000 faults are too many: at most 1,000");
    let keys = (0..50_000).map(|i| format!("k{i} = 1")).collect::<Vec<_>>().join("\n");
    let text = format!("title = \"t\"\nduration = \"1m\"\n[[variants]]\nname = \"a\"\n[variants.users]\n{keys}");
    let error = load("t", "t.toml", &text, &[], &[]).unwrap_err();
    assert_eq!(error.to_string(), "t.toml:6:1: unknown key `k0`");
}
