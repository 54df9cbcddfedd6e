//! Where state lives, and the rules of each home: pure functions, without a clock or a socket, that both engines call.

pub mod admission;
pub mod evidence;
pub mod file_locations;
pub mod moving_carts;
pub mod plan;
pub mod process_local;
pub mod replication;
pub mod session;
pub mod shop;
pub mod store;
pub mod tokens;
