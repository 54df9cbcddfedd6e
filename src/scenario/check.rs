//! Limits across several values of a scenario.

mod balancer;
mod copies;
mod faults;
mod hidden;
mod plans;
mod random_faults;
mod regions;
mod serverless;
mod store;
mod users;

use super::nearest::{nearest, suggest};
use super::{Dist, Expect, Fault, FaultKind, Predict, Scenario, thousands};
use crate::base::time::Span;

const MOST_WORKERS: u64 = 1_000_000;
const MOST_REQUESTS: f64 = 1e11;
const MOST_CHECKS: f64 = 1e10;
const MOST_SIGMA: f64 = 5.0;

/// What is wrong with a scenario that is well formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where: `faults[0].crash`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// How to fix it.
    pub help: Option<String>,
}

type Checked = Result<(), Violation>;

fn wrong(path: impl Into<String>, message: impl Into<String>) -> Checked {
    Err(Violation { path: path.into(), message: message.into(), help: None })
}

fn wrong_but(path: impl Into<String>, message: impl Into<String>, help: impl Into<String>) -> Checked {
    Err(Violation { path: path.into(), message: message.into(), help: Some(help.into()) })
}

/// Checks one variant: everything that affects the run.
///
/// # Errors
///
/// The first thing that makes a run impossible or endless.
pub fn check(scenario: &Scenario) -> Result<(), Violation> {
    warm_up(scenario)?;
    users::journey(&scenario.users.journey)?;
    users::users(scenario)?;
    store::tokens(scenario)?;
    for (path, dist) in [
        ("users.think", &scenario.users.think),
        ("servers.service", &scenario.servers.service),
        ("store.latency", &scenario.store.latency),
        ("objects.latency", &scenario.objects.latency),
    ] {
        distribution(path, dist)?;
    }
    pool(scenario)?;
    balancer::balancer(scenario)?;
    regions::regions(scenario)?;
    serverless::serverless(scenario)?;
    hidden::hidden(scenario)?;
    ends(scenario)?;
    copies::replication(scenario)?;
    copies::migration(scenario)?;
    copies::in_one_place(scenario)?;
    faults::faults(scenario)?;
    random_faults::random_faults(scenario)?;
    plans::joins(scenario)?;
    plans::autoscaler(scenario)
}

/// Checks the texts around the variants, and that expectations name existing variants.
///
/// # Errors
///
/// The first text that cannot be printed, or name that does not exist.
pub fn check_texts(scenario: &Scenario, variants: &[String]) -> Result<(), Violation> {
    line("title", &scenario.title)?;
    for (path, text) in [("question", &scenario.question), ("varies", &scenario.varies), ("lesson", &scenario.lesson)] {
        if text.chars().any(|c| c.is_control() && c != '\n') {
            return wrong(path, "this text has control characters in it");
        }
    }
    if let Some(predict) = &scenario.predict {
        prediction(predict)?;
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

fn prediction(predict: &Predict) -> Checked {
    for (path, text) in [("predict.ask", &predict.ask), ("predict.why", &predict.why)] {
        line(path, text.replace('\n', " ").trim_end())?;
    }
    if !(2..=6).contains(&predict.choices.len()) {
        return wrong("predict.choices", format!("two to six choices, not {}", predict.choices.len()));
    }
    for (i, choice) in predict.choices.iter().enumerate() {
        line(&format!("predict.choices[{i}]"), choice)?;
    }
    if predict.right().is_none() {
        let help = suggest(&predict.answer, "the choices are", predict.choices.iter().map(String::as_str));
        let message = "the answer is none of the choices";
        return Err(Violation { path: "predict.answer".into(), message: message.into(), help });
    }
    Ok(())
}

/// Checks a text that must fit on one line.
///
/// # Errors
///
/// It is empty, or has line breaks or other control characters.
pub fn line(path: &str, text: &str) -> Result<(), Violation> {
    if text.trim().is_empty() {
        return wrong(path, "this must not be empty");
    }
    if text.chars().any(char::is_control) {
        return wrong(path, "this must be a single line, without control characters");
    }
    Ok(())
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
        return wrong_but(format!("servers.weights[{count}]"), message, "servers that are not listed have weight 1");
    }
    Ok(())
}

/// Whether the warm-up leaves anything to measure.
fn warm_up(scenario: &Scenario) -> Checked {
    let (duration, Some(warm_up)) = (scenario.duration.get(), scenario.warm_up) else { return Ok(()) };
    if warm_up.get() < duration {
        return Ok(());
    }
    let message = format!("after a warm-up of {} nothing of {duration} is left to measure", warm_up.get());
    wrong_but("warm_up", message, "a tenth of `duration` is usual")
}

/// Whether the run ends: no user may retry forever without time passing.
#[expect(clippy::cast_precision_loss, reason = "orders of magnitude only")]
fn ends(scenario: &Scenario) -> Checked {
    let seconds = scenario.duration.get().as_secs_f64();
    let health = &scenario.balancer.health;
    if scenario.servers.count.get() as f64 * seconds / health.interval.get().as_secs_f64() > MOST_CHECKS {
        let help = "HAProxy checks every 2s";
        return wrong_but("balancer.health.interval", "simulating so many health checks would take forever", help);
    }
    let Some(people) = scenario.users.people() else { return Ok(()) };
    let joining = |fault: &Fault| if let Ok(FaultKind::Join(join)) = fault.kind { join.to } else { None };
    let joining = scenario.faults.iter().filter_map(joining).map(super::Whole::get).max();
    let people = people.max(joining.unwrap_or(0));
    let think = mean(&scenario.users.think);
    if think == 0.0 && scenario.users.pause.get() == Span::ZERO {
        let message =
            "users who neither think nor pause would retry forever at the same moment when a server refuses them";
        return wrong_but("users.pause", message, "a pause of 1ms is enough");
    }
    let activity = scenario.users.heavy.as_ref().map_or(1, |heavy| heavy.activity.get() * heavy.parallel.get());
    let step = think / activity as f64 + mean(&scenario.servers.service);
    let requests = people as f64 * seconds / step;
    if requests <= MOST_REQUESTS {
        return Ok(());
    }
    let message = "a step of a visit takes so little time that this run would never end";
    wrong_but("users.think", message, "give users time to think, or servers time to work")
}

fn mean(dist: &Dist) -> f64 {
    match dist {
        Dist::Constant(span) | Dist::Exponential(span) => span.get().as_secs_f64(),
        Dist::Lognormal(l) => l.median.get().as_secs_f64() * libm::exp(l.sigma.get() * l.sigma.get() / 2.0),
        Dist::Uniform(u) => f64::midpoint(u.from.get().as_secs_f64(), u.to.get().as_secs_f64()),
    }
}

fn plural(count: u64, noun: &str) -> String {
    if count == 1 { noun.into() } else { format!("{noun}s") }
}
