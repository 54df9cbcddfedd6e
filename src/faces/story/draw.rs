//! Draws a story as text, with columns for deeds and full-width lines for faults.

use super::{Deed, Line, Story};
use crate::base::Items;
use crate::base::words::clock_tenths;
use crate::faces::text::{Block, Page, Side, Tone, beside, lines, paint, paint_lines, right, width};
use crate::scenario::CartHome;

/// The widths of a story's columns.
struct Widths {
    page: Page,
    time: usize,
    action: usize,
    server: usize,
    answer: usize,
    /// The server's cart, and what the user has added; none if carts have lines of their own, or the story has none.
    carts: Option<[usize; 2]>,
}

impl Story {
    /// The story with colour codes, as wide as the page at most.
    #[must_use]
    pub fn draw(&self, page: Page) -> String {
        let lines = bracketed(&self.lines);
        let better = self.better.as_ref().map(|(title, lines)| (title, bracketed(lines)));
        let all: Vec<&Line> = lines.iter().chain(better.iter().flat_map(|(_, lines)| lines)).collect();
        let widths = Widths::of(&all, self.carts.map(|_| width(self.cart_head())), page);
        let mut text = self.heading(&widths);
        for line in &lines {
            text += &self.line(line, &widths);
        }
        if let Some((title, lines)) = &better {
            text += &paint_lines(Tone::Strong, &page.wrap("", title));
            for line in lines {
                text += &self.line(line, &widths);
            }
        }
        text
    }

    fn heading(&self, widths: &Widths) -> String {
        let title = paint(Tone::Strong, &self.title);
        let Some([cart, added]) = widths.carts else { return format!("{title}\n") };
        let user = self.title.split(',').next().unwrap_or_default().to_lowercase();
        let whose = format!("{user} has added");
        let whose = if width(&whose) <= added { whose } else { "has added".into() };
        let before = widths.before_carts();
        beside(&[
            Block::new(0, before, Side::Left, vec![title]),
            Block::new(0, cart, Side::Left, lines(self.cart_head(), cart)),
            Block::new(GAP, added, Side::Left, lines(&whose, added)),
        ])
    }

    /// The head of the column for what is in the cart.
    fn cart_head(&self) -> &'static str {
        match self.carts {
            Some(CartHome::SharedStore) => "cart in the store",
            Some(CartHome::SignedToken) => "cart in the token",
            Some(CartHome::ServerMemory | CartHome::ReplicatedMemory) | None => "server's cart",
        }
    }

    fn line(&self, line: &Line, widths: &Widths) -> String {
        match line {
            Line::Did(deed) => self.deed(deed, widths),
            Line::Broke(at, what) => {
                let head = format!("{}{}  ", " ".repeat(INDENT), right(&clock_tenths(at.since_start()), widths.time));
                let room = widths.page.columns().min(WIDEST) - width(&head);
                let dashes = (room.saturating_sub(width(what) + 2) / 2).clamp(LEAST_DASHES, DASHES);
                let dashes = "-".repeat(dashes);
                let told = lines(what, room - 2 * (dashes.len() + 1));
                let told = told.iter().map(|line| paint(Tone::Strong, &format!("{dashes} {line} {dashes}"))).collect();
                beside(&[
                    Block::new(0, width(&head), Side::Left, vec![head.clone()]),
                    Block::new(0, room, Side::Left, told),
                ])
            }
            Line::Skipped(what) => {
                let head = " ".repeat(INDENT + widths.time + GAP);
                paint_lines(Tone::Faint, &widths.page.wrap(&head, what))
            }
        }
    }

    fn deed(&self, deed: &Deed, widths: &Widths) -> String {
        let tone = if deed.wrong { Tone::Loss } else { Tone::Plain };
        // The charge itself is not wrong; what is missing from it is.
        let answer_tone = if deed.missing.is_some() { Tone::Plain } else { tone };
        let painted = |tone: Tone, text: &str, columns: usize| -> Vec<String> {
            lines(text, columns).iter().map(|line| paint(tone, line)).collect()
        };
        let time = clock_tenths(deed.at.since_start());
        let mut blocks = vec![
            Block::new(INDENT, widths.time, Side::Right, vec![time]),
            Block::new(GAP, widths.action, Side::Left, lines(&deed.action, widths.action)),
            Block::new(GAP, widths.server, Side::Left, lines(&deed.server, widths.server)),
        ];
        let answer = |columns| Block::new(GAP, columns, Side::Left, painted(answer_tone, &deed.answer, columns));
        match (widths.carts, deed.missing) {
            (Some([cart, added]), Some(missing)) => {
                let whole = widths.answer + GAP + cart + GAP + added;
                let (tone, text) = ending(missing, deed.wrong, cart + GAP + added);
                // A long answer may go on below the head of the cart's column, if all fits on the line.
                let one_line = width(&deed.answer).max(widths.answer);
                let columns = if one_line + GAP + width(&text) <= whole { one_line } else { widths.answer };
                let room = whole - GAP - columns;
                blocks.extend([answer(columns), Block::new(GAP, room, Side::Left, painted(tone, &text, room))]);
            }
            (Some([cart, added]), None) => {
                blocks.push(answer(widths.answer));
                let there = deed.cart.map_or(String::new(), |there| items(there, cart));
                blocks.push(Block::new(GAP, cart, Side::Left, painted(tone, &there, cart)));
                blocks.push(Block::new(GAP, added, Side::Left, lines(&items(deed.added, added), added)));
            }
            (None, _) => blocks.push(answer(widths.answer)),
        }
        let own_line = self.carts.filter(|_| widths.carts.is_none()).and_then(|_| self.carts_below(deed, tone, widths));
        beside(&blocks) + &own_line.unwrap_or_default()
    }

    /// What a deed shows about carts, on lines of its own.
    fn carts_below(&self, deed: &Deed, tone: Tone, widths: &Widths) -> Option<String> {
        let head = " ".repeat(INDENT + widths.time + GAP);
        let room = widths.page.columns() - width(&head);
        if let Some(missing) = deed.missing {
            let (tone, text) = ending(missing, deed.wrong, room);
            return Some(paint_lines(tone, &widths.page.wrap(&head, &text)));
        }
        let there = format!("{}: {}", self.cart_head(), items(deed.cart?, room / 3));
        let added = format!("has added: {}", items(deed.added, room / 3));
        if width(&there) + GAP + width(&added) <= room {
            return Some(format!("{head}{}{}{added}\n", paint(tone, &there), " ".repeat(GAP)));
        }
        Some(paint_lines(tone, &widths.page.wrap(&head, &there)) + &widths.page.wrap(&head, &added))
    }
}

