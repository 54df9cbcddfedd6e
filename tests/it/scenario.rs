//! Scenario files, from text to variants: what loads, and what is said of what does not.

mod errors;
mod library;
mod robust;
mod variants;
