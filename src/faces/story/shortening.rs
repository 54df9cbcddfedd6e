//! A story fits on the screen: what is dull goes first.

use super::Line;
use crate::base::words::{count, plural};

/// Selects the lines that tell the story, within `most`.
pub(super) fn shortened(mut lines: Vec<Line>, carts: bool, most: usize) -> Vec<Line> {
    let weight = |line: &Line| match line {
        Line::Did(deed) => deed.weight,
        Line::Broke(..) | Line::Skipped(_) => 3,
    };
    // A story about carts has nothing to say about pages.
    let mut dull = if carts { Some(1) } else { (lines.len() > most).then_some(0) };
    while let Some(weight_of_dull) = dull {
        if lines.iter().any(|line| weight(line) > weight_of_dull) {
            lines.retain(|line| weight(line) > weight_of_dull);
        }
        trim_faults(&mut lines);
        dull = (lines.len() > most && weight_of_dull < 1).then_some(weight_of_dull + 1);
    }
    trim_faults(&mut lines);
    if lines.len() <= most { lines } else { without_the_middle(&lines, most) }
}

/// Leaves out lines: the inner ones of a series of attempts if that is enough, or else those in the middle.
fn without_the_middle(lines: &[Line], most: usize) -> Vec<Line> {
    let few = lines.len() - most + 1;
    let (first, last) = longest_series(lines);
    let in_series = last - first > few;
    let from = if in_series { first + 1 } else { most * 3 / 5 };
    let until = from + few;
    let skipped = &lines[from..until];
    let wrong = skipped.iter().filter(|line| matches!(line, Line::Did(deed) if deed.wrong)).count();
    #[expect(clippy::cast_precision_loss, reason = "a number of lines")]
    let (all, wrong) = (skipped.len() as f64, wrong as f64);
    let note = if in_series {
        format!("({} more times)", count(all))
    } else {
        format!("({}, {})", plural(all, "more request", "more requests"), went_wrong(all, wrong))
    };
    [&lines[..from], &[Line::Skipped(note)], &lines[until..]].concat()
}

/// The first and last line of the longest series of attempts at the same thing.
fn longest_series(lines: &[Line]) -> (usize, usize) {
    let action = |at: usize| if let Line::Did(deed) = &lines[at] { Some((&deed.action, deed.wrong)) } else { None };
    let mut longest = (0, 0);
    let mut first = 0;
    for at in 1..lines.len() {
        if action(at).is_none() || action(at) != action(at - 1) {
            first = at;
        }
        if at - first > longest.1 - longest.0 {
            longest = (first, at);
        }
    }
    longest
}

pub(super) fn went_wrong(all: f64, wrong: f64) -> String {
    match wrong {
        0.0 => "all well".into(),
        wrong if wrong < all => format!("{} of them wrong", count(wrong)),
        _ => "all wrong".into(),
    }
}

/// Removes faults from before the visit's first deed or after its last.
fn trim_faults(lines: &mut Vec<Line>) {
    let is_deed = |line: &Line| matches!(line, Line::Did(_));
    if let Some(last) = lines.iter().rposition(is_deed) {
        lines.truncate(last + 1);
    }
    if let Some(first) = lines.iter().position(is_deed) {
        lines.drain(..first);
    }
}
