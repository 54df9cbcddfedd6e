//! The arguments of the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use whatcart::link::Deed;

const EXAMPLES: &str = "\
Examples:
  whatcart                                   the opening story: one server, then three
  whatcart list                              all scenarios, in the order of the lessons
  whatcart show sticky-crash --no-spoilers   what to predict before you look
  whatcart run sticky-crash                  one crash, four designs
  whatcart run sticky-crash --set servers.count=5 --runs 30
  whatcart run heavy-user --vary balancer.policy=random,least-requests
  whatcart explain x mean                    what a word of the output means
  whatcart init mine.toml && whatcart run mine.toml --format markdown -o review.md

Exit codes: 0 fine, 1 an expectation did not hold, or the engines do not agree, 2 bad usage or
scenario, 3 the run could not be done and is worth trying again, 70 a defect of whatcart,
130 interrupted.";

const RUN_EXAMPLES: &str = "\
Examples:
  whatcart run sticky-crash --seed 7                     other users, another crash
  whatcart run sticky-crash --runs 30                    how certain are these figures?
  whatcart run sticky-crash --set users.count=1_000      a larger shop
  whatcart run sticky-crash --vary servers.count=2,3,10  each design with 2, 3 and 10 servers
  whatcart run sticky-crash --only 2 --follow 17         what happened to user 17 in design 2
  whatcart run sticky-crash --engine http                with real requests, six times as fast
  whatcart run sticky-crash --do 20:crash:server-1 --link   the link that shows it on the page
  whatcart run sticky-crash --format json | jq '.variants[].carts.lost'

Exit codes: 0 fine, 1 the engines do not agree (--engine both), 2 bad usage or scenario,
3 the run could not be done and is worth trying again (a port, open files, a machine that is too
slow, a file that cannot be written), 70 a defect of whatcart: please report it, 130 interrupted
(what was measured is printed).";

/// A load-balancer simulator that shows why servers must not remember things
#[derive(Debug, Parser)]
#[command(name = "whatcart", version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Arguments {
    /// What to do; without a command it tells the opening story
    #[command(subcommand)]
    pub command: Option<Command>,
    /// When to use colour (NO_COLOR is honoured)
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// Print ASCII characters only
    #[arg(long, global = true)]
    pub ascii: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the scenarios, in the order of the lessons
    List,
    /// Show a scenario: the question, what differs, what breaks when, and its TOML
    Show {
        /// A scenario's name or a file
        #[arg(value_name = "NAME|FILE")]
        what: String,
        /// Leave out the lesson and the TOML, so that a class can predict first
        #[arg(long)]
        no_spoilers: bool,
        /// Print only the question and its choices
        #[arg(long, conflicts_with = "no_spoilers")]
        question: bool,
    },
    /// Explain a word of the output or a key of a scenario; without one, list all words
    Explain {
        /// The word (`x mean`) or the key (`balancer.retries`)
        word: Vec<String>,
        /// List all keys of a scenario
        #[arg(long, conflicts_with = "word")]
        keys: bool,
    },
    /// Write a commented scenario to start from
    Init {
        /// The file to write; it must not exist yet
        file: PathBuf,
    },
    /// Run a scenario and print the results, design by design
    #[command(after_help = RUN_EXAMPLES)]
    Run(Box<RunArguments>),
    /// Run scenarios and check their expectations; fails if one does not hold
    Check {
        /// Names of scenarios, or files; by default all scenarios of the program
        #[arg(value_name = "NAME|FILE")]
        what: Vec<String>,
        /// The number of seeds for which every expectation must hold
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        seeds: u32,
    },
    /// Show runs in a browser on this machine
    Serve {
        /// The port to listen on; 0 takes any that is free
        #[arg(long, value_name = "N", default_value_t = 7357)]
        port: u16,
    },
    /// Print the JSON Schema of scenarios, for editors
    Schema,
    /// Print the man page, or write the pages of all commands
    Man {
        /// Write them into this folder
        #[arg(long, value_name = "FOLDER")]
        dir: Option<PathBuf>,
    },
    /// Print completions for a shell, or write those for all shells
    Completions {
        #[command(flatten)]
        to: CompletionsFor,
    },
}

