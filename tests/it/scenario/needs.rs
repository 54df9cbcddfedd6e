//! Keys without effect: each is warned of where it needs something that is not there, and only there.

use std::collections::BTreeSet;

use whatcart::scenario::needs::NEEDS;
use whatcart::scenario::{Loaded, ScenarioError, library, load};

const CRASH: &str = "[[faults]]\nat = '5s'\ncrash = 'server-1'";
const VANISH: &str = "[[faults]]\nat = '5s'\nvanish = 'server-1'";
const SERVERLESS: &str = "[serverless]";
const BROWSING: &str = "users.journey = ['login', 'browse']";
const UPLOADING: &str = "users.journey = ['login', 'upload']";
const STORED: &str = "homes.cart = 'shared-store'";
const APART: &str = "regions.names = ['here', 'there']\nregions.round_trip.others = '80ms'";

/// A key with a value; a scenario in which it has no effect; one in which it has.
const CASES: &[(&str, &str, &str)] = &[
    ("users.pause = '2s'", "users.patience = 0", ""),
    ("users.nat = 10", "balancer.policy = 'ip-hash'", "balancer.policy = 'ip-hash'\nbalancer.hash_on = 'address'"),
    ("servers.count = 4", SERVERLESS, ""),
    ("servers.workers = 5", SERVERLESS, ""),
    ("servers.queue = 5", SERVERLESS, ""),
    ("servers.weights = [5, 1]", "", "balancer.policy = 'maglev'"),
    ("servers.boot = '3s'", CRASH, "[[faults]]\nat = '5s'\nrestart = 'server-1'"),
    ("hidden.rate.limit = 3", "servers.hidden = 'cache'", "servers.hidden = 'rate-limiter'"),
    ("hidden.cache.ttl = '3s'", "", "servers.hidden = 'cache'"),
    ("balancer.policy = 'random'", SERVERLESS, ""),
    ("balancer.pinned_down = 'fail'", "", "balancer.affinity = { cookie = 'visit' }"),
    ("balancer.hash_on = 'user'", "", "balancer.policy = 'ring-hash'"),
    ("balancer.points = 100", "balancer.policy = 'maglev'", "balancer.policy = 'ring-hash'"),
    ("balancer.retries = 1", "", "balancer.answer_timeout = '5s'"),
    ("balancer.retry_budget = 0.2", "balancer.answer_timeout = '5s'\nbalancer.retries = 0", CRASH),
    ("balancer.connect_timeout = '1s'", CRASH, VANISH),
    ("balancer.health.timeout = '1s'", CRASH, VANISH),
    ("balancer.health.fall = 2", "[[faults]]\nat = '5s'\nslow = 'server-1'\nfactor = 2", CRASH),
    (
        "balancer.slow_start = '9s'",
        "balancer.policy = 'least-requests'",
        "balancer = { policy = 'least-requests', outlier = {} }",
    ),
    ("balancer.panic_threshold = 0.5", "", CRASH),
    ("homes.session = 'server-memory'", "users.journey = ['browse']", ""),
    ("homes.upload = 'local-disk'", "", UPLOADING),
    ("replication.copies = 2", "", "homes.cart = 'replicated-memory'"),
    ("store.latency = { constant = '2ms' }", "", "homes.session = 'shared-store'"),
    ("store.connections = 8", BROWSING, STORED),
    (
        "regions.store = 'there'",
        APART,
        "regions.names = ['here', 'there']\nregions.round_trip.others = '80ms'\nhomes.cart = 'shared-store'",
    ),
    ("store.update = 'atomic'", "homes.session = 'shared-store'", STORED),
    ("store.ttl = '10s'", "", STORED),
    ("store.memory = { carts = 9, when_full = 'evict' }", "", STORED),
    (
        "store.durability_window = '1s'",
        STORED,
        "homes.cart = 'shared-store'\n[[faults]]\nat = '5s'\nstore = 'failover'",
    ),
    ("store.lookups_per_add = 2", BROWSING, ""),
    ("objects.latency = { constant = '9ms' }", UPLOADING, "homes.upload = 'object-store'\nusers.journey = ['upload']"),
    ("tokens.lifetime = '5m'", "homes.session = 'server-memory'", ""),
    ("tokens.leeway = '5s'", "users.journey = ['browse', 'add', 'checkout']", "homes.cart = 'signed-token'"),
    ("tokens.refresh = true", "users.journey = ['browse']", ""),
    ("tokens.deny_list = true", "users.journey = ['browse']", ""),
    ("regions.servers = 'here'", "regions = { names = ['here'] }\nserverless = {}", "regions = { names = ['here'] }"),
    (
        "regions.routing = 'home-region'",
        APART,
        "regions.travellers = 0.1\nregions.names = ['here', 'there']\nregions.round_trip.others = '80ms'",
    ),
];

