//! The carts that are not the same in two runs, such as two futures of one past.

use serde::Serialize;

use super::problem::Problem;
use super::stage::Run;
use super::units::{ItemSet, Seconds};
use crate::base::words::listed;
use crate::base::{Item, Items};
use crate::sim::snapshot::ClientSnapshot;

/// The open carts of which two runs have different items.
#[derive(Debug, Serialize)]
pub struct Differences {
    t: Seconds,
    carts: Vec<Difference>,
}

/// One cart: what exists of it in each of the two runs.
#[derive(Debug, Serialize)]
struct Difference {
    client: u32,
    user: u32,
    exists: [ItemSet; 2],
    /// What is in the other one only.
    missing: [ItemSet; 2],
    /// Which items these are, in words.
    words: [String; 2],
}

/// The carts that differ. Both runs must be at one moment.
pub fn carts(runs: [Option<&Run>; 2]) -> Result<Differences, Problem> {
    let [Some(one), Some(other)] = runs.map(|run| run.map(Run::moment)) else {
        return Err(Problem::request("there are no two runs", None));
    };
    if one.snapshot.now != other.snapshot.now {
        let help = "advance the earlier one to the time of the other".to_owned();
        return Err(Problem::request("the two runs are at different times", Some(help)));
    }
    let pairs = one.snapshot.clients.iter().zip(&other.snapshot.clients);
    let carts = pairs.filter_map(|(one, other)| difference(one, other)).collect();
    Ok(Differences { t: Seconds(one.snapshot.now), carts })
}

/// How a client's cart differs; `None` if it does not, or if the two are not in the same visit.
fn difference(one: &ClientSnapshot, other: &ClientSnapshot) -> Option<Difference> {
    if one.exists == other.exists || (one.client, one.user, one.visit) != (other.client, other.user, other.visit) {
        return None;
    }
    let missing = [other.exists.minus(one.exists), one.exists.minus(other.exists)];
    Some(Difference {
        client: one.client.0,
        user: one.user.0,
        exists: [one.exists, other.exists].map(ItemSet),
        missing: missing.map(ItemSet),
        words: missing.map(in_words),
    })
}

/// `mug and lamp`
fn in_words(items: Items) -> String {
    let names: Vec<String> =
        (1..=64).filter_map(Item::new).filter(|item| items.contains(*item)).map(|item| item.to_string()).collect();
    listed(&names)
}
