//! How the pool recovered, over all faults that killed servers.

use crate::base::time::Span;
use crate::judging::observer::Outage;
use crate::results::{Recovery, Seconds};

/// `None` if nothing was killed.
pub(super) fn recovery(outages: &[Outage]) -> Option<Recovery> {
    let spans = |of: fn(&Outage) -> Option<Span>| outages.iter().filter_map(of).collect::<Vec<_>>();
    let (noticed, back) = (spans(|outage| outage.noticed), spans(|outage| outage.back));
    Some(Recovery {
        kills: outages.len() as u64,
        noticed: noticed.len() as u64,
        noticed_s: seconds(&noticed),
        back: back.len() as u64,
        capacity_back_s: seconds(&back),
        users_well_s: seconds(&spans(|outage| Some(outage.users_well)))?,
    })
}

#[expect(clippy::cast_precision_loss, reason = "a mean")]
fn seconds(spans: &[Span]) -> Option<Seconds> {
    let max = spans.iter().max()?.as_secs_f64();
    let sum: f64 = spans.iter().map(|span| span.as_secs_f64()).sum();
    Some(Seconds { mean: sum / spans.len() as f64, max })
}
