//! Markdown for a design review: the table, its assumptions, and how to reproduce it.

use crate::base::Step;
use crate::base::words::{listed, span, thousands};
use crate::faces::interrupted::{first_line, row_note};
use crate::faces::table::columns::{Cell, Column, choose};
use crate::faces::table::{engines, header};
use crate::faces::text::clean;
use crate::results::statistics::Summary;
use crate::results::{Agreement, Report};
use crate::scenario::{Affinity, CookieLife, Dist, Positive, Regions, Scenario};

/// The report as Markdown; `command` reproduces the run.
#[must_use]
pub fn markdown(report: &Report, command: &str) -> String {
    let summaries = Summary::all(&report.variants);
    let columns = choose(report, &summaries);
    let mut text = first_line(report).map_or_else(String::new, |line| format!("**{}**\n\n", escaped(&line)));
    text += &format!("# {}\n\n{}\n\n", escaped(&clean(&report.name)), escaped(&clean(&report.scenario.title)));
    text += &table(report, &columns);
    for sentence in crate::faces::table::sentences(report, &summaries, &columns) {
        text += &format!("\n{}\n", escaped(&sentence));
    }
    for warning in crate::faces::table::warnings(report, &summaries) {
        text += &format!("\n**{}**\n", escaped(&warning));
    }
    if let Some(agreement) = &report.agreement {
        text += &both_engines(agreement);
    }
    text += "\n## Assumptions\n\n";
    for line in assumptions(report) {
        text += &format!("- {}\n", escaped(&line));
    }
    text += &format!("\n## To repeat it\n\n```sh\n{}\n```\n", clean(command));
    text
}

fn table(report: &Report, columns: &[Column]) -> String {
    let mut text = String::from("| | design |");
    for column in columns {
        text += &format!(" {} |", escaped(column.head.join(" ").trim()));
    }
    text += "\n|--:|:--|";
    for column in columns {
        text += if column.words { ":--|" } else { "--:|" };
    }
    text.push('\n');
    for (row, variant) in report.variants.iter().enumerate() {
        let note = row_note(variant).map_or_else(String::new, |note| format!(" ({note})"));
        text += &format!("| {} | {} |", variant.number, escaped(&(clean(&variant.name) + &note)));
        for column in columns {
            text += &format!(" {} |", cell(&column.cells[row]));
        }
        text.push('\n');
    }
    text
}

/// The simulations' predictions and the real runs' results, for figures that are worth a line.
fn both_engines(agreement: &Agreement) -> String {
    let mut text = String::from("\n## Both engines\n\n| design | figure |");
    for head in &engines::HEAD[1..] {
        text += &format!(" {head} |");
    }
    text += "\n|--:|:--|--:|--:|--:|--:|:--|\n";
    for row in engines::rows(agreement) {
        text +=
            &format!("| {} | {} | {} |\n", agreement.numbers[row.design], escaped(&row.what), row.cells.join(" | "));
    }
    for sentence in engines::sentences(agreement) {
        text += &format!("\n{}\n", escaped(&sentence));
    }
    text
}

fn cell(cell: &Cell) -> String {
    match &*cell.share {
        "" => cell.figure.clone(),
        share => format!("{} ({share})", cell.figure),
    }
}

/// Escapes characters that have a meaning in Markdown.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '|' | '*' | '_' | '`' | '<' | '[' | '\\' | '#') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The assumptions of the base scenario. The variants' names say what they change.
fn assumptions(report: &Report) -> Vec<String> {
    let scenario = &report.scenario;
    let mut lines = vec![
        format!("{}.", header::facts(report)),
        journey(scenario),
        who_works(scenario),
        format!(
            "The balancer uses {} with {}; a health check every {} takes {} failures to call a server down.",
            kebab(&scenario.balancer.policy),
            affinity(scenario.balancer.affinity),
            span(scenario.balancer.health.interval.get()),
            scenario.balancer.health.fall.get()
        ),
        format!("A call to the shared store takes {}.", dist(&scenario.store.latency)),
        format!(
            "Users wait {} for an answer and try a failed step {} more times.",
            span(scenario.users.timeout.get()),
            scenario.users.patience.get()
        ),
    ];
    lines.extend(scenario.regions.as_ref().map(ways));
    lines.extend(header::timelines(report).into_iter().map(|line| format!("{line}.")));
    let varies = clean(scenario.varies.replace('\n', " ").trim());
    if !varies.is_empty() {
        lines.push(format!("Designs differ in {}.", varies.trim_end_matches('.')));
    }
    let how = if report.engine == "sim" { "simulated, not measured" } else { "measured on one machine" };
    lines.push(format!("Every figure is {how}, by whatcart {}.", env!("CARGO_PKG_VERSION")));
    lines
}

fn who_works(scenario: &Scenario) -> String {
    let work = dist(&scenario.servers.service);
    match &scenario.serverless {
        None => format!(
            "Each server has {} workers and a queue of {}; a request takes {work} of work.",
            scenario.servers.workers.get(),
            thousands(scenario.servers.queue.get()),
        ),
        Some(platform) => format!(
            "An instance works on one request at a time, which takes {work}; to start one takes {}, and one that was \
             idle for {} is taken away.",
            span(platform.cold_start.get()),
            span(platform.idle.get())
        ),
    }
}

fn ways(regions: &Regions) -> String {
    let between: Vec<String> =
        regions.round_trip.iter().map(|(pair, time)| format!("{} {}", clean(pair), span(time.get()))).collect();
    format!(
        "There and back it is {} between a user and the nearest region, and between regions {}; {} % of users travel \
         within their visits.",
        span(regions.last_mile.get()),
        listed(&between),
        100.0 * regions.travellers.get()
    )
}

fn journey(scenario: &Scenario) -> String {
    let journey = &scenario.users.journey;
    let moment = |steps: &[Step]| steps.iter().map(kebab).collect::<Vec<_>>().join(" + ");
    let steps: Vec<String> = journey.moments().map(|steps| moment(&journey[steps])).collect();
    format!("A visit is {}, with {} of thought after each.", listed(&steps), dist(&scenario.users.think))
}

/// The name of a policy or step as written in a scenario.
fn kebab(value: &impl std::fmt::Debug) -> String {
    let mut out = String::new();
    for c in format!("{value:?}").chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.extend(c.to_lowercase());
    }
    out
}

fn affinity(affinity: Affinity) -> String {
    match affinity {
        Affinity::None => "no affinity".into(),
        Affinity::Cookie(CookieLife::Visit) => "a cookie that lives for a visit".into(),
        Affinity::Cookie(CookieLife::User) => "a cookie that lives for ever".into(),
        Affinity::Cookie(CookieLife::For(process)) => format!("a cookie that lives for {}", span(process)),
    }
}

fn dist(dist: &Dist) -> String {
    match dist {
        Dist::Constant(time) => span(time.get()),
        Dist::Exponential(mean) => format!("{} on average (exponential)", span(mean.get())),
        Dist::Lognormal(l) => {
            format!("{} in the median (lognormal, sigma {})", span(l.median.get()), Positive::get(l.sigma))
        }
        Dist::Uniform(u) => format!("{} to {}", span(u.from.get()), span(u.to.get())),
    }
}
