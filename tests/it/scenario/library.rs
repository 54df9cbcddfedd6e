//! The scenarios that come with the program.

use std::collections::BTreeSet;

use whatcart::scenario::{Loaded, library, load, prose};

fn shipped() -> Vec<Loaded> {
    let load = |entry: &library::Entry| {
        load(entry.name, &format!("{}.toml", entry.name), entry.text, &[], &[]).unwrap_or_else(|e| panic!("{e}"))
    };
    library::all().iter().map(load).collect()
}

#[test]
fn all_load_and_tell_their_whole_lesson() {
    for loaded in shipped() {
        let (name, base) = (&loaded.name, &loaded.base);
        assert!(base.title.chars().count() <= 80 && base.title.ends_with(['.', '?']), "{name}: {}", base.title);
        for (what, text) in [("question", &base.question), ("varies", &base.varies), ("lesson", &base.lesson)] {
            assert!(!text.is_empty(), "{name} has no {what}");
        }
        assert!((2..=8).contains(&loaded.variants.len()), "{name}: a table has two to eight rows");
        assert!(loaded.variants.iter().all(|variant| variant.name.chars().count() <= 32), "{name}: short names");
        assert!(base.expect.len() >= 3, "{name} claims too little");
        let claims = |text: &str| prose::parts(text).is_some_and(|parts| parts.len() > 1);
        let answer = base.predict.as_ref().map_or("", |predict| &predict.answer);
        for (what, text) in [("lesson", &*base.lesson), ("summary", &*base.summary), ("answer", answer)] {
            assert!(claims(text), "nothing in the {what} of {name} rests on a figure");
        }
        assert!(!loaded.patched);
    }
}

#[test]
fn each_leads_on_to_the_one_after_it() {
    let shipped = shipped();
    for (this, after) in shipped.iter().zip(shipped.iter().skip(1)) {
        assert_eq!(this.base.next.as_deref(), Some(after.name.as_str()), "{}", this.name);
    }
    assert_eq!(shipped.last().and_then(|last| last.base.next.as_deref()), None);
}

#[test]
fn names_are_unique_and_can_be_found() {
    let names: BTreeSet<_> = library::all().iter().map(|entry| entry.name).collect();
    assert_eq!(names.len(), library::all().len());
    assert!(names.iter().all(|name| library::find(name).is_some()));
    assert_eq!(library::find("stiky-crash"), None);
    assert_eq!(library::nearest("stiky-crash"), Some("sticky-crash"));
}

#[cfg(feature = "cli")]
mod schema {
    use serde_json::{Value, json};
    use whatcart::scenario::schema::schema;
    use whatcart::scenario::{library, load};

    fn parsed(text: &str) -> Value {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn accepts_every_shipped_scenario() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        for entry in library::all() {
            let errors: Vec<_> = validator.iter_errors(&parsed(entry.text)).map(|e| e.to_string()).collect();
            assert!(errors.is_empty(), "{}: {errors:?}", entry.name);
        }
    }

    #[test]
    fn agrees_with_the_reader_on_what_is_wrong() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        for (rest, good) in [
            ("", true),
            ("servers.count = 5", true),
            ("servrs.count = 5", false),
            ("servers.cuont = 5", false),
            ("servers.count = 0", false),
            ("closing = \"1m 30s\"", true),
            ("closing = 30", false),
            ("users.think.lognormal = { median = \"2s\" }", false),
            ("variants = [{ name = \"a\", servers.count = 5 }]", true),
            ("variants = [{ name = \"a\", users.think.lognormal.sigma = 2 }]", true),
            ("variants = [{ name = \"a\", faults.x.at = \"3s\" }]", true),
            ("variants = [{ name = \"a\", faults = [] }]", true),
            ("variants = [{ name = \"a\", faults = [{ name = \"x\" }] }]", false),
            ("variants = [{ name = \"a\", servers.cuont = 5 }]", false),
            ("variants = [{ name = \"a\", title = \"b\" }]", false),
            ("variants = [{ servers.count = 5 }]", false),
        ] {
            let text = format!("title = \"t\"\nduration = \"1m\"\n{rest}");
            assert_eq!(validator.is_valid(&parsed(&text)), good, "{rest}");
        }
    }

    /// One in a million is the minimum, both in the schema and in the reader.
    #[test]
    fn shares_and_rates_have_the_same_limits_as_for_the_reader() {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let shares = ["balancer.retry_budget", "balancer.panic_threshold", "balancer.outlier.at_most"];
        let regions = "regions = { names = [\"us\", \"eu\"], round_trip = { us-eu = \"80ms\" }, travellers =";
        let mut cases: Vec<(String, &str, bool)> = Vec::new();
        for (number, good) in [
            ("0", true),
            ("0.0", true),
            ("0.000001", true),
            ("0.0005", true),
            ("1", true),
            ("0.0000009", false),
            ("1.01", false),
        ] {
            cases.extend(shares.map(|key| (format!("{key} = {number}"), number, good)));
            cases.push((format!("{regions} {number} }}"), number, good));
        }
        for (number, good) in
            [("0", false), ("0.0000009", false), ("0.000001", true), ("1_000", true), ("1_000_001", false)]
        {
            cases.push((format!("users.rate = {number}"), number, good));
        }
        for (number, good) in [("0.0000009", false), ("0.000001", true), ("1", true)] {
            cases.push((
                format!("faults = [{{ at = \"1s\", failing = \"server-1\", rate = {number} }}]"),
                number,
                good,
            ));
            cases.push((format!("autoscaler = {{ max = 5, target = {number} }}"), number, good));
        }
        for (rest, number, good) in cases {
            let text = format!("title = \"t\"\nduration = \"1m\"\n{rest}");
            assert_eq!(validator.is_valid(&parsed(&text)), good, "{rest}");
            match load("t", "t.toml", &text, &[], &[]) {
                Ok(_) => assert!(good, "{rest}"),
                Err(error) => {
                    let told = error.to_string();
                    assert!(!good, "{rest}: {told}");
                    assert!(
                        !number.starts_with("0.0") || told.contains("at least 0.000001 (one in a million)"),
                        "{told}"
                    );
                }
            }
        }
    }

    #[test]
    fn explains_its_keys() {
        let schema = schema();
        assert_eq!(schema["properties"]["duration"]["description"], "How long the shop is open.");
        assert_eq!(schema["required"], json!(["title", "duration"]));
        assert_eq!(schema["additionalProperties"], json!(false));
        assert!(!schema.to_string().contains("\"null\""), "TOML has no null");
    }
}
