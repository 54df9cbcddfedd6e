//! `whatcart list`

use whatcart::faces::text::{Tone, clean, left, paint, width};
use whatcart::scenario::{library, load};

use super::screen::Screen;
use super::{Ended, Failure};

/// Columns for a command and the gap after it.
const COMMAND: usize = 35;

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
    text.push('\n');
    for (command, what) in [
        ("whatcart show NAME --no-spoilers", "the question to predict"),
        ("whatcart run NAME", "the results"),
        ("whatcart explain WORD", "what a word of the output means"),
    ] {
        text += &screen.page.wrap(&left(command, COMMAND), what);
    }
    screen.print(&text)?;
    Ok(Ended::Well)
}
