//! What the faces say about runs that were interrupted.

use crate::base::words::{clock, plural, thousands};
use crate::faces::text::clean;
use crate::results::{Report, VariantReport};

/// How many runs of how many are in an interrupted report: the first line of every face. `None` if all are.
#[must_use]
pub fn first_line(report: &Report) -> Option<String> {
    if !report.interrupted {
        return None;
    }
    let (complete, planned) = (report.complete() as u64, report.planned() as u64);
    let share = format!("Interrupted: {} of {} went to the end", thousands(complete), runs(planned));
    let each = report.variants.iter().map(|variant| variant.complete() as u64);
    let (least, most) = (each.clone().min().unwrap_or(0), each.max().unwrap_or(0));
    Some(match report.runs {
        0 | 1 => format!("{share}; only these count."),
        of => {
            let of = thousands(of.into());
            let range = if least == most { String::new() } else { format!(" to {}", thousands(most)) };
            format!("{share}, {}{range} of {of} in each design; only these count.", thousands(least))
        }
    })
}

fn runs(number: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a number of runs")]
    plural(number as f64, "run", "runs")
}

/// What a design's row says if it has no complete run: `cut short at 0:07, before the crash at 0:30`, `not begun`.
#[must_use]
pub fn row_note(variant: &VariantReport) -> Option<String> {
    if variant.is_whole() {
        return None;
    }
    let Some(cut_at) = variant.cut_at() else { return Some("not begun".into()) };
    let cut = format!("cut short at {}", clock(cut_at.since_start()));
    Some(match variant.still_to_come() {
        None => cut,
        Some((fault, at)) => format!("{cut}, before {} at {}", clean(&fault), clock(at.since_start())),
    })
}
