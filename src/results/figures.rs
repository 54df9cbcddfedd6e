//! Computes figures from what was recorded.

use super::deploys;
use super::serverless;
use super::{
    Carts, FaultFigures, Figures, FileFigures, HiddenFigures, Keyed, Latency, Load, LostBy, Price, Recovery,
    RegionFigures, Requests, Seconds, Series, SeriesRow, ServerLoad, Strike, Visits,
};
use crate::base::time::{Instant, Span};
use crate::base::{ServerId, Step};
use crate::judging::meter::{Evenness, LatencyMeter, Meter, RegionMeter, Work};
use crate::judging::observer::{Observer, Outage};
use crate::judging::post_mortem::FaultImpact;
use crate::operations::faults::{Fault, FaultKind, of_processes};
use crate::scenario::{CartHome, HiddenState, Scenario};

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The time in the run.
    pub now: Instant,
    /// How many requests users are waiting for, as counted by the engine.
    pub awaited: u64,
}

/// Computes the figures of a run, up to this moment. `faults` are those of the run.
///
/// # Panics
///
/// If a conservation law is broken: carts or requests that are unaccounted for, or a loss without a cause. That is a
/// bug in the simulator, and no figure of such a run may be shown.
#[must_use]
pub fn figures(observer: &Observer, scenario: &Scenario, moment: Moment, faults: &[Fault]) -> Figures {
    let counts = observer.checker.counts();
    let closes = scenario.closes();
    let open_until = moment.now.min(closes);
    let at_the_end = moment.now >= scenario.ends();
    let figures = Figures {
        carts: carts(observer),
        lost_by: lost_by(observer.post_mortem.lost_by()),
        visits: visits(observer),
        views: counts.views,
        wrong_views: counts.wrong_views,
        logged_out: counts.logged_out,
        replays: scenario.users.journey.contains(&Step::ReplayToken).then_some(counts.replays),
        zombie_logins: counts.zombie_logins,
        impostors: counts.impostors,
        impostors_accepted: counts.impostors_accepted,
        missing_files: counts.files.missing,
        ghosts: counts.ghosts,
        double_charges: counts.double_charges,
        users: counts.users,
        users_hurt: counts.users_hurt + if at_the_end { observer.checker.users_without_answer() } else { 0 },
        requests: requests(&observer.meter, moment.awaited),
        latency_ms: latency(&observer.meter.latency()),
        step_latency_ms: latency(&observer.meter.step_latency()),
        neighbours_latency_ms: observer.meter.neighbours.as_ref().and_then(|neighbours| latency(&neighbours.latency)),
        regions: observer.meter.regions.as_ref().map(|meters| meters.regions.iter().map(region).collect()),
        serverless: serverless::figures(&observer.meter, scenario, open_until),
        load: load(observer, scenario, open_until),
        price: Price {
            most_servers: deploys::most_servers(observer, faults),
            ..price(&observer.meter, scenario, open_until)
        },
        files: scenario.users.upload().then(|| files(observer)),
        hidden: (scenario.servers.hidden != HiddenState::None).then(|| hidden(observer)),
        ejections: scenario.balancer.outlier.as_ref().map(|_| observer.meter.ejections),
        faults: fault_figures(observer, scenario, faults),
        deploys: deploys::deploys(observer, open_until, faults),
        scaling: deploys::scaling(observer, faults),
        recovery: recovery(observer.recovery.outages()),
        pace: None,
    };
    assert_conservation(&figures);
    figures
}

/// Asserts that every cart and request is accounted for, and every loss explained.
fn assert_conservation(figures: &Figures) {
    let carts = &figures.carts;
    let sum = carts.intact + carts.lost + carts.overcharged + carts.abandoned + carts.unknown + carts.open;
    assert_eq!(carts.opened, sum, "carts opened are the sum of their outcomes: {carts:?}");
    let requests = &figures.requests;
    let sum = requests.ok + requests.refused + requests.failed + requests.timed_out + requests.in_flight;
    assert_eq!(requests.sent, sum, "requests sent are the sum of their outcomes: {requests:?}");
    assert_eq!(figures.lost_by.unexplained, 0, "every loss has a cause: {:?}", figures.lost_by);
    let by = &figures.lost_by;
    let sum = by.rolled_back + by.evicted + by.expired + by.overwritten + by.wiped + by.stale + by.split;
    assert_eq!(carts.lost, sum, "lost carts are the sum of their causes: {by:?}");
    if let Some(files) = &figures.files {
        let in_order = files.elsewhere <= files.missing_downloads && files.missing_downloads <= files.downloads;
        assert!(in_order && figures.missing_files <= files.uploaded, "files are counted once: {files:?}");
    }
}

