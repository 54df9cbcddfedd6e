//! What a run came to: figures that do not tell which engine made them, and their faces.
//!
//! [`Figures`] is one variant of one run. A [`Report`] is all variants and runs of one scenario; [`table`], [`story`]
//! and [`export`] turn it into text.

pub mod agreement;
mod deploys;
pub mod document;
pub mod expectations;
mod figures;
pub mod keyed;
pub mod path;
#[cfg(test)]
pub(crate) mod sample;
mod serverless;
pub mod statistics;
pub mod tree;

use serde::{Deserialize, Serialize, Serializer};

use crate::base::time::{Instant, Span};
use crate::history::Event;
pub use crate::judging::observer::{Hurt, HurtBy};
pub use crate::judging::post_mortem::Cause;
use crate::operations::faults::Fault;
use crate::scenario::Scenario;

pub use self::agreement::Agreement;
pub use self::document::{ReadError, Results, read};
pub use self::keyed::Keyed;
pub use figures::{figures, latency, series, strikes};

/// The version of the JSON that [`Results`] are written as; it grows when a field changes its meaning or goes.
///
/// - 1: faults, deploys and regions are lists, and what changes of the pool's size cost is one sum.
/// - 2: they are tables, by the names of faults and regions; random faults are summed up by process.
pub const SCHEMA: u32 = 2;

/// Everything that one call of the program found out.
#[derive(Clone, Debug)]
pub struct Report {
    /// The scenario's name, `sticky-crash`, or its file's.
    pub name: String,
    /// The scenario without any variant's patch, for title, question and lesson.
    pub scenario: Scenario,
    /// `sim` or `http`.
    pub engine: &'static str,
    /// The root seed.
    pub seed: u64,
    /// Whether somebody stopped it before its end.
    pub interrupted: bool,
    /// Variant by variant, in the order of the scenario.
    pub variants: Vec<VariantReport>,
    /// Designs that only a simulation can play, and that were left out.
    pub left_out: Vec<String>,
    /// What the scenario expected, and whether it came.
    pub expectations: Vec<Expectation>,
    /// Whether what really ran is what simulations predict; absent when it was not asked for.
    pub agreement: Option<Agreement>,
}

impl RunReport {
    /// What a fault met and took; `None` when it never struck.
    #[must_use]
    pub fn strike(&self, fault: u32) -> Option<&Strike> {
        self.strikes.iter().find(|strike| strike.fault == fault)
    }
}

/// One variant, over all runs.
#[derive(Clone, Debug)]
pub struct VariantReport {
    /// Its name.
    pub name: String,
    /// What it ran.
    pub scenario: Scenario,
    /// Run by run; the first has the root seed.
    pub runs: Vec<RunReport>,
}

/// One run of one variant.
#[derive(Clone, Debug, Default)]
pub struct RunReport {
    /// Its seed.
    pub seed: u64,
    /// What came out.
    pub figures: Figures,
    /// The same over time.
    pub series: Series,
    /// Every fault that struck, in the order of the run's faults.
    pub strikes: Vec<Strike>,
    /// For each kind of hurt, the first visits that had it: candidates for a story.
    pub hurt: Vec<Hurt>,
    /// Everything that happened, in order, when it cannot be played again.
    pub tape: Option<Vec<Event>>,
}

/// One fault that struck, and what it met and took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strike {
    /// Which of the run's faults it is.
    pub fault: u32,
    /// Its name in [`Figures::faults`].
    pub name: String,
    /// When.
    pub at: Instant,
    /// Carts that were open then.
    pub open_carts: u64,
    /// Of those, the ones that lost something to it.
    pub lost_of_open: u64,
}

/// A user's visit, event by event, for a story.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    /// What happened to that visit and to the pool meanwhile, in order.
    pub events: Vec<Event>,
    /// Faults that are not the scenario's own, with their indices among those of the run.
    pub injected: Vec<(u32, Fault)>,
}

impl Tape {
    /// A fault that is not the scenario's own, by its index among those of the run.
    #[must_use]
    pub fn injected(&self, index: u32) -> Option<&Fault> {
        self.injected.iter().find(|(of, _)| *of == index).map(|(_, fault)| fault)
    }
}

