//! The assumptions of the model that a table is based on, each with its value and the source of that value.

use crate::base::words::{listed, span, thousands};
use crate::faces::text::{Block, Page, Side, Tone, beside, clean, lines, paint, shrink, width};
use crate::scenario::{
    self, Affinity, Autoscaler, CookieLife, Dist, DrainFor, Loaded, Outlier, Regions, Scenario, Share, needs, whose,
};

/// One assumption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assumption {
    /// What it is about.
    pub what: &'static str,
    /// Its value; several when designs differ.
    pub value: String,
    /// The source of the value: the scenario, the command line, or a default and where that comes from.
    pub from: String,
}

/// An assumption: its name, its path in a scenario, and its value.
struct Row {
    what: &'static str,
    path: &'static str,
    value: fn(&Scenario) -> String,
}

const MODEL: &str = "the model";

/// How long the balancer takes to notice a dead server: the one value that is computed from others.
const NOTICED: &str = "a dead server is noticed after";

#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row { what: "thinking after a step", path: "users.think", value: |s| dist(&s.users.think) },
    Row { what: "a step is tried again", path: "users.patience", value: |s| times(s.users.patience.get()) },
    Row { what: "pause before that", path: "users.pause", value: |s| span(s.users.pause.get()) },
    Row { what: "users wait for an answer", path: "users.timeout", value: |s| span(s.users.timeout.get()) },
    Row { what: "workers a server", path: "servers.workers", value: |s| s.servers.workers.get().to_string() },
    Row { what: "queue of a server", path: "servers.queue", value: |s| thousands(s.servers.queue.get()) },
    Row { what: "work of a request", path: "servers.service", value: |s| dist(&s.servers.service) },
    Row { what: "boot of a process", path: "servers.boot", value: |s| span(s.servers.boot.get()) },
    Row { what: "the balancer picks", path: "balancer.policy", value: |s| kebab(&s.balancer.policy) },
    Row { what: "a cookie binds users", path: "balancer.affinity", value: |s| affinity(s.balancer.affinity) },
    Row { what: "whose server is down", path: "balancer.pinned_down", value: |s| kebab(&s.balancer.pinned_down) },
    Row { what: "a hash is of", path: "balancer.hash_on", value: |s| kebab(&s.balancer.hash_on) },
    Row { what: "a server's share is bounded by", path: "balancer.bounded_load", value: |s| s.balancer.bounded_load.map_or("nothing".into(), |x| format!("{} x mean", x.get())) },
    Row { what: "health check every", path: "balancer.health.interval", value: |s| span(s.balancer.health.interval.get()) },
    Row { what: "failures until down", path: "balancer.health.fall", value: |s| s.balancer.health.fall.get().to_string() },
    Row { what: "a check waits", path: "balancer.health.timeout", value: |s| span(s.balancer.health.timeout.get()) },
    Row { what: "successes until up", path: "balancer.health.rise", value: |s| s.balancer.health.rise.get().to_string() },
    Row { what: NOTICED, path: "balancer.health.interval", value: noticed },
    Row { what: "balancer tries another server", path: "balancer.retries", value: |s| times(s.balancer.retries.get()) },
    Row { what: "balancer waits for a connection", path: "balancer.connect_timeout", value: |s| span(s.balancer.connect_timeout.get()) },
    Row { what: "balancer waits for an answer", path: "balancer.answer_timeout", value: |s| s.balancer.answer_timeout.map_or("as long as the user".into(), |time| span(time.get())) },
    Row { what: "retries of all requests in flight", path: "balancer.retry_budget", value: |s| s.balancer.retry_budget.map_or("no limit".into(), percent) },
    Row { what: "failures in a row until ejected", path: "balancer.outlier.consecutive", value: |s| of_outlier(s, |o| o.consecutive.get().to_string()) },
    Row { what: "the first ejection lasts", path: "balancer.outlier.ejection", value: |s| of_outlier(s, |o| span(o.ejection.get())) },
    Row { what: "no ejection is longer than", path: "balancer.outlier.longest", value: |s| of_outlier(s, |o| span(o.longest.get())) },
    Row { what: "ejected at once, at most", path: "balancer.outlier.at_most", value: |s| of_outlier(s, ejected_at_most) },
    Row { what: "a server that comes up warms up", path: "balancer.slow_start", value: |s| s.balancer.slow_start.map_or("at once".into(), |time| format!("for {}", span(time.get()))) },
    Row { what: "all are used if fewer are up than", path: "balancer.panic_threshold", value: |s| s.balancer.panic_threshold.map_or("never".into(), percent) },
    Row { what: "call to the shared store", path: "store.latency", value: |s| dist(&s.store.latency) },
    Row { what: "calls it serves at once", path: "store.connections", value: |s| s.store.connections.map_or("no limit".into(), |n| n.get().to_string()) },
    Row { what: "a cart in it is changed", path: "store.update", value: |s| kebab(&s.store.update) },
    Row { what: "carts in it are kept", path: "store.ttl", value: |s| s.store.ttl.map_or("for ever".into(), |time| span(time.get())) },
    Row { what: "carts that fit in it", path: "store.memory", value: |s| s.store.memory.map_or("no limit".into(), |m| format!("{}, then {}", thousands(m.carts.get()), kebab(&m.when_full))) },
    Row { what: "look-ups of an add beside that", path: "store.lookups_per_add", value: |s| s.store.lookups_per_add.get().to_string() },
    Row { what: "utilisation the autoscaler wants", path: "autoscaler.target", value: |s| of_autoscaler(s, |a| format!("{:.0} %", 100.0 * a.target.get())) },
    Row { what: "fewest servers it leaves", path: "autoscaler.min", value: |s| of_autoscaler(s, |a| a.min.get().to_string()) },
    Row { what: "most servers it orders", path: "autoscaler.max", value: |s| of_autoscaler(s, |a| a.max.get().to_string()) },
    Row { what: "it decides every", path: "autoscaler.interval", value: |s| of_autoscaler(s, |a| span(a.interval.get())) },
    Row { what: "it removes none for this long", path: "autoscaler.cool_down", value: |s| of_autoscaler(s, |a| span(a.cool_down.get())) },
    Row { what: "what it removes is drained for", path: "autoscaler.drain", value: |s| of_autoscaler(s, |a| span(a.drain.at_most())) },
    Row { what: "it removes first", path: "autoscaler.first", value: |s| of_autoscaler(s, |a| kebab(&a.first)) },
    Row { what: "there and back between regions", path: "regions.round_trip", value: |s| s.regions.as_ref().map_or("–".into(), round_trips) },
    Row { what: "a user and the nearest region", path: "regions.last_mile", value: |s| s.regions.as_ref().map_or("–".into(), |r| span(r.last_mile.get())) },
    Row { what: "users who travel in a visit", path: "regions.travellers", value: |s| s.regions.as_ref().map_or("–".into(), |r| format!("{} %", 100.0 * r.travellers.get())) },
    Row { what: "start of an instance", path: "serverless.cold_start", value: |s| s.serverless.as_ref().map_or("–".into(), |r| span(r.cold_start.get())) },
    Row { what: "idle until it is taken away", path: "serverless.idle", value: |s| s.serverless.as_ref().map_or("–".into(), |r| span(r.idle.get())) },
    Row { what: "most instances at once", path: "serverless.most", value: |s| s.serverless.as_ref().map_or("–".into(), |r| thousands(r.most.get())) },
    Row { what: "copies of a cart on other servers", path: "replication.copies", value: |s| s.replication.copies.get().to_string() },
    Row { what: "a copy comes after", path: "replication.lag", value: |s| span(s.replication.lag.get()) },
    Row { what: "of two copies stays", path: "replication", value: |_| "the one written last".into() },
    Row { what: "life of a signed token", path: "tokens.lifetime", value: |s| span(s.tokens.lifetime.get()) },
    Row { what: "leeway of verifiers", path: "tokens.leeway", value: |s| span(s.tokens.leeway.get()) },
];