fn carts(observer: &Observer) -> Carts {
    let counts = observer.checker.counts();
    Carts {
        opened: counts.opened,
        intact: counts.intact,
        lost: counts.lost,
        overcharged: counts.overcharged,
        abandoned: counts.abandoned,
        unknown: counts.unknown,
        open: observer.checker.open_carts(),
    }
}

fn lost_by(counts: [u64; 8]) -> LostBy {
    let [rolled_back, evicted, expired, overwritten, wiped, stale, split, unexplained] = counts;
    LostBy { rolled_back, evicted, expired, overwritten, wiped, stale, split, unexplained }
}

fn visits(observer: &Observer) -> Visits {
    let v = &observer.visits;
    let ended = v.finished + v.abandoned_refused + v.abandoned_unknown + v.abandoned_logged_out;
    Visits {
        begun: v.begun,
        finished: v.finished,
        abandoned_refused: v.abandoned_refused,
        abandoned_unknown: v.abandoned_unknown,
        abandoned_logged_out: v.abandoned_logged_out,
        open: v.begun - ended,
    }
}

fn requests(meter: &Meter, in_flight: u64) -> Requests {
    let counts = meter.requests();
    Requests {
        sent: counts.sent,
        ok: counts.ok,
        refused: counts.refused,
        failed: counts.failed,
        timed_out: counts.timed_out,
        in_flight,
        balancer_retries: meter.balancer_retries,
    }
}

/// The figures of a histogram; `None` if it is empty.
#[must_use]
pub fn latency(meter: &LatencyMeter) -> Option<Latency> {
    (meter.count() > 0).then(|| Latency {
        mean: meter.mean_ms(),
        p50: meter.quantile_ms(0.5),
        p90: meter.quantile_ms(0.9),
        p99: meter.quantile_ms(0.99),
        max: meter.max_ms(),
    })
}

fn region(meter: &RegionMeter) -> (&str, RegionFigures) {
    let figures = RegionFigures {
        requests: meter.requests,
        add_ms: latency(&meter.adds),
        step_latency_ms: latency(&meter.steps),
    };
    (&meter.name, figures)
}

fn load(observer: &Observer, scenario: &Scenario, until: Instant) -> Load {
    let meter = &observer.meter;
    let evenness = meter.evenness(until);
    let even = |of: fn(&Evenness) -> f64| evenness.as_ref().map(of);
    let per_server = (0u32..).zip(meter.measured_work()).map(|(i, work)| ServerLoad {
        name: ServerId(i).to_string(),
        requests: work.requests,
        dropped: work.dropped,
        busy: busy_share(meter, scenario, (i as usize, work), until),
    });
    Load {
        per_server: per_server.collect(),
        peak_to_mean: even(|found| found.peak_to_mean),
        cv: even(|found| found.cv),
        jain: even(|found| found.jain),
        worst_window_peak_to_mean: even(|found| found.worst_window),
        window_s: meter.load_window.as_secs_f64(),
        joined: observer.comebacks.len() as u64,
        fair_share_after_s: fair_share_after(observer, scenario),
    }
}

/// The busy share of a server's workers, over the time it was present after the warm-up and while the shop was open.
fn busy_share(meter: &Meter, scenario: &Scenario, (server, work): (usize, Work), until: Instant) -> f64 {
    let there = meter.lifetimes[server].there(meter.warm_until, until);
    if there == Span::ZERO {
        return 0.0;
    }
    let workers_time = there * u64::from(scenario.workers_each());
    work.busy_while_open.as_secs_f64() / workers_time.as_secs_f64()
}

