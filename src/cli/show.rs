//! `whatcart show`

use whatcart::faces::table::header::timeline;
use whatcart::faces::text::{Page, Tone, clean, clean_lines, left, paint, width};
use whatcart::scenario::{Loaded, Predict, prose};

use super::request::{Show, Shown};
use super::screen::Screen;
use super::{Ended, Failure, predict, source};

/// Prints the question of a scenario, what differs, what breaks when, and its TOML; or as much of it as is asked for.
pub fn show(request: &Show, screen: &Screen) -> Result<Ended, Failure> {
    let source = source::find(&request.what)?;
    let loaded = source::load(&source, &[], &[], screen)?;
    let page = screen.page;
    let text = match request.shown {
        Shown::Question => predict::choices(predict::question(&loaded)?, loaded.base.seed.get(), page),
        Shown::WithoutSpoilers => summary(&loaded, false, page),
        Shown::Everything => {
            format!(
                "{}
{}
",
                summary(&loaded, true, page),
                clean_lines(source.text.trim_end())
            )
        }
    };
    screen.print(&text)?;
    Ok(Ended::Well)
}

fn summary(loaded: &Loaded, spoilers: bool, page: Page) -> String {
    let base = &loaded.base;
    let mut text = page.wrap(&paint(Tone::Strong, &left(&loaded.name, width(&loaded.name) + 3)), &clean(&base.title));
    text += &matter("Question", &base.question, page);
    text += &matter("Differs", &base.varies, page);
    // The first design is often the control, in which nothing breaks.
    let breaks = loaded.variants.iter().map(|variant| timeline(&variant.scenario)).find(|line| !line.is_empty());
    text += &matter("Breaks", &breaks.unwrap_or_default(), page);
    for (i, variant) in loaded.variants.iter().enumerate() {
        let name = format!("{}  {}", variant.number, variant.name);
        text += &if i == 0 { matter("Designs", &name, page) } else { page.wrap(&left("", HEAD), &name) };
    }
    if let Some(predict) = &base.predict {
        text += &matter("Predict", &predict.ask, page);
        for (number, choice) in (1..).zip(predict.offered(base.seed.get())) {
            text += &page.wrap(&format!("{}{number}  ", left("", HEAD)), &clean(choice));
        }
    }
    if spoilers {
        text += &matter("Answer", &base.predict.as_ref().map(Predict::answer).unwrap_or_default(), page);
        text += &matter("Lesson", &prose::plain(&base.lesson), page);
    }
    text
}

const HEAD: usize = 10;

/// A heading with its text; empty if there is no text.
fn matter(name: &str, words: &str, page: Page) -> String {
    if words.trim().is_empty() {
        return String::new();
    }
    format!("\n{}", page.wrap(&paint(Tone::Strong, &left(name, HEAD)), &clean(&words.replace('\n', " "))))
}
