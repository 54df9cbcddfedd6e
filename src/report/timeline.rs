//! What breaks when, in words: for the line above a table, and for stories.

use super::text::clean;
use crate::scenario::{Fault, Scenario};
use crate::time::Span;

/// What a fault does, and what comes of it, each at its time.
#[must_use]
pub fn moments(fault: &Fault, scenario: &Scenario) -> Vec<(Span, String)> {
    let at = fault.at.get();
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
    if let (true, Some(lasting)) = (fault.slow.is_some(), fault.lasting) {
        moments.push((later(lasting.get()), format!("{server} is fast again")));
    }
    moments
}

/// The server that a fault names.
fn server(fault: &Fault) -> String {
    let names = [&fault.crash, &fault.restart, &fault.replace, &fault.vanish, &fault.slow];
    clean(names.into_iter().flatten().next().map_or("", String::as_str))
}

/// What a fault does, in words: `server-2 crashes`.
#[must_use]
pub fn deed(fault: &Fault) -> String {
    let server = server(fault);
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
    match (&fault.crash, &fault.name) {
        (None, Some(name)) => clean(name),
        _ => format!("{server} crashes"),
    }
}
