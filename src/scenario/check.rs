//! Limits across several values of a scenario: the list of checks. Each stands beside the table that it is about.
//!
//! Each rule names what it looks at, so that what could not be read leads to no further complaint.

use std::collections::BTreeSet;

use super::library;
use super::nearest::{nearest, suggest};
use super::violation::{Checked, Violation, found, line, wrong, wrong_but};
use super::{
    Expect, Scenario, balancer, ending, faults, health, hidden, journey, migration, predict, prose, random_faults,
    regions, replication, scaling, serverless, servers, tokens, users,
};

/// A check, and the tables and keys of a scenario that it looks at.
struct Rule {
    about: &'static [&'static str],
    check: fn(&Scenario) -> Vec<Violation>,
}

const fn rule(about: &'static [&'static str], check: fn(&Scenario) -> Vec<Violation>) -> Rule {
    Rule { about, check }
}

#[rustfmt::skip]
const RULES: &[Rule] = &[
    rule(&["warm_up", "duration"], |s| found([ending::check_warm_up(s)])),
    rule(&["users"], |s| found([journey::check(&s.users.journey)])),
    rule(&["users", "duration"], |s| found([users::check(s)])),
    rule(&["tokens", "homes", "users"], |s| found([tokens::check(s)])),
    rule(&["users"], |s| found([s.users.think.check("users.think")])),
    rule(&["servers"], |s| found([s.servers.service.check("servers.service")])),
    rule(&["store"], |s| found([s.store.latency.check("store.latency")])),
    rule(&["objects"], |s| found([s.objects.latency.check("objects.latency")])),
    rule(&["servers"], |s| found([servers::check(s)])),
    rule(
        &["regions", "servers", "serverless", "store", "homes", "tokens", "faults", "autoscaler"],
        |s| found([regions::check(s)]),
    ),
    rule(
        &["serverless", "balancer", "faults", "autoscaler", "random_faults"],
        |s| found([serverless::check(s)]),
    ),
    rule(&["servers", "homes", "users", "tokens"], |s| found([hidden::check(s)])),
    rule(&["balancer", "servers", "duration"], |s| found([health::check(s)])),
    rule(&["duration", "users", "servers", "faults"], |s| found([ending::check(s)])),
    rule(&["replication", "servers", "homes"], |s| found([replication::check(s)])),
    rule(&["migration", "homes", "store", "faults", "duration"], |s| found([migration::check(s)])),
    rule(
        &["regions", "serverless", "migration", "homes", "faults"],
        |s| found([replication::in_one_place(s)]),
    ),
    rule(&["autoscaler", "servers"], |s| found([scaling::check_autoscaler(s)])),
    rule(&["balancer", "serverless", "regions"], balancer::check),
    rule(&["faults", "duration", "servers", "autoscaler", "regions", "homes", "tokens"], faults::check),
    rule(&["faults", "users"], |s| found([faults::check_joins(s)])),
    rule(&["random_faults", "faults", "servers", "duration"], random_faults::check),
];

/// Checks one variant: everything that affects the run. Returns what makes a run impossible or endless.
#[must_use]
pub fn check(scenario: &Scenario) -> Vec<Violation> {
    check_beside(scenario, &BTreeSet::new())
}

/// Checks one variant as far as it could be read: nothing is said about tables and keys of which a part is missing.
pub(super) fn check_beside(scenario: &Scenario, unread: &BTreeSet<String>) -> Vec<Violation> {
    let sound = |rule: &&Rule| !rule.about.iter().any(|key| unread.contains(*key));
    RULES.iter().filter(sound).flat_map(|rule| (rule.check)(scenario)).collect()
}

/// Checks the texts around the variants, and that expectations name existing variants. Returns what cannot be printed,
/// or does not exist.
#[must_use]
pub fn check_texts(scenario: &Scenario, variants: &[String]) -> Vec<Violation> {
    let texts = [
        ("question", &scenario.question),
        ("varies", &scenario.varies),
        ("lesson", &scenario.lesson),
        ("summary", &scenario.summary),
    ];
    let mut violations = found([
        line("title", &scenario.title),
        next(scenario),
        prose::check("lesson", &scenario.lesson),
        prose::check("summary", &scenario.summary),
        story(scenario, variants),
    ]);
    violations.extend(found(texts.map(|(path, text)| printable(path, text))));
    violations.extend(scenario.predict.as_ref().and_then(|predict| predict::check(predict).err()));
    violations.extend(scenario.expect.iter().enumerate().filter_map(|(i, expect)| claim(i, expect, variants).err()));
    violations
}

fn printable(path: &str, text: &str) -> Checked {
    if text.chars().any(|c| c.is_control() && c != '\n') {
        return wrong(path, "this text has control characters in it");
    }
    Ok(())
}

/// The story is of a design that exists.
fn story(scenario: &Scenario, variants: &[String]) -> Checked {
    match scenario.story.as_ref().filter(|name| !variants.contains(name)) {
        None => Ok(()),
        Some(name) => {
            let help = suggest(name, "the designs are", variants.iter().map(String::as_str));
            let message = format!("there is no design `{name}`");
            Err(Violation { path: "story".into(), message, help })
        }
    }
}

