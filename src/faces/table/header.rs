//! The lines above the table: what is run, and the timeline of faults.

use super::range;
use crate::base::Step;
use crate::base::time::Span;
use crate::base::words::{clock, count, listed, span, thousands};
use crate::faces::assumptions::kebab;
use crate::faces::text::{PROSE, Page, Tone, clean, paint, paint_lines, width};
use crate::faces::timeline::{at_random, moments, moves, together};
use crate::results::{Report, VariantReport};
use crate::scenario::{Scenario, Whole};

/// A scenario's name and title.
#[must_use]
pub fn title(name: &str, title: &str, page: Page) -> String {
    let (name, title) = (clean(name), clean(title));
    let gap = " ".repeat(17usize.saturating_sub(width(&name)).max(3));
    if width(&name) + width(&gap) > page.columns() / 2 {
        return paint_lines(Tone::Strong, &page.wrap("", &name)) + &page.wrap("", &title);
    }
    page.wrap(&paint(Tone::Strong, &format!("{name}{gap}")), &title)
}

/// The facts, and the timeline of faults.
#[must_use]
pub fn facts_and_faults(report: &Report, page: Page) -> String {
    let mut text = in_whole_entries(&facts(report), page);
    for line in timelines(report) {
        text += &in_whole_entries(&line, page);
    }
    text
}

/// A timeline in lines that end between two entries.
fn in_whole_entries(timeline: &str, page: Page) -> String {
    let columns = page.columns().min(PROSE);
    let entries: Vec<&str> = timeline.split(BETWEEN).collect();
    let mut lines: Vec<String> = Vec::new();
    for (at, entry) in entries.iter().enumerate() {
        let after = if at + 1 < entries.len() { width(" ·") } else { 0 };
        match lines.last_mut() {
            Some(line) if width(line) + width(BETWEEN) + width(entry) + after <= columns => {
                *line += &format!("{BETWEEN}{entry}");
            }
            Some(line) => {
                line.push_str(" ·");
                lines.push(format!("  {entry}"));
            }
            None => lines.push((*entry).to_owned()),
        }
    }
    let indented = |line: &String| page.hang(if line.starts_with(' ') { "  " } else { "" }, line.trim_start());
    lines.iter().map(indented).collect()
}

/// Between two entries of a line.
const BETWEEN: &str = " · ";

/// `300 users · 3 servers · open for 2 min · seed 1 · simulated`
#[must_use]
pub fn facts(report: &Report) -> String {
    let scenarios = || report.variants.iter().map(|variant| &variant.scenario);
    let mut facts = vec![users(report)];
    let (serverless, with_servers): (Vec<&Scenario>, Vec<&Scenario>) =
        scenarios().partition(|scenario| scenario.serverless.is_some());
    let mut pools = Vec::new();
    if !with_servers.is_empty() {
        pools.push(range(with_servers.iter().map(|scenario| scenario.servers.count.get()), "server", "servers"));
    }
    if !serverless.is_empty() {
        pools.push("serverless".into());
    }
    facts.push(pools.join(" or "));
    let regions = || scenarios().filter_map(|scenario| scenario.regions.as_ref());
    if regions().next().is_some() {
        facts.push(range(regions().map(|regions| regions.names.len() as u64), "region", "regions"));
    }
    let mut open: Vec<String> = scenarios().map(|scenario| span(scenario.duration.get())).collect();
    open.dedup();
    facts.push(format!("open for {}", open.join(" or ")));
    let mut warm_ups: Vec<String> = scenarios()
        .filter_map(|scenario| scenario.warm_up)
        .filter(|time| time.get() > Span::ZERO)
        .map(|time| span(time.get()))
        .collect();
    warm_ups.dedup();
    if !warm_ups.is_empty() {
        facts.push(format!("latency and load after {}", warm_ups.join(" or ")));
    }
    facts.push(seeds(report));
    facts.push(super::pace::how(report));
    facts.join(" · ")
}

fn users(report: &Report) -> String {
    let mut rates: Vec<String> = Vec::new();
    let mut counts = Vec::new();
    for variant in &report.variants {
        let users = &variant.scenario.users;
        match users.rate {
            Some(rate) => rates.push(format!("{} new visitors a second", count(rate.get()))),
            None => counts.push(users.count.map_or(300, Whole::get)),
        }
    }
    rates.dedup();
    if !counts.is_empty() {
        rates.insert(0, range(counts.into_iter(), "user", "users"));
    }
    rates.join(" or ")
}

fn seeds(report: &Report) -> String {
    let runs = report.variants.iter().map(|variant| variant.runs.len()).max().unwrap_or(0);
    match runs {
        0 | 1 => format!("seed {}", report.seed),
        runs => format!("{} runs, seeds from {}", thousands(runs as u64), report.seed),
    }
}

/// The timeline of faults: one line if all designs share it, or else one for each different timeline.
#[must_use]
pub fn timelines(report: &Report) -> Vec<String> {
    let mut lines: Vec<(String, Vec<String>)> = Vec::new();
    for variant in &report.variants {
        let number = variant.number;
        let line = timeline(&variant.scenario);
        match lines.iter_mut().find(|(known, _)| *known == line) {
            Some((_, designs)) => designs.push(format!("{number}")),
            None => lines.push((line, vec![format!("{number}")])),
        }
    }
    if lines.len() > MOST_TIMELINES
        && let Some(named) = by_name(report)
    {
        return vec![named];
    }
    if lines.len() == 1 {
        return lines.into_iter().map(|(line, _)| line).filter(|line| !line.is_empty()).collect();
    }
    let of = |(line, designs): (String, Vec<String>)| {
        let word = if designs.len() == 1 { "design" } else { "designs" };
        let line = if line.is_empty() { "nothing breaks".into() } else { line };
        format!("{line} ({word} {})", numbers(&designs))
    };
    lines.into_iter().map(of).take(MOST_TIMELINES).collect()
}

