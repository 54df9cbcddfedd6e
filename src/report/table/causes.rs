//! Why carts were lost and visits abandoned, in one or two sentences that the figures make true.

use crate::report::Report;
use crate::report::stats::Summary;
use crate::report::text::{count, listed};

/// Each cause, as the figures call it, and what it means for a cart's items.
pub(super) const CAUSES: [(&str, &str, &str); 8] = [
    ("split", "split", "their items sit in another server's memory"),
    ("wiped", "wiped", "their last copy went with a server"),
    ("overwritten", "overwritten", "a concurrent writer put an older copy over them"),
    ("stale", "stale", "an older copy answered"),
    ("rolled_back", "rolled back", "the store failed over and forgot them"),
    ("evicted", "evicted", "the store was full and dropped them"),
    ("expired", "expired", "they were kept for their time and no longer"),
    ("unexplained", "unexplained", "a defect of this simulator, please report it"),
];

/// Most sentences under a table.
const MOST: usize = 2;

/// What took the lost carts; when none was lost, that; and what ended visits early, while there is room.
pub(super) fn sentences(report: &Report, summaries: &[Summary]) -> Vec<String> {
    let mut sentences = losses(summaries);
    let opened: f64 = summaries.iter().map(|summary| summary.mean("carts.opened")).sum();
    if sentences.is_empty() && opened > 0.0 {
        let designs = if report.variants.len() == 1 { "Not one cart was lost" } else { "No design lost a cart" };
        let opened = summaries.iter().map(|summary| summary.mean("carts.opened")).fold(f64::MAX, f64::min);
        let least = if report.variants.len() == 1 { "" } else { " each" };
        sentences.push(format!("{designs}, of {} and more opened{least}.", count(opened.floor())));
        if report.variants.len() == 1 {
            sentences = vec![format!("Not one of {} carts was lost.", count(opened))];
        }
    }
    sentences.extend(endings(summaries));
    sentences.truncate(MOST);
    sentences
}

/// One sentence for the designs whose carts were lost by the same single cause, one for each design with several.
fn losses(summaries: &[Summary]) -> Vec<String> {
    let mut told: Vec<&str> = Vec::new();
    let mut groups: Vec<(Vec<usize>, Vec<String>)> = Vec::new();
    for (number, summary) in (1..).zip(summaries) {
        let found = causes(summary);
        let kinds: Vec<usize> = found.iter().map(|(cause, _)| *cause).collect();
        match groups.iter_mut().find(|(known, _)| *known == kinds && kinds.len() == 1) {
            Some((_, designs)) => designs.push(format!("{number}")),
            None if kinds.is_empty() => {}
            None => groups.push((kinds, vec![format!("{number}")])),
        }
    }
    let mut sentences = Vec::new();
    for (kinds, designs) in groups {
        let first: usize = designs[0].parse().unwrap_or(1);
        let found = causes(&summaries[first - 1]);
        let mut gloss = |cause: usize| {
            let (_, word, meaning) = CAUSES[cause];
            let known = told.contains(&word);
            told.push(word);
            (word, if known { "" } else { meaning })
        };
        sentences.push(match kinds[..] {
            [cause] => single(&designs, found[0].1, gloss(cause)),
            _ => {
                let parts: Vec<String> = found
                    .iter()
                    .map(|(cause, carts)| match gloss(*cause) {
                        (word, "") => format!("{} are {word}", count(*carts)),
                        (word, meaning) => format!("{} are {word} ({meaning})", count(*carts)),
                    })
                    .collect();
                format!("Of the carts that design {} lost, {}.", designs[0], listed(&parts))
            }
        });
    }
    sentences
}

fn single(designs: &[String], carts: f64, (word, meaning): (&str, &str)) -> String {
    let colon = if meaning.is_empty() { String::new() } else { format!(": {meaning}") };
    match designs {
        [design] if carts > 1.0 => format!("All {} carts that design {design} lost are {word}{colon}.", count(carts)),
        [design] => format!("The cart that design {design} lost is {word}{colon}."),
        designs => format!("The carts that designs {} lost are all {word}{colon}.", listed(designs)),
    }
}

/// The causes of one design's losses, by their place in [`CAUSES`], the most frequent first.
fn causes(summary: &Summary) -> Vec<(usize, f64)> {
    let mut found: Vec<(usize, f64)> = CAUSES
        .iter()
        .enumerate()
        .map(|(cause, (name, ..))| (cause, summary.mean(&format!("lost_by.{name}"))))
        .filter(|(_, carts)| *carts > 0.0)
        .collect();
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    found
}

/// What most of those who gave up had met, design by design.
fn endings(summaries: &[Summary]) -> Vec<String> {
    const REASONS: [(&str, &str); 3] = [
        ("abandoned_logged_out", "being logged out again and again"),
        ("abandoned_refused", "refusals"),
        ("abandoned_unknown", "requests that were never answered"),
    ];
    let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
    for (number, summary) in (1..).zip(summaries) {
        let visits = |name: &str| summary.mean(&format!("visits.{name}"));
        let most = REASONS.into_iter().max_by(|a, b| visits(a.0).total_cmp(&visits(b.0)));
        let Some((name, reason)) = most.filter(|(name, _)| visits(name) > 0.0) else { continue };
        let all: f64 = REASONS.iter().map(|(name, _)| visits(name)).sum();
        if visits(name) < 0.95 * all {
            continue;
        }
        match groups.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, designs)) => designs.push(format!("{number}")),
            None => groups.push((reason, vec![format!("{number}")])),
        }
    }
    let sentence = |(reason, designs): (&str, Vec<String>)| {
        let word = if designs.len() == 1 { "design" } else { "designs" };
        format!("Those who gave up their visit in {word} {} did so after {reason}.", listed(&designs))
    };
    groups.into_iter().map(sentence).collect()
}
