//! A story fits on the screen: what is dull goes first.

use super::in_force::InForce;
use super::{Deed, Line};
use crate::base::time::Instant;
use crate::base::words::{count, plural};

/// What is said when an attempt at a server took long and failed.
pub(super) const TRIES_ANOTHER: &str = "does not answer: the balancer tries another";

/// Selects the lines that tell the story, within `most`.
pub(super) fn shortened(mut lines: Vec<Line>, in_force: &InForce, carts: bool, most: usize) -> Vec<Line> {
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
        trim_faults(&mut lines, in_force);
        dull = (lines.len() > most && weight_of_dull < 1).then_some(weight_of_dull + 1);
    }
    trim_faults(&mut lines, in_force);
    if lines.len() > most {
        // Whoever waited says so, too.
        lines.retain(|line| !matches!(line, Line::Broke(_, what) if what.ends_with(TRIES_ANOTHER)));
    }
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
    let deeds = skipped.iter().filter_map(|line| if let Line::Did(deed) = line { Some(deed) } else { None });
    #[expect(clippy::cast_precision_loss, reason = "a number of lines")]
    let [all, of_them, wrong] =
        [skipped.len(), deeds.clone().count(), deeds.filter(|deed| deed.wrong).count()].map(|number| number as f64);
    let note = if in_series {
        format!("({} more times)", count(all))
    } else if of_them > 0.0 {
        format!("({}, {})", plural(of_them, "more request", "more requests"), went_wrong(of_them, wrong))
    } else {
        format!("({})", plural(all, "more event", "more events"))
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
    match (all, wrong) {
        (_, 0.0) => "all well".into(),
        (1.0, _) => "wrong".into(),
        _ if wrong < all => format!("{} of them wrong", count(wrong)),
        _ => "all wrong".into(),
    }
}

/// Removes faults from before the visit's first deed, unless they are in force then, and those after its last.
fn trim_faults(lines: &mut Vec<Line>, in_force: &InForce) {
    if let Some(last) = lines.iter().rposition(|line| matches!(line, Line::Did(_))) {
        lines.truncate(last + 1);
    }
    trim_beginning(lines, in_force);
}

/// Removes what is no longer in force at the visit's first deed.
pub(super) fn trim_beginning(lines: &mut Vec<Line>, in_force: &InForce) {
    let deed = |line: &Line| if let Line::Did(Deed { at, .. }) = line { Some(*at) } else { None };
    let first = lines.iter().enumerate().find_map(|(i, line)| Some((i, deed(line)?)));
    let (first, at) = first.unwrap_or((lines.len(), Instant::NEVER));
    let mut before: Vec<Line> = lines.drain(..first).collect();
    before.retain(|line| in_force.holds(line, at));
    lines.splice(..0, before);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_that_went_wrong_is_not_all() {
        let words = [(2.0, 0.0), (1.0, 0.0), (1.0, 1.0), (3.0, 1.0), (2.0, 2.0)];
        let words = words.map(|(all, wrong)| went_wrong(all, wrong));
        assert_eq!(words, ["all well", "all well", "wrong", "1 of them wrong", "all wrong"]);
    }
}
