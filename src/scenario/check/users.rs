//! Journeys must make sense, and the number of users must be manageable.

use std::ops::Range;

use super::{Checked, wrong, wrong_but};
use crate::base::{MAX_ITEMS, Step};
use crate::scenario::{Journey, Positive, Scenario, Users, thousands};

const MOST_STEPS: usize = 1_000;
const MOST_AT_ONCE: usize = 6;
const MOST_CLIENTS: u64 = 10_000_000;
const MOST_VISITORS: f64 = 1e8;

pub(super) fn journey(journey: &Journey) -> Checked {
    let path = "users.journey";
    if journey.is_empty() {
        return wrong_but(path, "a visit needs at least one step", "such as [\"login\", \"add\", \"checkout\"]");
    }
    if journey.len() > MOST_STEPS {
        return wrong(
            path,
            format!("a visit has at most 1,000 steps; this one has {}", thousands(journey.len() as u64)),
        );
    }
    for moment in journey.moments().filter(|moment| moment.len() > 1) {
        at_once(journey, moment)?;
    }
    in_order(journey)?;
    files(journey)?;
    let adds = || journey.iter().enumerate().filter(|(_, step)| **step == Step::Add).map(|(i, _)| i);
    if let Some(first) = adds().nth(MAX_ITEMS) {
        let added = adds().count();
        return wrong(
            format!("{path}{}", journey.place(first)),
            format!("a visit adds at most {MAX_ITEMS} items; this one adds {added}, and here is the first too many"),
        );
    }
    if adds().next().is_some() && !journey.contains(&Step::Checkout) {
        let help = "end the journey with \"checkout\": a cart is judged only there";
        return wrong_but(path, "this journey fills a cart but never checks out", help);
    }
    Ok(())
}

/// A user can only download files uploaded in this visit or an earlier one.
fn files(journey: &Journey) -> Checked {
    let path = "users.journey";
    let uploads = journey.iter().filter(|step| **step == Step::Upload).count();
    if let Some(i) = journey.iter().position(|step| *step == Step::Download)
        && uploads == 0
    {
        let help = "put \"upload\" into the journey, anywhere: files outlive visits";
        let here = format!("{path}{}", journey.place(i));
        return wrong_but(here, "this journey downloads files but never uploads any", help);
    }
    if uploads > MAX_ITEMS {
        return wrong(
            path,
            format!("a user keeps at most {MAX_ITEMS} files; one visit of this journey uploads {uploads}"),
        );
    }
    Ok(())
}

/// Whether each step makes sense after those before it. Concurrent steps do not see each other's effects.
fn in_order(journey: &Journey) -> Checked {
    let (mut in_cart, mut checked_out) = (0_usize, false);
    for moment in journey.moments() {
        let (mut to_remove, mut checks_out) = (in_cart, checked_out);
        for i in moment.clone() {
            let here = || format!("users.journey{}", journey.place(i));
            match journey[i] {
                Step::Add | Step::Remove if checked_out => {
                    return wrong(here(), "the cart is gone after checkout: this step comes too late");
                }
                Step::Remove if to_remove == 0 => {
                    return wrong(here(), "there is nothing in the cart to remove at this step");
                }
                Step::Remove => to_remove -= 1,
                Step::Checkout if checks_out => {
                    return wrong(here(), "a visit checks out only once; this is the second time");
                }
                Step::Checkout => checks_out = true,
                _ => {}
            }
        }
        in_cart = to_remove + journey[moment].iter().filter(|step| **step == Step::Add).count();
        checked_out = checks_out;
    }
    Ok(())
}

/// Checks concurrent steps: a few requests of a user who is logged in.
fn at_once(journey: &Journey, moment: Range<usize>) -> Checked {
    if moment.len() > MOST_AT_ONCE {
        let path = format!("users.journey{}", journey.place(moment.start + MOST_AT_ONCE));
        let help = "a browser opens six connections to a site";
        return wrong_but(path, format!("at most {MOST_AT_ONCE} steps can be concurrent"), help);
    }
    let alone = |step: Step| !matches!(step, Step::Browse | Step::Add | Step::Remove | Step::View | Step::Checkout);
    match moment.clone().find(|i| alone(journey[*i])) {
        None => Ok(()),
        Some(i) => {
            let message = "this step cannot be concurrent: only browsing and cart steps can";
            wrong_but(format!("users.journey{}", journey.place(i)), message, "put it before or after the list")
        }
    }
}

pub(super) fn users(scenario: &Scenario) -> Checked {
    let users = &scenario.users;
    if users.rate.is_some() && users.ramp.is_some() {
        let help = "leave `ramp` out: visitors at a `rate` have no common start";
        return wrong_but("users.ramp", "`ramp` is for a fixed number of users", help);
    }
    if let Some(heavy) = &users.heavy {
        match (heavy.count, heavy.one_in, users.people()) {
            (None, None, _) => {
                return wrong_but("users.heavy", "the number of heavy users is missing", "give `count` or `one_in`");
            }
            (Some(_), _, None) => {
                let help = "with `users.rate` use `one_in`: the number of visitors is not known in advance";
                return wrong_but("users.heavy.count", "`count` is for a fixed number of users", help);
            }
            (Some(count), _, Some(people)) if count.get() > people => {
                let message = format!("{} heavy users among {}", thousands(count.get()), thousands(people));
                return wrong_but("users.heavy.count", message, "heavy users are part of `users.count`");
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
