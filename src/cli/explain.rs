//! `whatcart explain`

use whatcart::faces::glossary::{WORDS, Word, find, names};
use whatcart::faces::text::{Page, Tone, left, paint, width};
use whatcart::scenario::nearest;

use super::screen::Screen;
use super::{Ended, Failure, usage};

/// Explains a word, or lists all words.
pub fn explain(words: &[String], screen: &Screen) -> Result<Ended, Failure> {
    let text = match words {
        [] => list(screen.page),
        words => meaning(find(&words.join(" ")).ok_or_else(|| no_word(&words.join(" ")))?, screen.page),
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
    WORDS.iter().map(line).collect::<String>() + "\nwhatcart explain WORD   the whole of it\n"
}

fn meaning(word: &Word, page: Page) -> String {
    let mut text = page.wrap(&format!("{}   ", paint(Tone::Strong, word.name)), word.means);
    if !word.also.is_empty() {
        text += &page.wrap("also: ", &word.also.join(", "));
    }
    text
}

fn no_word(word: &str) -> Failure {
    let help = nearest::nearest(&word.to_lowercase(), names()).map(|name| format!("did you mean `{name}`?"));
    usage(
        format!("`{word}` is not in the glossary"),
        help.unwrap_or_else(|| "`whatcart explain` lists its words".into()),
    )
}
