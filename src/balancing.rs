//! How a balancer chooses a server, and what it believes about each.

pub mod affinity;
pub mod attempt;
pub mod balancer;
pub mod policy;
pub mod pool;
