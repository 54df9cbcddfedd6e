//! What people and accidents do to a pool: faults, deploys, changes of its size, an autoscaler.

pub mod faults;
pub mod operator;
