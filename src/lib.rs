//! # whatcart
//!
//! *"What cart?"* is what a server answers when the cart it is asked for lives in another server's memory.
//! This crate simulates shoppers, a balancer and a pool of servers, breaks things on purpose, and counts what people
//! lost and how unevenly the servers worked.
//!
//! ## Map: imports point one way
//!
//! ```text
//! base  <-  scenario  <-  link history regions  <-  balancing  <-  operations traffic state  <-  judging
//!     <-  sim | http  <-  results  <-  faces  <-  live  <-  page  <-  serve experiment  <-  cli
//! ```
//!
//! Two engines drive the core, and neither imports the other. `sim` runs in virtual time; `http` sends real requests
//! over loopback sockets (feature `http`, on by default).
//!
//! The core uses no clock, no I/O and no global randomness. `ARCHITECTURE.md` gives the reasons; a test reads the
//! imports and fails if one points the wrong way.

pub mod balancing;
pub mod base;
pub mod experiment;
pub mod faces;
pub mod history;
#[cfg(feature = "http")]
pub mod http;
pub mod judging;
pub mod link;
pub mod live;
pub mod operations;
pub mod page;
pub mod regions;
pub mod results;
pub mod scenario;
#[cfg(feature = "http")]
pub mod serve;
pub mod sim;
pub mod state;
pub mod traffic;