/// The figures of one variant in one run. Field names are the paths of JSON and of expectations.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Figures {
    /// Carts by outcome; they sum up to `opened`.
    pub carts: Carts,
    /// Lost carts by cause.
    pub lost_by: LostBy,
    /// Visits by how they ended.
    pub visits: Visits,
    /// Views of the cart that were answered.
    pub views: u64,
    /// Of those, the ones that missed something acknowledged or showed something that cannot be.
    pub wrong_views: u64,
    /// How often a user who had logged in was told 401.
    pub logged_out: u64,
    /// Copies of sessions presented after logout; absent when nobody does that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replays: Option<u64>,
    /// Of those, accepted.
    pub zombie_logins: u64,
    /// Made-up sessions presented.
    pub impostors: u64,
    /// Of those, accepted.
    pub impostors_accepted: u64,
    /// Acknowledged uploads that were asked for and answered with 404, or are gone when all files are looked for at the
    /// end.
    pub missing_files: u64,
    /// Items that were removed or bought, and came back.
    pub ghosts: u64,
    /// Visits charged more than once.
    pub double_charges: u64,
    /// Users who made at least one visit.
    pub users: u64,
    /// Of those, with at least one lost or overcharged cart, abandoned visit, logout, wrong view, double charge, missing
    /// file or refused form.
    pub users_hurt: u64,
    /// Requests by outcome; they sum up to `sent`.
    pub requests: Requests,
    /// From sending a request to its end.
    pub latency_ms: Latency,
    /// From meaning to do a step to its final answer.
    pub step_latency_ms: Latency,
    /// From sending to the end of service, for requests of others where a heavy user's request was served less than a
    /// second before; absent when nobody is heavy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neighbours_latency_ms: Option<Latency>,
    /// Region by region, by name, what it is like for users who are there; absent when all are in one place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regions: Option<Keyed<RegionFigures>>,
    /// What the platform's instances came to; absent where there are servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serverless: Option<ServerlessFigures>,
    /// How evenly the servers worked.
    pub load: Load,
    /// What the design costs.
    pub price: Price,
    /// Uploads and downloads; absent when nobody uploads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<FileFigures>,
    /// What hidden state did; absent when servers hide nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<HiddenFigures>,
    /// How often the balancer ejected a server for its answers; absent when it does not look at them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ejections: Option<u64>,
    /// What each fault that struck met and took, by its name; and what each process of random faults did, by its own.
    pub faults: Keyed<FaultFigures>,
    /// What each deploy took and cost, by its name; absent when none began.
    #[serde(default, skip_serializing_if = "Keyed::is_empty")]
    pub deploys: Keyed<DeployFigures>,
    /// What each change of the pool's size cost, by its name; absent when nothing could change it.
    #[serde(default, skip_serializing_if = "Keyed::is_empty")]
    pub scaling: Keyed<Scaling>,
    /// How the pool recovered from the faults that killed servers; absent when none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery: Option<Recovery>,
    /// How real time was kept; absent when time was simulated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pace: Option<Pace>,
}

/// How an engine that runs against the wall clock kept time. All other figures are in the scenario's own time.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Pace {
    /// Seconds of the scenario in one real second.
    pub speed: f64,
    /// How much later than meant requests were sent, in real milliseconds.
    pub late_ms: Latency,
    /// Whether that was little enough for the figures to mean something: 99 % less than 5 ms, and none more than
    /// users or the balancer wait for an answer. Over several runs the share of those in which it was, 0 to 1.
    pub kept_up: bool,
}

/// Carts by outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Carts {
    /// First add sent; the sum of the others.
    pub opened: u64,
    /// Charged as it should be.
    pub intact: u64,
    /// Something acknowledged was missing at checkout.
    pub lost: u64,
    /// Nothing missing, something charged that cannot be.
    pub overcharged: u64,
    /// Given up before checkout.
    pub abandoned: u64,
    /// Checkout sent and never answered.
    pub unknown: u64,
    /// The run ended first.
    pub open: u64,
}

/// Lost carts by cause.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[expect(missing_docs, reason = "each is the Cause of the same name")]
pub struct LostBy {
    pub rolled_back: u64,
    pub evicted: u64,
    pub expired: u64,
    pub overwritten: u64,
    pub wiped: u64,
    pub stale: u64,
    pub split: u64,
    pub unexplained: u64,
}

