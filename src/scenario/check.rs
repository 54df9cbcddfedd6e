//! Limits across several values of a scenario: the list of checks. Each stands beside the table that it is about.

use super::nearest::{nearest, suggest};
use super::violation::{Checked, Violation, line, wrong, wrong_but};
use super::{
    Expect, Scenario, balancer, ending, faults, health, hidden, journey, migration, predict, prose, random_faults,
    regions, replication, scaling, serverless, servers, tokens, users,
};

/// Checks one variant: everything that affects the run.
///
/// # Errors
///
/// The first thing that makes a run impossible or endless.
pub fn check(scenario: &Scenario) -> Result<(), Violation> {
    ending::check_warm_up(scenario)?;
    journey::check(&scenario.users.journey)?;
    users::check(scenario)?;
    tokens::check(scenario)?;
    scenario.users.think.check("users.think")?;
    scenario.servers.service.check("servers.service")?;
    scenario.store.latency.check("store.latency")?;
    scenario.objects.latency.check("objects.latency")?;
    servers::check(scenario)?;
    balancer::check(scenario)?;
    regions::check(scenario)?;
    serverless::check(scenario)?;
    hidden::check(scenario)?;
    health::check(scenario)?;
    ending::check(scenario)?;
    replication::check(scenario)?;
    migration::check(scenario)?;
    replication::in_one_place(scenario)?;
    faults::check(scenario)?;
    random_faults::check(scenario)?;
    faults::joins(scenario)?;
    scaling::check_autoscaler(scenario)
}

/// Checks the texts around the variants, and that expectations name existing variants.
///
/// # Errors
///
/// The first text that cannot be printed, or name that does not exist.
pub fn check_texts(scenario: &Scenario, variants: &[String]) -> Result<(), Violation> {
    line("title", &scenario.title)?;
    let texts = [
        ("question", &scenario.question),
        ("varies", &scenario.varies),
        ("lesson", &scenario.lesson),
        ("summary", &scenario.summary),
    ];
    for (path, text) in texts {
        if text.chars().any(|c| c.is_control() && c != '\n') {
            return wrong(path, "this text has control characters in it");
        }
    }
    prose::check("lesson", &scenario.lesson)?;
    prose::check("summary", &scenario.summary)?;
    if let Some(predict) = &scenario.predict {
        predict::check(predict)?;
    }
    if let Some(name) = scenario.story.as_ref().filter(|name| !variants.contains(name)) {
        let help = suggest(name, "the designs are", variants.iter().map(String::as_str));
        let message = format!("there is no design `{name}`");
        return Err(Violation { path: "story".into(), message, help });
    }
    expectations(&scenario.expect, variants)
}

/// Each claim is a line, about a design that exists.
fn expectations(expect: &[Expect], variants: &[String]) -> Checked {
    for (i, Expect { variant, that }) in expect.iter().enumerate() {
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
