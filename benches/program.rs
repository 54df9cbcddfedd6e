//! How long the whole program takes, and whether it uses all cores: `cargo bench --bench program`.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant as Clock};

use whatcart::experiment::{FAVOURITE, Options, run};
use whatcart::scenario::load;

const ROUNDS: usize = 15;

/// One variant, and two of the same size.
const CROWD: &str = r#"
title = "A crowd"
duration = "30s"
users = { count = 60_000 }
servers = { count = 600 }
"#;

fn main() {
    println!("{:<44} {:>9}", "whole program, median of 15", "ms");
    for arguments in [&[][..], &["list"], &["run", "sticky-crash"], &["run", "sticky-crash", "--runs", "30"]] {
        let times = (0..ROUNDS).map(|_| timed(|| program(arguments))).collect();
        println!("{:<44} {:>9.1}", format!("whatcart {}", arguments.join(" ")), milliseconds(median(times)));
    }
    let (one, two) = (loads("users.nat=1"), loads("users.nat=1,2"));
    let pairs: Vec<(Duration, Duration)> = (0..5).map(|_| (timed(|| runs(&one)), timed(|| runs(&two)))).collect();
    let ratio = median(pairs.iter().map(|(one, two)| two.as_secs_f64() / one.as_secs_f64()).collect());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("\ntwo variants take {ratio:.2} times as long as one, on {cores} cores");
}

fn program(arguments: &[&str]) {
    let status = Command::new(env!("CARGO_BIN_EXE_whatcart")).args(arguments).stdout(Stdio::null()).status();
    assert!(status.expect("the program runs").success(), "it does what it is asked");
}

fn loads(vary: &str) -> whatcart::scenario::Loaded {
    load("crowd", "crowd", CROWD, &[], &[vary.into()]).expect("it is a good scenario")
}

fn runs(loaded: &whatcart::scenario::Loaded) {
    let options =
        Options { seed: None, runs: 1, played: 0, favourite: FAVOURITE, interrupt: &false.into(), progress: &|_| () };
    let report = run(loaded, &options).expect("it goes on");
    assert!(report.variants.iter().all(|variant| variant.runs[0].figures.carts.opened > 0), "carts were opened");
}

fn timed(work: impl FnOnce()) -> Duration {
    let begin = Clock::now();
    work();
    begin.elapsed()
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn median<T: PartialOrd + Copy>(mut values: Vec<T>) -> T {
    values.sort_by(|a, b| a.partial_cmp(b).expect("times are numbers"));
    values[values.len() / 2]
}
