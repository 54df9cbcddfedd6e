//! Why carts were lost and visits abandoned, in one or two sentences that are true by construction.

use crate::base::words::{count, listed, percent};
use crate::results::statistics::{Summary, comparable};
use crate::results::{Report, path};
use crate::scenario::{DesignNumber, MIGRATION};

/// Each cause: its name in the figures, its name in text, and what it means for a cart's items.
pub const CAUSES: [(&str, &str, &str); 8] = [
    ("split", "split", "their items sit in another server's memory"),
    ("wiped", "wiped", "their last copy went with a server"),
    ("overwritten", "overwritten", "a concurrent writer put an older copy over them"),
    ("stale", "stale", "an older copy answered"),
    ("rolled_back", "rolled back", "the store had not made them durable"),
    ("evicted", "evicted", "the store was full and dropped them"),
    ("expired", "expired", "they were kept for their time and no longer"),
    ("unexplained", "unexplained", "a defect of this simulator, please report it"),
];

/// What `wiped` means if carts were moved: no server need have gone.
const LEFT_BEHIND: &str = "their last copy was in a server's memory, and no request reads that any more";

/// The maximum number of sentences under a table.
const MOST: usize = 3;

/// How carts were lost, or that none were; and, if there is room, why visits ended early.
pub(super) fn sentences(report: &Report, summaries: &[Summary]) -> Vec<String> {
    let mut sentences = losses(report, summaries);
    sentences.extend(missing_files(summaries));
    sentences.extend(no_losses(summaries));
    sentences.extend(endings(summaries));
    sentences.truncate(MOST);
    sentences
}

/// A note, if every cart came to a good end in every design.
fn no_losses(summaries: &[Summary]) -> Option<String> {
    let opened: Vec<f64> = summaries.iter().map(|summary| summary.mean("carts.opened")).collect();
    let bad = ["lost", "overcharged", "unknown", "abandoned", "open"];
    let sound = summaries
        .iter()
        .all(|summary| summary.whole && bad.iter().all(|name| summary.mean(&format!("carts.{name}")) <= 0.0));
    let least = opened.iter().copied().fold(f64::MAX, f64::min);
    let most = opened.iter().copied().fold(0.0, f64::max);
    match opened.len() {
        _ if !sound || most <= 0.0 => None,
        1 => Some(format!("Not one of {} carts was lost.", about(most))),
        _ if least >= most => Some(format!("No design lost a cart, of {} opened in each.", about(most))),
        _ => Some(format!("No design lost a cart, of {} to {} opened in each.", about(least), about(most))),
    }
}

/// Causes, and the designs that have exactly these.
type Group = (Vec<(usize, f64)>, Vec<String>);

/// One sentence for all designs with the same single cause of loss, and one for each design with several causes.
fn losses(report: &Report, summaries: &[Summary]) -> Vec<String> {
    let mut groups: Vec<Group> = Vec::new();
    for summary in comparable(summaries) {
        let number = summary.number;
        let found = causes(summary);
        match groups.iter_mut().find(|(known, _)| known.len() == 1 && found.len() == 1 && known[0].0 == found[0].0) {
            Some((_, designs)) => designs.push(format!("{number}")),
            None if found.is_empty() => {}
            None => groups.push((found, vec![format!("{number}")])),
        }
    }
    let moving = path::join(["faults", MIGRATION, "open_carts"]);
    let moved = summaries.iter().any(|summary| summary.get(&moving).is_some());
    let losing = || report.variants.iter().zip(summaries).filter(|(_, summary)| !causes(summary).is_empty());
    let on_instances = losing().all(|(variant, _)| variant.scenario.serverless.is_some());
    let mut told: Vec<&str> = Vec::new();
    let mut sentences = Vec::new();
    for (found, designs) in groups {
        let mut parts = Vec::new();
        for (cause, carts) in &found {
            let (_, word, meaning) = CAUSES[*cause];
            let how_many = match found.len() {
                1 => String::new(),
                _ if *carts <= 1.0 => format!("{} is ", about(*carts)),
                _ => format!("{} are ", about(*carts)),
            };
            let meaning = if word == "wiped" && moved { LEFT_BEHIND } else { meaning };
            let meaning = if on_instances {
                meaning.replace("a server", "an instance").replace("server", "instance")
            } else {
                meaning.into()
            };
            let meaning = if told.contains(&word) { String::new() } else { format!(": {meaning}") };
            told.push(word);
            parts.push(format!("{how_many}{word}{meaning}"));
        }
        let design = if designs.len() == 1 { "design" } else { "designs" };
        let lead = match found.len() {
            1 => format!("All carts lost in {design} {} are ", listed(&designs)),
            _ => format!("Of design {}'s losses ", designs[0]),
        };
        sentences.push(format!("{lead}{}.", parts.join("; ")));
    }
    sentences
}

