//! Shares of lost carts that follow from arithmetic alone.

use std::collections::BTreeMap;

use whatcart::base::seed::Seed;
use whatcart::base::time::Instant;
use whatcart::base::{Command, Outcome, Step, UserId, Visit};
use whatcart::history::{Event, EventKind, Prefetch, Recorder, Seen};
use whatcart::judging::checker::{CartVerdict, Finding};
use whatcart::judging::observer::Observer;
use whatcart::results::{Figures, figures};
use whatcart::scenario::{Affinity, CookieLife, PolicyName, Scenario, Whole};
use whatcart::sim::Sim;

use super::{Estimate, assert_agrees, estimate};
use crate::support::worlds::{at_ms, constant, end, exponential, fault, time};

fn run(scenario: &Scenario, seed: u64) -> Figures {
    let mut sim = Sim::new(scenario, Seed(seed));
    let mut observer = Observer::new(scenario, sim.heavy(), UserId(1));
    sim.advance(end(scenario), &mut observer);
    figures(&observer, scenario, crate::support::moment(&sim), sim.faults())
}

/// Without affinity and with random choice, `k` follow-ups all reach the cart's server with probability `N^-k`.
#[test]
#[expect(clippy::cast_precision_loss, reason = "statistics")]
fn without_affinity_a_cart_survives_by_luck() {
    for (servers, narrow) in [(2u32, 0.03), (3, 0.05), (5, 0.1)] {
        let mut scenario = Scenario::house();
        scenario.duration = time(160_000);
        scenario.users.count = Some(Whole::of(1_000));
        scenario.users.journey = vec![Step::Add, Step::Add, Step::Add, Step::Checkout].into();
        scenario.users.think = exponential(250_000);
        scenario.servers.count = Whole::of(u64::from(servers));
        scenario.servers.workers = Whole::of(100);
        scenario.servers.service = constant(1);
        scenario.balancer.policy = PolicyName::Random;
        let carts = run(&scenario, 1).carts;
        assert_eq!(carts.opened, carts.intact + carts.lost, "nothing else can happen here");
        // Carts are independent: the interval of a binomial share.
        let mean = carts.intact as f64 / carts.opened as f64;
        let half = 3.291 * (mean * (1.0 - mean) / carts.opened as f64).sqrt();
        let theory = f64::from(servers).powi(-3);
        assert_agrees(&format!("intact by luck of {servers}"), Estimate { mean, half }, theory, 0.0, narrow);
    }
}

/// Sticky users whose requests take almost no time.
fn sticky(servers: u64) -> Scenario {
    let mut scenario = Scenario::house();
    scenario.duration = time(60_000);
    scenario.users.count = Some(Whole::of(2_000));
    scenario.servers.count = Whole::of(servers);
    scenario.servers.workers = Whole::of(100);
    scenario.servers.service = constant(1);
    scenario.balancer.affinity = Affinity::Cookie(CookieLife::Visit);
    scenario
}

#[test]
#[expect(clippy::cast_precision_loss, reason = "statistics")]
fn one_crash_takes_its_share_of_the_open_carts() {
    for servers in [2, 3, 5] {
        let mut scenario = sticky(servers);
        scenario.faults = vec![fault("crash", 2, 30_000, Some(5_000))];
        let share = |seed| {
            let figures = run(&scenario, seed);
            assert_eq!(figures.carts.lost, figures.lost_by.wiped, "only the crash takes carts");
            assert_eq!(figures.carts.lost, figures.faults[0].lost_of_open, "and only those open when it struck");
            figures.faults[0].lost_of_open as f64 / figures.faults[0].open_carts as f64
        };
        let shares: Vec<f64> = (1..=16).map(share).collect();
        let what = format!("lost of open when 1 of {servers} crashes");
        assert_agrees(&what, estimate(&shares), 1.0 / servers as f64, 0.0, 0.06);
    }
}

/// What each visit had been told by certain times.
#[derive(Default)]
struct Carts {
    observed: BTreeMap<Visit, (Option<Instant>, Option<Instant>, bool)>,
}

impl Prefetch for Carts {}

impl Recorder for Carts {
    fn record(&mut self, event: &Event) {
        let EventKind::Seen(visit, seen) = event.what else { return };
        let cart = self.observed.entry(visit).or_default();
        match seen {
            Seen::Told { request, outcome: Outcome::Ok(_), .. } => match request.command {
                Command::Add(_) => cart.0 = cart.0.or(Some(event.at)),
                Command::Checkout => cart.2 = true,
                _ => {}
            },
            Seen::Sent(request) if request.command == Command::Checkout => cart.1 = cart.1.or(Some(event.at)),
            _ => {}
        }
    }
}

/// Restarting all servers in turn loses every cart that had something in it before the first restart and was checked
/// out after the last. Without faults none is lost.
#[test]
fn a_rolling_restart_takes_all_open_carts() {
    let mut scenario = sticky(3);
    scenario.users.patience = Whole::of(100);
    scenario.servers.boot = time(500);
    let (first, last) = (30_000, 30_800);
    scenario.faults = vec![
        fault("restart", 1, first, None),
        fault("restart", 2, u64::midpoint(first, last), None),
        fault("restart", 3, last, None),
    ];
    let mut sim = Sim::new(&scenario, Seed(1));
    let mut carts = Carts::default();
    let mut events = Vec::new();
    sim.advance(end(&scenario), &mut events);
    for event in &events {
        carts.record(event);
    }
    let judged = crate::oracle::streaming(&events);
    let mut doomed = 0u64;
    for (visit, (filled, checked_out, charged)) in &carts.observed {
        let before = filled.is_some_and(|at| at < at_ms(first));
        let after = checked_out.is_some_and(|at| at > at_ms(last));
        let missed_all = checked_out.is_some_and(|at| at < at_ms(first));
        let begun_after = filled.is_some_and(|at| at > at_ms(last + 500));
        let findings = judged.findings.get(visit).map_or(&[][..], Vec::as_slice);
        let lost = findings.iter().any(|finding| matches!(finding, Finding::Cart(CartVerdict::Lost(_))));
        if before && after && *charged {
            doomed += 1;
            assert!(lost, "{visit:?} lived through a restart of its server");
        }
        assert!(!(lost && (missed_all || begun_after)), "{visit:?} met no restart");
    }
    assert!(doomed > 500, "{doomed} carts is too few to mean something");
    scenario.faults.clear();
    let quiet = run(&scenario, 1);
    assert_eq!((quiet.carts.lost, quiet.carts.opened), (0, quiet.carts.intact));
}