/// Requests served in these windows, by server.
fn served(windows: &[crate::judging::meter::Window]) -> Vec<f64> {
    let servers = windows.last().map_or(0, |window| window.served.len());
    let of = |window: &crate::judging::meter::Window, i: usize| window.served.get(i).map_or(0.0, |n| f64::from(*n));
    (0..servers).map(|i| windows.iter().map(|window| of(window, i)).sum()).collect()
}

/// Seconds from the first comeback of a server, or from when the first servers were added, until they carried 90 % of
/// their fair share over five windows.
#[expect(clippy::cast_precision_loss, reason = "a ratio")]
fn fair_share_after(observer: &Observer, scenario: &Scenario) -> Option<f64> {
    const WINDOWS: usize = 5;
    let meter = &observer.meter;
    let (at, first) = *observer.comebacks.first()?;
    let added = |server: u32| u64::from(server) >= scenario.servers.count.get();
    let together = |other: &&(Instant, u32)| added(other.1) && other.0 < at + meter.window;
    let new: Vec<usize> = if added(first) {
        observer.comebacks.iter().take_while(together).map(|(_, server)| *server as usize).collect()
    } else {
        vec![first as usize]
    };
    let begin = usize::try_from(at.as_nanos() / meter.window.as_nanos()).ok()? + 1;
    let rest = meter.windows.get(begin..)?;
    let after = rest.windows(WINDOWS).enumerate().position(|(i, chunk)| {
        let from = Instant::ZERO + meter.window * (begin + i) as u64;
        let there =
            meter.lifetimes.iter().filter(|lifetime| lifetime.there(from, from + meter.window) > Span::ZERO).count();
        let served = served(chunk);
        let all: f64 = served.iter().sum();
        let theirs: f64 = new.iter().filter_map(|server| served.get(*server)).sum();
        all > 0.0 && theirs / all >= 0.9 * new.len() as f64 / there.max(1) as f64
    })?;
    let reached = meter.window * (begin + after) as u64;
    Some((reached - at.since_start()).as_secs_f64())
}

/// Servers paid for while the shop was open: their mean number, if the pool changed.
#[expect(clippy::cast_precision_loss, reason = "at most 10,000 servers in one file")]
fn servers_paid_for(meter: &Meter, scenario: &Scenario, until: Instant) -> f64 {
    if let Some(figures) = serverless::figures(meter, scenario, until) {
        return figures.mean_billed;
    }
    if !meter.pool_changed() || until == Instant::ZERO {
        return scenario.servers.count.get() as f64;
    }
    let paid: f64 = meter.lifetimes.iter().map(|lifetime| lifetime.paid(Instant::ZERO, until).as_secs_f64()).sum();
    paid / until.since_start().as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "a price per request")]
fn price(meter: &Meter, scenario: &Scenario, until: Instant) -> Price {
    let ok = meter.requests().ok;
    let per_request = |total: u64| (ok > 0).then(|| total as f64 / ok as f64);
    Price {
        store_calls_per_request: per_request(meter.store_calls),
        store_calls_per_second: meter.store_calls_while_open as f64 / until.since_start().as_secs_f64().max(1e-9),
        bytes_carried_per_request: per_request(meter.carried_bytes),
        object_calls_per_request: per_request(meter.object_calls).filter(|_| scenario.users.upload()),
        replicas_written_per_request: per_request(meter.copies)
            .filter(|_| scenario.homes.cart == CartHome::ReplicatedMemory),
        servers: servers_paid_for(meter, scenario, until),
        most_servers: None,
    }
}

fn files(observer: &Observer) -> FileFigures {
    let counts = observer.checker.counts().files;
    FileFigures {
        uploaded: counts.uploaded,
        downloads: counts.downloads,
        missing_downloads: counts.missing_downloads,
        elsewhere: observer.post_mortem.files_elsewhere(),
        destroyed: counts.destroyed,
    }
}

