//! Verdicts, causes and measures: recorders of the history.

pub mod checker;
pub mod meter;
pub mod observer;
pub mod post_mortem;
