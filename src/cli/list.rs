//! `whatcart list`

use whatcart::faces::text::{Tone, clean, left, paint, width};
use whatcart::scenario::{library, load};

use super::screen::Screen;
use super::{Ended, Failure};

/// Prints the scenarios with their titles, in the order of the lessons.
pub fn list(screen: &Screen) -> Result<Ended, Failure> {
    let entries = library::all();
    let names = entries.iter().map(|entry| width(entry.name)).max().unwrap_or(0);
    let mut text = String::new();
    for (number, entry) in (1..).zip(entries) {
        let title = clean(&load(entry.name, entry.name, entry.text, &[], &[])?.base.title);
        let name = paint(Tone::Strong, &left(entry.name, names));
        text += &screen.page.wrap(&format!("{number:>2}  {name}  "), &title);
    }
    text += "\nwhatcart show NAME --no-spoilers   the question to predict\nwhatcart run NAME                  the results\nwhatcart explain WORD              what a word of the output means\n";
    screen.print(&text)?;
    Ok(Ended::Well)
}