fn hidden(observer: &Observer) -> HiddenFigures {
    let counts = observer.checker.counts();
    HiddenFigures {
        forbidden: counts.hidden.forbidden,
        too_many: counts.hidden.too_many,
        over_limit: counts.hidden.over_limit,
        pages: counts.hidden.pages,
        stale_pages: counts.hidden.stale_pages,
        retried_checkouts: counts.retried_checkouts,
    }
}

/// All faults that struck.
#[must_use]
pub fn strikes(observer: &Observer, faults: &[Fault]) -> Vec<Strike> {
    let strike = |(fault, Fault { name, at, .. }): (u32, &Fault)| {
        let FaultImpact { open_carts, lost_of_open } = observer.post_mortem.impact(fault)?;
        Some(Strike { fault, name: name.clone(), at: *at, open_carts, lost_of_open })
    };
    (0u32..).zip(faults).filter_map(strike).collect()
}

/// One entry per fault; random faults have one entry per random process.
fn fault_figures(observer: &Observer, scenario: &Scenario, faults: &[Fault]) -> Keyed<FaultFigures> {
    let processes = of_processes(scenario);
    let (drawn, known): (Vec<Strike>, Vec<Strike>) =
        strikes(observer, faults).into_iter().partition(|strike| processes.contains(&strike.name));
    let one = |strike: &Strike| FaultFigures {
        at_s: Some(strike.at.since_start().as_secs_f64()),
        strikes: None,
        open_carts: strike.open_carts,
        lost_of_open: strike.lost_of_open,
        losses_lasted_s: losses_lasted(observer, strike.fault, faults),
    };
    let mut all: Keyed<FaultFigures> = known.iter().map(|strike| (&strike.name, one(strike))).collect();
    for process in &processes {
        let its = || drawn.iter().filter(|strike| strike.name == *process);
        let figures = FaultFigures {
            at_s: None,
            strikes: Some(its().count() as u64),
            open_carts: its().map(|strike| strike.open_carts).sum(),
            lost_of_open: its().map(|strike| strike.lost_of_open).sum(),
            losses_lasted_s: None,
        };
        all.push(process, figures);
    }
    all
}

/// How long a migration went on losing carts, in seconds.
fn losses_lasted(observer: &Observer, index: u32, faults: &[Fault]) -> Option<f64> {
    let fault = faults.get(index as usize)?;
    matches!(fault.kind, FaultKind::Migrate { .. }).then(|| {
        let last = observer.last_losses.get(&index);
        last.map_or(0.0, |last| (*last - fault.at).as_secs_f64())
    })
}

/// The run over time.
#[must_use]
pub fn series(meter: &Meter) -> Series {
    let rows = meter.windows.iter().map(|window| SeriesRow {
        sent: window.requests.sent,
        ok: window.requests.ok,
        refused: window.requests.refused,
        failed: window.requests.failed,
        timed_out: window.requests.timed_out,
        logged_out: window.logged_out,
        lost_carts: window.lost_carts,
        intact_carts: window.intact_carts,
        open_carts: window.open_carts,
        served: window.served.clone(),
    });
    Series { window: meter.window, rows: rows.collect() }
}

/// How the pool recovered, over all faults that killed; `None` when nothing was killed.
fn recovery(outages: &[Outage]) -> Option<Recovery> {
    let spans = |of: fn(&Outage) -> Option<Span>| outages.iter().filter_map(of).collect::<Vec<_>>();
    let (noticed, back) = (spans(|outage| outage.noticed), spans(|outage| outage.back));
    Some(Recovery {
        kills: outages.len() as u64,
        noticed: noticed.len() as u64,
        noticed_s: mean_and_longest(&noticed),
        back: back.len() as u64,
        capacity_back_s: mean_and_longest(&back),
        users_well_s: mean_and_longest(&spans(|outage| Some(outage.users_well)))?,
    })
}

#[expect(clippy::cast_precision_loss, reason = "a mean")]
fn mean_and_longest(spans: &[Span]) -> Option<Seconds> {
    let max = spans.iter().max()?.as_secs_f64();
    let sum: f64 = spans.iter().map(|span| span.as_secs_f64()).sum();
    Some(Seconds { mean: sum / spans.len() as f64, max })
}
