//! Keys that have an effect only together with something else, and what that is. The reference says so, and where it is
//! missing in every design, a warning.

use std::collections::BTreeMap;

use super::tree::{Node, Origin, Problem, Value};
use super::{
    Affinity, CartHome, Fault, FaultKind, HashOn, HiddenState, How, PolicyName, Scenario, SessionHome, StoreFault,
    Target, UploadHome,
};
use crate::base::Step;

/// What keys need to have an effect.
#[derive(Clone, Copy, Debug)]
pub struct Need {
    /// The keys; a table stands for all keys in it.
    pub keys: &'static [&'static str],
    /// What they need, after "needs".
    pub what: &'static str,
    /// Whether a design has it.
    met: fn(&Scenario) -> bool,
}

const fn need(keys: &'static [&'static str], what: &'static str, met: fn(&Scenario) -> bool) -> Need {
    Need { keys, what, met }
}

/// What keys need, in the order of the tables.
pub const NEEDS: &[Need] = &[
    need(&["users.pause"], "`users.patience` above 0", |s| s.users.patience.get() > 0),
    need(&["users.nat"], "a policy that hashes, and `balancer.hash_on = \"address\"`", |s| {
        hashes(s) && s.balancer.hash_on == HashOn::Address
    }),
    need(
        &["servers.count", "servers.workers", "servers.queue"],
        "servers: with `[serverless]` the platform starts instances",
        has_servers,
    ),
    need(
        &["servers.weights"],
        "a policy that uses weights: any but `round-robin`, `random` and `peak-ewma`",
        uses_weights,
    ),
    need(
        &["servers.boot"],
        "a server that boots: a fault `restart` or `replace`, a deploy, a change of the pool's size or random faults",
        boots,
    ),
    need(&["hidden.rate"], "`servers.hidden = \"rate-limiter\"`", |s| s.servers.hidden == HiddenState::RateLimiter),
    need(&["hidden.cache"], "`servers.hidden = \"cache\"`", |s| s.servers.hidden == HiddenState::Cache),
    need(&["balancer.policy"], "servers: with `[serverless]` the platform chooses an instance", has_servers),
    need(&["balancer.pinned_down"], "`balancer.affinity` by a cookie", |s| s.balancer.affinity != Affinity::None),
    need(&["balancer.hash_on"], "a policy that hashes: `ip-hash`, `ring-hash`, `rendezvous` or `maglev`", hashes),
    need(&["balancer.points"], "`balancer.policy = \"ring-hash\"`", |s| {
        has_servers(s) && s.balancer.policy == PolicyName::RingHash
    }),
    need(
        &["balancer.retries", "balancer.retry_budget"],
        "requests that fail on their way: a server that stops, or `balancer.answer_timeout`",
        |s| s.balancer.answer_timeout.is_some() || stops(s),
    ),
    need(&["balancer.retry_budget"], "`balancer.retries` above 0", |s| s.balancer.retries.get() > 0),
    need(&["balancer.connect_timeout", "balancer.health.timeout"], SILENT, falls_silent),
    need(&["balancer.health"], STOPS, stops),
    need(
        &["balancer.slow_start", "balancer.panic_threshold"],
        "a server that stops or starts, or `[balancer.outlier]`",
        |s| s.balancer.outlier.is_some() || stops(s),
    ),
    need(&["homes.session"], "a journey with the step \"login\" or \"forge-session\"", has_sessions),
    need(&["homes.upload"], "a journey with the step \"upload\"", |s| s.users.upload()),
    need(&["replication"], "`homes.cart = \"replicated-memory\"`", |s| s.homes.cart == CartHome::ReplicatedMemory),
    need(&["store.latency", "store.connections", "regions.store"], STORE, uses_store),
    need(
        &["store.update", "store.ttl", "store.memory"],
        "carts in the store: `homes.cart = \"shared-store\"`, or a migration",
        keeps_carts,
    ),
    need(&["store.durability_window"], "a fault `store = \"failover\"` or `store = \"restart\"`", forgets),
    need(&["store.lookups_per_add"], "a journey with the step \"add\"", |s| has(s, &[Step::Add])),
    need(&["objects"], "`homes.upload = \"object-store\"`, and a journey with the step \"upload\"", |s| {
        s.users.upload() && s.homes.upload == UploadHome::ObjectStore
    }),
    need(
        &["tokens.lifetime", "tokens.leeway"],
        "a cart or a login in a token: `homes.cart` or `homes.session = \"signed-token\"`, and steps about it",
        uses_tokens,
    ),
    need(&["tokens.refresh", "tokens.deny_list"], "a journey with the step \"login\"", |s| has(s, &[Step::Login])),
    need(&["regions.servers"], "servers: with `[serverless]` instances start where their requests are", has_servers),
    need(&["regions.routing"], "`regions.travellers` above 0: nobody else is ever away from home", |s| {
        s.regions.as_ref().is_some_and(|regions| regions.travellers.get() > 0.0)
    }),
];

