//! The workload: who visits when, what each visit does, and how much work its requests are.

mod client;
mod concurrent_steps;
mod cookie_jar;
mod folder;
mod heavy_users;
mod workload;

pub use client::{Client, Next};
pub use concurrent_steps::{ConcurrentSteps, StepProgress};
pub use cookie_jar::{Jar, OpenVisits, SessionCookie};
pub use folder::Folder;
pub use heavy_users::HeavyUsers;
pub use workload::{Loop, Wave, Workload};
