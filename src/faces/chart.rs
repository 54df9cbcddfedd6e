//! Charts for a terminal: bars, sparklines, histograms.

use crate::base::time::{Instant, Span};
use crate::base::words::{clock, count};
use crate::faces::text::{WIDTH, left, right, width};

/// The characters that charts are drawn with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Glyphs {
    /// Blocks of eighths.
    #[default]
    Blocks,
    /// ASCII only, for terminals and fonts that have nothing else.
    Ascii,
}

impl Glyphs {
    /// Glyphs for rising columns, from nearly empty to a full cell.
    fn rising(self) -> &'static [char] {
        match self {
            Glyphs::Blocks => &['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
            Glyphs::Ascii => &['.', ':', '-', '=', '+', '*', '#', '@'],
        }
    }

    /// Glyphs for bars that grow to the right, from nearly empty to a full cell.
    fn growing(self) -> &'static [char] {
        match self {
            Glyphs::Blocks => &['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'],
            Glyphs::Ascii => &['#'],
        }
    }

    fn mark(self) -> char {
        match self {
            Glyphs::Blocks => '▲',
            Glyphs::Ascii => '^',
        }
    }
}

/// A bar of length `share` (0 to 1) of this many columns. A share above 0 is always visible.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "columns")]
pub fn bar(share: f64, columns: usize, glyphs: Glyphs) -> String {
    let growing = glyphs.growing();
    let steps = growing.len();
    let filled = (share.clamp(0.0, 1.0) * (columns * steps) as f64).round() as usize;
    let filled = if share > 0.0 { filled.max(1) } else { 0 };
    let full = growing[steps - 1].to_string().repeat(filled / steps);
    match filled % steps {
        0 => full,
        rest => format!("{full}{}", growing[rest - 1]),
    }
}

/// One character per value, the higher the larger; zero is a space.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "glyphs")]
pub fn sparkline(values: &[f64], glyphs: Glyphs) -> String {
    let most = values.iter().copied().fold(0.0, f64::max);
    let rising = glyphs.rising();
    let glyph = |value: f64| {
        if value <= 0.0 || most <= 0.0 {
            return ' ';
        }
        let step = (value / most * rising.len() as f64).ceil() as usize;
        rising[step.clamp(1, rising.len()) - 1]
    };
    values.iter().map(|value| glyph(*value)).collect()
}

/// Sums consecutive windows, so that there are at most this many values.
#[must_use]
pub fn folded(values: &[f64], columns: usize) -> Vec<f64> {
    let each = values.len().div_ceil(columns.max(1)).max(1);
    values.chunks(each).map(|chunk| chunk.iter().sum()).collect()
}

/// A timeline: the values of windows and, below, marks for the moments of faults.
///
/// Each line begins with `head`, or with a blank of the same width.
#[must_use]
pub fn timeline(values: &[f64], window: Span, marks: &[Instant], head: &str, glyphs: Glyphs) -> String {
    let room = WIDTH - width(head) - 16;
    let columns = folded(values, room);
    let each = values.len().div_ceil(room.max(1)).max(1);
    let column_ns = window.as_nanos().saturating_mul(each as u64).max(1);
    let most = columns.iter().copied().fold(0.0, f64::max);
    let mut text = format!("{head}{}  at most {}\n", left(&sparkline(&columns, glyphs), columns.len()), count(most));
    let place = |mark: &Instant| usize::try_from(mark.as_nanos() / column_ns).unwrap_or(usize::MAX);
    let mut below = vec![' '; columns.len()];
    for mark in marks {
        if let Some(cell) = below.get_mut(place(mark)) {
            *cell = glyphs.mark();
        }
    }
    let below: String = below.into_iter().collect();
    let indent = " ".repeat(width(head));
    if !below.trim().is_empty() {
        text += &format!("{indent}{}\n", below.trim_end());
    }
    text
}

/// The axis below a timeline.
#[must_use]
pub fn scale(windows: usize, window: Span, head: &str) -> String {
    let room = WIDTH - width(head) - 16;
    let columns = windows.div_ceil(windows.div_ceil(room).max(1));
    let end = clock(window * windows as u64);
    format!("{}0:00{}\n", " ".repeat(width(head)), right(&end, columns.saturating_sub(4)))
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

    /// One line per class: its bounds, a bar, and the count.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "numbers of runs")]
    pub fn draw(&self, indent: &str, columns: usize, glyphs: Glyphs) -> String {
        let bounds = |low: f64| {
            if self.class <= 1.0 { count(low) } else { format!("{} to {}", count(low), count(low + self.class - 1.0)) }
        };
        let wide = self.classes.iter().map(|(low, _)| width(&bounds(*low))).max().unwrap_or(0);
        let most = self.classes.iter().map(|(_, n)| *n).max().unwrap_or(0).max(1) as f64;
        let line = |(low, n): &(f64, u64)| {
            let bar = bar(*n as f64 / most, columns, glyphs);
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
        let drawn = |share| bar(share, 10, Glyphs::Blocks);
        assert_eq!(drawn(0.0), "");
        assert_eq!(drawn(0.001), "▏");
        assert_eq!(drawn(0.5), "█████");
        assert_eq!(drawn(0.55), "█████▌");
        assert_eq!(drawn(7.0), "██████████");
        assert_eq!(bar(0.5, 10, Glyphs::Ascii), "#####");
    }

    #[test]
    fn sparklines_rise_with_their_values() {
        let values = [0.0, 1.0, 2.0, 4.0, 8.0, 0.0, 0.1];
        assert_eq!(sparkline(&values, Glyphs::Blocks), " ▁▂▄█ ▁");
        assert_eq!(sparkline(&values, Glyphs::Ascii), " .:=@ .");
        assert_eq!(sparkline(&[0.0, 0.0], Glyphs::Blocks), "  ");
    }

    #[test]
    fn a_timeline_marks_what_broke() {
        let values: Vec<f64> = (0..20).map(|i| f64::from(u8::from(i >= 10)) * 3.0).collect();
        let mark = Instant::ZERO + Span::from_secs(10);
        let drawn = timeline(&values, Span::from_secs(1), &[mark], "lost  ", Glyphs::Ascii);
        assert_eq!(drawn, "lost            @@@@@@@@@@  at most 3\n                ^\n");
        assert_eq!(scale(20, Span::from_secs(1), "lost  "), "      0:00            0:20\n");
    }

    #[test]
    fn long_runs_fold() {
        assert_eq!(folded(&[1.0; 10], 4), [3.0, 3.0, 3.0, 1.0]);
        assert_eq!(folded(&[], 4), Vec::<f64>::new());
    }

    #[test]
    fn histograms_have_round_bounds() {
        let values = [41.0, 43.0, 47.0, 48.0, 49.0, 52.0, 60.0];
        let histogram = Histogram::of(&values, 10).expect("values");
        assert_eq!(histogram.classes.iter().map(|(_, n)| n).sum::<u64>(), 7);
        insta::assert_snapshot!(histogram.draw("", 10, Glyphs::Ascii), @"
        40 to 41  ##### 1
        42 to 43  ##### 1
        44 to 45
        46 to 47  ##### 1
        48 to 49  ########## 2
        50 to 51
        52 to 53  ##### 1
        54 to 55
        56 to 57
        58 to 59
        60 to 61  ##### 1
        ");
        assert_eq!(Histogram::of(&[], 5), None);
        assert_eq!(Histogram::of(&[3.0, 3.0], 5).map(|h| h.classes), Some(vec![(3.0, 2)]));
    }
}
