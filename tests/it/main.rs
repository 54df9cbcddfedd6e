//! One integration test binary: a module per area.

mod arithmetic;
mod clean;
mod coverage;
mod determinism;
mod oracle;
mod planted;
mod support;
mod tidy;
