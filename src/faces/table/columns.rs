//! The columns that a table can have, and the choice of those that are informative.

mod cells;
mod counted;
mod deploys;
mod load;
mod price;
mod recovery;

use crate::base::time::{NANOS_PER_SEC, Span};
use crate::base::words::{clock, count, real};
use crate::faces::text::{Tone, clean};
use crate::results::path;
use crate::results::statistics::{Estimate, Summary, comparable};
use crate::results::{FaultFigures, Report, VariantReport};

pub use cells::{Cell, Column};
use cells::{is_loss, milliseconds, nothing, plain, rounded, shared, total, with_half};
use counted::COUNTED;
pub(super) use price::carried_alike;
pub(super) use recovery::unnoticed;

/// The second header line if the number of carts opened differs between rows.
pub(super) const OF_OPENED: &str = "of opened";

/// The maximum number of columns chosen by default.
const MOST: usize = 6;

/// The data for columns.
struct Source<'a> {
    report: &'a Report,
    summaries: &'a [Summary],
}

/// The columns of a report's table: those the scenario names, or else the usual ones that are informative.
#[must_use]
pub fn choose(report: &Report, summaries: &[Summary]) -> Vec<Column> {
    let source = Source { report, summaries };
    let mut columns: Vec<Column> = report.scenario.columns.iter().flat_map(|name| source.named(name)).collect();
    rank_as_named(&mut columns);
    if columns.is_empty() {
        columns = source.telling();
        while columns.len() > MOST {
            drop_least(&mut columns);
        }
    }
    if columns.is_empty() {
        columns = vec![source.latency("latency", "median", "step_latency_ms.p50", 0)];
    }
    if many_are_unfinished(summaries) && columns.iter().all(|column| column.name != UNFINISHED) {
        columns.splice(0..0, source.counted_named(UNFINISHED));
    }
    for column in &mut columns {
        column.cells.iter_mut().zip(summaries).for_each(|(cell, summary)| claim_nothing(cell, summary));
    }
    columns
}

const UNFINISHED: &str = "unfinished";

/// Whether so many visits were open at the end of complete runs that figures of the others must not stand alone.
pub(super) fn many_are_unfinished(summaries: &[Summary]) -> bool {
    const MANY: f64 = 0.01;
    comparable(summaries).any(|summary| summary.mean("visits.open") > MANY * summary.mean("visits.begun"))
}

/// A scenario names what its lesson is about first. Where room is short the last goes first; the price stays.
fn rank_as_named(columns: &mut [Column]) {
    for (place, column) in (0..).zip(columns) {
        if column.name != "price" {
            column.rank = if place == 0 { 0 } else { place + 1 };
        }
    }
}

/// A run that was cut short cannot say that something does not happen, and one that never began says nothing.
fn claim_nothing(cell: &mut Cell, summary: &Summary) {
    if summary.each.is_empty() || (!summary.whole && cell.figure == "0") {
        *cell = nothing();
    }
}

/// Removes the column with the highest drop priority.
fn drop_least(columns: &mut Vec<Column>) -> Option<Column> {
    let (at, _) = columns.iter().enumerate().max_by_key(|(at, column)| (column.rank, *at))?;
    Some(columns.remove(at))
}

