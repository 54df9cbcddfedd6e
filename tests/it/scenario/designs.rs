//! Designs: their numbers, what they do without, and what `--set` and `--vary` make of them.

use whatcart::scenario::{Loaded, Strategy, load};

const DEPLOY: &str = "title = 't'\nduration = '5m'\n[autoscaler]\nmax = 5\n[[faults]]\nname = 'the deploy'\nat = '1m'\n\
                      deploy = { surge = 1, drain = '30s' }\n[[faults]]\nname = 'the crash'\nat = '2m'\ncrash = 'server-1'\n\
                      [[variants]]\nname = 'rolling'\n[[variants]]\nname = 'blue-green'\n";

fn loaded(text: &str, set: &[&str], vary: &[&str]) -> Loaded {
    let owned = |arguments: &[&str]| arguments.iter().map(ToString::to_string).collect::<Vec<_>>();
    load("t", "t.toml", text, &owned(set), &owned(vary)).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(text: &str, set: &[&str], vary: &[&str]) -> String {
    let owned = |arguments: &[&str]| arguments.iter().map(ToString::to_string).collect::<Vec<_>>();
    let error = load("t", "t.toml", text, &owned(set), &owned(vary)).expect_err(text);
    format!("{error} | {}", error.help.as_deref().unwrap_or_default())
}

#[test]
fn a_design_can_do_without_what_the_others_have() {
    let patch = "faults.\"the deploy\".deploy.strategy = 'blue-green'\n\
                 without = ['faults.\"the deploy\".deploy.surge', 'faults.\"the crash\"', 'autoscaler']\n";
    let loaded = loaded(&format!("{DEPLOY}{patch}"), &[], &[]);
    let [rolling, blue_green] = [0, 1].map(|i| &loaded.variants[i].scenario);
    assert_eq!((rolling.faults.len(), blue_green.faults.len()), (2, 1));
    assert!(rolling.autoscaler.is_some() && blue_green.autoscaler.is_none());
    let deploy = format!("{:?}", blue_green.faults[0].what());
    assert!(deploy.contains(&format!("{:?}", Strategy::BlueGreen)) && deploy.contains("surge: None"), "{deploy}");
    // Without it, the same patch is refused.
    let told = refused(&format!("{DEPLOY}faults.\"the deploy\".deploy.strategy = 'blue-green'"), &[], &[]);
    assert!(told.contains("`surge` is for rolling deploys") && told.contains("`without`"), "{told}");
}

#[test]
fn only_a_variant_does_without() {
    let at_the_top = "title = 't'\nduration = '1m'\nwithout = ['servers']";
    assert!(refused(at_the_top, &[], &[]).contains("belongs in a `[[variants]]` table"));
    let deep = "title = 't'\nduration = '1m'\n[[variants]]\nname = 'a'\nservers.without = ['count']";
    assert!(refused(deep, &[], &[]).contains("unknown key `without`"));
    assert!(refused(DEPLOY, &["without=['autoscaler']"], &[]).contains("unknown key `without`"));
}

#[test]
fn designs_keep_their_numbers() {
    let numbers = |loaded: &Loaded| {
        loaded.variants.iter().map(|variant| format!("{} {}", variant.number, variant.name)).collect::<Vec<_>>()
    };
    assert_eq!(numbers(&loaded(DEPLOY, &[], &[])), ["1 rolling", "2 blue-green"]);
    let varied = loaded(DEPLOY, &[], &["servers.count=2,3", "seed=7"]);
    assert_eq!(
        numbers(&varied),
        [
            "1.1 rolling · count=2 · seed=7",
            "1.2 rolling · count=3 · seed=7",
            "2.1 blue-green · count=2 · seed=7",
            "2.2 blue-green · count=3 · seed=7"
        ]
    );
    let plain = loaded("title = 't'\nduration = '1m'", &[], &["servers.count=2,3"]);
    assert_eq!(numbers(&plain), ["1 count=2", "2 count=3"]);
}

#[test]
fn a_key_is_set_or_varied_once() {
    for (set, vary, told) in [
        (&["servers.count=2"][..], &["servers.count=3,4"][..], "--vary replaces what --set gives `servers.count`"),
        (&["users.think={ constant = \"1s\" }"], &["users.think.constant=1s,2s"], "--vary replaces what --set gives"),
        (&[], &["seed=1,2", "seed=3"], "`seed` is varied twice"),
    ] {
        let refused = refused(DEPLOY, set, vary);
        assert!(refused.contains(told) && refused.contains("keep one of them"), "{refused}");
    }
    loaded(DEPLOY, &["servers.count=3", "servers.count=4"], &["servers.workers=2,3"]);
}
