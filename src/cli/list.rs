//! `whatcart list`

use whatcart::faces::text::{Tone, WIDTH, clean, cut, left, paint, width};
use whatcart::scenario::{library, load};

use super::screen::Screen;
use super::{Ended, Failure};

/// Prints the scenarios in the order of the lessons, one per line.
pub fn list(screen: &Screen) -> Result<Ended, Failure> {
    let entries = library::all();
    let names = entries.iter().map(|entry| width(entry.name)).max().unwrap_or(0);
    let mut text = String::new();
    for (number, entry) in (1..).zip(entries) {
        let title = clean(&load(entry.name, entry.name, entry.text, &[], &[])?.base.title);
        let name = paint(Tone::Strong, &left(entry.name, names));
        text += &format!("{number:>2}  {name}  {}\n", cut(&title, WIDTH - names - 6));
    }
    text += "\nwhatcart show NAME --no-spoilers   the question to predict\nwhatcart run NAME                  the results\n";
    screen.print(&text)?;
    Ok(Ended::Well)
}