impl Source<'_> {
    /// The usual columns, in order, without uninformative ones.
    fn telling(&self) -> Vec<Column> {
        let counted = |name: &str| self.counted_named(name).filter(|_| self.counts_something(name));
        let mut columns: Vec<Column> = Vec::new();
        columns.extend(counted("lost"));
        columns.extend(counted("intact").filter(|_| self.neither_lost_nor_intact()));
        columns.extend(self.open_at_faults().into_iter().filter(|column| column.cells.iter().any(is_loss)));
        for name in [
            "overcharged",
            "unknown",
            "abandoned-carts",
            "abandoned",
            "logged-out",
            "impostors",
            "zombies",
            "wrong-views",
            "not-found",
            "destroyed",
            "forbidden",
            "charged-twice",
            "over-limit",
            "stale-pages",
        ] {
            columns.extend(counted(name));
        }
        columns.extend(self.about_deploys("deploy-took"));
        columns.extend(self.about_deploys("cut-off").filter(|column| column.cells.iter().any(is_loss)));
        if !self.some_are_serverless() {
            columns.extend(self.busiest().filter(|_| self.most("load.peak_to_mean") >= 1.05));
            columns.extend(self.busy().filter(|_| self.most("load.peak_to_mean") >= 1.5));
        }
        let differs = |path: &str| {
            let all = || self.informing().filter_map(|summary| Some(summary.get(path)?.mean));
            all().fold(0.0, f64::max) > 1.25 * all().fold(f64::MAX, f64::min)
        };
        columns.extend(self.named_latency("latency").filter(|_| differs("step_latency_ms.p50")));
        columns.extend(self.named_latency("neighbours").filter(|_| differs("neighbours_latency_ms.p50")));
        columns.extend(self.names_of_regions().map(|_| self.add_by_region()));
        if self.some_are_serverless() {
            columns.extend([self.instances(), self.cold_starts()]);
        }
        if self.least("price.servers") < self.most("price.servers") {
            columns.push(self.servers());
        }
        columns.extend(Some(self.price()).filter(|column| column.cells.iter().any(|cell| cell.tone == Tone::Plain)));
        columns
    }

    /// The columns with this name: one for each fault for `open`, otherwise a single one. A path is a column, too.
    fn named(&self, name: &str) -> Vec<Column> {
        match name {
            "open" => self.open_at_faults(),
            "busiest" => self.busiest().into_iter().collect(),
            "busy" => self.busy().into_iter().collect(),
            "requests-by-server" => self.requests_by_server().into_iter().collect(),
            "latency" | "neighbours" => self.named_latency(name).into_iter().collect(),
            "add-by-region" => vec![self.add_by_region()],
            "instances" => vec![self.instances()],
            "cold-starts" => vec![self.cold_starts()],
            "servers" => vec![self.servers()],
            "losses-lasted" => vec![self.losses_lasted()],
            "price" => vec![self.price()],
            "store-calls" => vec![self.store_calls()],
            "deploy-took" | "cut-off" | "cut-requests" | "capacity-lost" | "fair-share" => {
                self.about_deploys(name).into_iter().collect()
            }
            "noticed" | "capacity-back" | "users-well" => self.recovery(name).into_iter().collect(),
            name => self.counted_named(name).or_else(|| self.path(name)).into_iter().collect(),
        }
    }

    /// The summaries that decide which columns are informative: those that can be compared, or all if none can.
    fn informing(&self) -> impl Iterator<Item = &Summary> {
        let none = comparable(self.summaries).next().is_none();
        self.summaries.iter().filter(move |summary| summary.whole || none)
    }

    fn most(&self, path: &str) -> f64 {
        self.informing().map(|summary| summary.mean(path)).fold(0.0, f64::max)
    }

    fn least(&self, path: &str) -> f64 {
        self.informing().map(|summary| summary.mean(path)).fold(f64::MAX, f64::min)
    }

    fn counts_something(&self, name: &str) -> bool {
        let paths = COUNTED.iter().find(|counted| counted.name == name).map_or(&[][..], |counted| counted.paths);
        paths.iter().any(|path| self.most(path) > 0.0)
    }

    /// Whether a significant number of carts was neither lost nor intact.
    fn neither_lost_nor_intact(&self) -> bool {
        self.informing().any(|summary| {
            let known = summary.mean("carts.lost") + summary.mean("carts.intact");
            summary.mean("carts.opened") - known > 0.005 * summary.mean("carts.opened")
        })
    }

    fn column(&self, name: &str, head: [&str; 2], rank: u8, cell: impl Fn(&Summary) -> Cell) -> Column {
        let cells = self.summaries.iter().map(cell).collect();
        Column { name: name.into(), head: head.map(clean), cells, rank, words: false }
    }

    fn counted_named(&self, name: &str) -> Option<Column> {
        let counted = COUNTED.iter().find(|counted| counted.name == name)?;
        let second = counted.of.map_or("times".into(), |(path, word)| self.denominator(path, word));
        Some(self.column(name, [counted.head, &second], counted.rank, |summary| {
            let found = total(summary, counted.paths);
            shared(found, counted.of.map(|(path, _)| summary.mean(path)), counted.tone)
        }))
    }

    /// `of 2,416` if all rows have that number, or else `of opened`.
    fn denominator(&self, path: &str, word: &str) -> String {
        let all = || self.summaries.iter().filter(|summary| !summary.each.is_empty()).map(|summary| summary.mean(path));
        let (least, most) = (all().fold(f64::MAX, f64::min), all().fold(0.0, f64::max));
        if least >= most && most.fract() == 0.0 { format!("of {}", count(most)) } else { format!("of {word}") }
    }

    /// Carts that were open when a fault struck and lost something because of it: one column for each of one or two
    /// faults, or one column for more.
    fn open_at_faults(&self) -> Vec<Column> {
        let mut names: Vec<(String, String)> = Vec::new();
        for variant in &self.report.variants {
            for (name, fault) in variant.runs.iter().flat_map(|run| run.figures.faults.iter()) {
                if !names.iter().any(|(known, _)| known == name) {
                    names.push((name.into(), called(variant, name, fault)));
                }
            }
        }
        if names.len() > 2 {
            return vec![self.open_at("when a fault struck", None)];
        }
        names.iter().map(|(name, called)| self.open_at(called, Some(name))).collect()
    }

    fn open_at(&self, called: &str, only: Option<&str>) -> Column {
        let of = |variant: &VariantReport, value: fn(&crate::results::FaultFigures) -> u64| {
            let faults = |run: &crate::results::RunReport| -> u64 {
                let wanted = run.figures.faults.iter().filter(|(known, _)| only.is_none_or(|name| *known == name));
                wanted.map(|(_, fault)| value(fault)).sum()
            };
            #[expect(clippy::cast_precision_loss, reason = "a number of carts")]
            let values: Vec<f64> = variant.runs.iter().map(|run| faults(run) as f64).collect();
            Estimate::of(&values)
        };
        let opens: Vec<f64> = self
            .report
            .variants
            .iter()
            .map(|v| of(v, |fault| fault.open_carts).map_or(0.0, |open| open.mean))
            .collect();
        let cells = self
            .report
            .variants
            .iter()
            .zip(&opens)
            .map(|(variant, open)| shared(of(variant, |fault| fault.lost_of_open), Some(*open), Tone::Loss));
        let first = opens.first().copied().unwrap_or(0.0);
        let same = opens.iter().all(|open| open.to_bits() == first.to_bits()) && first.fract() == 0.0;
        let second = if same { format!("{called} ({})", count(first)) } else { called.into() };
        Column {
            name: "open".into(),
            head: ["of those open".into(), clean(&second)],
            cells: cells.collect(),
            rank: 2,
            words: false,
        }
    }

    /// The column of a median; `None` if no design has it.
    fn named_latency(&self, name: &str) -> Option<Column> {
        let (first, path, rank) = match name {
            "latency" => ("median", "step_latency_ms.p50", 11),
            _ => ("neighbours'", "neighbours_latency_ms.p50", 5),
        };
        let known = self.summaries.iter().any(|summary| summary.get(path).is_some());
        known.then(|| self.latency(name, first, path, rank))
    }

    fn latency(&self, name: &str, first: &str, path: &str, rank: u8) -> Column {
        let second = match name {
            "latency" if many_are_unfinished(self.summaries) => "answered step",
            "latency" => "a step",
            _ => "median",
        };
        self.column(name, [first, second], rank, |summary| {
            summary.get(path).map_or_else(nothing, |ms| plain(with_half(ms, &milliseconds)))
        })
    }

    /// The median latency of adds by region: `18 / 98 / 178`. With more than four regions, their range.
    fn add_by_region(&self) -> Column {
        const MOST_NAMED: usize = 4;
        let all = self.names_of_regions().unwrap_or_default();
        let names = Some(all).filter(|names| (1..=MOST_NAMED).contains(&names.len()));
        let second = names.map_or("by region".into(), |names| names.join(" / "));
        let few = names.is_some();
        self.column("add-by-region", ["an add, ms", &second], 2, |summary| {
            let median = |name: &String| summary.get(&path::join(["regions", name, "add_ms", "p50"])).map(|ms| ms.mean);
            let each: Vec<Option<f64>> = all.iter().map(median).collect();
            let medians: Vec<f64> = each.iter().flatten().copied().collect();
            let least = medians.iter().copied().fold(f64::MAX, f64::min);
            let most = medians.iter().copied().fold(0.0, f64::max);
            match medians.len() {
                0 => nothing(),
                _ if few => {
                    let cells: Vec<String> = each.iter().map(|ms| ms.map_or("–".into(), rounded)).collect();
                    plain(cells.join(" / "))
                }
                _ if rounded(least) == rounded(most) => plain(rounded(most)),
                _ => plain(format!("{} to {}", rounded(least), rounded(most))),
            }
        })
    }

    fn names_of_regions(&self) -> Option<&[String]> {
        let mut scenarios = self.report.variants.iter().map(|variant| &variant.scenario);
        scenarios.find_map(|scenario| scenario.regions.as_ref()).map(|regions| &regions.names[..])
    }

    fn some_are_serverless(&self) -> bool {
        self.report.variants.iter().any(|variant| variant.scenario.serverless.is_some())
    }

    /// `9.8 (14)`: the mean and the maximum number of instances. The difference is what a platform saves.
    fn instances(&self) -> Column {
        self.column("instances", ["instances", "mean (most)"], 11, |summary| {
            let mean = |name: &str| summary.get(&format!("serverless.{name}")).map(|estimate| estimate.mean);
            match (mean("mean_instances"), mean("most_at_once")) {
                (Some(there), Some(most)) => plain(format!("{there:.1} ({})", count(most))),
                _ => nothing(),
            }
        })
    }

    fn cold_starts(&self) -> Column {
        self.column("cold-starts", ["cold starts", "of requests"], 5, |summary| {
            let requests = total(summary, &["requests.ok"]).map(|ok| ok.mean);
            let found = summary.get("serverless.cold_starts");
            found.map_or_else(nothing, |found| shared(Some(found), requests, Tone::Plain))
        })
    }

    /// How long a migration went on losing carts.
    fn losses_lasted(&self) -> Column {
        let path = path::join(["faults", crate::scenario::MIGRATION, "losses_lasted_s"]);
        self.column("losses-lasted", ["losses", "went on for"], 3, |summary| {
            let found = summary.get(&path);
            found.filter(|found| found.mean > 0.0).map_or_else(nothing, |s| plain(format!("{} s", real(s.mean))))
        })
    }

    /// A column for any figure.
    fn path(&self, path: &str) -> Option<Column> {
        let path = &path::canonical(path);
        self.summaries.iter().any(|summary| summary.get(path).is_some()).then(|| {
            let words = path::split(path).unwrap_or_default();
            let (second, first) = words.split_last().map_or(("", &[][..]), |(last, first)| (last.as_str(), first));
            let head = [first.join(" "), second.to_owned()].map(|line| line.replace('_', " "));
            self.column(path, head.each_ref().map(String::as_str), 9, |summary| {
                let whole = summary.each.iter().all(|(_, figures)| figures.get(path).is_none_or(|x| x.fract() == 0.0));
                let print = |x: f64| if whole { count(x) } else { real(x) };
                summary.get(path).map_or_else(nothing, |found| plain(with_half(found, &print)))
            })
        })
    }
}

/// The header for a fault: `at the crash`, or its time if it has no name.
fn called(variant: &VariantReport, name: &str, fault: &FaultFigures) -> String {
    let named = variant.scenario.faults.iter().any(|written| written.name.as_deref() == Some(name));
    let moved = variant.scenario.migration.is_some() && name == crate::scenario::MIGRATION;
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds")]
    let clock = |at: f64| clock(Span::from_nanos((at * NANOS_PER_SEC as f64) as u64));
    match fault.at_s {
        Some(at) if !named && !moved => format!("at {}", clock(at)),
        _ => format!("at {name}"),
    }
}
