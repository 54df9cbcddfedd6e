//! Limits that concern several values of a scenario.

use std::collections::BTreeSet;

use super::nearest::nearest;
use super::{Dist, Expect, Fault, Positive, Scenario, Users, thousands};
use crate::model::{MAX_ITEMS, Step};
use crate::time::Span;

const MOST_STEPS: usize = 1_000;
const MOST_FAULTS: usize = 1_000;
const MOST_CLIENTS: u64 = 10_000_000;
const MOST_VISITORS: f64 = 1e8;
const MOST_WORKERS: u64 = 1_000_000;
const MOST_REQUESTS: f64 = 1e11;
const MOST_CHECKS: f64 = 1e10;
const MOST_SIGMA: f64 = 5.0;

/// What is wrong with a scenario that is well formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where: `faults[0].crash`.
    pub path: String,
    /// What.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

type Checked = Result<(), Finding>;

fn wrong(path: impl Into<String>, message: impl Into<String>) -> Checked {
    Err(Finding { path: path.into(), message: message.into(), help: None })
}

fn wrong_but(path: impl Into<String>, message: impl Into<String>, help: impl Into<String>) -> Checked {
    Err(Finding { path: path.into(), message: message.into(), help: Some(help.into()) })
}

/// Checks one variant: what runs.
///
/// # Errors
///
/// The first thing that makes it impossible or endless to run.
pub fn check(scenario: &Scenario) -> Result<(), Finding> {
    journey(&scenario.users.journey)?;
    users(scenario)?;
    for (path, dist) in [
        ("users.think", &scenario.users.think),
        ("servers.service", &scenario.servers.service),
        ("store.latency", &scenario.store.latency),
    ] {
        distribution(path, dist)?;
    }
    pool(scenario)?;
    ends(scenario)?;
    faults(scenario)
}

/// Checks the texts around the variants, and that expectations name variants there are.
///
/// # Errors
///
/// The first thing that would not print, or names nothing.
pub fn check_texts(scenario: &Scenario, variants: &[String]) -> Result<(), Finding> {
    line("title", &scenario.title)?;
    for (path, text) in [("question", &scenario.question), ("varies", &scenario.varies), ("lesson", &scenario.lesson)] {
        if text.chars().any(|c| c.is_control() && c != '\n') {
            return wrong(path, "this text has control characters in it");
        }
    }
    for (i, Expect { variant, that }) in scenario.expect.iter().enumerate() {
        line(&format!("expect[{i}].that"), that)?;
        let Some(name) = variant else { continue };
        if !variants.contains(name) {
            let help = match nearest(name, variants.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "leave `variant` out to expect it of every variant".into(),
            };
            return wrong_but(format!("expect[{i}].variant"), format!("there is no variant `{name}`"), help);
        }
    }
    Ok(())
}

/// Checks a text that must fit a line.
///
/// # Errors
///
/// It is empty, or has line breaks or other control characters.
pub fn line(path: &str, text: &str) -> Result<(), Finding> {
    if text.trim().is_empty() {
        return wrong(path, "this must not be empty");
    }
    if text.chars().any(char::is_control) {
        return wrong(path, "this must be a single line, without control characters");
    }
    Ok(())
}

fn journey(steps: &[Step]) -> Checked {
    let path = "users.journey";
    if steps.is_empty() {
        return wrong_but(path, "a visit needs at least one step", "such as [\"login\", \"add\", \"checkout\"]");
    }
    if steps.len() > MOST_STEPS {
        return wrong(path, format!("a visit has at most 1,000 steps; this one has {}", thousands(steps.len() as u64)));
    }
    let (mut added, mut in_cart) = (0, 0_usize);
    let mut checkout = None;
    for (i, step) in steps.iter().enumerate() {
        let here = format!("{path}[{i}]");
        match step {
            Step::Add | Step::Remove | Step::View if checkout.is_some() => {
                return wrong(here, "the cart is gone after checkout: this step comes too late");
            }
            Step::Add => (added, in_cart) = (added + 1, in_cart + 1),
            Step::Remove if in_cart == 0 => return wrong(here, "there is nothing in the cart to remove at this step"),
            Step::Remove => in_cart -= 1,
            Step::Checkout if checkout.is_some() => {
                return wrong(here, "a visit checks out once; this is the second time");
            }
            Step::Checkout => checkout = Some(i),
            _ => {}
        }
    }
    if added > MAX_ITEMS {
        let mut adds = steps.iter().enumerate().filter(|(_, step)| **step == Step::Add).map(|(i, _)| i);
        let first = adds.nth(MAX_ITEMS).unwrap_or_default();
        return wrong(
            format!("{path}[{first}]"),
            format!("a visit adds at most {MAX_ITEMS} items; this one adds {added}, and here is the first too many"),
        );
    }
    if added > 0 && checkout.is_none() {
        let help = "end the journey with \"checkout\": only there can a cart be found whole or lost";
        return wrong_but(path, "this journey fills a cart and never checks out", help);
    }
    Ok(())
}

