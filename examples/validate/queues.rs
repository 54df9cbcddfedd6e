//! Response times against queueing theory.

use whatcart::base::Step;
use whatcart::base::time::Span;
use whatcart::scenario::{Dist, PolicyName, Positive, Scenario, Time, Whole};

use crate::measure::{latency_ms, over};
use crate::{Row, Section, theory};

const SERVICE_MS: f64 = 10.0;
const SEEDS: u64 = 12;

pub fn section() -> Section {
    let mut rows = Vec::new();
    for (busy, seconds) in [(0.3, 2_000), (0.7, 4_000)] {
        rows.push(row(format!("M/M/1 at {busy}"), theory::m_m_1(busy), 0.0, &open(1, 1, busy, seconds)));
    }
    rows.push(row("M/M/5 at 0.8".into(), theory::m_m_c(5, 0.8), 0.0, &open(1, 5, 0.8, 1_000)));
    for (busy, seconds) in [(0.8, 400), (0.9, 1_500)] {
        let what = format!("round robin over 10 servers at {busy}: E₁₀/M/1");
        rows.push(row(what, theory::e_n_m_1(10, busy), 0.0, &open(10, 1, busy, seconds)));
    }
    // The formula is of infinitely many servers; a hundred are a little slower.
    for (busy, seconds) in [(0.5, 60), (0.8, 120), (0.9, 120)] {
        let mut scenario = open(100, 1, busy, seconds);
        scenario.balancer.policy = PolicyName::PowerOfTwo;
        let limit = theory::two_choices(busy);
        rows.push(row(format!("power of two over 100 servers at {busy}"), limit, 0.015 * limit, &scenario));
    }
    for (users, think_ms, seconds) in [(50, 156.25, 800), (10, 31.25, 400)] {
        let what = format!("{users} users, 4 workers: machine repairman");
        rows.push(row(
            what,
            theory::repairman(users, 4, think_ms / SERVICE_MS),
            0.0,
            &closed(users, think_ms, 1, 4, seconds),
        ));
    }
    for (users, servers) in [(20, 3), (60, 5)] {
        let mut scenario = closed(users, 100.0, servers, 1, 600);
        scenario.balancer.policy = PolicyName::Random;
        let what = format!("{users} users, {servers} servers at random: mean-value analysis");
        rows.push(row(what, theory::mean_value(users, servers, 100.0 / SERVICE_MS), 0.0, &scenario));
    }
    let words = "Mean response times in milliseconds. Service times are exponential with a mean of 10 ms.";
    Section { title: "Queueing theory", words, rows }
}

/// A row about a mean response, which theory gives in service times.
fn row(what: String, predicted: f64, slack: f64, scenario: &Scenario) -> Row {
    let got = over(SEEDS, |seed| latency_ms(scenario, seed, Span::from_secs(20)));
    Row { what, predicted: predicted * SERVICE_MS, slack: slack * SERVICE_MS, got }
}

fn queue(servers: u32, workers: u32, seconds: u64) -> Scenario {
    let mut scenario = Scenario::house();
    scenario.duration = Time::of(Span::from_secs(seconds));
    scenario.users.journey = vec![Step::Browse].into();
    scenario.servers.count = Whole::of(servers.into());
    scenario.servers.workers = Whole::of(workers.into());
    scenario.servers.queue = Whole::of(1_000_000);
    scenario.servers.service = Dist::Exponential(Time::of(Span::from_millis(10)));
    scenario
}

fn open(servers: u32, workers: u32, busy: f64, seconds: u64) -> Scenario {
    let mut scenario = queue(servers, workers, seconds);
    let rate = busy * f64::from(servers * workers) * 1e3 / SERVICE_MS;
    scenario.users.rate = Some(serde_json::from_str::<Positive>(&format!("{rate:?}")).expect("a rate above 0"));
    scenario
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole microseconds")]
fn closed(users: u32, think_ms: f64, servers: u32, workers: u32, seconds: u64) -> Scenario {
    let mut scenario = queue(servers, workers, seconds);
    scenario.users.count = Some(Whole::of(users.into()));
    scenario.users.think = Dist::Exponential(Time::of(Span::from_nanos((think_ms * 1e6) as u64)));
    scenario
}
