//! Recorders that derive verdicts, causes of loss and measurements from the history.

pub mod checker;
pub mod meter;
pub mod observer;
pub mod post_mortem;