/// Visits by how they ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Visits {
    /// All that began; the sum of the others.
    pub begun: u64,
    /// All steps done.
    pub finished: u64,
    /// Given up after refusals.
    pub abandoned_refused: u64,
    /// Given up after unknown outcomes.
    pub abandoned_unknown: u64,
    /// Given up after being logged out.
    pub abandoned_logged_out: u64,
    /// The run ended first.
    pub open: u64,
}

/// Requests of users by outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Requests {
    /// All; the sum of `ok`, `refused`, `failed`, `timed_out` and `in_flight`.
    pub sent: u64,
    /// 2xx.
    pub ok: u64,
    /// 4xx, 503, or never reached a server.
    pub refused: u64,
    /// Sent, then dropped.
    pub failed: u64,
    /// No answer in time.
    pub timed_out: u64,
    /// The run ended first.
    pub in_flight: u64,
    /// Attempts of the balancer beyond each request's first; not part of `sent`.
    pub balancer_retries: u64,
}

/// Latency in milliseconds; quantiles from a histogram with two significant digits.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[expect(missing_docs, reason = "each is what its name says")]
pub struct Latency {
    pub mean: f64,
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub max: f64,
}

/// What it is like for users who are in one region.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct RegionFigures {
    /// Their requests that ended.
    pub requests: u64,
    /// Their adds that were acknowledged, from meaning to do them.
    pub add_ms: Latency,
    /// All their steps, from meaning to do them to their final answer.
    pub step_latency_ms: Latency,
}

/// What a platform's instances came to.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct ServerlessFigures {
    /// How often an instance had to be started for a request.
    pub cold_starts: u64,
    /// The same per request served.
    pub cold_share: f64,
    /// Most instances at the same moment.
    pub most_at_once: u64,
    /// Instances that were there on average, while the shop was open.
    pub mean_instances: f64,
    /// Of those, the ones that started or worked, which is what is charged for.
    pub mean_billed: f64,
}

/// How evenly the servers worked.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Load {
    /// Server by server.
    pub per_server: Vec<ServerLoad>,
    /// Busiest server x mean, by busy time, over the run.
    pub peak_to_mean: f64,
    /// Coefficient of variation of the busy times.
    pub cv: f64,
    /// Jain's index of the busy times: 1 is perfectly even, 1/N is all on one.
    pub jain: f64,
    /// Busiest server x mean, by requests, in the worst window.
    pub worst_window_peak_to_mean: f64,
    /// Length of such a window, in seconds.
    pub window_s: f64,
    /// Seconds from a new server's start until it carried 90 % of its fair share; absent when none started or none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fair_share_after_s: Option<f64>,
}

/// One server's work.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct ServerLoad {
    /// `server-1`, ….
    pub name: String,
    /// Requests served.
    pub requests: u64,
    /// Share of its workers' time that was busy while the shop was open, 0 to 1.
    pub busy: f64,
}

/// Uploads and downloads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct FileFigures {
    /// Files whose upload was acknowledged.
    pub uploaded: u64,
    /// Downloads that were answered, with the file or with 404.
    pub downloads: u64,
    /// Of those, answered with 404.
    pub missing_downloads: u64,
    /// Of those, of files that were on another server just then.
    pub elsewhere: u64,
    /// Acknowledged files that are nowhere at the end.
    pub destroyed: u64,
}

/// What state did that servers hide.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct HiddenFigures {
    /// Forms that were answered with 403.
    pub forbidden: u64,
    /// Requests that were answered with 429.
    pub too_many: u64,
    /// Requests answered beyond what one limiter for all servers would have allowed.
    pub over_limit: u64,
    /// Pages with a version of the catalogue.
    pub pages: u64,
    /// Of those, older than one that their user had seen before.
    pub stale_pages: u64,
    /// Visits whose checkout was sent again after one whose outcome is unknown.
    pub retried_checkouts: u64,
}

