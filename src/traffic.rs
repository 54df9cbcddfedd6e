//! Who visits when, doing what, at what cost.
//!
//! [`Workload`] is what all users have in common; [`Client`] is one tab, which walks through its journey. Neither
//! knows a clock or an engine.

mod client;
mod concurrent_steps;
mod cookie_jar;
mod folder;
mod heavy_users;
mod workload;

pub use client::{Client, Next};
pub use concurrent_steps::ConcurrentSteps;
pub use cookie_jar::{Jar, Session};
pub use folder::Folder;
pub use heavy_users::HeavyUsers;
pub use workload::{Loop, Wave, Workload};
