//! Charts for a terminal: bars, sparklines, histograms.

use crate::base::time::{Instant, Span};
use crate::base::words::{clock, count};
use crate::faces::text::{right, width};

/// Columns that rise, from nearly empty to a full cell.
const RISING: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Bars that grow to the right, from nearly empty to a full cell.
const GROWING: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// The moment of a fault, below a timeline.
pub const MARK: char = '▲';

/// A bar of length `share` (0 to 1) of this many columns. A share above 0 is always visible.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "columns")]
pub fn bar(share: f64, columns: usize) -> String {
    let steps = GROWING.len();
    let filled = (share.clamp(0.0, 1.0) * (columns * steps) as f64).round() as usize;
    let filled = if share > 0.0 { filled.max(1) } else { 0 };
    let full = GROWING[steps - 1].to_string().repeat(filled / steps);
    match filled % steps {
        0 => full,
        rest => format!("{full}{}", GROWING[rest - 1]),
    }
}

/// One character per value, the higher the larger, up to a full cell for `most`; zero is a space.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "glyphs")]
pub fn sparkline(values: &[f64], most: f64) -> String {
    let glyph = |value: f64| {
        if value <= 0.0 || most <= 0.0 {
            return ' ';
        }
        let step = (value / most * RISING.len() as f64).ceil() as usize;
        RISING[step.clamp(1, RISING.len()) - 1]
    };
    values.iter().map(|value| glyph(*value)).collect()
}

/// The scale that the timelines of several designs share, so that they can be compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    /// The time that a column stands for.
    pub column: Span,
    /// How many columns there are.
    pub columns: usize,
    /// The value of a full column.
    pub most: f64,
}

/// Values in windows of equal length, from the beginning of a run.
pub struct Windows {
    /// The length of a window.
    pub window: Span,
    /// The sum in each window.
    pub values: Vec<f64>,
}

impl Windows {
    /// The sums in columns of this length.
    fn folded(&self, column: Span) -> Vec<f64> {
        let each = column.as_nanos().div_ceil(self.window.as_nanos().max(1)).max(1);
        self.values.chunks(usize::try_from(each).unwrap_or(usize::MAX)).map(|chunk| chunk.iter().sum()).collect()
    }
}

impl Scale {
    /// The scale on which the timelines of all designs take at most this many columns.
    #[must_use]
    pub fn of<'a>(all: impl Iterator<Item = &'a Windows> + Clone, most_columns: usize) -> Scale {
        let column = |one: &Windows| one.window * one.values.len().div_ceil(most_columns.max(1)).max(1) as u64;
        let column = all.clone().map(column).max().unwrap_or(Span::from_secs(1));
        let folded = all.map(|one| one.folded(column));
        let (mut columns, mut most) = (0, 0.0);
        for values in folded {
            columns = columns.max(values.len());
            most = values.into_iter().fold(most, f64::max);
        }
        Scale { column, columns, most }
    }

    /// A timeline and, if faults struck, a line below with a mark for each of these moments.
    ///
    /// Each line begins with `head`, or with a blank of the same width.
    #[must_use]
    pub fn timeline(&self, windows: &Windows, marks: &[Instant], head: &str) -> String {
        let columns = windows.folded(self.column);
        let mut text = format!("{head}{}", sparkline(&columns, self.most)).trim_end().to_owned() + "\n";
        let mut below = vec![' '; columns.len()];
        for mark in marks {
            let place = mark.as_nanos() / self.column.as_nanos().max(1);
            if let Some(cell) = usize::try_from(place).ok().and_then(|place| below.get_mut(place)) {
                *cell = MARK;
            }
        }
        let below: String = below.into_iter().collect();
        if !below.trim().is_empty() {
            text += &format!("{}{}\n", " ".repeat(width(head)), below.trim_end());
        }
        text
    }

    /// The axis below all timelines.
    #[must_use]
    pub fn axis(&self, head: &str) -> String {
        let end = clock(self.column * self.columns as u64);
        format!("{}0:00{}\n", " ".repeat(width(head)), right(&format!(" {end}"), self.columns.saturating_sub(4)))
    }
}

/// How often values fall into classes of equal width.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// The lower bound of each class, and how many values are in it.
    pub classes: Vec<(f64, u64)>,
    /// The width of a class.
    pub class: f64,
}

