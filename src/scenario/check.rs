//! Limits across several values of a scenario: the list of checks. Each stands beside the table that it is about.

use super::library;
use super::nearest::{nearest, suggest};
use super::violation::{Checked, Violation, found, line, wrong, wrong_but};
use super::{
    Expect, Scenario, balancer, ending, faults, health, hidden, journey, migration, predict, prose, random_faults,
    regions, replication, scaling, serverless, servers, tokens, users,
};

/// Checks one variant: everything that affects the run. Returns what makes a run impossible or endless.
#[must_use]
pub fn check(scenario: &Scenario) -> Vec<Violation> {
    let single = found([
        ending::check_warm_up(scenario),
        journey::check(&scenario.users.journey),
        users::check(scenario),
        tokens::check(scenario),
        scenario.users.think.check("users.think"),
        scenario.servers.service.check("servers.service"),
        scenario.store.latency.check("store.latency"),
        scenario.objects.latency.check("objects.latency"),
        servers::check(scenario),
        regions::check(scenario),
        serverless::check(scenario),
        hidden::check(scenario),
        health::check(scenario),
        ending::check(scenario),
        replication::check(scenario),
        migration::check(scenario),
        replication::in_one_place(scenario),
        scaling::check_autoscaler(scenario),
    ]);
    let lists = [balancer::check(scenario), faults::check(scenario), random_faults::check(scenario)];
    single.into_iter().chain(lists.into_iter().flatten()).collect()
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
