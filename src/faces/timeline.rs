//! Descriptions of faults, for the line above a table and for stories.

use crate::base::time::Span;
use crate::base::words::{listed, span};
use crate::faces::text::clean;
use crate::scenario::{Comeback, Dist, Fault, FaultKind, How, Migration, RandomFaults, Scenario};

/// What a fault does and what follows from it, each with its time.
#[must_use]
pub fn moments(fault: &Fault, scenario: &Scenario) -> Vec<(Span, String)> {
    let Some(kind) = fault.what() else { return Vec::new() };
    let at = fault.at.get();
    let later = |span: Span| Span::from_nanos(at.as_nanos().saturating_add(span.as_nanos()));
    let end = end(kind, scenario).map(|(after, words)| (later(after), clean(&words)));
    std::iter::once((at, deed(kind))).chain(end).collect()
}

/// How a fault ends, and how long after its start; `None` if it does not end by itself.
#[must_use]
pub fn end(kind: &FaultKind<String, String>, scenario: &Scenario) -> Option<(Span, String)> {
    match kind {
        FaultKind::Crash { server, comeback } | FaultKind::Vanish { server, comeback } => {
            let Comeback { after, new_host } = (*comeback)?;
            let back =
                if new_host { format!("an empty {server} replaces it") } else { format!("{server} is back, empty") };
            Some((after, back))
        }
        FaultKind::Restart { server, .. } | FaultKind::Replace { server, .. } => {
            let with = match (scenario.users.upload(), kind) {
                (false, _) => "empty",
                (true, FaultKind::Replace { .. }) => "new disk",
                (true, _) => "same disk",
            };
            Some((scenario.servers.boot.get(), format!("{server} is up, {with}")))
        }
        FaultKind::Slow { server, lasting, .. } => Some(((*lasting)?, format!("{server} is fast again"))),
        FaultKind::Failing { server, lasting, .. } => Some(((*lasting)?, format!("{server} is well again"))),
        FaultKind::Isolate { server, lasting } => Some(((*lasting)?, format!("{server} is back, with what it had"))),
        FaultKind::RegionOutage { region, lasting } => {
            Some(((*lasting)?, format!("{region} is back, its servers empty")))
        }
        FaultKind::Store { lasting, .. } => Some(((*lasting)?, "the store is back".into())),
        FaultKind::Revive { .. }
        | FaultKind::Deploy(_)
        | FaultKind::Scale(_)
        | FaultKind::Join(_)
        | FaultKind::Autoscale
        | FaultKind::Migrate { .. } => None,
    }
}

/// Random faults, in words: `every 20 s a random server crashes, replaced by an empty one after 5 s`.
#[must_use]
pub fn at_random(faults: &RandomFaults, scenario: &Scenario) -> String {
    let who = match (&faults.every, &faults.mtbf) {
        (Some(every), _) => format!("every {} {}", often(every), dies(faults.how, "a random server")),
        (None, Some(mtbf)) => format!("{} every {}", dies(faults.how, "each server"), often(mtbf)),
        (None, None) => String::new(),
    };
    let back = match (&faults.replace_after, &faults.restart_after) {
        (Some(after), _) => format!("replaced by an empty one after {}", often(after)),
        (None, Some(after)) => format!("back, empty, after {}", often(after)),
        (None, None) => format!("replaced by an empty one after {}", span(scenario.servers.boot.get())),
    };
    format!("{who}, {back}")
}

/// `server-2 crashes`
fn dies(how: How, server: &str) -> String {
    let kind: FaultKind<&str, &str> = match how {
        How::Crash => FaultKind::Crash { server, comeback: None },
        How::Vanish => FaultKind::Vanish { server, comeback: None },
    };
    kind.to_string()
}

fn often(dist: &Dist) -> String {
    match dist {
        Dist::Constant(time) => span(time.get()),
        Dist::Exponential(mean) => format!("{} on average", span(mean.get())),
        Dist::Lognormal(l) => format!("{} in the median", span(l.median.get())),
        Dist::Uniform(u) => format!("{} to {}", span(u.from.get()), span(u.to.get())),
    }
}

/// The phases of a migration, each with its time.
#[must_use]
pub fn moves(migration: &Migration) -> Vec<(Span, String)> {
    let moves: FaultKind<&str, &str> = FaultKind::Migrate { how: migration.how };
    let begins = migration.from.map(|from| (from.get(), "every change is written twice".to_owned()));
    begins.into_iter().chain([(migration.at.get(), moves.to_string())]).collect()
}

