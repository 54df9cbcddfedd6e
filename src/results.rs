//! The results of a run: figures that do not depend on which engine produced them, and what is derived from them.
//!
//! [`Figures`] describes one run of one variant. A [`Report`] holds all variants and runs of one scenario.

pub mod agreement;
mod coverage;
mod deploys;
mod digest;
pub mod document;
pub mod expectations;
mod figures;
pub mod keyed;
mod over_time;
pub mod path;
pub mod prose;
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
use crate::scenario::{DesignNumber, Loaded, Scenario};

pub use self::agreement::Agreement;
pub use self::digest::Digest;
pub use self::document::{ReadError, Results, read};
pub use self::keyed::Keyed;
pub use figures::{Moment, figures, latency, series, strikes};

/// The version of the JSON format of [`Results`]. It increases when a field changes its meaning or is removed.
///
/// - 1: faults, deploys and regions are lists, and the cost of all changes of the pool's size is one sum.
/// - 2: they are tables keyed by the names of faults and regions; random faults are summed by random process.
pub const SCHEMA: u32 = 2;

/// The results of one invocation of the program.
#[derive(Clone, Debug)]
pub struct Report {
    /// The scenario's name, such as `sticky-crash`, or that of its file.
    pub name: String,
    /// The scenario without any variant's patch: the source of title, question and lesson.
    pub scenario: Scenario,
    /// The fingerprint of the scenario's text and of its changes: see [`Loaded::fingerprint`](crate::scenario::Loaded::fingerprint).
    pub written: u64,
    /// `sim` or `http`.
    pub engine: &'static str,
    /// The root seed.
    pub seed: u64,
    /// How many runs of each variant were asked for.
    pub runs: u32,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
    /// One entry per variant, in the order of the scenario.
    pub variants: Vec<VariantReport>,
    /// The designs that were left out because only a simulation can run them.
    pub left_out: Vec<String>,
    /// The scenario's expectations, and whether they hold.
    pub expectations: Vec<Expectation>,
    /// How real runs compare with simulations; `None` if that was not requested.
    pub agreement: Option<Agreement>,
}

impl Report {
    /// What was measured, without anything that is judged afterwards.
    #[must_use]
    pub fn of(loaded: &Loaded, engine: &'static str, seed: u64, runs: u32, variants: Vec<VariantReport>) -> Report {
        let mut report = Report {
            name: loaded.name.clone(),
            scenario: loaded.base.clone(),
            written: loaded.fingerprint(),
            engine,
            seed,
            runs,
            interrupted: false,
            variants,
            left_out: Vec::new(),
            expectations: Vec::new(),
            agreement: None,
        };
        // Whoever asks for an end when all is done interrupts nothing.
        report.interrupted = report.complete() < report.planned();
        report
    }
}

impl RunReport {
    /// What a fault hit and what it cost; `None` if it never struck.
    #[must_use]
    pub fn strike(&self, fault: u32) -> Option<&Strike> {
        self.strikes.iter().find(|strike| strike.fault == fault)
    }
}

/// One variant with all of its runs.
#[derive(Clone, Debug)]
pub struct VariantReport {
    /// Its number.
    pub number: DesignNumber,
    /// Its name.
    pub name: String,
    /// The scenario it ran.
    pub scenario: Scenario,
    /// The runs that count, in the order in which they were made: those that went to their end. If none did, the one
    /// that came furthest stands in for them; if none began, there is none.
    pub runs: Vec<RunReport>,
    /// The other runs that were cut short. They are in no figure.
    pub cut_short: Vec<RunReport>,
}

/// One run of one variant.
#[derive(Clone, Debug, Default)]
pub struct RunReport {
    /// Its seed. The first run has the root seed.
    pub seed: u64,
    /// When it was cut short; `None` if it went to its end.
    pub cut_at: Option<Instant>,
    /// The figures.
    pub figures: Figures,
    /// The same figures over time.
    pub series: Series,
    /// The faults that struck, in the order of the run's faults.
    pub strikes: Vec<Strike>,
    /// For each kind of harm, the first visits that suffered it: candidates for a story.
    pub hurt: Vec<Hurt>,
    /// All events in order, if the run cannot be replayed.
    pub tape: Option<Vec<Event>>,
}

