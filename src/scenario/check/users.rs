//! Journeys that make sense, and crowds that a run can hold.

use super::{Checked, wrong, wrong_but};
use crate::model::{MAX_ITEMS, Step};
use crate::scenario::{Positive, Scenario, Users, thousands};

const MOST_STEPS: usize = 1_000;
const MOST_CLIENTS: u64 = 10_000_000;
const MOST_VISITORS: f64 = 1e8;

pub(super) fn journey(steps: &[Step]) -> Checked {
    let path = "users.journey";
    if steps.is_empty() {
        return wrong_but(path, "a visit needs at least one step", "such as [\"login\", \"add\", \"checkout\"]");
    }
    if steps.len() > MOST_STEPS {
        return wrong(path, format!("a visit has at most 1,000 steps; this one has {}", thousands(steps.len() as u64)));
    }
    files(steps)?;
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

/// A user can only fetch what was uploaded in this visit or an earlier one.
fn files(steps: &[Step]) -> Checked {
    let path = "users.journey";
    let uploads = steps.iter().filter(|step| **step == Step::Upload).count();
    if let Some(i) = steps.iter().position(|step| *step == Step::Download)
        && uploads == 0
    {
        let help = "put \"upload\" into the journey, anywhere: files outlive visits";
        return wrong_but(format!("{path}[{i}]"), "this journey downloads files and never uploads any", help);
    }
    if uploads > MAX_ITEMS {
        return wrong(
            path,
            format!("a user keeps at most {MAX_ITEMS} files; one visit of this journey uploads {uploads}"),
        );
    }
    Ok(())
}

pub(super) fn users(scenario: &Scenario) -> Checked {
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
