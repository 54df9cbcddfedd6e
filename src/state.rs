//! Where state lives, and what living there means: rules without a clock or a socket, which both engines call.

pub mod home;
pub mod shop;