fn users(scenario: &Scenario) -> Checked {
    let users = &scenario.users;
    if users.rate.is_some() && users.ramp.is_some() {
        let help = "visitors who come at a `rate` have no common start: leave `ramp` out";
        return wrong_but("users.ramp", "`ramp` is for a fixed number of users", help);
    }
    if let Some(heavy) = &users.heavy {
        match (heavy.count, heavy.one_in, users.people()) {
            (None, None, _) => {
                return wrong_but("users.heavy", "how many are heavy is missing", "give `count` or `one_in`");
            }
            (Some(_), _, None) => {
                let help = "with `users.rate` say `one_in`: nobody knows how many will come";
                return wrong_but("users.heavy.count", "`count` is for a fixed number of users", help);
            }
            (Some(count), _, Some(people)) if count.get() > people => {
                let message = format!("{} heavy users among {}", thousands(count.get()), thousands(people));
                return wrong_but("users.heavy.count", message, "heavy users are some of `users.count`");
            }
            _ => {}
        }
    }
    match (users.people(), users.rate) {
        (Some(people), _) => clients(users, people),
        (None, Some(rate)) => visitors(scenario, rate),
        (None, None) => Ok(()),
    }
}

fn clients(users: &Users, people: u64) -> Checked {
    let total = users.heavy.as_ref().map_or(people, |heavy| people + heavy.people(people) * (heavy.parallel.get() - 1));
    if total <= MOST_CLIENTS {
        return Ok(());
    }
    let message = format!("{} clients at once are too many: at most {}", thousands(total), thousands(MOST_CLIENTS));
    wrong("users.heavy.parallel", message)
}

fn visitors(scenario: &Scenario, rate: Positive) -> Checked {
    let seconds = scenario.duration.get().as_secs_f64();
    if rate.get() * seconds <= MOST_VISITORS {
        return Ok(());
    }
    let message =
        format!("{} visitors a second for {} are more than a hundred million", rate.get(), scenario.duration.get());
    wrong_but("users.rate", message, "lower `users.rate` or `duration`")
}

fn distribution(path: &str, dist: &Dist) -> Checked {
    match dist {
        Dist::Lognormal(l) if l.sigma.get() > MOST_SIGMA => {
            let help = "human think times have a sigma of about 1";
            wrong_but(format!("{path}.lognormal.sigma"), format!("sigma is at most {MOST_SIGMA}"), help)
        }
        Dist::Uniform(u) if u.from.get() > u.to.get() => wrong(
            format!("{path}.uniform.from"),
            format!("`from` ({}) is later than `to` ({})", u.from.get(), u.to.get()),
        ),
        _ => Ok(()),
    }
}

fn pool(scenario: &Scenario) -> Checked {
    let servers = &scenario.servers;
    let (count, workers) = (servers.count.get(), servers.workers.get());
    if count * workers > MOST_WORKERS {
        let message = format!(
            "{} servers with {} workers each are too many: at most a million workers in all",
            thousands(count),
            thousands(workers)
        );
        return wrong("servers.workers", message);
    }
    if servers.weights.len() as u64 > count {
        let message = format!("{} weights for {count} {}", servers.weights.len(), plural(count, "server"));
        return wrong_but(format!("servers.weights[{count}]"), message, "those not named have weight 1");
    }
    Ok(())
}

/// Whether a run comes to its end while somebody waits.
#[expect(clippy::cast_precision_loss, reason = "orders of magnitude only")]
fn ends(scenario: &Scenario) -> Checked {
    let seconds = scenario.duration.get().as_secs_f64();
    let health = &scenario.balancer.health;
    if scenario.servers.count.get() as f64 * seconds / health.interval.get().as_secs_f64() > MOST_CHECKS {
        let help = "HAProxy checks every 2s";
        return wrong_but("balancer.health.interval", "so many health checks would take for ever", help);
    }
    let Some(people) = scenario.users.people() else { return Ok(()) };
    let think = mean(&scenario.users.think);
    if think == 0.0 && scenario.users.pause.get() == Span::ZERO {
        let message = "users who neither think nor pause try again in no time, for ever, when a server refuses them";
        return wrong_but("users.pause", message, "a pause of 1ms is enough");
    }
    let activity = scenario.users.heavy.as_ref().map_or(1, |heavy| heavy.activity.get() * heavy.parallel.get());
    let step = think / activity as f64 + mean(&scenario.servers.service);
    let requests = people as f64 * seconds / step;
    if requests <= MOST_REQUESTS {
        return Ok(());
    }
    let message = "a step of a visit takes so little time that this run would not end";
    wrong_but("users.think", message, "give users time to think, or servers time to work")
}

