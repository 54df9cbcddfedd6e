//! Carts by what has become of them, at one moment.

use std::collections::BTreeMap;

use serde::Serialize;

use super::moment::Moment;
use crate::judging::post_mortem::{Cause, first_cause};
use crate::live::Session;
use crate::sim::snapshot::ClientSnapshot;

/// Carts by what has become of them. *Gone* is what only the engine knows: an item of an open cart no longer exists,
/// and its user has not noticed. *Lost* is the checker's verdict when a checkout is answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Carts that were ever opened, and those that are open now.
    pub opened: u64,
    pub open: u64,
    pub intact: u64,
    pub lost: u64,
    /// By the names of [`Cause`]; causes that took nothing are left out.
    pub lost_by: BTreeMap<&'static str, u64>,
    pub gone: u64,
    pub gone_by: BTreeMap<&'static str, u64>,
    /// By the fault that took them.
    #[serde(skip)]
    pub gone_with: BTreeMap<u32, u64>,
    /// Open carts that exist, but nowhere as a whole.
    pub split: u64,
    pub overcharged: u64,
    pub abandoned: u64,
    pub unknown: u64,
    /// Lost or gone: at the end nothing but lost.
    pub lost_or_gone: u64,
}

/// Whether an item that its user believes to have does not exist any more.
pub fn is_gone(client: &ClientSnapshot) -> bool {
    client.exists != client.cart
}

/// Why items of an open cart no longer exist.
pub fn why_gone(session: &Session, client: &ClientSnapshot) -> Cause {
    let evidence = session.evidence_so_far(client.client);
    let missing = client.cart.minus(client.exists);
    first_cause(missing, &evidence)
}

impl Tally {
    pub fn of(session: &Session, moment: &Moment) -> Tally {
        let observer = session.observer();
        let counts = observer.checker.counts();
        let mut lost_by = BTreeMap::new();
        for (cause, carts) in Cause::ALL.into_iter().zip(observer.post_mortem.lost_by()).filter(|(_, carts)| *carts > 0)
        {
            lost_by.insert(cause.name(), carts);
        }
        let (mut gone_by, mut gone_with) = (BTreeMap::new(), BTreeMap::new());
        for client in moment.snapshot.clients.iter().filter(|client| is_gone(client)) {
            *gone_by.entry(why_gone(session, client).name()).or_default() += 1;
            if let Some(fault) = session.evidence_so_far(client.client).killed_by {
                *gone_with.entry(fault).or_default() += 1;
            }
        }
        let carts = moment.snapshot.carts;
        Tally {
            opened: counts.opened,
            open: observer.open_carts(),
            intact: counts.intact,
            lost: counts.lost,
            lost_by,
            gone: carts.gone.into(),
            gone_by,
            gone_with,
            split: carts.split.into(),
            overcharged: counts.overcharged,
            abandoned: counts.abandoned,
            unknown: counts.unknown,
            lost_or_gone: counts.lost + u64::from(carts.gone),
        }
    }
}
