//! Planned operations on a pool: deploys, changes of its size, an autoscaler.

pub mod operator;