/// The next scenario is one of those that come with the program.
fn next(scenario: &Scenario) -> Checked {
    match &scenario.next {
        Some(name) if library::find(name).is_none() => {
            let help = match library::nearest(name) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`whatcart list` shows those that come with the program".into(),
            };
            wrong_but("next", format!("there is no scenario `{name}`"), help)
        }
        _ => Ok(()),
    }
}

/// A claim is a line, about a design that exists.
fn claim(i: usize, Expect { variant, that }: &Expect, variants: &[String]) -> Checked {
    line(&format!("expect[{i}].that"), that)?;
    let Some(name) = variant else { return Ok(()) };
    if variants.contains(name) {
        return Ok(());
    }
    let help = match nearest(name, variants.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "leave `variant` out to expect it of every variant".into(),
    };
    wrong_but(format!("expect[{i}].variant"), format!("there is no variant `{name}`"), help)
}

#[cfg(test)]
mod tests {
    use super::super::decode::decode_partly;
    use super::super::tree::{Node, Value, document};
    use super::*;

    /// A contradiction for each rule.
    const WRONG: &[&str] = &[
        "warm_up = '2m'",
        "users.journey = []",
        "users = { rate = 5.0, ramp = '5s' }",
        "tokens.refresh = true\nhomes.session = 'shared-store'",
        "users.journey = ['login', 'replay-token']",
        "users.think.uniform = { from = '3s', to = '1s' }",
        "servers.service.uniform = { from = '3s', to = '1s' }",
        "store.latency.uniform = { from = '3s', to = '1s' }",
        "objects.latency.uniform = { from = '3s', to = '1s' }",
        "servers = { count = 10_000, workers = 1_000 }",
        "regions = { names = ['a', 'b'] }",
        "regions.names = ['a']\n[[faults]]\nat = '5s'\nscale = 9",
        "regions = { names = ['a'], store = { replicated_within = '1s' } }\nhomes.session = 'shared-store'",
        "serverless = {}\nbalancer.affinity = { cookie = 'visit' }",
        "serverless = {}\nautoscaler.max = 5",
        "servers.hidden = 'signing-key'\nhomes.session = 'server-memory'",
        "balancer.health.interval = '1ns'\nservers.count = 10_000",
        "users = { count = 1_000_000, think.constant = '1ns' }\nservers.service.constant = '1ns'",
        "homes.cart = 'replicated-memory'\nreplication.copies = 5",
        "migration = { at = '10s', to = 'shared-store', how = 'big-bang' }\nhomes.cart = 'signed-token'",
        "regions.names = ['a']\nhomes.cart = 'replicated-memory'",
        "autoscaler.max = 2",
        "balancer.slow_start = '5s'",
        "balancer.panic_threshold = 0.5\nserverless = {}",
        "[[faults]]\nat = '5s'\ncrash = 'server-9'",
        "[[faults]]\nat = '5s'\nstore = 'outage'\n[tokens]\nleeway = '1s'",
        "[[faults]]\nat = '5s'\njoin = { to = 5 }",
        "[[random_faults]]\nname = 'x'",
    ];

    fn without(root: &Node, key: &str) -> Node {
        let mut root = root.clone();
        if let Value::Table(table) = &mut root.value {
            table.remove(key);
        }
        root
    }

    /// What a rule does not name can be anything: it finds the same.
    #[test]
    fn every_rule_names_what_it_looks_at() {
        let mut tried = BTreeSet::new();
        for text in WRONG {
            let text = format!("title = 't'\nduration = '1m'\n{text}");
            let root = document(0, &text).expect("TOML");
            let keys: Vec<&String> = root.table().expect("a table").keys().collect();
            for (number, Rule { about, check }) in RULES.iter().enumerate() {
                let found = |root: &Node| check(&decode_partly::<Scenario>(root, &[]).value.expect("readable"));
                let all = found(&root);
                tried.extend((!all.is_empty()).then_some(number));
                for other in keys.iter().filter(|key| !about.contains(&key.as_str())) {
                    assert_eq!(found(&without(&root, other)), all, "rule {number} looks at {other}: {text}");
                }
            }
        }
        assert_eq!(tried.len(), RULES.len(), "{tried:?}");
    }

    #[test]
    fn nothing_is_said_about_what_could_not_be_read() {
        let root = "title = 't'\nduration = '1m'\nservers.cuont = 9\nbalancer.slow_start = '5s'\nserverles = {}\n\
                    [[faults]]\nat = '5s'\ncrash = 'server-9'";
        let read = decode_partly::<Scenario>(&document(0, root).expect("TOML"), &[]);
        assert_eq!(read.unread, BTreeSet::from(["servers".into(), "serverless".into()]));
        let found = check_beside(&read.value.expect("the rest"), &BTreeSet::from(["servers".into()]));
        assert_eq!(found.iter().map(|finding| &*finding.path).collect::<Vec<_>>(), ["balancer.slow_start"]);
    }
}