/// One shell, or all of them.
#[derive(Debug, Args)]
#[group(required = true)]
pub struct CompletionsFor {
    /// The shell
    pub shell: Option<Shell>,
    /// Write those for all shells into this folder
    #[arg(long, value_name = "FOLDER")]
    pub dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags")]
pub struct RunArguments {
    /// The name of a scenario (see `whatcart list`) or a file
    #[arg(value_name = "NAME|FILE", required_unless_present = "link")]
    pub what: Option<String>,
    /// The engine that runs it
    #[arg(long, default_value = "sim")]
    pub engine: Engine,
    /// Divide every duration in the scenario by this (engine http): 10 runs ten minutes in one
    #[arg(long, value_name = "X", value_parser = speed)]
    pub speed: Option<f64>,
    /// Print the addresses of balancer and servers, to shop there with curl (engine http)
    #[arg(short, long)]
    pub verbose: bool,
    /// The root seed; by default the scenario's own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(..=i64::MAX as u64))]
    pub seed: Option<u64>,
    /// The number of runs with different seeds; several runs show how certain the figures are
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub runs: u32,
    /// Make runs until lost carts are known this precisely: 5% (of their mean, with 95 % confidence)
    #[arg(long, value_name = "PERCENT", value_parser = share)]
    pub until_precise: Option<f64>,
    /// Measure latency and load only from this time on: 10s (short for `--set warm_up=10s`); losses always count
    #[arg(long, value_name = "TIME")]
    pub warm_up: Option<String>,
    /// Ask the scenario's question before showing the result
    #[arg(long)]
    pub predict: bool,
    /// Show question, table, story, answer and lesson one by one, each on a screen of its own, on Enter
    #[arg(long, conflicts_with_all = ["output", "quiet"])]
    pub step: bool,
    /// For each cause of loss, a pair of requests that proves it
    #[arg(long)]
    pub explain: bool,
    /// Every assumption behind the figures, with its value and its source
    #[arg(long)]
    pub assume: bool,
    /// Change a value in every design: servers.count=5
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Make a design of each value: servers.count=2,3,10
    #[arg(long, value_name = "KEY=A,B,C")]
    pub vary: Vec<String>,
    /// Run only this design, by name or number; can be repeated
    #[arg(long, value_name = "VARIANT")]
    pub only: Vec<String>,
    /// Do something by hand at a time: 20:crash:server-2, 25:revive:server-2, 50:deploy; can be repeated
    #[arg(long = "do", value_name = "SECONDS:DEED", value_parser = deed)]
    pub by_hand: Vec<Deed>,
    /// Run what a link of the page shows; or, without a link, print the one that shows this run
    #[arg(long, value_name = "URL", num_args = 0..=1, default_missing_value = "")]
    pub link: Option<String>,
    /// Where the page is, for --link; by default where `whatcart serve` has it
    #[arg(long, value_name = "URL", requires = "link")]
    pub page: Option<String>,
    /// The output format
    #[arg(long, default_value = "table")]
    pub format: Format,
    /// Write a time series of the figures to a file, as CSV
    #[arg(long, value_name = "FILE")]
    pub series: Option<PathBuf>,
    /// Write a report to send as one HTML file: figures, charts, one user's story in pictures, assumptions
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write one user's story in two designs as a film for a slide: an SVG that moves by itself
    #[arg(long, value_name = "FILE.svg")]
    pub film: Option<PathBuf>,
    /// If this is interrupted, also write the runs that were cut short (--format csv, --series)
    #[arg(long)]
    pub incomplete: bool,
    /// Write to a file instead of printing; the file appears complete or not at all
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Tell the story of this user
    #[arg(long, value_name = "USER", value_parser = clap::value_parser!(u32).range(1..))]
    pub follow: Option<u32>,
    /// Add more figures: requests, latency, causes, load, faults
    #[arg(long)]
    pub details: bool,
    /// Draw charts: carts lost over time, how busy each server was
    #[arg(long)]
    pub charts: bool,
    /// Print the table and nothing else
    #[arg(short, long)]
    pub quiet: bool,
}

/// Parses a speed for which a run is still meaningful.
fn speed(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(speed) if (0.1..=1_000.0).contains(&speed) => Ok(speed),
        _ => Err("a speed is a number from 0.1 to 1000: 1 is real time, 10 is ten times as fast".into()),
    }
}

/// Parses what is done by hand.
fn deed(text: &str) -> Result<Deed, String> {
    Deed::read(text).ok_or_else(|| {
        "a deed is a time in seconds, what happens and where: 20:crash:server-2 (also replace, vanish, revive, slow, \
         isolate), 50:deploy, 60:store"
            .into()
    })
}

/// Parses a precision, as a share of 1.
fn share(text: &str) -> Result<f64, String> {
    match text.strip_suffix('%').unwrap_or(text).trim().parse::<f64>() {
        Ok(percent) if (0.1..=100.0).contains(&percent) => Ok(percent / 100.0),
        _ => Err("a precision is written as 5%, from 0.1% to 100%".into()),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// Simulate in virtual time: exact and repeatable
    Sim,
    /// Run real requests over real sockets on this machine, in real time
    Http,
    /// Run real requests, and check whether they agree with a hundred simulations
    Both,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table for people
    Table,
    /// All figures, for programs
    Json,
    /// One row for each design and run
    Csv,
    /// A report for a design review, with its assumptions
    Markdown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// If the output is a terminal
    Auto,
    Always,
    Never,
}
