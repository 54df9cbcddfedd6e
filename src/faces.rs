//! How results are shown: tables, stories, charts, exports. Faces do not compute figures.

pub mod ascii;
pub mod assumptions;
pub mod chart;
#[cfg(feature = "cli")]
pub mod drawing;
pub mod explain;
pub mod export;
#[cfg(feature = "cli")]
pub mod glossary;
pub mod grid;
#[cfg(feature = "cli")]
pub mod html;
pub mod interrupted;
#[cfg(feature = "cli")]
pub mod markup;
#[cfg(feature = "cli")]
pub mod reference;
pub mod story;
pub mod table;
pub mod text;
pub mod timeline;
