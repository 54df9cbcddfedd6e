//! Scenario files, from text to variants: which ones load, and the errors of those that do not.

#[cfg(feature = "cli")]
mod beside_carts;
#[cfg(feature = "cli")]
mod breakdowns;
mod designs;
#[cfg(feature = "cli")]
mod errors;
mod library;
mod limits;
#[cfg(feature = "cli")]
mod mistakes;
mod needs;
#[cfg(feature = "cli")]
mod patch_errors;
#[cfg(feature = "cli")]
mod places;
#[cfg(feature = "cli")]
mod pool_changes;
#[cfg(feature = "cli")]
mod reference;
mod robust;
#[cfg(feature = "cli")]
mod unreadable;
mod variants;