impl Histogram {
    /// A histogram with about `most` classes and round bounds; `None` without values.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "classes")]
    pub fn of(values: &[f64], most: usize) -> Option<Histogram> {
        let (least, largest) = (values.iter().copied().reduce(f64::min)?, values.iter().copied().reduce(f64::max)?);
        let class = round_width((largest - least) / most.max(1) as f64);
        let first = (least / class).floor() * class;
        let number = ((largest - first) / class).floor() as usize + 1;
        let mut classes: Vec<(f64, u64)> = (0..number).map(|i| (first + class * i as f64, 0)).collect();
        for value in values {
            classes[(((value - first) / class) as usize).min(number - 1)].1 += 1;
        }
        Some(Histogram { classes, class })
    }

    /// The number of values in the fullest class.
    #[must_use]
    pub fn most(&self) -> u64 {
        self.classes.iter().map(|(_, n)| *n).max().unwrap_or(0)
    }

    /// One line per class: its bounds, a bar, and the count. A bar of `columns` stands for `most` values.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "numbers of runs")]
    pub fn draw(&self, indent: &str, columns: usize, most: u64) -> String {
        let bounds = |low: f64| {
            if self.class <= 1.0 { count(low) } else { format!("{} to {}", count(low), count(low + self.class - 1.0)) }
        };
        let wide = self.classes.iter().map(|(low, _)| width(&bounds(*low))).max().unwrap_or(0);
        let most = most.max(1) as f64;
        let line = |(low, n): &(f64, u64)| {
            let bar = bar(*n as f64 / most, columns);
            let n = if *n == 0 { String::new() } else { format!(" {n}") };
            format!("{indent}{}  {bar}{n}", right(&bounds(*low), wide)).trim_end().to_string() + "\n"
        };
        self.classes.iter().map(line).collect()
    }
}

/// The smallest whole width of 1, 2 or 5 times a power of ten that is at least `wanted`.
fn round_width(wanted: f64) -> f64 {
    let mut power = 1.0;
    loop {
        for step in [1.0, 2.0, 5.0] {
            if step * power >= wanted {
                return step * power;
            }
        }
        power *= 10.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_never_hide_something() {
        let drawn = |share| bar(share, 10);
        assert_eq!(drawn(0.0), "");
        assert_eq!(drawn(0.001), "▏");
        assert_eq!(drawn(0.5), "█████");
        assert_eq!(drawn(0.55), "█████▌");
        assert_eq!(drawn(7.0), "██████████");
    }

    #[test]
    fn sparklines_rise_with_their_values() {
        let values = [0.0, 1.0, 2.0, 4.0, 8.0, 0.0, 0.1];
        assert_eq!(sparkline(&values, 8.0), " ▁▂▄█ ▁");
        assert_eq!(sparkline(&values, 16.0), " ▁▁▂▄ ▁");
        assert_eq!(sparkline(&[0.0, 0.0], 0.0), "  ");
    }

    fn windows(values: &[f64]) -> Windows {
        Windows { window: Span::from_secs(1), values: values.into() }
    }

    #[test]
    fn timelines_of_several_designs_share_their_scale() {
        let many = windows(&[0.0, 0.0, 8.0, 4.0, 0.0, 8.0, 4.0, 0.0]);
        let few = windows(&[0.0, 0.0, 2.0, 0.0]);
        let mark = Instant::ZERO + Span::from_secs(2);
        let scale = Scale::of([&many, &few].into_iter(), 10);
        assert_eq!((scale.columns, scale.most), (8, 8.0));
        assert_eq!(scale.timeline(&many, &[mark], "1  "), "1    █▄ █▄\n     ▲\n");
        assert_eq!(scale.timeline(&few, &[], "2  "), "2    ▂\n");
        assert_eq!(Scale { columns: 20, ..scale }.axis("1  "), "   0:00            0:20\n");
        let narrow = Scale::of([&many, &few].into_iter(), 4);
        assert_eq!((narrow.column, narrow.columns, narrow.most), (Span::from_secs(2), 4, 12.0));
    }

    #[test]
    fn histograms_have_round_bounds() {
        let values = [41.0, 43.0, 47.0, 48.0, 49.0, 52.0, 60.0];
        let histogram = Histogram::of(&values, 10).expect("values");
        assert_eq!(histogram.classes.iter().map(|(_, n)| n).sum::<u64>(), 7);
        insta::assert_snapshot!(histogram.draw("", 10, 2), @"
        40 to 41  █████ 1
        42 to 43  █████ 1
        44 to 45
        46 to 47  █████ 1
        48 to 49  ██████████ 2
        50 to 51
        52 to 53  █████ 1
        54 to 55
        56 to 57
        58 to 59
        60 to 61  █████ 1
        ");
        assert_eq!(Histogram::of(&[], 5), None);
        assert_eq!(Histogram::of(&[3.0, 3.0], 5).map(|h| h.classes), Some(vec![(3.0, 2)]));
    }
}