/// A fault that struck, what it hit and what it cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strike {
    /// Its index among the run's faults.
    pub fault: u32,
    /// Its name in [`Figures::faults`].
    pub name: String,
    /// When it struck.
    pub at: Instant,
    /// Carts that were open at that time.
    pub open_carts: u64,
    /// Of those, the ones that lost something because of it.
    pub lost_of_open: u64,
}

/// A user's visit, event by event, for a story.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    /// The events of that visit, and of the pool during it, in order.
    pub events: Vec<Event>,
    /// Injected or random faults, which are not written in the scenario, with their indices among the run's faults.
    pub injected: Vec<(u32, Fault)>,
}

impl Tape {
    /// A fault that is not written in the scenario, by its index among the run's faults.
    #[must_use]
    pub fn injected(&self, index: u32) -> Option<&Fault> {
        self.injected.iter().find(|(of, _)| *of == index).map(|(_, fault)| fault)
    }
}

/// The figures of one run. The field names are the paths in JSON and in expectations.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Figures {
    /// Carts by outcome; they add up to `opened`.
    pub carts: Carts,
    /// Lost carts by cause.
    pub lost_by: LostBy,
    /// Visits by how they ended.
    pub visits: Visits,
    /// Cart views that were answered.
    pub views: u64,
    /// Of those, the ones that lacked an acknowledged item or showed an impossible one.
    pub wrong_views: u64,
    /// How many times a logged-in user received a 401.
    pub logged_out: u64,
    /// Replays of sessions after logout; absent if nobody attempts any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replays: Option<u64>,
    /// Of those, the accepted ones.
    pub zombie_logins: u64,
    /// Forged sessions that were presented.
    pub impostors: u64,
    /// Of those, the accepted ones.
    pub impostors_accepted: u64,
    /// Acknowledged uploads that a download answered with 404, or that no longer exist when all files are checked at
    /// the end.
    pub missing_files: u64,
    /// Items that were removed or bought but reappeared.
    pub ghosts: u64,
    /// Visits charged more than once.
    pub double_charges: u64,
    /// Users who made at least one visit.
    pub users: u64,
    /// Of those, the ones with at least one lost or overcharged cart, abandoned visit, logout, wrong view, double
    /// charge, missing file or refused form, or with a step that was still unanswered when the run ended.
    pub users_hurt: u64,
    /// Requests by outcome; they add up to `sent`.
    pub requests: Requests,
    /// From sending a request to its end; absent if none ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<Latency>,
    /// From the intended start of a step to its final answer; absent if none was answered. Steps that users still waited
    /// for at the end are not in it: see [`Visits::open`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step_latency_ms: Option<Latency>,
    /// From sending to the end of service, for other users' requests to a server that has served a heavy user within
    /// the last second; absent if there were none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neighbours_latency_ms: Option<Latency>,
    /// What users in each region experience, by region name; absent without regions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regions: Option<Keyed<RegionFigures>>,
    /// The figures of a platform's instances; absent with ordinary servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serverless: Option<ServerlessFigures>,
    /// How evenly the load was spread over the servers.
    pub load: Load,
    /// What the design costs.
    pub price: Price,
    /// Uploads and downloads; absent when nobody uploads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<FileFigures>,
    /// The effects of hidden state; absent if servers hide nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<HiddenFigures>,
    /// How many times the balancer ejected a server as an outlier; absent without outlier ejection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ejections: Option<u64>,
    /// What each fault that struck hit and cost, by name. A random process has one entry for all of its faults.
    pub faults: Keyed<FaultFigures>,
    /// What each deploy cost, by name; absent if none began.
    #[serde(default, skip_serializing_if = "Keyed::is_empty")]
    pub deploys: Keyed<DeployFigures>,
    /// What each change of the pool's size cost, by name; absent if nothing could change it.
    #[serde(default, skip_serializing_if = "Keyed::is_empty")]
    pub scaling: Keyed<Scaling>,
    /// How the pool recovered from faults that killed servers; absent if none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovery: Option<Recovery>,
    /// How closely the run kept to real time; absent from simulations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pace: Option<Pace>,
}

/// How closely a run against the wall clock kept time. All other figures are in scenario time.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Pace {
    /// Scenario seconds per real second.
    pub speed: f64,
    /// How late requests were sent, in real milliseconds.
    pub late_ms: Latency,
    /// Whether requests were punctual enough for the figures to be meaningful: 99 % less than 5 ms late, and none later
    /// than the timeout of users or the balancer. Over several runs: the share of punctual runs, 0 to 1.
    pub kept_up: bool,
}

