//! Hand-made reports and tapes, for tests of everything that prints them.

use super::{
    Carts, Cause, FaultFigures, Figures, Hurt, HurtBy, Latency, Load, LostBy, Pace, Price, Report, Requests, RunReport,
    Series, SeriesRow, ServerLoad, Strike, Tape, VariantReport, Visits,
};
use crate::base::time::{Instant, Span};
use crate::base::{ClientId, Command, Item, Items, Outcome, ProcessId, Reply, ServerId, UserId, Visit};
use crate::history::{Event, EventKind, Evidence, Inside, PoolEvent, Request, Seen, Served};
use crate::scenario::{CartHome, DesignNumber, Scenario};

const STICKY_CRASH: &str = r#"
title    = "Sticky sessions keep every cart whole. What does one crash cost?"
lesson   = """
Sticky sessions did not remove the danger: they moved it to the day the server dies."""
next     = "deploy-drain"
duration = "2m"
[[faults]]
name  = "the crash"
at    = "30s"
crash = "server-2"
replace_after = "5s"
[[expect]]
variant = "sticky, server memory"
that    = "lost_by.wiped > 0"
[[expect]]
that    = "carts.lost == 0"
"#;

/// A scenario from its text.
pub(crate) fn scenario(text: &str) -> Scenario {
    toml::from_str(text).expect("a sound scenario")
}

/// Figures with whole numbers of carts, by cause of loss.
fn figures(split: u64, wiped: u64, peak: f64, store: f64, bytes: f64) -> Figures {
    let lost = split + wiped;
    let busy = [0.25 * peak, 0.25, 0.24];
    let server = |(i, busy)| ServerLoad { name: format!("server-{i}"), requests: 6_442, busy, ..ServerLoad::default() };
    let per_server = (1..).zip(busy).map(server);
    let latency = Latency { mean: 20.6, p50: 14.0, p90: 46.0, p99: 93.0, max: 210.0 };
    Figures {
        carts: Carts { opened: 2_416, intact: 2_416 - lost, lost, ..Carts::default() },
        lost_by: LostBy { wiped, split, ..LostBy::default() },
        visits: Visits { begun: 2_416, finished: 2_416, ..Visits::default() },
        views: 2_416,
        wrong_views: split / 2,
        users: 300,
        users_hurt: if lost > 300 { 300 } else { lost },
        requests: Requests { sent: 19_341, ok: 19_328, failed: 13, ..Requests::default() },
        latency_ms: Some(latency.clone()),
        step_latency_ms: Some(Latency { p99: 104.0, max: 1_210.0, ..latency }),
        load: Load {
            per_server: per_server.collect(),
            peak_to_mean: Some(peak),
            cv: Some(0.02),
            jain: Some(0.999),
            worst_window_peak_to_mean: Some(1.3),
            window_s: 1.0,
            joined: 1,
            fair_share_after_s: None,
        },
        price: Price {
            store_calls_per_request: Some(store),
            store_calls_per_second: store * 150.0,
            bytes_carried_per_request: Some(bytes),
            object_calls_per_request: None,
            replicas_written_per_request: None,
            servers: 3.0,
            most_servers: None,
        },
        faults: [(
            "the crash",
            FaultFigures { at_s: Some(30.0), open_carts: 148, lost_of_open: wiped, ..FaultFigures::default() },
        )]
        .into_iter()
        .collect(),
        ..Figures::default()
    }
}

pub(crate) fn visit(user: u32) -> Visit {
    Visit { user: UserId(user), client: ClientId(user - 1), number: 3 }
}

fn run(seed: u64, figures: Figures) -> RunReport {
    let hurt = |how, user| Hurt { visit: visit(user), ended: at(38_000), how };
    let mut hurts = Vec::new();
    if figures.lost_by.split > 0 {
        hurts.push(hurt(HurtBy::Lost(Cause::Split), 7));
    }
    if figures.lost_by.wiped > 0 {
        hurts.extend([hurt(HurtBy::Lost(Cause::Wiped), 5), hurt(HurtBy::Lost(Cause::Wiped), 42)]);
    }
    let row = SeriesRow { sent: 150, ok: 150, open_carts: 148, served: vec![50, 50, 50], ..SeriesRow::default() };
    let strike = |fault: &FaultFigures| Strike {
        fault: 0,
        name: "the crash".into(),
        at: at(30_000),
        open_carts: fault.open_carts,
        lost_of_open: fault.lost_of_open,
    };
    let strikes = figures.faults.values().map(strike).collect();
    RunReport {
        seed,
        cut_at: None,
        figures,
        series: Series { window: Span::from_secs(1), rows: vec![row.clone(), row] },
        strikes,
        hurt: hurts,
        tape: None,
    }
}

