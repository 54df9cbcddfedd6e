//! Where state lives, and what living there means: rules without a clock or a socket, which both engines call.

pub mod evidence;
pub mod file_locations;
pub mod plan;
pub mod process_local;
pub mod replication;
pub mod session;
pub mod shop;
pub mod store;
pub mod tokens;