/// The assumptions that no scenario can change.
const FIXED: &[(&str, &str)] = &[
    ("network, other machines", "no time, no loss"),
    ("an effect is committed", "at the end of service"),
    ("a user who leaves", "cancels nothing"),
    ("the payment provider's book", "durable, shared"),
];

/// All assumptions that this scenario's figures are based on. Those that affect none of its designs are left out.
#[must_use]
pub fn assumptions(loaded: &Loaded) -> Vec<Assumption> {
    let written = ROWS.iter().filter_map(|row| {
        let concerned = || loaded.variants.iter().map(|variant| &variant.scenario).filter(|s| concerns(row.path, s));
        let distinct = |of: &dyn Fn(&Scenario) -> String| {
            let mut found: Vec<String> = Vec::new();
            concerned().map(of).for_each(|one| {
                if !found.contains(&one) {
                    found.push(one);
                }
            });
            found
        };
        let values = distinct(&|scenario| (row.value)(scenario));
        let from = match (values.len(), loaded.source_of(row.path)) {
            (0, _) => return None,
            (1, Some(source)) => clean(source),
            (1, None) if values[0] != (row.value)(&loaded.base) => "set by the design".into(),
            (1, None) => distinct(&|scenario| source(row, scenario).into()).join(" or "),
            _ => "differs between designs".into(),
        };
        Some(Assumption { what: row.what, value: values.join(" or "), from })
    });
    let fixed = FIXED.iter().map(|(what, value)| Assumption { what, value: (*value).into(), from: MODEL.into() });
    let apart = loaded.variants.iter().any(|variant| variant.scenario.regions.is_some());
    let fixed = fixed.filter(|one| one.what != FIXED[0].0 || !apart).chain(apart.then(between_regions));
    written.chain(drains(loaded)).chain(fixed).collect()
}