/// Carts by outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Carts {
    /// An add was sent. The sum of the others.
    pub opened: u64,
    /// Charged correctly.
    pub intact: u64,
    /// An acknowledged item was missing at checkout.
    pub lost: u64,
    /// Nothing was missing, but an item was charged that should not have been.
    pub overcharged: u64,
    /// Given up before checkout.
    pub abandoned: u64,
    /// The checkout was sent but never answered.
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
    /// All visits that began; the sum of the others.
    pub begun: u64,
    /// All steps done.
    pub finished: u64,
    /// Given up after refusals.
    pub abandoned_refused: u64,
    /// Given up after outcomes that stayed unknown.
    pub abandoned_unknown: u64,
    /// Given up after being logged out.
    pub abandoned_logged_out: u64,
    /// The run ended first.
    pub open: u64,
}

/// Requests of users by outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Requests {
    /// All requests; the sum of `ok`, `refused`, `failed`, `timed_out` and `in_flight`.
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
    /// The balancer's attempts beyond the first of each request; not part of `sent`.
    pub balancer_retries: u64,
}

/// Latency in milliseconds. Quantiles come from a histogram with two significant digits.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[expect(missing_docs, reason = "each is what its name says")]
pub struct Latency {
    pub mean: f64,
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub max: f64,
}

/// What users in one region experience.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct RegionFigures {
    /// Their requests that have ended.
    pub requests: u64,
    /// Their acknowledged adds, from the intended start to the answer; absent without any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add_ms: Option<Latency>,
    /// All their steps, from the intended start to the final answer; absent without any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step_latency_ms: Option<Latency>,
}

/// The figures of a platform's instances.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct ServerlessFigures {
    /// How many times a request needed a new instance.
    pub cold_starts: u64,
    /// Cold starts per request served; absent if none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cold_share: Option<f64>,
    /// The maximum number of simultaneous instances.
    pub most_at_once: u64,
    /// The mean number of instances while the shop was open.
    pub mean_instances: f64,
    /// Of those, the mean number that were starting or busy, and so are billed.
    pub mean_billed: f64,
}

/// How evenly the load was spread over the servers.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Load {
    /// One entry per server.
    pub per_server: Vec<ServerLoad>,
    /// Busiest server x mean, by busy time over the run: the most that any server did, relative to an even share of the
    /// work done while it was in the pool and alive. A server that was there for less than a window does not count,
    /// unless all were. Like the next three, absent if no server did anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_to_mean: Option<f64>,
    /// Coefficient of variation of the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cv: Option<f64>,
    /// Jain's index of the same: 1 is perfectly even, 1/N is everything on one server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jain: Option<f64>,
    /// Busiest server x mean in the worst window, or longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worst_window_peak_to_mean: Option<f64>,
    /// The length of a window, in seconds.
    pub window_s: f64,
    /// How many times a server was added, or came back after a fault.
    #[serde(default)]
    pub joined: u64,
    /// Seconds from a new server's start until it carried 90 % of its fair share; absent if none started or none got
    /// there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fair_share_after_s: Option<f64>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The load of one server.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct ServerLoad {
    /// `server-1`, ….
    pub name: String,
    /// Requests served.
    pub requests: u64,
    /// Requests that ended here without being served: failed, refused because the queue was full, or cut off. Absent if
    /// there were none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub dropped: u64,
    /// The busy share of its workers' time while the shop was open, 0 to 1.
    pub busy: f64,
}

/// Uploads and downloads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct FileFigures {
    /// Files whose upload was acknowledged.
    pub uploaded: u64,
    /// Downloads that were answered, with the file or with 404.
    pub downloads: u64,
    /// Of those, the ones answered with 404.
    pub missing_downloads: u64,
    /// Of those, the ones whose file was on another server at that moment.
    pub elsewhere: u64,
    /// Acknowledged files that no longer exist anywhere at the end.
    pub destroyed: u64,
}

/// The effects of state that servers hide.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct HiddenFigures {
    /// Forms answered with 403.
    pub forbidden: u64,
    /// Requests answered with 429.
    pub too_many: u64,
    /// Answered requests beyond what a single limiter shared by all servers would have allowed.
    pub over_limit: u64,
    /// Pages that show a version of the catalogue.
    pub pages: u64,
    /// Of those, the ones with an older version than their user had already seen.
    pub stale_pages: u64,
    /// Visits that retried a checkout whose outcome was unknown.
    pub retried_checkouts: u64,
}

