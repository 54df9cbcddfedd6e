//! The sentences of the page: one text for eyes and for screen readers.

use super::moment::Kept;
use crate::base::words::{clock, plural, thousands};
use crate::base::{ServerId, ServerState};
use crate::faces::story::{Deed, Line};
use crate::history::{PoolEvent, RECYCLED};
use crate::judging::post_mortem::Cause;
use crate::live::FaultMark;
use crate::scenario::HiddenState;
use crate::sim::snapshot::{MemoryCounts, ServerSnapshot};

/// A server's name; an instance's, where a platform runs them.
pub fn name(server: ServerId, serverless: bool) -> String {
    if serverless { format!("instance-{}", server.0 + 1) } else { server.to_string() }
}

/// What to write under a server's name.
pub fn of_server(server: &ServerSnapshot, kept: Kept) -> String {
    match server.state {
        ServerState::Down => "dead".into(),
        ServerState::Silent => "silent".into(),
        ServerState::Booting => "boots".into(),
        ServerState::Retired => "removed".into(),
        _ if server.cut_off => "cut off".into(),
        ServerState::Up | ServerState::Draining | ServerState::Terminating => {
            let held = held(&server.memory, kept);
            let drains = match server.state {
                ServerState::Draining => "draining · ",
                ServerState::Terminating => "terminating · ",
                _ => "",
            };
            let new = if server.host > 1 && drains.is_empty() { "new · " } else { "" };
            format!("{drains}{new}{held}")
        }
    }
}

/// What a server holds of what it keeps.
fn held(memory: &MemoryCounts, kept: Kept) -> String {
    let count = |kept: bool, count: u32, one, many| kept.then(|| plural(f64::from(count), one, many));
    let hidden = match kept.hidden {
        HiddenState::None => None,
        HiddenState::RateLimiter => Some("its own counts"),
        HiddenState::CsrfToken => Some("its own forms"),
        HiddenState::SigningKey => Some("its own key"),
        HiddenState::IdempotencyKey => Some("its own receipts"),
        HiddenState::Cache => Some("its own cache"),
    };
    let parts = [
        count(kept.carts, memory.carts, "cart", "carts"),
        count(kept.logins, memory.logins, "login", "logins"),
        count(kept.files, memory.files, "file", "files"),
        hidden.map(Into::into),
    ];
    let text = parts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    if text.is_empty() { "remembers nothing".into() } else { text }
}

/// A fault strikes. `gone`: the open carts that it took.
pub fn struck(fault: Option<&FaultMark>, server: Option<ServerId>, memory_lost: bool, gone: u32) -> String {
    let deed = match (fault, server) {
        (Some(fault), _) => fault.words.clone(),
        (None, Some(server)) => format!("{server} breaks"),
        (None, None) => "something breaks".into(),
    };
    let cost = match (memory_lost && server.is_some(), gone) {
        (false, 0) => String::new(),
        (true, 0) => ": no open cart was only there".into(),
        _ => format!(": {} gone", plural(f64::from(gone), "open cart", "open carts")),
    };
    sentence(&format!("{deed}{cost}"))
}

/// What was done about a fault by hand.
pub fn by_hand(fault: &FaultMark) -> Option<String> {
    let FaultMark { words, at, injected, spared, .. } = fault;
    let at = clock(at.since_start());
    match (injected, spared) {
        (true, _) => Some(format!("{words} at {at}")),
        (false, true) => Some(format!("not: {words} at {at}")),
        (false, false) => None,
    }
}

/// An event of the pool that is worth a sentence, except a fault. `back_empty`: a new process runs on that server.
/// `gone`: the open carts that it took.
pub fn pool(event: PoolEvent, serverless: bool, back_empty: bool, gone: u32) -> Option<String> {
    let name = |server| name(server, serverless);
    let text = match event {
        PoolEvent::Believed { server, up: false } => format!("the balancer takes {} to be down", name(server)),
        PoolEvent::Believed { server, up: true } => format!("the balancer takes {} to be up", name(server)),
        PoolEvent::Ready { server } if back_empty => {
            format!("{} is up, with a new process that remembers nothing", name(server))
        }
        PoolEvent::Ready { server } => format!("{} works as before", name(server)),
        PoolEvent::Turned { server, state: ServerState::Draining } => {
            format!("{} is drained: no new users", name(server))
        }
        PoolEvent::Turned { server, state: ServerState::Terminating } => {
            format!("{} leaves: no new requests", name(server))
        }
        PoolEvent::Turned { server, state: ServerState::Booting } => format!("{} boots", name(server)),
        PoolEvent::Turned { server, state: ServerState::Up } => format!("{} is up", name(server)),
        PoolEvent::Turned { server, state: ServerState::Retired } => format!("{} is removed", name(server)),
        PoolEvent::Stopped { server, fault, .. } => {
            let how = if fault == RECYCLED { "is recycled by its platform" } else { "is stopped" };
            let cost = if gone == 0 {
                String::new()
            } else {
                format!(": {} gone", plural(f64::from(gone), "open cart", "open carts"))
            };
            format!("{} {how}{cost}", name(server))
        }
        PoolEvent::Ejected { server } => format!("the balancer ejects {}: its answers fail", name(server)),
        PoolEvent::Readmitted { server } => format!("the balancer tries {} again", name(server)),
        PoolEvent::Finished { .. } => "the deploy is complete".into(),
        PoolEvent::Struck { .. } | PoolEvent::Audited { .. } | PoolEvent::Turned { .. } => return None,
    };
    Some(sentence(&text))
}

/// The first cart that is lost for a reason.
pub fn first_loss(cause: Cause) -> String {
    let why = cause.name().replace('_', " ");
    sentence(&format!("the first cart is charged without some of its items: {why}"))
}

/// The last thing that the followed user did.
pub fn deed(user: u32, deed: &Deed) -> String {
    let at = if deed.server.is_empty() { String::new() } else { format!(", {}", deed.server) };
    sentence(&format!("user {user} {}{at}: {}", deed.action, deed.answer))
}

/// The last deed of a film.
pub fn last_deed(film: &[Line]) -> Option<&Deed> {
    film.iter().rev().find_map(|line| if let Line::Did(deed) = line { Some(deed) } else { None })
}

/// Everybody has left.
pub fn end(lost: u64, opened: u64) -> String {
    match lost {
        0 => format!("Everybody has left. Not one of {} carts was lost.", thousands(opened)),
        _ => format!("Everybody has left. {} of {} carts were lost.", thousands(lost), thousands(opened)),
    }
}

/// With a capital letter and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    let stop = if text.ends_with(['.', '?', '!']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}