/// Where the files are that downloads did not find.
fn missing_files(summaries: &[Summary]) -> Option<String> {
    let missing = |summary: &Summary| (summary.mean("files.elsewhere"), summary.mean("files.missing_downloads"));
    let designs: Vec<(DesignNumber, f64, f64)> = comparable(summaries)
        .map(|summary| (summary.number, missing(summary)))
        .filter(|(_, (_, missing))| *missing > 0.0)
        .map(|(number, (elsewhere, missing))| (number, elsewhere, missing))
        .collect();
    let share = |(number, elsewhere, missing): &(DesignNumber, f64, f64)| {
        format!("{} in design {number}", percent(*elsewhere, *missing))
    };
    match &designs[..] {
        [] => None,
        all if all.iter().all(|(_, elsewhere, missing)| elsewhere >= missing) => {
            Some("The files that were not found sit on another server.".into())
        }
        all if all.iter().all(|(_, elsewhere, _)| *elsewhere <= 0.0) => {
            Some("The files that were not found went with their server.".into())
        }
        all => {
            let shares = listed(&all.iter().map(share).collect::<Vec<_>>());
            Some(format!("Of the files not found {shares} sit on another server; the others went with their server."))
        }
    }
}

/// A mean number of carts, rounded to a whole number.
fn about(carts: f64) -> String {
    if carts.fract() == 0.0 { count(carts) } else { format!("about {}", count(carts.round().max(1.0))) }
}

/// The causes of one design's losses, by index into [`CAUSES`], most frequent first.
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

/// Why users of each design gave up: the one reason that explains nearly all, or several.
fn endings(summaries: &[Summary]) -> Vec<String> {
    const REASONS: [(&str, &str); 3] = [
        ("abandoned_logged_out", "being logged out"),
        ("abandoned_refused", "refusals"),
        ("abandoned_unknown", "requests that failed or were never answered"),
    ];
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for summary in comparable(summaries) {
        let number = summary.number;
        let visits = |name: &str| summary.mean(&format!("visits.{name}"));
        let mut reasons = REASONS.map(|(name, reason)| (visits(name), reason));
        reasons.sort_by(|a, b| b.0.total_cmp(&a.0));
        let all: f64 = reasons.iter().map(|(visits, _)| visits).sum();
        let [(most, reason), (second, other), _] = reasons;
        if all <= 0.0 {
            continue;
        }
        let reason = if most >= 0.95 * all {
            reason.to_string()
        } else {
            format!("{reason} ({}) or {other} ({})", percent(most, all), percent(second, all))
        };
        match groups.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, designs)) => designs.push(format!("{number}")),
            None => groups.push((reason, vec![format!("{number}")])),
        }
    }
    let sentence = |(reason, designs): (String, Vec<String>)| {
        let word = if designs.len() == 1 { "design" } else { "designs" };
        format!("Those who gave up their visit in {word} {} did so after {reason}.", listed(&designs))
    };
    groups.into_iter().map(sentence).collect()
}
