//! How results are shown: tables, stories, charts, exports. No face computes a figure.

pub mod assumptions;
pub mod chart;
pub mod explain;
pub mod export;
pub mod story;
#[cfg(feature = "cli")]
pub mod table;
pub mod text;
pub mod timeline;
