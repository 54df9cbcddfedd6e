//! What people usually mean by a word or a value that a scenario does not know: words of other products, and shapes that
//! a table could have had. Each names what to write instead.

use super::FaultKind;
use super::broken::LISTS_OF_TABLES;
use super::nearest::{listed, nearest};
use super::tree::Value;

/// A word from elsewhere, a known word of the place where it was found, and what to write instead.
type Meant = (&'static [&'static str], &'static str, &'static str);

const WORDS: &[Meant] = &[
    // Distributions.
    (
        &["normal", "gaussian", "gauss"],
        "lognormal",
        "no time is negative, so there is no normal distribution: write { lognormal = { median = \"2s\", sigma = 0.5 } }, or { uniform = { from = \"1s\", to = \"3s\" } }",
    ),
    (&["poisson", "random", "exp"], "exponential", "write { exponential = \"2s\" }: memoryless, with this mean"),
    (&["fixed", "const", "always", "value"], "constant", "write { constant = \"2s\" }"),
    (&["mean", "average", "mu"], "sigma", "give the `median`: mean = median x exp(sigma x sigma / 2)"),
    (
        &["std", "stddev", "sd", "deviation"],
        "sigma",
        "`sigma` is the standard deviation of the logarithm, often 0.5 to 1",
    ),
    (&["min", "low", "lower"], "from", "write { uniform = { from = \"1s\", to = \"3s\" } }"),
    (&["max", "high", "upper"], "from", "write { uniform = { from = \"1s\", to = \"3s\" } }"),
    // Policies, and where state lives.
    (
        &["least-connections", "least-conn", "leastconn", "least-outstanding"],
        "least-requests",
        "write \"least-requests\"",
    ),
    (&["p2c", "two-choices", "power-of-two-choices"], "power-of-two", "write \"power-of-two\""),
    (&["hash", "consistent-hash", "consistent", "ketama"], "ring-hash", "write \"ring-hash\""),
    (&["source", "source-ip", "ip"], "ip-hash", "write \"ip-hash\", and `hash_on = \"address\"` to hash addresses"),
    (&["sticky", "cookie"], "round-robin", "keep a policy, and write `affinity = { cookie = \"visit\" }` beside it"),
    (&["redis", "database", "db", "store", "memcached"], "shared-store", "write \"shared-store\""),
    (&["jwt", "token", "cookie"], "signed-token", "write \"signed-token\""),
    (&["memory", "local", "server", "in-memory"], "server-memory", "write \"server-memory\""),
    (&["disk", "file", "filesystem"], "local-disk", "write \"local-disk\""),
    (&["s3", "bucket", "blob"], "object-store", "write \"object-store\""),
    (&["aws", "elb", "target-group"], "alb", "write \"alb\""),
    (&["k8s", "readiness"], "kubernetes", "write \"kubernetes\""),
    (&["canary"], "blue-green", "a part of the pool at a time is \"rolling\""),
    (&["recreate", "big-bang"], "all-at-once", "write \"all-at-once\""),
    (&["lru", "allkeys-lru"], "evict", "write \"evict\""),
    (&["noeviction", "error"], "refuse", "write \"refuse\""),
    // Steps of a visit.
    (&["buy", "pay", "order", "purchase"], "checkout", "write \"checkout\""),
    (&["search", "get", "home", "page"], "browse", "write \"browse\""),
    (&["signin", "sign-in"], "login", "write \"login\""),
    (&["cart", "show"], "view", "write \"view\""),
    // Keys.
    (
        &["kind", "type", "what", "server", "target", "action", "event"],
        "crash",
        "the kind of a fault is its key: `crash = \"server-2\"`",
    ),
    (&["kill", "die", "fail"], "crash", "write `crash = \"server-2\"`"),
    (&["time", "when", "start"], "crash", "write `at = \"30s\"`"),
    (&["duration", "lasts", "length"], "crash", "write `for = \"10s\"`"),
    (&["replicas", "instances", "number", "size"], "workers", "write `count = 3`"),
    (&["threads", "concurrency", "parallel"], "workers", "write `workers = 4`"),
    (&["latency", "work", "cpu"], "workers", "write `service = { exponential = \"20ms\" }`"),
    (&["number", "people", "visitors"], "journey", "write `count = 300`, or `rate = 20` for new visitors a second"),
    (&["steps", "flow"], "journey", "write `journey = [\"login\", \"add\", \"checkout\"]`"),
    (&["algorithm", "method", "strategy"], "policy", "write `policy = \"round-robin\"`"),
    (&["sticky", "cookie", "session", "stickiness"], "policy", "write `affinity = { cookie = \"visit\" }`"),
    (&["health_check", "checks", "check"], "policy", "write `health = { interval = \"2s\" }`"),
    (&["max_surge", "maxsurge"], "surge", "write `surge = 1`"),
    (&["max_unavailable", "maxunavailable"], "surge", "write `unavailable = 1`"),
    (&["size", "max", "limit"], "when_full", "write `carts = 1_000`"),
    (&["login", "user"], "session", "write `session = \"shared-store\"`"),
    (&["file", "files"], "session", "write `upload = \"object-store\"`"),
    (&["claim", "expression", "assert"], "that", "write `that = \"carts.lost == 0\"`"),
    (&["design", "name"], "that", "write `variant = \"…\"`, the name of a design"),
    (&["down", "dead", "crash"], "failover", "write \"outage\""),
    (&["name"], "title", "write `title = \"…\"`"),
    (&["without"], "title", "`without` belongs in a `[[variants]]` table: what this design does without"),
];

