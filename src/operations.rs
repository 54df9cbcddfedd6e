//! What its operator does to a pool: deploys, changes of its size, an autoscaler.

pub mod operator;
