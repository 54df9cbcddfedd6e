//! How large a scenario may be, and from when on a seat stands for several users.

use super::problem::Problem;
use crate::base::words::{count, thousands};
use crate::scenario::{Fault, FaultKind, Loaded, Positive, Scenario, Whole};

/// The most users of a design. With the copy of the start for going back they take some 80 MB.
const MOST_USERS: u64 = 100_000;
/// The most clients of all runs together.
const MOST_CLIENTS: u64 = 250_000;
/// The most new visitors a second, of whom hundreds are in the shop at any moment.
const MOST_RATE: f64 = 1_000.0;
/// The most servers of a design.
const MOST_SERVERS: u64 = 1_000;
/// The most bytes of a scenario's text.
const MOST_TEXT: usize = 256 * 1024;
/// The most designs that are open at once, forks included.
pub const MOST_RUNS: usize = 12;

/// The most seats: with more clients, a seat stands for several.
pub const SEATS: usize = 400;
/// The most servers that are drawn as cards.
pub const CARDS: usize = 12;

/// How many clients share a seat.
pub fn clients_per_seat(clients: usize) -> usize {
    clients.div_ceil(SEATS).max(1)
}

/// Whether a text may be read at all.
pub fn check_text(text: &str) -> Result<(), Problem> {
    if text.len() <= MOST_TEXT {
        return Ok(());
    }
    let message = format!("this scenario has {} bytes, too many to be read here", thousands(text.len() as u64));
    Err(Problem::size(message, format!("it may have {} bytes", thousands(MOST_TEXT as u64))))
}

/// Whether runs with so many clients may be open together.
pub fn check_together(clients: u64) -> Result<(), Problem> {
    if clients <= MOST_CLIENTS {
        return Ok(());
    }
    let message = format!("these runs have {} users together, too many to be open at once", thousands(clients));
    Err(Problem::size(
        message,
        format!("at most {}: open fewer designs, or one with fewer users", thousands(MOST_CLIENTS)),
    ))
}

/// Whether a design may be played step by step.
pub fn check_design(loaded: &Loaded, design: usize) -> Result<(), Problem> {
    let Some(variant) = loaded.variants.get(design) else { return Ok(()) };
    let Some(excess) = excess(&variant.scenario) else { return Ok(()) };
    let most = format!(
        "at most {} users, {} new visitors a second and {} servers can be drawn; `whatcart run {}` has no such \
         limit",
        thousands(MOST_USERS),
        count(MOST_RATE),
        thousands(MOST_SERVERS),
        loaded.name
    );
    Err(Problem::size(format!("design {} has {excess}: too many to be drawn", design + 1), most))
}

/// What is too many, in words.
fn excess(scenario: &Scenario) -> Option<String> {
    let faults = || scenario.faults.iter().filter_map(Fault::what);
    let joins = || faults().filter_map(|kind| if let FaultKind::Join(join) = kind { Some(*join) } else { None });
    let tabs = |people: u64| scenario.users.heavy.as_ref().map_or(0, |h| h.people(people) * (h.parallel.get() - 1));
    let people = scenario.users.people().map(|people| {
        let most = joins().filter_map(|join| join.to).map(Whole::get).fold(people, u64::max);
        most + tabs(most)
    });
    if let Some(people) = people.filter(|people| *people > MOST_USERS) {
        return Some(format!("{} users", thousands(people)));
    }
    let rates = scenario.users.rate.into_iter().chain(joins().filter_map(|join| join.rate_to));
    let rate = rates.map(Positive::get).fold(0.0, f64::max);
    if rate > MOST_RATE {
        return Some(format!("{} new visitors a second", count(rate)));
    }
    let scaled = faults().filter_map(|kind| if let FaultKind::Scale(to) = kind { Some(to.to.get()) } else { None });
    let written = scenario.servers.count.get().max(scenario.autoscaler.map_or(0, |autoscaler| autoscaler.max.get()));
    let servers = if scenario.serverless.is_some() { 0 } else { scaled.fold(written, u64::max) };
    (servers > MOST_SERVERS).then(|| format!("{} servers", thousands(servers)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::load;

    fn refused(text: &str) -> Option<String> {
        let text = format!("title = 'x'\nduration = '2m'\n{text}");
        let loaded = load("x", "x.toml", &text, &[], &[]).expect("a scenario");
        excess(&loaded.variants[0].scenario)
    }

    #[test]
    fn whoever_comes_later_counts_too() {
        for (text, wanted) in [
            ("users.count = 100_000", None),
            ("users.count = 100_001", Some("100,001 users")),
            ("users = { count = 99_000, heavy = { count = 100, parallel = 12 } }", Some("100,100 users")),
            ("faults = [{ at = '1s', join = { to = 200_000 } }]", Some("200,000 users")),
            (
                "users.rate = 20\nfaults = [{ at = '1s', join = { rate_to = 2_000 } }]",
                Some("2,000 new visitors a second"),
            ),
            ("servers.count = 1_001", Some("1,001 servers")),
            ("faults = [{ at = '1s', scale = 5_000 }]", Some("5,000 servers")),
            ("autoscaler.max = 2_000", Some("2,000 servers")),
        ] {
            assert_eq!(refused(text).as_deref(), wanted, "{text}");
        }
    }

    #[test]
    fn a_seat_is_for_one_until_there_are_too_many() {
        assert_eq!([0, 1, 400, 401, 800, 1_000_000].map(clients_per_seat), [1, 1, 1, 2, 2, 2_500]);
    }
}