/// What to write for a word that is known elsewhere, at a place that knows the word `beside`.
pub(super) fn meant(word: &str, beside: &str) -> Option<String> {
    among(word, &[beside])
}

fn among(word: &str, known: &[&str]) -> Option<String> {
    let word = word.to_lowercase().replace([' ', '_'], "-");
    let is_it = |words: &[&str]| words.iter().any(|one| one.replace('_', "-") == word);
    let found = WORDS.iter().find(|(words, beside, _)| is_it(words) && known.contains(beside));
    found.map(|(_, _, help)| (*help).to_owned())
}

/// Help for a key that is not known here: the word that it stands for, the table that it belongs in, or all keys.
pub(super) fn key(found: &str, known: &[&str]) -> String {
    among(found, known)
        .or_else(|| nearest(found, known.iter().copied()).map(|near| format!("did you mean `{near}`?")))
        .or_else(|| elsewhere(found))
        .unwrap_or_else(|| listed("the keys here are", known.iter().copied()))
}

/// Help for a choice that there is not.
pub(super) fn choice(found: &str, known: &[&str]) -> String {
    among(found, known)
        .or_else(|| nearest(found, known.iter().copied()).map(|near| format!("did you mean `{near}`?")))
        .unwrap_or_else(|| listed("choose one of", known.iter().copied()))
}

/// Where this key belongs, if that is clear.
fn elsewhere(key: &str) -> Option<String> {
    const MOST: usize = 3;
    #[cfg(feature = "cli")]
    let tables = super::reference::tables_with(key);
    #[cfg(not(feature = "cli"))]
    let tables: Vec<String> = Vec::new();
    let text = crate::base::words::listed(&tables).replace(" and ", " or ");
    (1..=MOST).contains(&tables.len()).then(|| format!("`{key}` belongs in {text}"))
}

/// An example of a key's value.
pub(super) fn value_of(key: &str) -> &'static str {
    VALUES.iter().find(|(known, _)| *known == key).map_or("…", |(_, value)| value)
}

