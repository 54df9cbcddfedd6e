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
/// in its document. What is not coloured otherwise is filled with the colour of the text around it.
#[must_use]
pub fn picture(id: &str, [width, height]: [u32; 2], title: &str, description: &str, content: &str) -> String {
    let picture = Tag::new("svg")
        .set("width", width)
        .set("height", height)
        .set("viewBox", format!("0 0 {width} {height}"))
        .set("role", "img")
        .set("font-family", FONT)
        .set("fill", "currentColor");
    if description.is_empty() {
        return picture.around(&(Tag::new("title").saying(title) + content));
    }
    let title = Tag::new("title").set("id", format!("{id}-t")).saying(title);
    let description = Tag::new("desc").set("id", format!("{id}-d")).saying(description);
    picture.set("aria-labelledby", format!("{id}-t {id}-d")).around(&(title + &description + content))
}

/// The typeface of every picture.
const FONT: &str = "system-ui, sans-serif";
