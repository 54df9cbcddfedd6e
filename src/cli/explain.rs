//! `whatcart explain`

use whatcart::faces::glossary::{WORDS, Word, find, in_phrase, names};
use whatcart::faces::reference;
use whatcart::faces::text::{Page, Tone, left, paint, width};
use whatcart::scenario::nearest;
use whatcart::scenario::reference::{Key, tables};

use super::request::Explain;
use super::screen::Screen;
use super::{Ended, Failure, usage};

/// Explains a word of the output or a key of a scenario, or lists all words, or all keys.
pub fn explain(request: &Explain, screen: &Screen) -> Result<Ended, Failure> {
    let text = match request {
        Explain::Words => list(screen.page),
        Explain::Keys => reference::list(screen.page),
        Explain::One(wanted) => {
            let keys = reference::explained(wanted, screen.page);
            let words = find(wanted);
            // One word that is unknown is misspelt; a phrase may have a word in it that is known.
            let phrase = words.is_empty() && keys.is_none() && wanted.trim().contains(' ');
            let words = if phrase { in_phrase(wanted) } else { words };
            let words = words.into_iter().map(|word| meaning(word, screen.page));
            let both: Vec<String> = words.chain(keys).collect();
            if both.is_empty() {
                return Err(unknown(wanted));
            }
            both.join("\n")
        }
    };
    screen.print(&text)?;
    Ok(Ended::Well)
}

fn list(page: Page) -> String {
    let widest = WORDS.iter().map(|word| width(word.name)).max().unwrap_or(0);
    let line = |word: &Word| {
        let first = word.means.split_inclusive(". ").next().unwrap_or_default().trim_end();
        page.wrap(&format!("{}  ", paint(Tone::Strong, &left(word.name, widest))), first)
    };
    WORDS.iter().map(line).collect::<String>()
        + "\nwhatcart explain WORD     the whole of it\nwhatcart explain --keys   the keys of a scenario\n"
}

fn meaning(word: &Word, page: Page) -> String {
    let mut text = page.wrap(&format!("{}   ", paint(Tone::Strong, word.name)), word.means);
    if !word.also.is_empty() {
        text += &page.wrap("also: ", &word.also.join(", "));
    }
    text
}

fn unknown(wanted: &str) -> Failure {
    let keys = tables().iter().flat_map(|table| table.keys.iter().map(Key::name));
    let near = nearest::nearest(&wanted.to_lowercase(), names().chain(keys));
    let help = near.map(|name| format!("did you mean `{name}`?"));
    usage(
        format!("`{wanted}` is neither a word of the output nor a key of a scenario"),
        help.unwrap_or_else(|| "`whatcart explain` lists the words, `whatcart explain --keys` the keys".into()),
    )
}