/// Whose default a value is that no scenario sets, or what it follows from.
fn source(row: &Row, scenario: &Scenario) -> &'static str {
    if row.what == NOTICED { "follows from these" } else { whose(row.path).words(scenario) }
}

/// What the drains of these designs wait for, and which products do it like that.
fn drains(loaded: &Loaded) -> impl Iterator<Item = Assumption> {
    let all = || loaded.variants.iter().flat_map(|variant| variant.scenario.drains());
    let kinds = [
        (DrainFor::BoundUsers, "users bound by a cookie", "HAProxy's `drain`"),
        (DrainFor::Requests, "requests in flight", "Kubernetes, AWS ALB, Envoy"),
    ];
    let used = move |waits_for| all().any(|drain| drain.happens() && drain.waits_for == waits_for);
    let used = kinds.into_iter().filter(move |(waits_for, ..)| used(*waits_for));
    used.map(|(_, value, from)| Assumption { what: "a drain waits for", value: value.into(), from: from.into() })
}

/// The network between regions.
fn between_regions() -> Assumption {
    let value = "half a round trip each way, no loss".into();
    Assumption { what: "network between regions", value, from: MODEL.into() }
}

/// Whether the setting at `path` affects a design: it is there, and so is what it needs.
fn concerns(path: &str, scenario: &Scenario) -> bool {
    let balancer = &scenario.balancer;
    let is_there = match path {
        "balancer.answer_timeout" => balancer.answer_timeout.is_some(),
        "balancer.retry_budget" => balancer.retry_budget.is_some(),
        "balancer.slow_start" => balancer.slow_start.is_some(),
        "balancer.panic_threshold" => balancer.panic_threshold.is_some(),
        "balancer.bounded_load" => balancer.policy.hashes(),
        "store.lookups_per_add" => scenario.store.lookups_per_add.get() > 0,
        path if path.starts_with("balancer.outlier.") => balancer.outlier.is_some(),
        path if path.starts_with("balancer.") => scenario.serverless.is_none(),
        path if path.starts_with("autoscaler.") => scenario.autoscaler.is_some(),
        path if path.starts_with("regions.") => scenario.regions.is_some(),
        path if path.starts_with("serverless.") => scenario.serverless.is_some(),
        _ => true,
    };
    is_there && needs::has_effect(path, scenario)
}

