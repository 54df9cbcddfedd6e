//! `whatcart show`

use whatcart::faces::table::header::timeline;
use whatcart::faces::text::{Page, Tone, clean, clean_lines, left, paint, width};
use whatcart::scenario::{Loaded, Predict, prose};

use super::request::Show;
use super::screen::Screen;
use super::{Ended, Failure, source};

/// Prints the question of a scenario, what differs, what breaks when, and its TOML.
pub fn show(request: &Show, screen: &Screen) -> Result<Ended, Failure> {
    let source = source::find(&request.what)?;
    let loaded = source::load(&source, &[], &[])?;
    let toml = if request.spoilers { source.text.to_string() } else { without_spoilers(&source.text) };
    let text = format!("{}\n{}\n", summary(&loaded, request.spoilers, screen.page), clean_lines(toml.trim_end()));
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

/// The TOML without whatever tells the result: the comment on top, the lesson, the question's answers and the
/// expectations.
fn without_spoilers(toml: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut text_ends: Option<&str> = None;
    let mut in_spoiler = false;
    for line in toml.lines().skip_while(|line| line.starts_with('#')) {
        if let Some(quotes) = text_ends {
            text_ends = text_ends.filter(|_| !line.contains(quotes));
            continue;
        }
        let code = line.trim_start();
        if code.starts_with('[') {
            in_spoiler = code.starts_with("[[expect]]") || code.starts_with("[predict]");
            if in_spoiler {
                drop_comments(&mut kept);
            }
        }
        let is_key = |key: &str| code.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='));
        let lesson = is_key("lesson") || is_key("summary") || is_key("question");
        if lesson {
            drop_comments(&mut kept);
            text_ends = ["\"\"\"", "'''"].into_iter().find(|quotes| line.matches(quotes).count() == 1);
        }
        if !lesson && !in_spoiler {
            kept.push(line);
        }
    }
    let mut text = String::new();
    let mut blank = true;
    for line in kept {
        if !(blank && line.trim().is_empty()) {
            text += line;
            text.push('\n');
        }
        blank = line.trim().is_empty();
    }
    text
}

/// Comments belong to the line that follows them.
fn drop_comments(kept: &mut Vec<&str>) {
    while kept.last().is_some_and(|line| line.trim_start().starts_with('#')) {
        kept.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spoilers_go_and_the_rest_stays() {
        let toml = "# the result\n# of it\n\ntitle = \"a\"\n[predict]\nask = \"\"\"\nhow [many]?\"\"\"\nanswer = \"9\"\n\n[users]\ncount = 3\n# the point\nlesson = \"\"\"\nno [[variants]] here\n\"\"\"\nnext = \"b\"\n\n[[variants]]\nname = \"x\"\n\n# what must come\n[[expect]]\nthat = \"carts.lost > 0\"\n\n[store]\nlatency = { constant = \"1ms\" }\n";
        insta::assert_snapshot!(without_spoilers(toml), @r#"
        title = "a"

        [users]
        count = 3
        next = "b"

        [[variants]]
        name = "x"

        [store]
        latency = { constant = "1ms" }
        "#);
        assert_eq!(without_spoilers("lesson = 'short'\ntitle = 'a'\n"), "title = 'a'\n");
    }
}