/// Numbers designs in their order.
fn numbered(mut variants: Vec<VariantReport>) -> Vec<VariantReport> {
    (1..).zip(&mut variants).for_each(|(number, variant)| variant.number = DesignNumber::of(number));
    variants
}

/// The report of the example in the design document.
pub(crate) fn sticky_crash() -> Report {
    let base = scenario(STICKY_CRASH);
    let variant = |name: &str, figures| VariantReport {
        number: DesignNumber::of(1),
        name: name.into(),
        scenario: base.clone(),
        runs: vec![run(1, figures)],
        cut_short: Vec::new(),
    };
    let mut report = Report {
        name: "sticky-crash".into(),
        written: 0,
        engine: "sim",
        seed: 1,
        runs: 1,
        interrupted: false,
        variants: numbered(vec![
            variant("round robin, server memory", figures(2_260, 73, 1.02, 0.0, 0.0)),
            variant("sticky, server memory", figures(0, 49, 1.09, 0.0, 0.0)),
            variant("round robin, signed token", figures(0, 0, 1.02, 0.0, 210.3)),
            variant("round robin, shared store", figures(0, 0, 1.02, 0.628, 0.0)),
        ]),
        scenario: base,
        left_out: Vec::new(),
        expectations: Vec::new(),
        agreement: None,
    };
    report.variants[2].scenario.homes.cart = CartHome::SignedToken;
    report
}

/// The same over several seeds with different results.
pub(crate) fn several_runs() -> Report {
    let mut report = Report { runs: 4, ..sticky_crash() };
    for (variant, wiped) in report.variants.iter_mut().zip([73, 49, 0, 0]) {
        let luck = [0u32, 3, 5, 1];
        let split = if wiped == 73 { 2_260 } else { 0 };
        variant.runs = (1..)
            .zip(luck)
            .map(|(seed, luck)| {
                let base = variant.runs[0].figures.clone();
                let lucky = figures(
                    split,
                    if wiped > 0 { wiped + u64::from(luck) } else { 0 },
                    1.02 + 0.01 * f64::from(luck),
                    0.0,
                    0.0,
                );
                run(seed, Figures { price: base.price, ..lucky })
            })
            .collect();
    }
    report
}

/// One run of each design, interrupted: the second before its crash, and the fourth before it began.
pub(crate) fn cut_short() -> Report {
    let mut report = Report { interrupted: true, ..sticky_crash() };
    for (variant, cut_at) in report.variants.iter_mut().zip([None, Some(7_000), None, Some(0)]) {
        let run = RunReport { cut_at: cut_at.map(at), ..variant.runs.remove(0) };
        variant.take_in(Some(run).filter(|_| cut_at != Some(0)));
    }
    let cut = &mut report.variants[1].runs[0];
    (cut.figures, cut.strikes) = (figures(0, 0, 1.4, 0.0, 0.0), Vec::new());
    cut.figures.faults.clear();
    report
}

/// The example as a real run at six times the speed, compared with 24 simulations.
pub(crate) fn both_engines() -> Report {
    let mut report = sticky_crash();
    report.engine = "both";
    let luck = |seed: u64| (seed * 7_919) % 13;
    let simulated = |variant: &VariantReport, seed: u64| {
        let real = &variant.runs[0].figures;
        let more = |count: u64| if count > 0 { count + luck(seed) - 6 } else { 0 };
        let store = real.price.store_calls_per_request.unwrap_or(0.0);
        #[expect(clippy::cast_precision_loss, reason = "a little luck")]
        let store = if store > 0.0 { store + 1e-3 * (luck(seed) as f64 - 6.0) } else { 0.0 };
        figures(
            more(real.lost_by.split),
            more(real.lost_by.wiped),
            real.load.peak_to_mean.unwrap_or(1.0),
            store,
            real.price.bytes_carried_per_request.unwrap_or(0.0),
        )
    };
    let predicted: Vec<Vec<Figures>> =
        report.variants.iter().map(|variant| (1..=24).map(|seed| simulated(variant, seed)).collect()).collect();
    for figures in report.variants.iter_mut().flat_map(|variant| &mut variant.runs).map(|run| &mut run.figures) {
        let late_ms = Latency { mean: 0.3, p50: 0.2, p90: 0.8, p99: 1.9, max: 6.4 };
        figures.pace = Some(Pace { speed: 6.0, late_ms, kept_up: true });
    }
    report.agreement = Some(super::agreement::compare(&report, &predicted));
    report
}

fn at(millis: u64) -> Instant {
    Instant::ZERO + Span::from_millis(millis)
}