fn percent(share: Share) -> String {
    scenario::percent(share.billionths())
}

fn ejected_at_most(outlier: &Outlier) -> String {
    let one = if outlier.always_one { ", but always one" } else { "" };
    format!("{}{one}", percent(outlier.at_most))
}

/// The assumptions as a table.
#[must_use]
pub fn table(assumptions: &[Assumption], page: Page) -> String {
    let cells = |one: &Assumption| [one.what.to_owned(), one.value.clone(), one.from.clone()];
    let mut widths = [0; 3];
    for one in assumptions {
        widths.iter_mut().zip(cells(one)).for_each(|(widest, cell)| *widest = (*widest).max(width(&cell)));
    }
    shrink(&mut widths, page.columns() - INDENT - 2 * GAP);
    let mut text = format!("\n{}\n", paint(Tone::Strong, "What these figures rest on"));
    for one in assumptions {
        let blocks = [INDENT, GAP, GAP].into_iter().zip(widths).zip(cells(one));
        let blocks = blocks.map(|((gap, columns), cell)| Block::new(gap, columns, Side::Left, lines(&cell, columns)));
        text += &beside(&blocks.collect::<Vec<_>>());
    }
    text
}

/// The name of a policy, step or other choice as a scenario writes it.
pub(super) fn kebab(value: &impl std::fmt::Debug) -> String {
    let mut out = String::new();
    for c in format!("{value:?}").chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.extend(c.to_lowercase());
    }
    out
}

fn affinity(affinity: Affinity) -> String {
    match affinity {
        Affinity::None => "no".into(),
        Affinity::Cookie(CookieLife::Visit) => "for a visit".into(),
        Affinity::Cookie(CookieLife::User) => "for ever".into(),
        Affinity::Cookie(CookieLife::For(time)) => format!("for {}", span(time)),
    }
}

fn of_outlier(scenario: &Scenario, value: fn(&Outlier) -> String) -> String {
    scenario.balancer.outlier.as_ref().map_or("–".into(), value)
}

fn of_autoscaler(scenario: &Scenario, value: fn(&Autoscaler) -> String) -> String {
    scenario.autoscaler.as_ref().map_or("–".into(), value)
}

fn round_trips(regions: &Regions) -> String {
    let trips = regions.round_trip.iter().map(|(pair, time)| format!("{} {}", clean(pair), span(time.get())));
    listed(&trips.collect::<Vec<_>>())
}

/// Blanks before the table, and between its columns.
const INDENT: usize = 3;
const GAP: usize = 2;

fn dist(dist: &Dist) -> String {
    match dist {
        Dist::Constant(time) => format!("{}, always", span(time.get())),
        Dist::Exponential(mean) => format!("{} on average, exponential", span(mean.get())),
        Dist::Lognormal(l) => format!("lognormal, median {}, sigma {}", span(l.median.get()), l.sigma.get()),
        Dist::Uniform(u) => format!("{} to {}", span(u.from.get()), span(u.to.get())),
    }
}

fn times(most: u64) -> String {
    match most {
        0 => "never".into(),
        1 => "at most once".into(),
        most => format!("up to {most} times"),
    }
}

