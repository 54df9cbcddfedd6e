//! A story fits on the screen: what is dull goes first.

use super::Line;
use crate::base::words::{count, plural};

/// Selects the lines that tell the story, within `most`.
pub(super) fn shortened(mut lines: Vec<Line>, carts: bool, most: usize) -> Vec<Line> {
    let dull = u8::from(carts);
    let weight = |line: &Line| match line {
        Line::Did(deed) => deed.weight,
        Line::Broke(..) | Line::Skipped(_) => 3,
    };
    if carts || lines.len() > most {
        lines.retain(|line| weight(line) > 0);
    }
    if lines.len() > most || carts {
        let interesting: Vec<Line> = lines.iter().filter(|line| weight(line) > dull).cloned().collect();
        if !interesting.is_empty() {
            lines = interesting;
        }
    }
    trim_faults(&mut lines);
    if lines.len() <= most {
        return lines;
    }
    let head = most * 3 / 5;
    let tail = most - head - 1;
    let skipped = &lines[head..lines.len() - tail];
    let wrong = skipped.iter().filter(|line| matches!(line, Line::Did(deed) if deed.wrong)).count();
    #[expect(clippy::cast_precision_loss, reason = "a number of lines")]
    let (all, wrong) = (skipped.len() as f64, wrong as f64);
    let note = format!("({}, {})", plural(all, "more request", "more requests"), went_wrong(all, wrong));
    let mut short = lines[..head].to_vec();
    short.push(Line::Skipped(note));
    short.extend_from_slice(&lines[lines.len() - tail..]);
    short
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
