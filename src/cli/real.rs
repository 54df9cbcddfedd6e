//! Runs over real sockets: progress messages, and how they can fail.

use std::net::SocketAddr;

use anyhow::anyhow;
use whatcart::base::ServerId;
use whatcart::base::words::{clock, listed, quoted, thousands};
use whatcart::experiment::{self, HttpOptions, News, PREDICTION_SEEDS, Turn, predict};
use whatcart::faces::text::clean;
use whatcart::faces::timeline::moments;
use whatcart::http::{Addresses, Progress as Way};
use whatcart::results::Report;
use whatcart::results::agreement::compare;
use whatcart::scenario::{Loaded, Variant};

use super::progress::Progress;
use super::request::Run;
use super::{Failure, guarded, usage};

/// Removes the designs that only a simulation can run, and returns a message that names them.
pub fn playable(loaded: &mut Loaded) -> Result<Vec<String>, Failure> {
    let left_out = experiment::take_out_sim_only(loaded);
    if loaded.variants.is_empty() {
        let message = format!("only a simulation can run {}", listed(&quoted(&left_out)));
        return Err(usage(message, "leave out --engine, or choose another design"));
    }
    Ok(left_out)
}

/// Runs a scenario over real sockets, with a progress bar.
pub fn executed(
    loaded: &Loaded,
    options: &experiment::Options,
    request: &Run,
    progress: &Progress,
) -> Result<Report, Failure> {
    let news = |news: &News| match news {
        News::Started { variant, turn, speed, addresses } => {
            if request.verbose {
                progress.note(&doors(variant, *turn, *speed, addresses));
            }
        }
        News::Goes { variant, turn, progress: way, lost } => {
            let (before, all) = turn.before();
            progress.at((1_000 * before + permille(way)) / all.max(1));
            progress.say(&[vec![whose(*turn)], under_way(variant, way, *lost)].concat());
        }
        News::EndedWaiting { variant, users, holders } => progress.note(&waiting(variant, *users, holders)),
    };
    let http = HttpOptions { speed: request.speed, for_guests: request.verbose, news: &news };
    guarded(|| experiment::execute(loaded, options, &http))
}

/// Runs a scenario over real sockets, and compares it with simulations.
pub fn compared(
    loaded: &Loaded,
    options: &experiment::Options,
    request: &Run,
    progress: &Progress,
) -> Result<Report, Failure> {
    let seed = options.seed.unwrap_or(loaded.base.seed.get());
    progress.say(&[format!("{PREDICTION_SEEDS} simulations of each design")]);
    let predicted = guarded(|| predict(loaded, seed, PREDICTION_SEEDS, options.interrupt, options.progress))?;
    let mut report = executed(loaded, options, request, progress)?;
    if !report.interrupted {
        report.agreement = Some(compare(&report, &predicted));
    }
    Ok(report)
}

/// `design 2 of 4`, `design 2 of 4, run 3 of 10`
fn whose(Turn { design, designs, run, runs }: Turn) -> String {
    let run = if runs > 1 { format!(", run {run} of {runs}") } else { String::new() };
    format!("design {design} of {designs}{run}")
}

fn permille(way: &Way) -> u64 {
    (way.now.as_nanos() / (way.ends.as_nanos() / 1_000).max(1)).min(1_000)
}

/// `0:37`, `3,210 requests`, `45 carts lost`, `0:35 an empty server-2 replaces it`: what happened last has its time.
fn under_way(variant: &Variant, way: &Way, lost: u64) -> Vec<String> {
    let scenario = &variant.scenario;
    let happened = scenario.faults.iter().flat_map(|fault| moments(fault, scenario));
    let last = happened.filter(|(at, _)| *at <= way.now.since_start()).max_by_key(|(at, _)| *at);
    let mut words = vec![clock(way.now.since_start()), format!("{} requests", thousands(way.sent))];
    words.push(format!("{} carts lost", thousands(lost)));
    words.extend(last.map(|(at, what)| format!("{} {what}", clock(at))));
    words
}

/// What users and the balancer were waiting for when `closing` ended a run.
fn waiting(variant: &Variant, users: u64, holders: &[(ServerId, u32)]) -> String {
    let holders: Vec<String> =
        holders.iter().take(10).map(|(server, requests)| format!("{server} for {requests} requests")).collect();
    let by = if holders.is_empty() { "no server".into() } else { listed(&holders) };
    let who = if users == 1 { "1 user".into() } else { format!("{} users", thousands(users)) };
    format!("{}: `closing` ended the run while {who} waited; the balancer waited for {by}", clean(&variant.name))
}

/// The addresses of a design, for how long they are there, and what a person can do with them.
fn doors(variant: &Variant, turn: Turn, speed: f64, addresses: &Addresses) -> String {
    let seconds = variant.scenario.duration.get().as_secs_f64() / speed;
    let mut text = format!("{}, {}, {speed}x as fast, for {seconds:.0} s:\n", whose(turn), clean(&variant.name));
    let servers = (0..).map(ServerId).zip(&addresses.servers).map(|(id, address)| (id.to_string(), address));
    let balancer = addresses.balancer.iter().map(|address| ("balancer".into(), address));
    for (name, address) in balancer.chain(servers) {
        text += &format!("  {name}  http://{address}\n");
    }
    if let Some(balancer) = addresses.balancer {
        text += "  Shop through the balancer:\n";
        text += &shopping("-b jar -c jar", &balancer, "-b jar -c jar", &balancer);
    }
    if let [first, second, ..] = &addresses.servers[..] {
        text += "  Add an item at one server, and ask another for the cart. {\"cart\":[]} means \"What cart?\"\n";
        text += &shopping("-c mug", first, "-b mug", second);
    }
    text
}

/// Commands that add an item at one address and ask for the cart at another.
fn shopping(adding: &str, one: &SocketAddr, asking: &str, other: &SocketAddr) -> String {
    let add = format!("curl -s {adding} http://{one}/cart/items -d '{{\"item\":1}}'");
    format!("    {add}; curl -s {asking} http://{other}/cart\n")
}

/// Figures are printed even if the machine was too slow, but then the run has failed.
pub fn kept_up(report: &Report) -> Result<(), Failure> {
    let paces = report.variants.iter().flat_map(|variant| &variant.runs).filter_map(|run| run.figures.pace.as_ref());
    let late = paces.filter(|pace| !pace.kept_up).map(|pace| (pace.late_ms.p99, pace.late_ms.max));
    match late.reduce(|a, b| (a.0.max(b.0), a.1.max(b.1))) {
        None => Ok(()),
        Some((most, latest)) => Err(Failure::Run(anyhow!(
            "this machine could not keep up: 1 request in 100 was sent more than {most:.1} ms late, the latest \
             {latest:.0} ms. The figures above cannot be trusted. Use a lower --speed, or fewer users"
        ))),
    }
}
