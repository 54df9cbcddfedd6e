//! Pictures as SVG, made of elements and attributes alone: no scripts, no styles, nothing to load. They are legible in
//! black on white and in white on black.

pub mod cast;
pub mod crowd;
pub mod film;
pub mod icons;
pub mod lines;
pub mod palette;
pub mod scene;
pub mod seats;
pub mod sequence;
pub mod strip;
pub mod whereabouts;

use super::markup::Tag;

/// A picture with a name and, if that does not say everything, a description for those who cannot see it. `id` is unique
/// in its document.
#[must_use]
pub fn picture(id: &str, [width, height]: [u32; 2], title: &str, description: &str, content: &str) -> String {
    let describe = if description.is_empty() { String::new() } else { format!(" {id}-d") };
    let mut inside = Tag::new("title").set("id", format!("{id}-t")).saying(title);
    if !description.is_empty() {
        inside += &Tag::new("desc").set("id", format!("{id}-d")).saying(description);
    }
    Tag::new("svg")
        .set("xmlns", "http://www.w3.org/2000/svg")
        .set("width", width)
        .set("height", height)
        .set("viewBox", format!("0 0 {width} {height}"))
        .set("role", "img")
        .set("aria-labelledby", format!("{id}-t{describe}"))
        .set("font-family", "system-ui, sans-serif")
        .around(&(inside + content))
}