fn loaded(context: &str, set: &[&str]) -> Loaded {
    let text = format!("title = 't'\nduration = '1m'\n{context}\n");
    let set: Vec<String> = set.iter().map(|argument| (*argument).to_owned()).collect();
    load("t", "t", &text, &set, &[]).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn warnings(loaded: &Loaded) -> Vec<String> {
    loaded.warnings.iter().map(ToString::to_string).collect()
}

#[test]
fn every_need_is_a_warning_where_it_is_missing() {
    let mut covered = BTreeSet::new();
    for (key, unmet, met) in CASES {
        let path = key.split(" = ").next().expect("a key");
        let warned = |context: &str| {
            warnings(&loaded(context, &[key])).into_iter().find(|told| {
                let named = told.split('`').nth(1).expect("it names the key");
                path.strip_prefix(named).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        };
        let told = warned(unmet).unwrap_or_else(|| panic!("no warning of {key} in {unmet}"));
        assert!(told.contains("has no effect here"), "{told}");
        assert_eq!(warned(met), None, "{key} in {met}");
        covered.insert(told.split('`').nth(1).expect("a key").to_owned());
    }
    let needs = NEEDS.iter().flat_map(|need| need.keys.iter().map(|key| (*key).to_owned()));
    assert_eq!(covered, needs.collect(), "each is tried");
}

#[test]
fn a_warning_points_at_the_value_and_says_what_is_needed() {
    let text = "title = 't'\nduration = '1m'\n[store]\nlatency = { constant = '2ms' }\nttl = '9s'\n[[variants]]\nname = 'a'\n\
                [[variants]]\nname = 'b'\nstore.connections = 5\nhomes.session = 'shared-store'\n";
    let told = |text: &str| {
        let loaded = load("t", "t", text, &[], &[]).expect("nothing is wrong");
        let told = |warning: &ScenarioError| {
            let (line, _) = warning.place.as_ref().expect("a place").line_and_column();
            format!("{line}: {} {}", warning.message, warning.help.as_deref().unwrap_or_default())
        };
        loaded.warnings.iter().map(told).map(|told| told.chars().take(60).collect()).collect::<Vec<String>>()
    };
    let latency = "4: `store.latency` has no effect here it needs something in t";
    let ttl = "5: `store.ttl` has no effect here it needs carts in the stor";
    let connections = |line| format!("{line}: `store.connections` has no effect here it needs something in the store");
    let short = |text: String| text.chars().take(60).collect::<String>();
    assert_eq!(told(text), [ttl]);
    let nowhere = text.replace("homes.session = 'shared-store'\n", "");
    assert_eq!(told(&nowhere), [short(latency.into()), ttl.into(), short(connections(10))]);
    // Each design has its own values, and the first does without a store.
    let first =
        text.replace("store.connections = 5\n", "").replace("name = 'a'\n", "name = 'a'\nstore.connections = 5\n");
    assert_eq!(told(&first), [ttl.into(), short(connections(8))]);
}

#[test]
fn a_change_on_the_command_line_makes_no_mistake_of_the_file() {
    let text = "homes.cart = 'shared-store'\nstore.ttl = '9s'\nbalancer.health.fall = 2";
    assert_eq!(loaded(text, &[]).warnings.len(), 1);
    assert_eq!(warnings(&loaded(text, &["homes.cart=server-memory"])), Vec::<String>::new());
    let told = warnings(&loaded(text, &["users.nat=5"]));
    assert!(told.len() == 1 && told[0].starts_with("--set:") && told[0].contains("`users.nat`"), "{told:?}");
}

#[test]
fn the_scenarios_of_the_program_have_none() {
    for entry in library::all() {
        let loaded = load(entry.name, entry.name, entry.text, &[], &[]).expect(entry.name);
        assert_eq!(warnings(&loaded), Vec::<String>::new(), "{}", entry.name);
    }
}
