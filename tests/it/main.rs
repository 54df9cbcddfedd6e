//! One integration test binary: a module per area.

mod agreement;
mod arithmetic;
mod clean;
#[cfg(feature = "cli")]
mod cli;
mod coverage;
mod determinism;
mod oracle;
mod planted;
#[cfg(feature = "cli")]
mod readme;
mod scenario;
mod support;
mod tidy;
