//! Columns about what a design costs while it runs.

use super::cells::{hundredths, rounded, tenths};
use super::{Cell, Column, Source, nothing, plain, real, with_half};
use crate::faces::text::Tone;
use crate::results::Report;
use crate::results::statistics::{Summary, comparable};
use crate::scenario::{Scenario, SessionHome, Tokens};

const BYTES_CARRIED: &str = "price.bytes_carried_per_request";

impl Source<'_> {
    pub(super) fn servers(&self) -> Column {
        self.column("servers", ["servers", "paid for"], 12, |summary| {
            summary.get("price.servers").map_or_else(nothing, |servers| plain(with_half(servers, &tenths)))
        })
    }

    /// What the store must be able to do.
    pub(super) fn store_calls(&self) -> Column {
        self.column("store-calls", ["store calls", "a second"], 2, |summary| {
            let found = summary.get("price.store_calls_per_second").filter(|calls| calls.mean > 0.0);
            found.map_or_else(nothing, |calls| plain(with_half(calls, &real)))
        })
    }

    /// Store calls and bytes carried per request: the running cost of a design.
    pub(super) fn price(&self) -> Column {
        let carried = carried(self.report, self.summaries);
        let prices = self.summaries.iter().zip(carried.more);
        let cells = prices.map(|(summary, bytes)| price(summary, bytes)).collect();
        Column { name: "price".into(), head: ["price".into(), "per request".into()], cells, rank: 1, words: true }
    }
}

fn price(summary: &Summary, bytes: f64) -> Cell {
    let calls = summary.mean("price.store_calls_per_request");
    let copies = summary.mean("price.replicas_written_per_request");
    let objects = summary.mean("price.object_calls_per_request");
    if !summary.each.is_empty() && summary.get(BYTES_CARRIED).is_none() {
        return Cell { tone: Tone::Loss, ..plain("none served well".into()) };
    }
    let mut parts = Vec::new();
    if copies > 0.0 {
        parts.push(format!("{} copies sent", hundredths(copies)));
    }
    if calls > 0.0 {
        parts.push(format!("{} store calls", hundredths(calls)));
    }
    if objects > 0.0 {
        parts.push(format!("{} object calls", hundredths(objects)));
    }
    if shows(bytes) {
        let what = if parts.is_empty() { "bytes carried" } else { "bytes" };
        parts.push(format!("{} {what}", rounded(bytes)));
    }
    if parts.is_empty() { nothing() } else { plain(parts.join(", ")) }
}

/// Bytes per request that users carry.
struct Carried {
    /// What every design carries, such as a login. It is no design's price.
    alike: f64,
    /// What each design carries besides.
    more: Vec<f64>,
}

/// A design carries more than the cheapest one only if something else travels with its users. Where the same things
/// travel, bytes differ only because more requests failed.
fn carried(report: &Report, summaries: &[Summary]) -> Carried {
    let bytes = |summary: &Summary| summary.mean(BYTES_CARRIED);
    let designs = || summaries.iter().zip(&report.variants);
    let whole = designs().filter(|(summary, _)| summary.whole);
    let cheapest = whole.clone().min_by(|(a, _), (b, _)| bytes(a).total_cmp(&bytes(b)));
    match cheapest.filter(|_| whole.count() > 1) {
        None => Carried { alike: 0.0, more: summaries.iter().map(bytes).collect() },
        Some((least, of)) => {
            let alike = bytes(least);
            let base = travels(&of.scenario);
            let differs = |scenario: &Scenario| travels(scenario) != base;
            let more = |(summary, variant): (&Summary, &crate::results::VariantReport)| {
                if differs(&variant.scenario) { (bytes(summary) - alike).max(0.0) } else { 0.0 }
            };
            Carried { alike, more: designs().map(more).collect() }
        }
    }
}

/// What travels with the users of a design.
fn travels(scenario: &Scenario) -> (bool, SessionHome, Tokens) {
    (scenario.homes.cart.travels(), scenario.homes.session, scenario.tokens)
}

/// The bytes per request that all designs carry, if some carry more.
pub(in crate::faces::table) fn carried_alike(report: &Report, summaries: &[Summary]) -> Option<f64> {
    let Carried { alike, more } = carried(report, summaries);
    let of_whole = comparable(summaries).count() > 1;
    (of_whole && shows(alike) && more.into_iter().any(shows)).then_some(alike)
}

/// Whether this many bytes are worth showing.
fn shows(bytes: f64) -> bool {
    bytes >= 0.5
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::sample::sticky_crash;
    use crate::scenario::CartHome;

    /// Bytes of a login that was carried by requests that failed are no design's price.
    #[test]
    fn a_design_carries_more_only_if_more_travels() {
        let mut report = sticky_crash();
        for (variant, bytes) in report.variants.iter_mut().zip([190.0, 165.0, 210.0, 166.0]) {
            variant.runs[0].figures.price.bytes_carried_per_request = Some(bytes);
        }
        let told = |report: &Report| {
            let summaries = Summary::all(&report.variants);
            (carried(report, &summaries).more, carried_alike(report, &summaries))
        };
        assert_eq!(told(&report), (vec![0.0, 0.0, 45.0, 0.0], Some(165.0)));
        report.variants[2].scenario.homes.cart = CartHome::SharedStore;
        assert_eq!(told(&report), (vec![0.0; 4], None));
        report.variants.drain(1..);
        assert_eq!(told(&report), (vec![190.0], None));
    }
}