/// How long the balancer takes to notice a dead server that refuses connections.
fn noticed(scenario: &Scenario) -> String {
    let health = &scenario.balancer.health;
    let (interval, fall) = (health.interval.get(), health.fall.get());
    listed(&[span(interval * (fall - 1)), span(interval * fall)]).replace(" and ", " to ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::load;

    #[test]
    fn every_value_says_where_it_comes_from() {
        let text = "title = 'a'\nduration = '1m'\nservers.workers = 2\nfaults = [{ at = '5s', vanish = 'server-1' }, { at = '9s', restart = 'server-2' }]\n[[variants]]\nname = 'a'\n[[variants]]\nname = 'b'\nhomes.cart = 'shared-store'\nusers.pause = '2s'\n";
        let loaded = load("mine", "mine.toml", text, &["users.patience=1".into()], &[]).expect("a sound scenario");
        let printed = anstream::adapter::strip_str(&table(&assumptions(&loaded), Page::FILE)).to_string();
        insta::assert_snapshot!(printed, @"
        What these figures rest on
           thinking after a step            2 s on average, exponential    house setting
           a step is tried again            at most once                   --set
           pause before that                1 s or 2 s                     differs between designs
           users wait for an answer         15 s                           Envoy's default route timeout
           workers a server                 2                              mine.toml
           queue of a server                1,000                          house setting
           work of a request                20 ms on average, exponential  house setting
           boot of a process                5 s                            house setting
           the balancer picks               round-robin                    house setting
           a cookie binds users             no                             house setting
           health check every               2 s                            HAProxy's default
           failures until down              3                              HAProxy's default
           a check waits                    2 s                            HAProxy's default
           successes until up               2                              HAProxy's default
           a dead server is noticed after   4 s to 6 s                     follows from these
           balancer tries another server    up to 3 times                  HAProxy's default
           balancer waits for a connection  5 s                            Envoy's default
           call to the shared store         1 ms, always                   house setting
           calls it serves at once          no limit                       house setting
           a cart in it is changed          atomic                         house setting
           carts in it are kept             for ever                       house setting
           carts that fit in it             no limit                       house setting
           life of a signed token           15 min                         house setting
           leeway of verifiers              1 min                          common verifiers of JWTs
           network, other machines          no time, no loss               the model
           an effect is committed           at the end of service          the model
           a user who leaves                cancels nothing                the model
           the payment provider's book      durable, shared                the model
        ");
    }

    /// What a preset of another product sets is that product's, and nothing is cut.
    #[test]
    fn presets_autoscalers_and_cookies_are_told() {
        let text = "title = 'a'\nduration = '9m'\n\
                    balancer = { affinity = { cookie = '1h' }, health = { preset = 'alb', fall = 3 }, outlier = {} }\n\
                    autoscaler = { max = 12 }\nfaults = [{ at = '5s', vanish = 'server-1' }]\n\
                    [[variants]]\nname = 'a'\n[[variants]]\nname = 'b'\nhomes.cart = 'shared-store'\n\
                    store.connections = 4\nusers.think = { lognormal = { median = '12s', sigma = 1.25 } }\n";
        let loaded = load("mine", "mine.toml", text, &[], &[]).expect("a sound scenario");
        let all = assumptions(&loaded);
        let told = |what: &str| {
            let one = all.iter().find(|one| one.what == what).expect(what);
            format!("{} ({})", one.value, one.from)
        };
        for (what, wanted) in [
            ("health check every", "30 s (the ALB's default)"),
            ("failures until down", "3 (mine.toml)"),
            ("a check waits", "5 s (the ALB's default)"),
            ("a cookie binds users", "for 1 h (mine.toml)"),
            ("the balancer picks", "round-robin (house setting)"),
            ("whose server is down", "redispatch (house setting)"),
            ("ejected at once, at most", "10 % (Envoy's default)"),
            ("most servers it orders", "12 (mine.toml)"),
            ("utilisation the autoscaler wants", "60 % (house setting)"),
            ("it decides every", "15 s (Kubernetes' default)"),
            ("calls it serves at once", "4 (set by the design)"),
        ] {
            assert_eq!(told(what), wanted, "{what}");
        }
        for page in [Page::FILE, Page::of(80)] {
            let printed = table(&all, page);
            let fits = printed.lines().all(|line| width(line) <= page.columns());
            assert!(!printed.contains('…') && fits, "{printed}");
        }
    }
}