const VALUES: &[(&str, &str)] = &[
    ("title", "\"…\""),
    ("duration", "\"2m\""),
    ("at", "\"30s\""),
    ("cookie", "\"visit\""),
    ("constant", "\"2s\""),
    ("exponential", "\"2s\""),
    ("lognormal", "{ median = \"2s\", sigma = 1.0 }"),
    ("uniform", "{ from = \"1s\", to = \"3s\" }"),
    ("median", "\"2s\""),
    ("sigma", "1.0"),
    ("from", "\"1s\""),
    ("carts", "1_000"),
    ("when_full", "\"evict\""),
    ("names", "[\"us-east\", \"frankfurt\"]"),
    ("that", "\"carts.lost == 0\""),
    ("ask", "\"…\""),
    ("choices", "[\"none\", \"about 50\"]"),
    ("answer", "\"…\", one of the choices"),
    ("why", "\"…\""),
    ("max", "12"),
    ("how", "\"big-bang\""),
    ("heavy", "{ count = 1, activity = 12 }"),
    ("health", "{ preset = \"alb\" }"),
    ("outlier", "{ consecutive = 5 }"),
    ("memory", "{ carts = 1_000, when_full = \"evict\" }"),
    ("affinity", "{ cookie = \"visit\" }"),
    ("deploy", "{ strategy = \"rolling\", drain = \"30s\" }"),
    ("join", "{ to = 600, over = \"30s\" }"),
    ("autoscaler", "{ min = 2, max = 12, target = 0.6 }"),
    ("migration", "{ at = \"1m\", to = \"shared-store\", how = \"big-bang\" }"),
    ("serverless", "{ idle = \"5m\" }"),
    ("regions", "{ names = [\"us-east\", \"frankfurt\"], round_trip = { others = \"80ms\" } }"),
    ("servers", "{ count = 3 }"),
    ("users", "{ count = 300 }"),
    ("balancer", "{ policy = \"round-robin\" }"),
    ("homes", "{ cart = \"shared-store\" }"),
    ("store", "{ latency = { constant = \"1ms\" } }"),
    ("objects", "{ latency = { constant = \"20ms\" } }"),
    ("tokens", "{ lifetime = \"15m\" }"),
    ("replication", "{ copies = 1 }"),
    ("hidden", "{ cache = { ttl = \"30s\" } }"),
    ("cache", "{ ttl = \"30s\" }"),
    ("predict", "{ ask = \"…\", choices = [\"…\", \"…\"], answer = \"…\", why = \"…\" }"),
];

/// Tables that a scenario may do without.
const OPTIONAL: [&str; 7] = ["autoscaler", "regions", "serverless", "migration", "outlier", "heavy", "memory"];

/// What to write instead of this value of a key, which did not fit for the reason in `message`.
pub(super) fn instead(key: &str, value: &Value, message: &str) -> Option<String> {
    let wanted = |what: &str| message.starts_with(&format!("expected {what},"));
    let example = value_of(key);
    match value {
        Value::Table(_) if LISTS_OF_TABLES.contains(&key) => {
            Some(format!("write `[[{key}]]`, with two brackets: there can be several"))
        }
        Value::List(_) if LISTS_OF_TABLES.contains(&key) => Some(format!("write each of them as `[[{key}]]`, a table")),
        Value::List(items) if wanted("a table") && items.iter().any(|item| item.table().is_some()) => {
            Some(format!("write `[{key}]`, with one bracket: there is only one"))
        }
        Value::Text(text) if wanted("a list") => {
            let items: Vec<String> = text.split(',').map(|item| format!("\"{}\"", item.trim())).collect();
            Some(format!("write {key} = [{}]", items.join(", ")))
        }
        Value::Table(_) if wanted("a list") => Some(format!("write a list: {key} = [\"…\", \"…\"]")),
        _ if is_nothing(value) && OPTIONAL.contains(&key) => {
            Some(format!("leave `{key}` out; a variant can do `without = [\"…{key}\"]`"))
        }
        Value::Text(strategy) if key == "deploy" && ["rolling", "all-at-once", "blue-green"].contains(&&**strategy) => {
            Some(format!("write deploy = {{ strategy = \"{strategy}\", drain = \"30s\" }}"))
        }
        Value::Integer(number) if wanted("a text") && FaultKind::KEYS.contains(&key) => {
            Some(format!("write {key} = \"server-{number}\""))
        }
        Value::List(_) if wanted("a text") && FaultKind::KEYS.contains(&key) => {
            Some("give each server a fault of its own".into())
        }
        Value::Integer(seconds) if key == "durability_window" => Some(format!("write \"{seconds}s\", or \"all\"")),
        Value::Integer(number) if wanted("a text") => Some(format!("in quotes: \"{number}\"")),
        Value::Text(text) if wanted("`true` or `false`") => {
            Some(format!("write {key} = {}, without quotes", ["yes", "true", "on"].contains(&&**text)))
        }
        Value::Table(_) if example.starts_with('"') => Some(format!("write {key} = {example}")),
        _ if wanted("a table") && example.starts_with('{') => Some(format!("write {key} = {example}")),
        _ => None,
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Flag(is_there) => !is_there,
        Value::Text(text) => text == "none" || text == "off",
        _ => false,
    }
}
