//! How fast the sim engine is, with everything that a real run records: `cargo bench --bench engine`.
//!
//! The workload is the yardstick's (see docs/performance.md): a closed loop, round robin over N servers with 4 workers
//! each, exponential service of 10 ms at 80 % load, a think time that keeps almost everybody thinking; seven adds and a
//! checkout. With `YARDSTICK` set to the path of that program, the two are run in turn, in processes of their own, and
//! the median ratio is printed. `cargo bench --bench engine -- USERS SERVERS REQUESTS [memory|token|store]` runs one
//! size in this process and prints one line.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

use std::process::Command;
use std::time::Instant as Clock;

use whatcart::base::seed::Seed;
use whatcart::base::time::{Instant, Span};
use whatcart::base::{Step, UserId};
use whatcart::judging::observer::Observer;
use whatcart::scenario::{CartHome, Dist, Scenario, Time, Whole};
use whatcart::sim::Sim;

const WORKERS: u64 = 4;
const SERVICE: Span = Span::from_millis(10);
const REQUESTS: u64 = 2_000_000;
const ROUNDS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    match arguments.as_slice() {
        [] => table(),
        [users, servers, requests, rest @ ..] => {
            let home = match rest.first().map(String::as_str) {
                Some("token") => CartHome::SignedToken,
                Some("store") => CartHome::SharedStore,
                _ => CartHome::ServerMemory,
            };
            one(number(users), number(servers), number(requests), home);
        }
        _ => eprintln!("usage: engine [USERS SERVERS REQUESTS [memory|token|store]]"),
    }
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| panic!("`{text}` is not a whole number"))
}

/// The yardstick's workload as a scenario that is open for ever.
fn workload(users: u64, servers: u64, home: CartHome) -> Scenario {
    let think = SERVICE.as_nanos() * users * 10 / (8 * servers * WORKERS);
    let mut scenario = Scenario::house();
    scenario.duration = Time::of(Span::from_secs(86_400));
    scenario.users.count = Some(Whole::of(users));
    scenario.users.think = Dist::Exponential(Time::of(Span::from_nanos(think)));
    scenario.users.ramp = Some(Time::of(Span::ZERO));
    scenario.users.journey = vec![Step::Add; 7].into();
    scenario.users.journey.push(Step::Checkout);
    scenario.servers.count = Whole::of(servers);
    scenario.servers.service = Dist::Exponential(Time::of(SERVICE));
    scenario.homes.cart = home;
    scenario
}

/// One size in this process: everything a run records, until so many requests were sent.
fn one(users: u64, servers: u64, requests: u64, home: CartHome) {
    let scenario = workload(users, servers, home);
    let begin = Clock::now();
    let mut sim = Sim::new(&scenario, Seed(1));
    let mut observer = Observer::new(&scenario, sim.heavy(), UserId(42));
    let setup = begin.elapsed();
    // At 80 % load so many requests take this long; played in 200 slices.
    let slice = Span::from_nanos(requests * SERVICE.as_nanos() * 10 / (8 * servers * WORKERS) / 200);
    let begin = Clock::now();
    let mut until = Instant::ZERO;
    while told(&observer) < requests {
        until = until + slice;
        sim.advance_fast(until, &mut observer);
    }
    let elapsed = begin.elapsed();
    let told = told(&observer);
    println!(
        "users={users} servers={servers} reqs={told} mean_ms={:.4} setup_s={:.4} ns_per_req={:.1} peak_kib={}",
        observer.meter.latency().mean_ms(),
        setup.as_secs_f64(),
        elapsed.as_secs_f64() * 1e9 / told as f64,
        peak_kib().unwrap_or(0),
    );
}

fn told(observer: &Observer) -> u64 {
    let counts = observer.meter.requests();
    counts.ok + counts.refused + counts.failed + counts.timed_out
}

/// The largest resident size so far, where the system tells.
fn peak_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// All sizes, each in processes of its own, in turn with the yardstick if there is one.
fn table() {
    let yardstick = std::env::var("YARDSTICK").ok();
    let own = std::env::current_exe().expect("this program has a path").display().to_string();
    if yardstick.is_none() {
        println!("set YARDSTICK to the path of the yardstick's program for ratios");
    }
    println!(
        "{:>10} {:>8} {:>8}  {:>12} {:>12} {:>7} {:>12}",
        "users", "servers", "carts", "ns/request", "yardstick", "ratio", "bytes/user"
    );
    let sizes = [(1_000, 3), (100_000, 3), (1_000_000, 3), (1_000_000, 100)];
    let floor = field(&run(&own, &[1, 3, 10_000], &["memory"]), "peak_kib");
    for (users, servers) in sizes {
        for home in ["memory", "token", "store"] {
            let rounds: Vec<(f64, f64, f64)> = (0..ROUNDS)
                .map(|_| {
                    let size = [users, servers, REQUESTS];
                    let mine = run(&own, &size, &[home]);
                    let other = yardstick
                        .as_ref()
                        .map(|program| run(program, &[users, servers, WORKERS, REQUESTS], &["ladder", "dense"]));
                    let other = other.map_or(f64::NAN, |line| field(&line, "ns_per_req"));
                    (field(&mine, "ns_per_req"), other, field(&mine, "peak_kib"))
                })
                .collect();
            let ratio = median(rounds.iter().map(|(mine, other, _)| mine / other).collect());
            let bytes = (median(rounds.iter().map(|r| r.2).collect()) - floor) * 1_024.0 / users as f64;
            let (mine, other) =
                (median(rounds.iter().map(|r| r.0).collect()), median(rounds.iter().map(|r| r.1).collect()));
            println!("{users:>10} {servers:>8} {home:>8}  {mine:>12.1} {other:>12.1} {ratio:>7.2} {bytes:>12.1}");
        }
    }
}

fn run(program: &str, numbers: &[u64], words: &[&str]) -> String {
    let numbers = numbers.iter().map(u64::to_string);
    let output = Command::new(program).args(numbers).args(words).output().expect("the program runs");
    String::from_utf8(output.stdout).expect("it prints text")
}

fn field(line: &str, name: &str) -> f64 {
    let value = line.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    value.and_then(|value| value.parse().ok()).unwrap_or(f64::NAN)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
