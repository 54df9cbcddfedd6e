//! The engine at its sockets: what curl sees of a server, what a user sees of the balancer, and what happens when the
//! other end misbehaves.

mod balancer;
mod copies;
mod endings;
mod hidden;
mod homes;
mod servers;
mod stores;
mod support;
mod users;