/// Blanks before a story's lines, and between its columns.
const INDENT: usize = 3;
const GAP: usize = 2;
/// The widest story.
const WIDEST: usize = 100;
/// The dashes on either side of a fault.
const DASHES: usize = 12;
const LEAST_DASHES: usize = 3;
/// The least columns for each of the two carts, and for an answer beside them.
const CART: usize = 14;
const ANSWER: usize = 12;

impl Widths {
    fn of(all: &[&Line], cart_head: Option<usize>, page: Page) -> Widths {
        let deeds: Vec<&Deed> =
            all.iter().filter_map(|line| if let Line::Did(deed) = line { Some(deed) } else { None }).collect();
        let most = |text: &dyn Fn(&Deed) -> usize, least: usize, limit: usize| {
            deeds.iter().map(|deed| text(deed)).max().unwrap_or(0).clamp(least, limit)
        };
        let time = all.iter().map(|line| time_width(line)).max().unwrap_or(0).max(6);
        let action = most(&|deed| width(&deed.action), 10, 18);
        // `server-6 frankfurt`
        let server = most(&|deed| width(&deed.server), 8, 18);
        let answer = most(&|deed| width(&deed.answer), 21, 26);
        let cart =
            |deed: &Deed| deed.cart.filter(|_| deed.missing.is_none()).map_or(0, |cart| width(&cart.to_string()));
        let cart = most(&cart, cart_head.unwrap_or(0).max(16), 20);
        let room = page.columns().min(WIDEST) - (INDENT + time + GAP + action + GAP + server + GAP);
        let beside_carts = room.saturating_sub(2 * (CART + GAP));
        let (answer, carts) = if cart_head.is_some() && beside_carts >= ANSWER {
            let answer = answer.min(beside_carts);
            let left = room - answer - 2 * GAP;
            let cart = cart.min(left - CART);
            (answer, Some([cart, left - cart]))
        } else {
            (answer.min(room), None)
        };
        Widths { page, time, action, server, answer, carts }
    }

    /// The columns to the left of the server's cart.
    fn before_carts(&self) -> usize {
        INDENT + self.time + GAP + self.action + GAP + self.server + GAP + self.answer + GAP
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

fn ending(missing: Items, wrong: bool, room: usize) -> (Tone, String) {
    match (missing.is_empty(), wrong) {
        (true, false) => (Tone::Fine, "complete".into()),
        (true, true) => (Tone::Loss, "MORE than was added".into()),
        (false, _) => (Tone::Loss, format!("MISSING {}", items(missing, room.saturating_sub(8)))),
    }
}

/// As many item names as there is room for, followed by the number of the others.
fn items(items: Items, room: usize) -> String {
    let whole = items.to_string();
    let names: Vec<String> = items.iter().map(|item| item.to_string()).collect();
    let shown = |n: usize| format!("{} +{}", names[..n].join(" "), names.len() - n);
    let short = || (1..names.len()).rev().map(shown).find(|text| width(text) <= room);
    if width(&whole) <= room { whole } else { short().unwrap_or(whole) }
}