pub(crate) fn items(numbers: &[u8]) -> Items {
    numbers.iter().filter_map(|n| Item::new(*n)).fold(Items::NONE, Items::with)
}

/// One request and its result, for a tape.
pub(crate) struct RequestSample {
    pub at: u64,
    /// Milliseconds since it was sent.
    pub took: u64,
    pub command: Command,
    pub server: u32,
    pub knew: Option<bool>,
    pub cart: Items,
    pub outcome: Outcome,
    pub evidence: Evidence,
}

impl RequestSample {
    pub(crate) fn ok(at: u64, command: Command, server: u32) -> RequestSample {
        RequestSample {
            at,
            took: 20,
            command,
            server,
            knew: None,
            cart: Items::NONE,
            outcome: Outcome::Ok(Reply::Done),
            evidence: Evidence::default(),
        }
    }

    pub(crate) fn cart(self, knew: bool, cart: &[u8]) -> RequestSample {
        let cart = items(cart);
        let reply = match self.command {
            Command::Checkout => Reply::Charged(cart),
            Command::View => Reply::Cart(cart),
            _ => Reply::Done,
        };
        RequestSample { knew: Some(knew), cart, outcome: Outcome::Ok(reply), ..self }
    }

    pub(crate) fn ends(self, outcome: Outcome) -> RequestSample {
        RequestSample { outcome, ..self }
    }
}

/// The tape of one visit, with the events of `broken` in between.
pub(crate) fn tape(user: u32, heard: Vec<RequestSample>, broken: &[(u64, PoolEvent)]) -> Tape {
    let visit = visit(user);
    let mut events = vec![Event { at: at(0), what: EventKind::Seen(visit, Seen::Began) }];
    for (step, one) in (0..).zip(heard) {
        let request = Request { step, attempt: 0, command: one.command };
        let served = Served {
            request,
            server: ServerId(one.server),
            process: ProcessId(one.server),
            waited: Span::ZERO,
            busy: Span::from_millis(20),
            knew_cart: one.knew,
            cart: one.cart,
            store_calls: 0,
            carried_bytes: 0,
            copies: 0,
            evidence: one.evidence,
        };
        let sent = at(one.at - one.took);
        events.push(Event { at: sent, what: EventKind::Seen(visit, Seen::Sent(request)) });
        if matches!(one.outcome, Outcome::Ok(_)) {
            events.push(Event { at: at(one.at), what: EventKind::Inside(visit, Inside::Served(served)) });
        }
        let told = Seen::Told { request, sent, meant: sent, outcome: one.outcome, settled: true };
        events.push(Event { at: at(one.at), what: EventKind::Seen(visit, told) });
    }
    events.extend(broken.iter().map(|(millis, event)| Event { at: at(*millis), what: EventKind::Pool(*event) }));
    events.sort_by_key(|event| event.at);
    Tape { events, injected: Vec::new() }
}

pub(crate) fn item(number: u8) -> Item {
    Item::new(number).expect("1 to 64")
}

/// User 42, whose cart is lost in the crash.
pub(crate) fn crashed() -> Tape {
    let add = |n| Command::Add(item(n));
    let killed = Evidence { died: items(&[1, 2]), killed_by: Some(0), ..Evidence::default() };
    let heard = vec![
        RequestSample::ok(20_100, Command::Login, 1),
        RequestSample::ok(22_300, Command::Browse, 1),
        RequestSample::ok(24_700, add(1), 1).cart(false, &[1]),
        RequestSample::ok(26_000, Command::View, 1).cart(true, &[1]),
        RequestSample::ok(27_900, add(2), 1).cart(true, &[1, 2]),
        RequestSample::ok(32_700, add(3), 0).cart(false, &[3]),
        RequestSample { evidence: killed, ..RequestSample::ok(38_000, Command::Checkout, 0).cart(true, &[3]) },
    ];
    let struck = PoolEvent::Struck { fault: 0, server: Some(ServerId(1)), memory_lost: true };
    tape(42, heard, &[(30_000, struck)])
}

/// The same visit with carts in the store.
pub(crate) fn unharmed() -> Tape {
    let add = |n| Command::Add(item(n));
    let heard = vec![
        RequestSample::ok(20_100, Command::Login, 1),
        RequestSample::ok(24_700, add(1), 1).cart(false, &[1]),
        RequestSample::ok(27_900, add(2), 2).cart(true, &[1, 2]),
        RequestSample::ok(32_700, add(3), 0).cart(true, &[1, 2, 3]),
        RequestSample::ok(38_000, Command::Checkout, 0).cart(true, &[1, 2, 3]),
    ];
    tape(42, heard, &[])
}
