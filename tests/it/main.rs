//! One integration test binary: a module per area.

mod agreement;
mod arithmetic;
#[cfg(feature = "cli")]
mod authors;
mod clean;
#[cfg(feature = "cli")]
mod cli;
mod cli_page;
#[cfg(feature = "cli")]
mod conformance;
mod coverage;
mod determinism;
#[cfg(feature = "cli")]
mod every_scenario;
mod link;
mod live;
mod liveness;
mod naive_sim;
mod oracle;
mod page;
mod planted;
#[cfg(feature = "cli")]
mod readme;
#[cfg(all(feature = "cli", unix))]
mod real;
#[cfg(feature = "cli")]
mod reports;
mod results;
mod scenario;
#[cfg(feature = "http")]
mod serve;
mod support;
mod tidy;
#[cfg(feature = "cli")]
mod truth;