/// What a design costs.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Price {
    /// Calls to the shared store per request served.
    pub store_calls_per_request: f64,
    /// Calls to the shared store per second, while the shop was open.
    pub store_calls_per_second: f64,
    /// Bytes of state that tokens carried, both ways, per request served. Modelled, not measured, in sim.
    pub bytes_carried_per_request: f64,
    /// Calls to the object store per request served; absent when nobody uploads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_calls_per_request: Option<f64>,
    /// Copies of carts sent to other servers, per request served; absent unless carts live in replicated memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas_written_per_request: Option<f64>,
    /// Servers paid for: their mean number, when they came and went.
    #[serde(serialize_with = "whole_if_it_is")]
    pub servers: f64,
    /// The most servers that were paid for at once; absent when nothing could change the pool's size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most_servers: Option<u64>,
}

/// A number that is whole is written without a fraction.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
fn whole_if_it_is<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of servers")]
    let whole = *number as u64;
    if number.fract() == 0.0 { serializer.serialize_u64(whole) } else { serializer.serialize_f64(*number) }
}

/// What one fault met and took, or all faults that one random process drew.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct FaultFigures {
    /// Seconds from the start; absent of a random process, which strikes at any time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_s: Option<f64>,
    /// How often a random process struck; absent of a fault that strikes once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strikes: Option<u64>,
    /// Carts that were open when it struck, all strikes together.
    pub open_carts: u64,
    /// Of those, the ones that lost something to it.
    pub lost_of_open: u64,
    /// For a migration: seconds from its moment until the last cart was charged that had lost something to it, 0 when
    /// none had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub losses_lasted_s: Option<f64>,
}

/// What one deploy took and cost.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct DeployFigures {
    /// Seconds from the start of the run until it began.
    pub at_s: f64,
    /// Seconds until every server was new and ready; until the shop closed, if that came first.
    pub took_s: f64,
    /// Whether it was done in the end. Over several runs the share of those in which it was, 0 to 1.
    pub finished: bool,
    /// Users whom a cookie still bound to a server when it was stopped.
    pub cut_off_users: u64,
    /// Requests that a server held when it was stopped.
    pub cut_requests: u64,
    /// Server-seconds for which fewer servers took new users than when it began.
    pub capacity_lost: f64,
}

/// What a planned change of the pool's size cost, or all that an autoscaler did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Scaling {
    /// Servers that were taken out.
    pub taken_out: u64,
    /// Users whom a cookie still bound to a server when it was taken out.
    pub cut_off_users: u64,
    /// Requests that a server held when it was taken out.
    pub cut_requests: u64,
}

/// How the pool recovered from the faults that killed servers.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Recovery {
    /// Times that a server was killed.
    pub kills: u64,
    /// Of those, the ones that the balancer noticed. A server that is back soon enough is never believed down, and one
    /// that dies again before it is trusted again is believed down already.
    pub noticed: u64,
    /// From the kill until the balancer believed the server down; absent when it never noticed any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noticed_s: Option<Seconds>,
    /// Of all kills, the ones after which the server came back into use.
    pub back: u64,
    /// From the kill until a server ran in its place and the balancer (still or again) believed it up; absent when none
    /// did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity_back_s: Option<Seconds>,
    /// From the kill until users were well: the last time, before the next kill or the end, that one was told something
    /// bad. That is a request which failed, was refused or got no answer, a login that no server knew, or a checkout
    /// that lost what this kill had wiped out. Trouble for any other reason counts too: in a design that always has
    /// some, users are never well, and this is the time to the next kill.
    pub users_well_s: Seconds,
}

/// Seconds, over several faults.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[expect(missing_docs, reason = "each is what its name says")]
pub struct Seconds {
    pub mean: f64,
    pub max: f64,
}

/// Figures over time, in windows of equal length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// The length of one.
    pub window: Span,
    /// One row a window, from the start.
    pub rows: Vec<SeriesRow>,
}

/// One window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in Figures, for events of this window")]
pub struct SeriesRow {
    pub sent: u64,
    pub ok: u64,
    pub refused: u64,
    pub failed: u64,
    pub timed_out: u64,
    pub logged_out: u64,
    pub lost_carts: u64,
    pub intact_carts: u64,
    /// Carts open when the window ended.
    pub open_carts: u64,
    /// Requests served, server by server.
    pub served: Vec<u32>,
}

/// One expectation of the scenario and what came.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Expectation {
    /// Of which variant.
    pub variant: String,
    /// The claim as written.
    pub what: String,
    /// The observed values, as text: `lost_by.wiped = 49`.
    pub observed: String,
    /// Whether it holds.
    pub passed: bool,
}
