//! How variants, `--set` and `--vary` are combined.

use whatcart::base::Step;
use whatcart::scenario::{AS_WRITTEN, Affinity, CookieLife, Loaded, PolicyName, load};

const BASE: &str = "title = \"t\"\nduration = \"1m\"\n";
const CRASH: &str = "faults = [{ name = \"the crash\", at = \"30s\", crash = \"server-2\" }]\n";

fn loaded(rest: &str, set: &[&str], vary: &[&str]) -> Loaded {
    let owned = |args: &[&str]| args.iter().map(ToString::to_string).collect::<Vec<_>>();
    load("t", "t.toml", &format!("{BASE}{rest}"), &owned(set), &owned(vary)).unwrap_or_else(|e| panic!("{e}"))
}

fn names(loaded: &Loaded) -> Vec<&str> {
    loaded.variants.iter().map(|variant| variant.name.as_str()).collect()
}

fn counts(loaded: &Loaded) -> Vec<u64> {
    loaded.variants.iter().map(|variant| variant.scenario.users.people().unwrap_or(0)).collect()
}

#[test]
fn without_variants_there_is_one() {
    let loaded = loaded("", &[], &[]);
    assert_eq!(names(&loaded), [AS_WRITTEN]);
    assert_eq!(loaded.variants[0].scenario, loaded.base);
}

#[test]
fn a_set_holds_in_every_variant_and_in_the_base() {
    let text = "[[variants]]\nname = \"a\"\n[[variants]]\nname = \"b\"\nusers.count = 7\n[[variants]]\nname = \"c\"\nusers.rate = 2\n";
    let loaded = loaded(text, &["users.count=50"], &[]);
    assert_eq!(counts(&loaded), [50, 50, 50]);
    assert_eq!(loaded.base.users.people(), Some(50));
    assert!(loaded.patched);
}

/// What differs between the file's designs is what their names tell.
#[test]
fn a_name_that_a_change_makes_untrue_says_so() {
    let text = "users.count = 9\n[[variants]]\nname = \"robin, memory\"\n[[variants]]\nname = \"random, store\"\n\
                homes.cart = \"shared-store\"\nbalancer.policy = \"random\"\n";
    let moved = loaded(text, &["homes.cart=shared-store"], &[]);
    assert_eq!(names(&moved), ["robin, memory, but cart=shared-store", "random, store"]);
    assert_eq!(names(&loaded(text, &["users.count=5"], &[])), ["robin, memory", "random, store"]);
    assert_eq!(names(&loaded(text, &["homes.cart=server-memory"], &[]))[0], "robin, memory", "as it was by default");
    let varied = loaded(text, &[], &["balancer.policy=random,least-requests"]);
    assert_eq!(
        names(&varied),
        [
            "robin, memory, but policy=random",
            "robin, memory, but policy=least-requests",
            "random, store · policy=random",
            "random, store, but policy=least-requests",
        ]
    );
}

#[test]
fn a_set_takes_every_kind_of_value() {
    let set = [
        "balancer.policy=random",
        "duration=45s",
        "balancer.affinity={ cookie = \"10m\" }",
        "users.journey=[\"add\", \"checkout\"]",
        "users.think.lognormal={ median = \"1s\", sigma = 1 }",
        "faults.\"the crash\".at=40s",
    ];
    let scenario = &loaded(CRASH, &set, &[]).variants[0].scenario;
    assert_eq!(scenario.balancer.policy, PolicyName::Random);
    assert_eq!(scenario.duration.get().to_string(), "45s");
    assert!(matches!(scenario.balancer.affinity, Affinity::Cookie(CookieLife::For(_))));
    assert_eq!(scenario.users.journey[..], [Step::Add, Step::Checkout]);
    assert_eq!(scenario.faults[0].at.get().to_string(), "40s");
}

#[test]
fn a_set_passes_by_variants_without_that_fault() {
    let text = format!("{CRASH}[[variants]]\nname = \"calm\"\nfaults = []\n[[variants]]\nname = \"crash\"\n");
    let loaded = loaded(&text, &["faults.\"the crash\".at=40s"], &[]);
    assert!(loaded.variants[0].scenario.faults.is_empty());
    assert_eq!(loaded.variants[1].scenario.faults[0].at.get().to_string(), "40s");
}

#[test]
fn a_vary_makes_the_variants_of_a_plain_scenario() {
    let loaded = loaded("", &[], &["users.count=50, 100"]);
    assert_eq!(names(&loaded), ["count=50", "count=100"]);
    assert_eq!(counts(&loaded), [50, 100]);
    assert_eq!(loaded.base.users.people(), Some(300));
}

#[test]
fn several_varies_multiply_the_variants() {
    let text = "[[variants]]\nname = \"a\"\n[[variants]]\nname = \"b\"\nbalancer.affinity.cookie = \"user\"\n";
    let loaded = loaded(text, &[], &["balancer.policy=random,round-robin", "users.count=5,6"]);
    let expected = [
        "a · policy=random · count=5",
        "a · policy=random · count=6",
        "a · policy=round-robin · count=5",
        "a · policy=round-robin · count=6",
        "b · policy=random · count=5",
        "b · policy=random · count=6",
        "b · policy=round-robin · count=5",
        "b · policy=round-robin · count=6",
    ];
    assert_eq!(names(&loaded), expected);
    assert_eq!(counts(&loaded), [5, 6, 5, 6, 5, 6, 5, 6]);
    assert_eq!(loaded.variants[0].scenario.balancer.policy, PolicyName::Random);
    assert_ne!(loaded.variants[7].scenario.balancer.affinity, Affinity::None);
}

#[test]
fn keys_that_end_alike_are_named_in_full() {
    let loaded = loaded("", &[], &["users.count=5", "servers.count=1,2"]);
    assert_eq!(names(&loaded), ["users.count=5 · servers.count=1", "users.count=5 · servers.count=2"]);
}

#[test]
fn values_that_are_tables_or_lists_vary_whole() {
    let loaded = loaded("", &[], &["balancer.affinity=none,{ cookie = \"visit\" }"]);
    assert_eq!(names(&loaded), ["affinity=none", "affinity={ cookie = \"visit\" }"]);
    assert_eq!(loaded.variants[1].scenario.balancer.affinity, Affinity::Cookie(CookieLife::Visit));
}

#[test]
fn later_stages_can_point_at_the_scenario() {
    let loaded = loaded("[[expect]]\nthat = \"carts.lots > 0\"\n", &[], &[]);
    let error = loaded.error_at("expect[0].that", "no figure is called `carts.lots`", None);
    assert_eq!(error.to_string(), "t.toml:4:8: no figure is called `carts.lots`");
    let error = loaded.error_at("expect[0].variant", "nearest place", None);
    assert_eq!(error.to_string(), "t.toml:3:1: nearest place");
}