/// What servers do, and what two of them do together.
const VERBS: [(&str, &str); 6] = [
    ("crashes", "crash"),
    ("fails", "fail"),
    ("falls", "fall"),
    ("is", "are"),
    ("restarts", "restart"),
    ("works", "work"),
];

/// How many servers are named in one entry.
const MOST_TOGETHER: usize = 4;

/// Entries in the order of time, where servers to which the same happens at the same time share one: `server-2 and
/// server-3 crash`.
#[must_use]
pub fn together(moments: Vec<(Span, String)>) -> Vec<(Span, String)> {
    let mut entries: Vec<(Span, Vec<String>, String)> = Vec::new();
    for (at, words) in moments {
        let (server, deed) = words.split_once(' ').unwrap_or((&words, ""));
        let same = |(time, servers, other): &&mut (Span, Vec<String>, String)| {
            *time == at && other == deed && of_several(deed).is_some() && servers.len() < MOST_TOGETHER
        };
        match entries.iter_mut().find(same) {
            Some((_, servers, _)) => servers.push(server.into()),
            None => entries.push((at, vec![server.into()], deed.into())),
        }
    }
    let told = |(at, servers, deed): (Span, Vec<String>, String)| {
        let deed = if servers.len() > 1 { of_several(&deed).unwrap_or_default() } else { deed };
        (at, format!("{} {deed}", listed(&servers)).trim_end().into())
    };
    entries.into_iter().map(told).collect()
}

/// `works 10 times slower`, said of several servers; `None` of what cannot be.
fn of_several(deed: &str) -> Option<String> {
    let (verb, rest) = deed.split_once(' ').unwrap_or((deed, ""));
    let (_, plural) = VERBS.iter().find(|(known, _)| *known == verb)?;
    let of_one = rest.split([' ', ',']).any(|word| word == "it" || word == "its");
    (!of_one).then(|| format!("{plural} {rest}").trim_end().into())
}

/// What a fault does, in words that are safe to print on a terminal: `server-2 crashes`.
#[must_use]
pub fn deed(kind: &FaultKind<String, String>) -> String {
    clean(&kind.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_to_several_servers_is_one_entry() {
        let told = |text: &str| {
            let moments = text.split(" · ").map(|entry| (Span::from_secs(30), entry.to_owned())).collect();
            together(moments).into_iter().map(|(_, words)| words).collect::<Vec<_>>().join(" · ")
        };
        let slower = "server-2 works 10 times slower · server-3 works 10 times slower · server-4 crashes";
        assert_eq!(told(slower), "server-2 and server-3 work 10 times slower · server-4 crashes");
        assert_eq!(
            told("server-1 crashes · server-2 crashes · server-3 crashes"),
            "server-1, server-2 and server-3 crash"
        );
        for apart in [
            "server-2 works 10 times slower · server-3 works 5 times slower",
            "server-2 fails 30 % of its requests · server-3 fails 30 % of its requests",
            "an empty server-2 replaces it · an empty server-3 replaces it",
            "the store goes down",
        ] {
            assert_eq!(told(apart), apart);
        }
    }

    /// Whether or not it has a name, a fault's description says what it does, and to what.
    #[test]
    fn every_fault_is_told_in_the_same_words() {
        let told = |text: &str| {
            let scenario: Scenario =
                toml::from_str(&format!("title = 'x'\nduration = '2m'\nfaults = [{text}]")).expect("a scenario");
            let told = moments(&scenario.faults[0], &scenario).into_iter().map(|(at, words)| format!("{at} {words}"));
            told.collect::<Vec<_>>().join(" · ")
        };
        let faults = [
            "{ at = '30s', failing = 'server-2' }",
            "{ at = '30s', failing = 'server-2', name = 'the bug', rate = 0.3, for = '10s' }",
            "{ at = '30s', vanish = 'server-2', name = 'the silence', replace_after = '5s' }",
            "{ at = '30s', slow = 'server-2', factor = 10, for = '5s' }",
            "{ at = '30s', store = 'failover' }",
            "{ at = '30s', region_outage = 'tokyo', for = '5s' }",
            "{ at = '30s', scale = 6 }",
            "{ at = '30s' }",
        ];
        insta::assert_snapshot!(faults.map(told).join("\n"), @r"
        30s server-2 fails every request
        30s server-2 fails 30 % of its requests · 40s server-2 is well again
        30s server-2 falls silent · 35s an empty server-2 replaces it
        30s server-2 works 10 times slower · 35s server-2 is fast again
        30s the store fails over
        30s tokyo goes dark · 35s tokyo is back, its servers empty
        30s scaled to 6 servers
        ");
    }
}
