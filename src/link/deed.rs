//! What is done by hand in a run, and when, as a link writes it.

use std::fmt;

use serde_json::json;

use crate::base::time::Span;
use crate::base::words::clock;
use crate::scenario::Fault;

/// Something that is done by hand at a time: `20:crash:server-2`, `20.5:crash:server-2:5000` (an empty server takes its
/// place after so many milliseconds), `25:revive:server-2`, `50:deploy`, `60:store` (the store is down for 10 s),
/// `60:slow:server-1` (ten times slower).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// When, to the millisecond.
    pub at: Span,
    what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// The store is down for a while.
    Store,
    /// A deploy with the scenario's usual settings.
    Deploy,
    /// Something happens to one server.
    Server { kind: &'static str, server: String, replace_after_ms: Option<u64> },
}

/// What can happen to one server.
const KINDS: [&str; 6] = ["crash", "replace", "vanish", "revive", "slow", "isolate"];
/// No run is as long, in milliseconds.
const LONGEST_MS: u64 = 1_000_000_000;

impl Deed {
    /// Reads one; `None` if it is none.
    #[must_use]
    pub fn read(text: &str) -> Option<Deed> {
        let mut parts = text.split(':');
        let at = Span::from_millis(milliseconds(parts.next()?)?);
        let what = match parts.next()? {
            "deploy" => What::Deploy,
            "store" => What::Store,
            kind => {
                let kind = KINDS.into_iter().find(|known| *known == kind)?;
                let server = parts.next().filter(|server| is_server(server))?.to_owned();
                let replace_after_ms = match parts.next() {
                    None => None,
                    Some(after) if matches!(kind, "crash" | "vanish") => Some(whole(after)?),
                    Some(_) => return None,
                };
                What::Server { kind, server, replace_after_ms }
            }
        };
        parts.next().is_none().then_some(Deed { at, what })
    }

    /// The same as an entry of a scenario's `faults`.
    ///
    /// # Panics
    ///
    /// Never: whatever can be read is a fault.
    #[must_use]
    pub fn fault(&self) -> Fault {
        let at = format!("{}ms", self.at.as_nanos() / 1_000_000);
        let fault = match &self.what {
            What::Store => json!({ "at": at, "store": "outage", "for": "10s" }),
            What::Deploy => json!({ "at": at, "deploy": {} }),
            What::Server { kind: "slow", server, .. } => json!({ "at": at, "slow": server, "factor": 10 }),
            What::Server { kind, server, replace_after_ms: None } => json!({ "at": at, (*kind): server }),
            What::Server { kind, server, replace_after_ms: Some(after) } => {
                json!({ "at": at, (*kind): server, "replace_after": format!("{after}ms") })
            }
        };
        serde_json::from_value(fault).expect("a fault as scenarios write it")
    }
}

impl Deed {
    /// `server-2 crashes at 0:20`
    #[must_use]
    pub fn words(&self) -> String {
        let fault = self.fault();
        let at = clock(self.at);
        fault.what().map_or_else(|| format!("a deed at {at}"), |kind| format!("{kind} at {at}"))
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.at.as_secs_f64())?;
        match &self.what {
            What::Store => f.write_str("store"),
            What::Deploy => f.write_str("deploy"),
            What::Server { kind, server, replace_after_ms } => {
                write!(f, "{kind}:{server}")?;
                replace_after_ms.map_or(Ok(()), |after| write!(f, ":{after}"))
            }
        }
    }
}

/// `server-2`
fn is_server(name: &str) -> bool {
    let number = name.strip_prefix("server-");
    number.is_some_and(|digits| (1..=6).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

fn whole(digits: &str) -> Option<u64> {
    let sound = (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| sound)
}

/// A number of seconds, with up to three decimals, in milliseconds.
fn milliseconds(text: &str) -> Option<u64> {
    let (seconds, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let thousandths =
        whole(decimals).filter(|_| decimals.len() <= 3)? * 10u64.pow(3 - u32::try_from(decimals.len()).ok()?);
    Some(whole(seconds)? * 1_000 + thousandths).filter(|ms| *ms < LONGEST_MS)
}