/// `1`, `1 and 2`, `2 to 6`, `1, 3 and 4`.
fn numbers(designs: &[String]) -> String {
    let each: Vec<u32> = designs.iter().filter_map(|number| number.parse().ok()).collect();
    let in_a_row = each.len() == designs.len() && each.windows(2).all(|pair| pair[0] + 1 == pair[1]);
    match designs {
        [first, _, .., last] if in_a_row && designs.len() > 3 => format!("{first} to {last}"),
        _ => listed(designs),
    }
}

/// The maximum number of timeline lines.
const MOST_TIMELINES: usize = 5;

/// `5:00 the deploy, as each design says`: used if faults have the same names and times in all designs, and only their effects differ.
fn by_name(report: &Report) -> Option<String> {
    let named = |variant: &VariantReport| -> Option<Vec<String>> {
        let mut faults: Vec<_> = variant.scenario.faults.iter().collect();
        faults.sort_by_key(|fault| fault.at.get());
        faults.iter().map(|fault| Some(format!("{} {}", clock(fault.at.get()), clean(fault.name.as_ref()?)))).collect()
    };
    let mut all = report.variants.iter().map(named);
    let first = all.next()??;
    all.all(|names| names.as_ref() == Some(&first)).then(|| format!("{}, as each design says", first.join(BETWEEN)))
}

/// `0:30 server-2 crashes · 0:35 an empty server-2 replaces it`
#[must_use]
pub fn timeline(scenario: &Scenario) -> String {
    let mut moments: Vec<(Span, String)> = scenario.faults.iter().flat_map(|fault| moments(fault, scenario)).collect();
    moments.extend(scenario.migration.iter().flat_map(moves));
    moments.sort_by_key(|(at, _)| *at);
    let moments = together(moments);
    let most = 8;
    let more = moments.len().saturating_sub(most);
    let mut words: Vec<String> =
        moments.into_iter().take(most).map(|(at, what)| format!("{} {what}", clock(at))).collect();
    if more > 0 {
        words.push(format!("and {more} more"));
    }
    words.extend(scenario.random_faults.iter().map(|faults| at_random(faults, scenario)));
    words.join(BETWEEN)
}

/// The assumptions of the base scenario in words. The variants' names say what they change.
#[must_use]
pub fn in_words(report: &Report) -> Vec<String> {
    let scenario = &report.scenario;
    let mut lines = vec![format!("{}.", facts(report)), journey(scenario)];
    lines.extend(timelines(report).into_iter().map(|line| format!("{line}.")));
    let varies = clean(scenario.varies.replace('\n', " ").trim());
    if !varies.is_empty() {
        lines.push(format!("Designs differ in {}.", varies.trim_end_matches('.')));
    }
    let how = if report.engine == "sim" { "simulated, not measured" } else { "measured on one machine" };
    lines.push(format!("Every figure is {how}, by whatcart {}.", env!("CARGO_PKG_VERSION")));
    lines
}

fn journey(scenario: &Scenario) -> String {
    let journey = &scenario.users.journey;
    let moment = |steps: &[Step]| steps.iter().map(kebab).collect::<Vec<_>>().join(" + ");
    let steps: Vec<String> = journey.moments().map(|steps| moment(&journey[steps])).collect();
    format!("A visit is {}.", listed(&steps))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_designs_in_a_row_are_a_range() {
        let told = |designs: &[&str]| numbers(&designs.iter().map(|number| (*number).to_owned()).collect::<Vec<_>>());
        assert_eq!(told(&["2", "3", "4", "5"]), "2 to 5");
        assert_eq!(told(&["2", "3", "4"]), "2, 3 and 4");
        assert_eq!(told(&["2", "3", "5", "6"]), "2, 3, 5 and 6");
        assert_eq!(told(&["2.1", "2.2", "2.3", "3"]), "2.1, 2.2, 2.3 and 3");
    }

    #[test]
    fn facts_are_broken_between_two_facts() {
        let report = crate::results::sample::sticky_crash();
        assert_eq!(in_whole_entries(&facts(&report), Page::of(60)).lines().count(), 1);
        let more = format!("{} · beside 100 simulations", facts(&report));
        insta::assert_snapshot!(in_whole_entries(&more, Page::of(60)), @r"
        300 users · 3 servers · open for 2 min · seed 1 ·
          simulated · beside 100 simulations
        ");
    }

    #[test]
    fn a_long_timeline_is_broken_between_two_entries() {
        let line = [
            "0:30 server-2 works 10 times slower",
            "0:30 server-3 works 10 times slower",
            "0:50 server-2 is fast again",
            "0:50 server-3 is fast again (designs 2, 3 and 4)",
        ];
        assert_eq!(in_whole_entries(line[0], Page::FILE), format!("{}\n", line[0]));
        insta::assert_snapshot!(in_whole_entries(&line.join(BETWEEN), Page::FILE), @r"
        0:30 server-2 works 10 times slower · 0:30 server-3 works 10 times slower ·
          0:50 server-2 is fast again · 0:50 server-3 is fast again (designs 2, 3 and 4)
        ");
        let entry = "every 1 min a random server crashes, replaced by an empty one after 5 s (design 1)";
        insta::assert_snapshot!(in_whole_entries(entry, Page::of(80)), @r"
        every 1 min a random server crashes, replaced by an empty one after 5 s
          (design 1)
        ");
        let long = in_whole_entries(&format!("{}{BETWEEN}{}", line[0], "a very long name ".repeat(9)), Page::FILE);
        assert!(long.lines().count() == 3 && long.lines().all(|line| width(line) <= Page::FILE.columns()), "{long}");
    }
}
