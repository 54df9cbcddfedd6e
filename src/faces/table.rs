//! The output of a run: header, table, causes, one user's story, and lesson.

mod causes;
pub mod charts;
pub mod columns;
mod details;
pub mod engines;
mod grid;
pub mod header;
pub mod pace;

pub use causes::CAUSES;

use super::story::Story;
use crate::base::words::{listed, plural, quoted, span, thousands};
use crate::faces::interrupted;
use crate::faces::text::{Page, Tone, clean, paint, paint_lines, width};
use crate::results::expectations::Observed;
use crate::results::prose::Prose;
use crate::results::statistics::{self, Summary};
use crate::results::{Digest, Report};

/// What to print besides the table.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look<'a> {
    /// What it is laid out for.
    pub page: Page,
    /// Print request accounting, latency, causes, load and faults.
    pub details: bool,
    /// Print the table and nothing else.
    pub quiet: bool,
    /// The story of one user, in one or two designs.
    pub story: Option<&'a Story>,
    /// Charts of time and load.
    pub charts: bool,
    /// The explanation for somebody who predicted the result, as finished lines.
    pub answer: Option<&'a str>,
    /// What the command changed in the scenario, except the seed.
    pub changes: &'a [String],
    /// The title of the next scenario.
    pub next_title: Option<&'a str>,
}

/// A part of the output, which can be shown by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is: `table`, `story`.
    pub name: &'static str,
    /// Its lines. All but the first parts begin with an empty one.
    pub text: String,
}

/// The whole output of a run, with colour codes.
#[must_use]
pub fn render(report: &Report, look: &Look) -> String {
    parts(report, look).into_iter().map(|part| part.text).collect()
}

/// The output of a run in its parts, from the title to the lesson, without those that have nothing to say.
#[must_use]
pub fn parts(report: &Report, look: &Look) -> Vec<Part> {
    let summaries = Summary::all(&report.variants);
    let columns = columns::choose(report, &summaries);
    let page = look.page;
    let table = grid::draw(report, &columns, page);
    let first = interrupted::first_line(report).map_or_else(String::new, |line| page.wrap("", &line));
    let first = paint_lines(Tone::Loss, &first);
    if look.quiet {
        return vec![Part { name: "table", text: first + &table }];
    }
    let below = |text: String| if text.is_empty() { text } else { format!("\n{text}") };
    let changes = changes(report, look.changes);
    let changes = if changes.is_empty() { changes.concat() } else { page.wrap("Changed: ", &changes.join(" · ")) };
    let above = header::facts_and_faults(report, page) + &changes;
    let table = format!("{above}\n{table}{}", notes(report, &summaries, &columns, page));
    let compared = report.agreement.as_ref().map(|agreement| engines::block(agreement, page));
    let charts = if look.charts { charts::charts(report, page) } else { String::new() };
    let details = if look.details { details::details(report, &summaries, page) } else { String::new() };
    let all = [
        ("title", first + &header::title(&report.name, &report.scenario.title, page)),
        ("table", table),
        ("comparison", compared.unwrap_or_default()),
        ("charts", charts::histograms(report, &summaries, page) + &charts),
        ("details", details),
        ("story", below(look.story.map_or(String::new(), |story| story.draw(page)))),
        ("answer", below(look.answer.unwrap_or_default().into())),
        ("lesson", lesson(report, &summaries, look)),
    ];
    all.into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| Part { name, text }).collect()
}

/// What was changed in the scenario, the seed included, in words.
#[must_use]
pub fn changes(report: &Report, changes: &[String]) -> Vec<String> {
    let (seed, own) = (report.seed, report.scenario.seed.get());
    let seed = (seed != own).then(|| format!("seed {seed} instead of {own}"));
    changes.iter().map(|change| clean(change)).chain(seed).collect()
}