/// What a design costs.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Price {
    /// Calls to the shared store per request that was served well (`requests.ok`): what the others cost is in it. Like
    /// all prices per request, absent if none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store_calls_per_request: Option<f64>,
    /// Calls to the shared store per second, while the shop was open.
    pub store_calls_per_second: f64,
    /// Bytes of state that tokens carried, in both directions, per request served well. The simulator models them instead
    /// of measuring.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_carried_per_request: Option<f64>,
    /// Calls to the object store per request served well; absent if nobody uploads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_calls_per_request: Option<f64>,
    /// Copies of carts sent to other servers, per request served well; absent unless carts are in replicated memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replicas_written_per_request: Option<f64>,
    /// Servers paid for: their mean number, if the pool's size changed.
    #[serde(serialize_with = "whole_if_it_is")]
    pub servers: f64,
    /// The maximum number of servers paid for at once; absent if nothing could change the pool's size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most_servers: Option<u64>,
}

/// Serialises whole numbers without a fraction.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
fn whole_if_it_is<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of servers")]
    let whole = *number as u64;
    if number.fract() == 0.0 { serializer.serialize_u64(whole) } else { serializer.serialize_f64(*number) }
}

/// What one fault hit and cost, or all faults of one random process.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct FaultFigures {
    /// Seconds from the start of the run; absent for a random process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_s: Option<f64>,
    /// How many times a random process struck; absent for a single fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strikes: Option<u64>,
    /// Carts that were open when it struck, summed over all strikes.
    pub open_carts: u64,
    /// Of those, the ones that lost something because of it.
    pub lost_of_open: u64,
    /// For a migration: seconds from its start until the checkout of the last cart that lost something because of it; 0
    /// if none did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub losses_lasted_s: Option<f64>,
}

/// What one deploy cost.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct DeployFigures {
    /// When it began, in seconds from the start of the run.
    pub at_s: f64,
    /// Seconds until every server was replaced and ready, or until the shop closed if that came first.
    pub took_s: f64,
    /// Whether it finished. Over several runs: the share of runs in which it did, 0 to 1.
    pub finished: bool,
    /// Users who were still bound by a cookie to a server when it was stopped.
    pub cut_off_users: u64,
    /// Requests held by servers when they were stopped.
    pub cut_requests: u64,
    /// Server-seconds by which the pool had fewer servers taking new users than when the deploy began.
    pub capacity_lost: f64,
}

/// What a planned change of the pool's size cost, or everything an autoscaler did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Scaling {
    /// Servers that were removed.
    pub taken_out: u64,
    /// Users who were still bound by a cookie to a server when it was removed.
    pub cut_off_users: u64,
    /// Requests held by servers when they were removed.
    pub cut_requests: u64,
}

/// How the pool recovered from faults that killed servers.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Recovery {
    /// How many times a server was killed.
    pub kills: u64,
    /// Of those, the kills that the balancer noticed. It never marks a server down that comes back soon enough. A
    /// server that dies again before it is trusted again is already marked down.
    pub noticed: u64,
    /// From the kill until the balancer marked the server down; absent if it never noticed any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub noticed_s: Option<Seconds>,
    /// Of all kills, those after which the server came back into use.
    pub back: u64,
    /// From the kill until a replacement ran and the balancer (still or again) believed it to be up; absent if none
    /// did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity_back_s: Option<Seconds>,
    /// From the kill until the last bad outcome for any user before the next kill or the end. A bad outcome is a
    /// request that failed, was refused or timed out, a login that no server knew, or a checkout that lost what this
    /// kill had wiped. Problems with other causes count too: if a design always has some, users are never well, and
    /// this is the time to the next kill.
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
    /// The length of a window.
    pub window: Span,
    /// One row per window, from the start.
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
    /// Carts that were open when the window ended.
    pub open_carts: u64,
    /// Requests served, one entry per server.
    pub served: Vec<u32>,
}

/// One expectation of the scenario and its result.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Expectation {
    /// The variant it is about.
    pub variant: String,
    /// The claim as written.
    pub what: String,
    /// The observed values, as text: `lost_by.wiped = 49`.
    pub observed: String,
    /// Whether it holds.
    pub passed: bool,
}
