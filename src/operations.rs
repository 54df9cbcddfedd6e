//! What people and accidents do to a pool: deploys, changes of its size, an autoscaler, and faults of servers.

pub mod carry_out;
pub mod operator;
pub mod strike;