/// The sentences under the table.
fn notes(report: &Report, summaries: &[Summary], columns: &[columns::Column], page: Page) -> String {
    let sentences = sentences(report, summaries, columns);
    let mut text: String = sentences.iter().map(|note| page.wrap("   ", note)).collect();
    text += &left_out(report).map_or_else(String::new, |note| page.wrap("   ", &note));
    for warning in warnings(report, summaries) {
        text += &paint_lines(Tone::Loss, &page.wrap("   ", &warning));
    }
    text
}

/// Which designs were left out, and why.
#[must_use]
pub fn left_out(report: &Report) -> Option<String> {
    let names: Vec<String> = report.left_out.iter().map(|name| clean(name)).collect();
    (!names.is_empty()).then(|| format!("Not run, because only a simulation can: {}.", listed(&quoted(&names))))
}

/// Causes, precision and denominators, in sentences that are true by construction.
#[must_use]
pub fn sentences(report: &Report, summaries: &[Summary], columns: &[columns::Column]) -> Vec<String> {
    let why = causes::sentences(report, summaries).join(" ");
    let several = report.variants.iter().any(|variant| variant.runs.len() > 1);
    let sure = if several { certainty(summaries, columns) } else { None };
    [
        Some(why).filter(|why| !why.is_empty()),
        sure,
        columns::unnoticed(summaries, columns),
        differing_counts(report, summaries, columns),
        carried_alike(report, summaries, columns),
        pace::lateness(report),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What several runs say about the difference from the first design.
fn certainty(summaries: &[Summary], columns: &[columns::Column]) -> Option<String> {
    let figures = [
        ("lost", "carts.lost", ["loses", "lose"], "carts"),
        ("abandoned", "visits.finished", ["finishes", "finish"], "visits"),
        ("neighbours", "neighbours_latency_ms.p50", ["takes", "take"], "ms for a neighbour's median request"),
        ("latency", "step_latency_ms.p50", ["takes", "take"], "ms for the median step"),
    ];
    let shown = |name: &str| columns.iter().any(|column| column.name == name);
    let all = || statistics::comparable(summaries);
    let tells = |path: &str| all().any(|summary| summary.mean(path) > 0.0);
    let value = |summary: &Summary, path: &str| summary.get(path).map(|found| found.mean);
    let differs = |path: &str| all().any(|summary| value(summary, path) != value(&summaries[0], path));
    let (_, path, verbs, things) =
        figures.into_iter().find(|(name, path, ..)| shown(name) && tells(path) && differs(path))?;
    statistics::comparison(summaries, path, verbs, things)
}

/// A note, if the number of carts differs between designs.
fn differing_counts(report: &Report, summaries: &[Summary], columns: &[columns::Column]) -> Option<String> {
    columns.iter().find(|column| column.head[1] == columns::OF_OPENED)?;
    let users = |variant: &crate::results::VariantReport| (variant.scenario.users.clone(), variant.scenario.duration);
    if report.variants.windows(2).any(|pair| users(&pair[0]) != users(&pair[1])) {
        return None;
    }
    let opened = statistics::comparable(summaries).map(|summary| summary.mean("carts.opened"));
    let (least, most) = opened.fold((f64::MAX, 0.0f64), |(least, most), x| (least.min(x), most.max(x)));
    if least >= most {
        return None;
    }
    let (least_shown, most_shown) = (crate::base::words::count(least), crate::base::words::count(most));
    if least_shown == most_shown {
        return None;
    }
    let range = format!("{least_shown} to {most_shown}");
    Some(if most - least <= 0.05 * most {
        format!("Carts opened differ a little ({range}): the same visits, only their timing differs.")
    } else {
        format!("Carts opened: {range}. Whoever is held up, or gives up, comes back at other times.")
    })
}

/// A note, if the price column leaves something out.
fn carried_alike(report: &Report, summaries: &[Summary], columns: &[columns::Column]) -> Option<String> {
    columns.iter().find(|column| column.name == "price")?;
    let bytes = crate::base::words::count(columns::carried_alike(report, summaries)?);
    Some(format!("Every design also carries {bytes} bytes a request: the signed login."))
}

/// What has to be known before the figures are used.
#[must_use]
pub fn warnings(report: &Report, summaries: &[Summary]) -> Vec<String> {
    pace::warning(report).into_iter().chain(still_open(report, summaries)).collect()
}

/// Visits and carts that were still open at the end of complete runs.
fn still_open(report: &Report, summaries: &[Summary]) -> Option<String> {
    let count = crate::base::words::count;
    let open = |summary: &Summary| {
        let (visits, carts) = (summary.mean("visits.open"), summary.mean("carts.open"));
        let of = count(summary.mean("visits.begun"));
        let visits = (visits > 0.0).then(|| format!("{} of {of} visits", count(visits)));
        let carts = (carts > 0.0).then(|| plural(carts, "cart", "carts"));
        let both: Vec<String> = visits.into_iter().chain(carts).collect();
        (!both.is_empty()).then(|| format!("{} in design {}", listed(&both), summary.number))
    };
    let open: Vec<String> = statistics::comparable(summaries).filter_map(open).collect();
    let closing = span(report.scenario.closing.get());
    (!open.is_empty()).then(|| {
        format!(
            "Still open at the end: {}. What their users were waiting for is in no latency and no outcome. If they are \
             not stuck, `closing` ({closing}) is too short for these visits; raise it.",
            open.join("; ")
        )
    })
}

/// What the run teaches: the sentences of the lesson that hold in it.
fn lesson(report: &Report, summaries: &[Summary], look: &Look) -> String {
    let mut text = String::new();
    let scenario = &report.scenario;
    if !scenario.lesson.trim().is_empty() && !report.interrupted {
        text += "\n";
        let told = told(report, summaries, look.changes);
        text += &look.page.wrap(&format!("{}  ", paint(Tone::Strong, "Lesson")), &told);
    }
    if let Some(next) = &scenario.next {
        text += if text.is_empty() { "\n" } else { "" };
        text += &next_line(&clean(next), look.next_title.map(clean).as_deref(), look.page);
    }
    if let Some(digest) = Digest::of(report) {
        text += if text.is_empty() { "\n" } else { "" };
        text += &look.page.wrap(&format!("{}  ", paint(Tone::Strong, "Digest")), &digest.to_string());
    }
    text
}

/// The sentences of the lesson that hold in this run, which `changes` made another than was written.
#[must_use]
pub fn told(report: &Report, summaries: &[Summary], changes: &[String]) -> String {
    let lesson = &report.scenario.lesson;
    let Ok(prose) = Prose::read(lesson) else { return clean(&lesson.replace('\n', " ")) };
    let told = prose.told(&Observed::all(report, summaries), self::changes(report, changes).is_empty());
    if told.text.is_empty() && !lesson.trim().is_empty() {
        return clean(&format!("It is about the scenario as it was written: whatcart run {}", report.name));
    }
    clean(&told.text)
}

/// The next scenario's title and how to run it, on two lines if they do not fit on one.
fn next_line(name: &str, title: Option<&str>, page: Page) -> String {
    let head = format!("{}    ", paint(Tone::Strong, "Next"));
    let command = format!("whatcart run {name}");
    match title {
        None => page.wrap(&head, &command),
        Some(title) if width(&head) + width(title) + 3 + width(&command) <= page.columns() => {
            format!("{head}{title}   {command}\n")
        }
        Some(title) => page.wrap(&head, title) + &page.wrap(&" ".repeat(width(&head)), &command),
    }
}

/// `300 users`, `100 to 1,000 users`.
fn range(values: impl Iterator<Item = u64>, one: &str, many: &str) -> String {
    let values: Vec<u64> = values.collect();
    let (least, most) = (values.iter().min().copied().unwrap_or(0), values.iter().max().copied().unwrap_or(0));
    if least == most {
        #[expect(clippy::cast_precision_loss, reason = "limits keep it small")]
        return plural(least as f64, one, many);
    }
    format!("{} to {} {many}", thousands(least), thousands(most))
}

#[cfg(test)]
mod tests;
