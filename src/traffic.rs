//! Who visits when, doing what, at what cost.

pub mod workload;