fn mean(dist: &Dist) -> f64 {
    match dist {
        Dist::Constant(span) | Dist::Exponential(span) => span.get().as_secs_f64(),
        Dist::Lognormal(l) => l.median.get().as_secs_f64() * libm::exp(l.sigma.get() * l.sigma.get() / 2.0),
        Dist::Uniform(u) => f64::midpoint(u.from.get().as_secs_f64(), u.to.get().as_secs_f64()),
    }
}

fn faults(scenario: &Scenario) -> Checked {
    if scenario.faults.len() > MOST_FAULTS {
        return wrong(
            "faults",
            format!("{} faults are too many: at most 1,000", thousands(scenario.faults.len() as u64)),
        );
    }
    let mut names = BTreeSet::new();
    for (i, fault) in scenario.faults.iter().enumerate() {
        let path = format!("faults[{i}]");
        if let Some(name) = &fault.name {
            line(&format!("{path}.name"), name)?;
            if !names.insert(name) {
                let help = "patches reach a fault by its name: give each its own";
                return wrong_but(format!("{path}.name"), format!("two faults are named `{name}`"), help);
            }
        }
        if fault.at.get() >= scenario.duration.get() {
            let message = format!("an event after the end: the shop closes at {}", scenario.duration.get());
            return wrong_but(format!("{path}.at"), message, "let it happen earlier, or make `duration` longer");
        }
        one_fault(&path, fault, scenario.servers.count.get())?;
    }
    Ok(())
}

fn one_fault(path: &str, fault: &Fault, servers: u64) -> Checked {
    let kinds = [
        ("crash", &fault.crash),
        ("restart", &fault.restart),
        ("replace", &fault.replace),
        ("vanish", &fault.vanish),
        ("slow", &fault.slow),
    ];
    let mut given = kinds.iter().filter_map(|(kind, server)| Some((*kind, server.as_deref()?)));
    let Some((kind, server)) = given.next() else {
        let help = "say one of `crash`, `restart`, `replace`, `vanish`, `slow`, each with a server's name";
        return wrong_but(path, "this fault does not say what happens", help);
    };
    if given.next().is_some() {
        return wrong(path, "a fault breaks one thing: make two of it");
    }
    server_exists(&format!("{path}.{kind}"), server, servers)?;
    for (key, is_given, kinds) in [
        ("restart_after", fault.restart_after.is_some(), &["crash"][..]),
        ("replace_after", fault.replace_after.is_some(), &["crash", "vanish"]),
        ("factor", fault.factor.is_some(), &["slow"]),
        ("for", fault.lasting.is_some(), &["slow"]),
    ] {
        if is_given && !kinds.contains(&kind) {
            let kinds: Vec<_> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
            let message = format!("`{key}` goes with {}, not with `{kind}`", kinds.join(" or "));
            return wrong(format!("{path}.{key}"), message);
        }
    }
    if kind == "slow" && fault.factor.is_none() {
        return wrong_but(path, "how slow is missing here", "`factor = 10` makes it ten times slower");
    }
    Ok(())
}

fn server_exists(path: &str, name: &str, servers: u64) -> Checked {
    let number = name.strip_prefix("server-").filter(|digits| !digits.starts_with(['0', '+']));
    let number = number.and_then(|digits| digits.parse::<u64>().ok());
    if number.is_some_and(|number| (1..=servers).contains(&number)) {
        return Ok(());
    }
    let all = match servers {
        1 => "there is one server, `server-1`".to_owned(),
        _ => format!("there are {} servers, `server-1` to `server-{servers}`", thousands(servers)),
    };
    let known: Vec<_> = (1..=servers.min(100)).map(|number| format!("server-{number}")).collect();
    let near = nearest(name, known.iter().map(String::as_str)).filter(|_| number.is_none());
    let help = near.map_or_else(|| all.clone(), |near| format!("did you mean `{near}`? {all}"));
    wrong_but(path, format!("there is no server `{name}`"), help)
}

fn plural(count: u64, noun: &str) -> String {
    if count == 1 { noun.into() } else { format!("{noun}s") }
}