const STOPS: &str = "a server that stops or starts: a fault, a deploy, a change of the pool's size or random faults";
const SILENT: &str = "a server that falls silent: a fault `vanish`, `isolate` or `region_outage`, or random ones";
const STORE: &str = "something in the store: a cart or a login with the home \"shared-store\", a migration, \
                     `tokens.refresh`, `tokens.deny_list` or `store.lookups_per_add`";

/// What the key at `path` needs.
pub fn of(path: &str) -> impl Iterator<Item = &'static Need> {
    NEEDS.iter().filter(move |need| need.keys.iter().any(|key| is_within(path, key)))
}

/// Whether the key at `path` has an effect in this design.
#[must_use]
pub fn has_effect(path: &str, design: &Scenario) -> bool {
    of(path).all(|need| (need.met)(design))
}

/// Whether `path` is this key, or in this table.
fn is_within(path: &str, key: &str) -> bool {
    path.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The keys that are given and have no effect in any of the designs that they are given for.
pub(super) fn unmet(designs: &[(&Node, &Scenario)]) -> Vec<Problem> {
    let mut found: Vec<Problem> = Vec::new();
    for need in NEEDS {
        for key in need.keys {
            let mut given: BTreeMap<Origin, bool> = BTreeMap::new();
            for (tree, design) in designs {
                for at in tree.at(&keys(key)).map(values).unwrap_or_default() {
                    *given.entry(at).or_default() |= (need.met)(design);
                }
            }
            let first = given.into_iter().find(|(_, met)| !met).map(|(at, _)| at);
            let first = first.filter(|at| found.iter().all(|known| known.at != *at));
            let what = Some(format!("it needs {}", need.what));
            found.extend(first.map(|at| Problem::new(at, format!("`{key}` has no effect here"), what)));
        }
    }
    found.sort_by_key(|problem| problem.at);
    found
}

fn keys(path: &str) -> Vec<String> {
    path.split('.').map(str::to_owned).collect()
}

/// Where the values in a table are, or the value itself.
fn values(node: &Node) -> Vec<Origin> {
    match &node.value {
        Value::Table(table) => table.values().flat_map(|entry| values(&entry.node)).collect(),
        _ => vec![node.origin],
    }
}

fn has(design: &Scenario, steps: &[Step]) -> bool {
    steps.iter().any(|step| design.users.journey.contains(step))
}

fn has_servers(design: &Scenario) -> bool {
    design.serverless.is_none()
}

fn has_carts(design: &Scenario) -> bool {
    has(design, &[Step::Add, Step::Remove, Step::View, Step::Checkout])
}

fn has_sessions(design: &Scenario) -> bool {
    has(design, &[Step::Login, Step::ForgeSession])
}

fn hashes(design: &Scenario) -> bool {
    has_servers(design) && design.balancer.policy.hashes()
}

fn uses_weights(design: &Scenario) -> bool {
    use PolicyName::{PeakEwma, Random, RoundRobin};
    has_servers(design) && !matches!(design.balancer.policy, RoundRobin | Random | PeakEwma)
}

fn keeps_carts(design: &Scenario) -> bool {
    has_carts(design) && (design.homes.cart == CartHome::SharedStore || design.migration.is_some())
}

fn uses_store(design: &Scenario) -> bool {
    let tokens = design.tokens.refresh || design.tokens.deny_list;
    let sessions = has_sessions(design) && (design.homes.session == SessionHome::SharedStore || tokens);
    keeps_carts(design) || sessions || design.store.lookups_per_add.get() > 0
}

fn uses_tokens(design: &Scenario) -> bool {
    let carts = has_carts(design) && design.homes.cart == CartHome::SignedToken;
    carts || has_sessions(design) && design.homes.session == SessionHome::SignedToken
}

fn forgets(design: &Scenario) -> bool {
    let forgets = |kind: &FaultKind<_, _>| {
        matches!(kind, FaultKind::Store { how: StoreFault::Failover | StoreFault::Restart, .. })
    };
    design.faults.iter().filter_map(Fault::what).any(forgets)
}

/// Whether processes start, stop or cannot be reached.
fn stops(design: &Scenario) -> bool {
    let stops = |kind: &FaultKind<_, _>| match kind.target() {
        Target::Server(_) => kind.affliction().is_none(),
        Target::Region(_) | Target::Pool => true,
        Target::Store | Target::Users | Target::Carts => false,
    };
    design.faults.iter().filter_map(Fault::what).any(stops)
        || design.autoscaler.is_some()
        || !design.random_faults.is_empty()
}

fn boots(design: &Scenario) -> bool {
    let boots = |kind: &FaultKind<_, _>| {
        matches!(kind.target(), Target::Pool) || matches!(kind, FaultKind::Restart { .. } | FaultKind::Replace { .. })
    };
    design.faults.iter().filter_map(Fault::what).any(boots)
        || design.autoscaler.is_some()
        || design.random_faults.iter().any(|faults| faults.replace_after.is_none() && faults.restart_after.is_none())
}

fn falls_silent(design: &Scenario) -> bool {
    design.faults.iter().filter_map(Fault::what).any(FaultKind::silences)
        || design.random_faults.iter().any(|faults| faults.how == How::Vanish)
}
