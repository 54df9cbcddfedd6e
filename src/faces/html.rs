//! A report as one HTML file that can be sent: tables, pictures and text, without scripts, without styles, and with
//! nothing to load. It looks as a browser makes it look, light or dark, on paper, and through a screen reader.

mod charts;
mod stories;
mod tables;

use super::assumptions::Assumption;
use super::drawing::icons;
use super::interrupted;
use super::markup::Tag;
use super::story::Tale;
use super::table::{self, columns, header};
use crate::results::statistics::Summary;
use crate::results::{Digest, Report};

/// What a report says besides its figures.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beside<'a> {
    /// What the figures rest on.
    pub assumptions: &'a [Assumption],
    /// What the command changed in the scenario, except the seed.
    pub changes: &'a [String],
    /// The command that repeats the run.
    pub command: &'a str,
    /// The same visit in each design; none if there is nothing to tell.
    pub tales: &'a [Tale],
}

/// The whole document.
#[must_use]
pub fn html(report: &Report, beside: &Beside) -> String {
    let title = format!("{}: {}", report.name, report.scenario.title);
    let head = [
        Tag::new("meta").set("charset", "utf-8").empty(),
        Tag::new("meta").set("name", "viewport").set("content", "width=device-width, initial-scale=1").empty(),
        Tag::new("meta").set("name", "color-scheme").set("content", "light dark").empty(),
        Tag::new("title").saying(&title),
    ];
    let shapes = Tag::new("svg").set("width", 0).set("height", 0).set("aria-hidden", "true").around(&icons::defined());
    let body = Tag::new("main").around(&main(report, beside)) + &shapes;
    let whole = Tag::new("head").around(&head.join("\n")) + "\n" + &Tag::new("body").around(&body);
    format!("<!DOCTYPE html>\n{}\n", Tag::new("html").set("lang", "en").around(&whole))
}

fn main(report: &Report, beside: &Beside) -> String {
    let summaries = Summary::all(&report.variants);
    let columns = columns::choose(report, &summaries);
    let interrupted = interrupted::first_line(report);
    let mut parts = vec![interrupted.map_or_else(String::new, |line| warning(&line)), above(report, beside)];
    parts.push(section("Results", &tables::comparison(report, &summaries, &columns)));
    if let Some(agreement) = &report.agreement {
        parts.push(section("Both engines", &tables::engines(agreement)));
    }
    parts.push(section("Over time", &charts::over_time(report)));
    parts.push(stories::stories(report, beside.tales));
    parts.push(section("Lesson", &lesson(report, &summaries, beside)));
    parts.push(section("Assumptions", &tables::assumptions(report, beside.assumptions)));
    parts.push(section("To repeat it", &repeat(report, beside)));
    parts.retain(|part| !part.is_empty());
    parts.join("\n")
}

/// Title, question, what differs and what breaks.
fn above(report: &Report, beside: &Beside) -> String {
    let scenario = &report.scenario;
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut text = Tag::new("h1").saying(&plain(&scenario.title));
    text += &Tag::new("p")
        .around(&(Tag::new("b").saying(&report.name) + " · " + &super::markup::escaped(&header::facts(report))));
    let mut terms =
        vec![("Question", vec![plain(&scenario.question)]), ("What differs", vec![plain(&scenario.varies)])];
    terms.push(("What breaks", header::timelines(report)));
    terms.push(("Changed", table::changes(report, beside.changes)));
    for (_, texts) in &mut terms {
        texts.retain(|text| !text.is_empty());
    }
    terms.retain(|(_, texts)| !texts.is_empty());
    let term = |(name, texts): &(&str, Vec<String>)| {
        let texts: String = texts.iter().map(|text| Tag::new("dd").saying(text)).collect();
        Tag::new("dt").around(&Tag::new("b").saying(name)) + &texts
    };
    text + "\n" + &Tag::new("dl").around(&terms.iter().map(term).collect::<String>())
}

/// A heading with what is below it; nothing if that is nothing.
fn section(heading: &str, content: &str) -> String {
    if content.is_empty() { String::new() } else { Tag::new("h2").saying(heading) + "\n" + content }
}

fn paragraph(text: &str) -> String {
    Tag::new("p").saying(text) + "\n"
}

fn warning(text: &str) -> String {
    Tag::new("p").around(&Tag::new("strong").saying(text)) + "\n"
}

fn lesson(report: &Report, summaries: &[Summary], beside: &Beside) -> String {
    if report.interrupted || report.scenario.lesson.trim().is_empty() {
        return String::new();
    }
    paragraph(&table::told(report, summaries, beside.changes))
}

fn repeat(report: &Report, beside: &Beside) -> String {
    let command = |words: &str| Tag::new("p").around(&Tag::new("code").saying(words)) + "\n";
    let text = command(beside.command);
    let Some(digest) = Digest::of(report) else { return text };
    text + "<p>It gives these figures on every machine, and prints their digest, "
        + &Tag::new("code").saying(&digest.to_string())
        + ".</p>\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::UserId;
    use crate::results::sample::{crashed, sticky_crash};

    fn reported(report: &Report, tales: &[Tale]) -> String {
        html(report, &Beside { command: "whatcart run sticky-crash --seed 1", tales, ..Beside::default() })
    }

    #[test]
    fn an_interrupted_report_says_so_first_and_teaches_nothing() {
        let mut report = sticky_crash();
        report.interrupted = true;
        let (whole, cut) = (reported(&sticky_crash(), &[]), reported(&report, &[]));
        let begins =
            |text: &str| text.split_once("<main>").map(|(_, rest)| rest.starts_with("<p><strong>Interrupted: "));
        assert_eq!((begins(&whole), begins(&cut)), (Some(false), Some(true)));
        assert!(whole.contains("<h2>Lesson</h2>") && !cut.contains("<h2>Lesson</h2>"));
    }

    /// Real runs have a tape instead of a seed to repeat, and no digest that another run could have.
    #[test]
    fn a_story_needs_only_its_tape_and_real_runs_have_no_digest() {
        let tale = Tale { design: 1, user: UserId(42), tape: crashed() };
        let mut report = sticky_crash();
        assert!(reported(&report, &[]).contains("prints their digest"));
        report.engine = "http";
        let text = reported(&report, &[tale]);
        assert!(
            text.contains("<h2>The story of user 42</h2>") && text.contains("<h3>Design 2: sticky, server memory</h3>")
        );
        assert!(text.contains("30.0 server-2 crashes: 49 open carts gone, this one too"), "{text}");
        assert!(!text.contains("digest"), "{text}");
    }
}
