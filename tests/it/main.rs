//! One integration test binary: a module per area.

#[cfg(feature = "cli")]
mod cli;
mod scenario;
