//! Planned operations on a pool: deploys, changes of its size, an autoscaler.

pub mod carry_out;
pub mod faults;
pub mod operator;
pub mod strike;
