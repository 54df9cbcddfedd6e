//! What breaks when, in words: for the line above a table, and for stories.

use crate::base::time::Span;
use crate::scenario::{
    Deploy, Dist, Fault, How, Join, Migration, MigrationWay, RandomFaults, Scenario, StoreFault, Strategy,
};
use crate::text::{self, clean, span};

/// What a fault does, and what comes of it, each at its time.
#[must_use]
pub fn moments(fault: &Fault, scenario: &Scenario) -> Vec<(Span, String)> {
    let at = fault.at.get();
    if let Some(region) = &fault.region_outage {
        return region_outage(region, at, fault.lasting.map(crate::scenario::Time::get));
    }
    let later = |span: Span| Span::from_nanos(at.as_nanos().saturating_add(span.as_nanos()));
    let mut moments = vec![(at, deed(fault))];
    let server = server(fault);
    if let Some(after) = fault.restart_after {
        moments.push((later(after.get()), format!("{server} is back, empty")));
    }
    if let Some(after) = fault.replace_after {
        moments.push((later(after.get()), format!("an empty {server} replaces it")));
    }
    if fault.restart.is_some() || fault.replace.is_some() {
        let with = match (scenario.users.upload(), fault.replace.is_some()) {
            (false, _) => "empty",
            (true, false) => "same disk",
            (true, true) => "new disk",
        };
        moments.push((later(scenario.servers.boot.get()), format!("{server} is up, {with}")));
    }
    match (fault.slow.is_some(), fault.store.is_some(), fault.lasting) {
        (true, _, Some(lasting)) => moments.push((later(lasting.get()), format!("{server} is fast again"))),
        (_, true, Some(lasting)) => moments.push((later(lasting.get()), "the store is back".into())),
        _ => {}
    }
    if let (true, Some(lasting)) = (fault.isolate.is_some(), fault.lasting) {
        moments.push((later(lasting.get()), format!("{server} is back, with what it had")));
    }
    moments
}

/// What breaks at random, in words: `every 20 s a random server crashes, replaced by an empty one after 5 s`.
#[must_use]
pub fn at_random(faults: &RandomFaults, scenario: &Scenario) -> String {
    let who = match (&faults.every, &faults.mtbf) {
        (Some(every), _) => format!("every {} a random server {}", often(every), dies(faults.how)),
        (None, Some(mtbf)) => format!("each server {} every {}", dies(faults.how), often(mtbf)),
        (None, None) => String::new(),
    };
    let back = match (&faults.replace_after, &faults.restart_after) {
        (Some(after), _) => format!("replaced by an empty one after {}", often(after)),
        (None, Some(after)) => format!("back, empty, after {}", often(after)),
        (None, None) => format!("replaced by an empty one after {}", span(scenario.servers.boot.get())),
    };
    format!("{who}, {back}")
}

/// What a fault that was drawn did to a server: `server-2 crashes`.
#[must_use]
pub fn random_deed(process: &RandomFaults, server: &str) -> String {
    format!("{server} {}", dies(process.how))
}

fn dies(how: How) -> &'static str {
    match how {
        How::Crash => "crashes",
        How::Vanish => "falls silent",
    }
}

fn often(dist: &Dist) -> String {
    match dist {
        Dist::Constant(time) => span(time.get()),
        Dist::Exponential(mean) => format!("{} on average", span(mean.get())),
        Dist::Lognormal(l) => format!("{} in the median", span(l.median.get())),
        Dist::Uniform(u) => format!("{} to {}", span(u.from.get()), span(u.to.get())),
    }
}

/// The lights of a region go out, and on again.
fn region_outage(region: &str, at: Span, lasting: Option<Span>) -> Vec<(Span, String)> {
    let mut moments = vec![(at, dark(region))];
    if let Some(lasting) = lasting {
        let back = Span::from_nanos(at.as_nanos().saturating_add(lasting.as_nanos()));
        moments.push((back, format!("{} is back, its servers empty", clean(region))));
    }
    moments
}

fn dark(region: &str) -> String {
    format!("{} goes dark", clean(region))
}

/// What a migration does, each at its time.
#[must_use]
pub fn moves(migration: &Migration) -> Vec<(Span, String)> {
    let words = match migration.how {
        MigrationWay::BigBang => "carts move to the store, big bang",
        MigrationWay::DualWrite => "carts are read in the store",
        MigrationWay::ReadThrough => "carts are read in the store, then in memory",
    };
    let begins = migration.from.map(|from| (from.get(), "every change is written twice".to_owned()));
    begins.into_iter().chain([(migration.at.get(), words.to_owned())]).collect()
}

/// The server that a fault names.
fn server(fault: &Fault) -> String {
    let names = [&fault.crash, &fault.restart, &fault.replace, &fault.vanish, &fault.slow, &fault.isolate];
    clean(names.into_iter().flatten().next().map_or("", String::as_str))
}

/// What a fault does, in words: `server-2 crashes`.
#[must_use]
pub fn deed(fault: &Fault) -> String {
    match fault.store {
        Some(StoreFault::Outage) => return "the store goes down".into(),
        Some(StoreFault::Failover) => return "the store fails over".into(),
        Some(StoreFault::Restart) => return "the store restarts".into(),
        None => {}
    }
    if let Some(region) = &fault.region_outage {
        return dark(region);
    }
    let server = server(fault);
    if let Some(plan) = plan(fault) {
        return plan;
    }
    if fault.restart.is_some() {
        return format!("{server} restarts");
    }
    if fault.replace.is_some() {
        return format!("{server} is replaced");
    }
    if fault.vanish.is_some() {
        return format!("{server} falls silent");
    }
    if fault.slow.is_some() {
        let factor = fault.factor.map_or(2, crate::scenario::Whole::get);
        return format!("{server} works {factor} times slower");
    }
    if fault.isolate.is_some() {
        return format!("{server} is cut off");
    }
    match (&fault.crash, &fault.name) {
        (None, Some(name)) => clean(name),
        _ => format!("{server} crashes"),
    }
}

/// What is planned, in words.
fn plan(fault: &Fault) -> Option<String> {
    if let Some(deploy) = &fault.deploy {
        return Some(self::deploy(deploy));
    }
    if let Some(scale) = fault.scale {
        return Some(format!("scaled to {}", text::plural(f64::from(scale.0.to.get32()), "server", "servers")));
    }
    fault.join.as_ref().map(join)
}

fn deploy(deploy: &Deploy) -> String {
    let mut words = match deploy.strategy {
        Strategy::Rolling => "rolling deploy".to_owned(),
        Strategy::AllAtOnce => "deploy, all at once".to_owned(),
        Strategy::BlueGreen => "blue-green deploy".to_owned(),
    };
    if deploy.surge() > 0 {
        words += &format!(", {} spare", deploy.surge());
    }
    if deploy.drain.get() > Span::ZERO {
        words += &format!(", {} to drain", text::span(deploy.drain.get()));
    }
    words
}

fn join(join: &Join) -> String {
    let over = join.over.get();
    let slowly = if over > Span::ZERO { format!(" within {}", text::span(over)) } else { String::new() };
    match (join.to, join.rate_to) {
        (Some(to), _) => format!("{} users{slowly}", text::thousands(to.get())),
        (None, Some(rate)) => format!("{} new visitors a second{slowly}", text::count(rate.get())),
        (None, None) => String::new(),
    }
}
