//! Line charts: a strip for each design, all on one scale of time and one of values.

use super::{palette, picture};
use crate::base::time::Span;
use crate::base::words::clock;
use crate::faces::markup::{Tag, tenth};
use crate::scenario::DesignNumber;

/// The width of a chart, and of the numbers on its left.
const WIDTH: u32 = 372;
const LEFT: f64 = 40.0;
const RIGHT: f64 = 364.0;
/// Points in a line, at most: two pixels each.
pub const POINTS: usize = 160;
/// Heights: of the title, of a strip at least and at most, of all strips together, of the gap between two.
const TITLE: f64 = 26.0;
const STRIP: [f64; 2] = [30.0, 64.0];
const STRIPS: f64 = 220.0;
const GAP: f64 = 8.0;
/// The height of the axis.
const AXIS: f64 = 20.0;

/// The values of one design, from the start, in windows of one length.
#[derive(Clone, Debug)]
pub struct Strand {
    /// The design.
    pub design: DesignNumber,
    /// A value for each window that has one.
    pub values: Vec<Option<f64>>,
    /// The length of a window.
    pub window: Span,
    /// When faults struck.
    pub marks: Vec<Span>,
}

/// What a chart shows.
#[derive(Clone, Debug)]
pub struct Chart {
    /// Its title, with the unit.
    pub title: String,
    /// The value at the foot of a strip.
    pub base: f64,
    /// How values are printed.
    pub print: fn(f64) -> String,
    /// One for each design.
    pub strands: Vec<Strand>,
}

impl Chart {
    /// The largest value of any design; `None` if none is above the base.
    #[must_use]
    pub fn most(&self) -> Option<f64> {
        let values = self.strands.iter().flat_map(|strand| strand.values.iter().flatten());
        values.copied().reduce(f64::max).filter(|most| *most > self.base)
    }

    /// Draws it. `id` is unique in the document.
    #[must_use]
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixels")]
    pub fn draw(&self, id: &str, most: f64) -> String {
        let number = self.strands.len().max(1) as f64;
        let height = (STRIPS / number - GAP).clamp(STRIP[0], STRIP[1]);
        let end = self.strands.iter().map(length).max().unwrap_or(Span::ZERO);
        let scale = Scale { end: end.as_secs_f64().max(1e-9), base: self.base, most, height };
        let mut drawn = label(4.0, 14.0, "13", "start", &self.title, true);
        let mut foot = TITLE + height;
        for (at, strand) in self.strands.iter().enumerate() {
            drawn += &scale.strip(strand, foot);
            if at == 0 {
                drawn += &label(LEFT - 4.0, foot - height + 8.0, "10.5", "end", &(self.print)(most), false);
                drawn += &label(LEFT - 4.0, foot + 1.0, "10.5", "end", &(self.print)(self.base), false);
            }
            foot += height + GAP;
        }
        let axis = foot - height - GAP + 14.0;
        drawn += &label(LEFT, axis, "11", "start", "0:00", false);
        drawn += &label(RIGHT, axis, "11", "end", &clock(end), false);
        let size = [WIDTH, (foot - height - GAP + AXIS) as u32];
        picture(id, size, &self.title, &self.description(most), &drawn)
    }

    /// The highest value of each design.
    fn description(&self, most: f64) -> String {
        let highest = |strand: &Strand| {
            let (at, value) = strand
                .values
                .iter()
                .enumerate()
                .filter_map(|(at, value)| Some((at, (*value)?)))
                .reduce(|a, b| if b.1 > a.1 { b } else { a })?;
            let value = (self.print)(value);
            Some(format!("Design {}: at most {value}, at {}.", strand.design, clock(strand.window * at as u64)))
        };
        let each: Vec<String> = self.strands.iter().filter_map(highest).collect();
        format!("The scale goes from {} to {}. {}", (self.print)(self.base), (self.print)(most), each.join(" "))
    }
}

fn length(strand: &Strand) -> Span {
    strand.window * strand.values.len() as u64
}

struct Scale {
    /// Seconds at the right edge.
    end: f64,
    base: f64,
    most: f64,
    height: f64,
}

impl Scale {
    fn x(&self, time: Span) -> f64 {
        LEFT + (RIGHT - LEFT) * (time.as_secs_f64() / self.end).min(1.0)
    }

    fn strip(&self, strand: &Strand, foot: f64) -> String {
        let colour = palette::of_design(strand.design);
        let axis = Tag::new("path").set("d", format!("M{LEFT} {}H{RIGHT}", tenth(foot))).set("stroke", "currentColor");
        let mut drawn = axis.set("stroke-opacity", "0.5").empty();
        for mark in &strand.marks {
            let d = format!("M{} {}V{}", tenth(self.x(*mark)), tenth(foot - self.height), tenth(foot));
            let line = Tag::new("path").set("d", d).set("stroke", palette::LOSS).set("stroke-dasharray", "3 2");
            drawn += &line.empty();
        }
        let path = self.path(strand, foot);
        let line = Tag::new("path").set("d", path).set("stroke", colour).set("stroke-width", "1.6");
        drawn += &line.set("fill", "none").set("stroke-linejoin", "round").empty();
        let number = strand.design.to_string();
        drawn + &label(4.0, foot - self.height / 2.0 + 5.0, "13", "start", &number, true)
    }

    /// A line that breaks where there is no value. Each point is written relative to the one before, which is shorter.
    fn path(&self, strand: &Strand, foot: f64) -> String {
        let mut path = String::new();
        let mut last: Option<[i64; 2]> = None;
        for (at, value) in strand.values.iter().enumerate() {
            let point = value.map(|value| {
                let share = ((value - self.base) / (self.most - self.base)).clamp(0.0, 1.0);
                let x = self.x(strand.window * at as u64).midpoint(self.x(strand.window * (at + 1) as u64));
                [tenths(x), tenths(foot - share * self.height)]
            });
            if let Some([x, y]) = point {
                let (letter, [dx, dy]) = last.map_or(("M", [x, y]), |[a, b]| ("l", [x - a, y - b]));
                #[expect(clippy::cast_precision_loss, reason = "pixels")]
                let [dx, dy] = [dx, dy].map(|step| tenth(step as f64 / 10.0));
                path += &format!("{letter}{dx} {dy}");
            }
            last = point;
        }
        path
    }
}

/// In tenths of a pixel.
#[expect(clippy::cast_possible_truncation, reason = "pixels")]
fn tenths(x: f64) -> i64 {
    (x * 10.0).round() as i64
}

fn label(x: f64, y: f64, size: &str, anchor: &str, text: &str, bold: bool) -> String {
    let tag = Tag::new("text").set("x", tenth(x)).set("y", tenth(y)).set("font-size", size);
    let tag = if anchor == "start" { tag } else { tag.set("text-anchor", anchor) };
    let tag = if bold { tag.set("font-weight", "bold") } else { tag };
    tag.saying(text)
}
