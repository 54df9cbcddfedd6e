//! Draws a story as text, with columns for deeds and full-width lines for faults.

use super::{Deed, Line, Story};
use crate::base::Items;
use crate::base::words::clock_tenths;
use crate::faces::text::{Page, Tone, cut, left, paint, right, width};

/// The widths of a story's columns.
struct Widths {
    time: usize,
    action: usize,
    server: usize,
    answer: usize,
    cart: usize,
}

impl Story {
    /// The story with colour codes, as wide as the page at most.
    #[must_use]
    pub fn draw(&self, page: Page) -> String {
        let lines = bracketed(&self.lines);
        let better = self.better.as_ref().map(|(title, lines)| (title, bracketed(lines)));
        let all: Vec<&Line> = lines.iter().chain(better.iter().flat_map(|(_, lines)| lines)).collect();
        let widths = Widths::of(&all);
        let mut text = self.heading(&widths);
        for line in &lines {
            text += &self.line(line, &widths, page);
        }
        if let Some((title, lines)) = &better {
            text += &format!("{}\n", paint(Tone::Strong, title));
            for line in lines {
                text += &self.line(line, &widths, page);
            }
        }
        text
    }

    fn heading(&self, widths: &Widths) -> String {
        let title = paint(Tone::Strong, &self.title);
        if !self.carts {
            return format!("{title}\n");
        }
        let user = self.title.split(',').next().unwrap_or_default().to_lowercase();
        format!("{}{}  {user} has added\n", left(&title, widths.before_carts()), left("server's cart", widths.cart))
    }

    fn line(&self, line: &Line, widths: &Widths, page: Page) -> String {
        match line {
            Line::Did(deed) => self.deed(deed, widths, page),
            Line::Broke(at, what) => {
                let head = format!("   {}  ", right(&clock_tenths(at.since_start()), widths.time));
                let room = page.columns() - width(&head);
                let dashes = (room.saturating_sub(width(what) + 2) / 2).clamp(LEAST_DASHES, DASHES);
                let what = cut(what, room - 2 * (dashes + 1));
                format!("{head}{}\n", paint(Tone::Strong, &format!("{0} {what} {0}", "-".repeat(dashes))))
            }
            Line::Skipped(what) => {
                format!("   {}  {}\n", " ".repeat(widths.time), paint(Tone::Faint, &cut(what, 60)))
            }
        }
    }

    fn deed(&self, deed: &Deed, widths: &Widths, page: Page) -> String {
        let tone = if deed.wrong { Tone::Loss } else { Tone::Plain };
        let mut text = format!(
            "   {}  {}  {}  ",
            right(&clock_tenths(deed.at.since_start()), widths.time),
            left(&deed.action, widths.action),
            left(&cut(&deed.server, widths.server), widths.server)
        );
        let answer = cut(&deed.answer, widths.answer);
        // The charge itself is not wrong; what is missing from it is.
        text += &left(&paint(if deed.missing.is_some() { Tone::Plain } else { tone }, &answer), widths.answer);
        if self.carts {
            text += "  ";
            text += &match (deed.missing, deed.cart) {
                (Some(missing), _) => ending(missing, deed.wrong, page.columns() - widths.before_carts()),
                (None, cart) => {
                    let cart = cart.map_or(String::new(), |cart| items(cart, widths.cart));
                    let room = page.columns() - widths.before_carts() - widths.cart - 2;
                    format!("{}  {}", left(&paint(tone, &cart), widths.cart), items(deed.added, room))
                }
            };
        }
        text.trim_end().to_string() + "\n"
    }
}

/// The dashes on either side of a fault.
const DASHES: usize = 12;
const LEAST_DASHES: usize = 3;

impl Widths {
    fn of(lines: &[&Line]) -> Widths {
        let deeds: Vec<&Deed> =
            lines.iter().filter_map(|line| if let Line::Did(deed) = line { Some(deed) } else { None }).collect();
        let most = |text: fn(&Deed) -> usize, least: usize, limit: usize| {
            deeds.iter().map(|deed| text(deed)).max().unwrap_or(0).clamp(least, limit)
        };
        Widths {
            time: lines.iter().map(|line| time_width(line)).max().unwrap_or(0).max(6),
            action: most(|deed| width(&deed.action), 10, 16),
            // `server-6 frankfurt`
            server: most(|deed| width(&deed.server), 8, 18),
            answer: most(|deed| width(&deed.answer), 21, 26),
            cart: most(
                |deed| deed.cart.filter(|_| deed.missing.is_none()).map_or(0, |cart| width(&cart.to_string())),
                16,
                20,
            ),
        }
    }

    /// The columns to the left of the server's cart.
    fn before_carts(&self) -> usize {
        3 + self.time + 2 + self.action + 2 + self.server + 2 + self.answer + 2
    }
}

/// Joins concurrent requests with a bracket, if more than one of them is shown.
fn bracketed(lines: &[Line]) -> Vec<Line> {
    let bracket = |i: usize| {
        let group = group(&lines[i])?;
        let has = |others: &[Line]| others.iter().any(|line| self::group(line) == Some(group));
        let (before, after) = (has(&lines[..i]), has(&lines[i + 1..]));
        match (before, after) {
            (false, false) => None,
            (false, true) => Some("┌ "),
            (true, true) => Some("├ "),
            (true, false) => Some("└ "),
        }
    };
    let mut drawn = lines.to_vec();
    for (i, line) in drawn.iter_mut().enumerate() {
        if let (Line::Did(deed), Some(bracket)) = (line, bracket(i)) {
            deed.action.insert_str(0, bracket);
        }
    }
    drawn
}

fn group(line: &Line) -> Option<u32> {
    if let Line::Did(deed) = line { deed.concurrent } else { None }
}

fn time_width(line: &Line) -> usize {
    match line {
        Line::Did(deed) => width(&clock_tenths(deed.at.since_start())),
        Line::Broke(at, _) => width(&clock_tenths(at.since_start())),
        Line::Skipped(_) => 0,
    }
}

fn ending(missing: Items, wrong: bool, room: usize) -> String {
    match (missing.is_empty(), wrong) {
        (true, false) => paint(Tone::Fine, "complete"),
        (true, true) => paint(Tone::Loss, "MORE than was added"),
        (false, _) => paint(Tone::Loss, &format!("MISSING {}", items(missing, room.saturating_sub(8)))),
    }
}

/// As many item names as there is room for, followed by the number of the others.
fn items(items: Items, room: usize) -> String {
    let whole = items.to_string();
    if width(&whole) <= room {
        return whole;
    }
    let names: Vec<String> = items.iter().map(|item| item.to_string()).collect();
    let shown = |n: usize| format!("{} +{}", names[..n].join(" "), names.len() - n);
    (1..names.len()).rev().map(shown).find(|text| width(text) <= room).unwrap_or_else(|| cut(&whole, room))
}
