//! A user's story as a sequence diagram: who asked whom, from top to bottom.

use super::cast::Cast;
use super::palette::{self, LOSS};
use super::picture;
use crate::base::ServerId;
use crate::base::layout::lines;
use crate::base::words::{clock_tenths, noun};
use crate::faces::markup::{Tag, tenth};
use crate::faces::story::{Deed, Line};

/// The width of a diagram, and where its first and its last lifeline are.
const WIDTH: u32 = 372;
const FIRST: f64 = 26.0;
const LAST: f64 = 344.0;
/// Where the lifelines begin, and the height of a line of text.
const TOP: f64 = 46.0;
const LINE: f64 = 14.0;
/// Characters that fit between the first and the last lifeline, and into a band.
const COLUMNS: usize = 44;
const BAND: usize = 45;

/// A drawn diagram, and how high it is.
pub struct Sequence {
    title: String,
    drawn: String,
    /// Its height.
    pub height: u32,
}

impl Sequence {
    /// The diagram of a design's story.
    #[must_use]
    pub fn of(name: &str, cast: &Cast, told: &[Line]) -> Sequence {
        let mut diagram = Diagram { cast, y: TOP + 2.0, drawn: String::new(), words: String::new() };
        for line in told {
            match line {
                Line::Did(deed) => diagram.deed(deed),
                Line::Broke(at, words) => diagram.band(&format!("{} {words}", clock_tenths(at.since_start())), true),
                Line::Skipped(words) => diagram.band(words, false),
            }
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "pixels")]
        let height = (diagram.y + 10.0) as u32;
        Sequence {
            title: format!("Sequence diagram of user {} in design {}, {name}", cast.user.0, cast.design),
            drawn: diagram.title(name) + &diagram.lifelines() + &diagram.drawn + &haloed(&diagram.words),
            height,
        }
    }

    /// The diagram, with room below it up to this height, so that diagrams that stand side by side begin on one line.
    #[must_use]
    pub fn picture(&self, id: &str, height: u32) -> String {
        picture(id, [WIDTH, height], &self.title, SAME, &self.drawn)
    }
}

/// For those who cannot see it.
const SAME: &str = "It has the messages of this design's frames, from top to bottom.";

struct Diagram<'a> {
    cast: &'a Cast,
    /// How far down it has come.
    y: f64,
    drawn: String,
    /// What is written over all lines.
    words: String,
}

impl Diagram<'_> {
    /// The lifeline with this number, from the left.
    #[expect(clippy::cast_precision_loss, reason = "a few lifelines")]
    fn x(&self, place: usize) -> f64 {
        let last = 1 + self.cast.servers.len() + usize::from(self.cast.store);
        FIRST + (LAST - FIRST) * place as f64 / last as f64
    }

    fn server(&self, server: ServerId) -> Option<f64> {
        Some(self.x(2 + self.cast.servers.iter().position(|shown| *shown == server)?))
    }

    /// The design's number and name.
    fn title(&self, name: &str) -> String {
        let number = self.cast.design.to_string();
        let words = format!("{number}  {name}");
        let words = lines(&words, COLUMNS).into_iter().next().unwrap_or_default();
        let text = Tag::new("text").set("x", 2).set("y", 14).set("font-size", 13).set("font-weight", "bold");
        let line = Tag::new("path").set("d", format!("M2 20H{}", WIDTH - 2)).set("stroke-width", 2);
        let line = line.set("stroke", palette::of_design(self.cast.design)).empty();
        text.saying(&words) + &line
    }

    fn lifelines(&self) -> String {
        let servers = self.cast.servers.iter().map(|server| self.cast.name(*server, false));
        let names = [self.cast.who(), "balancer".into()].into_iter().chain(servers);
        let names = names.chain(self.cast.store.then(|| "store".into()));
        let mut drawn = String::new();
        for (place, name) in names.enumerate() {
            let x = tenth(self.x(place));
            let text = Tag::new("text")
                .set("x", &x)
                .set("y", tenth(TOP - 8.0))
                .set("font-size", 12)
                .set("text-anchor", "middle");
            drawn += &text.set("font-weight", "bold").saying(&name);
            let line = Tag::new("path").set("d", format!("M{x} {TOP}V{}", tenth(self.y)));
            drawn += &line.set("stroke", "currentColor").set("stroke-opacity", "0.45").empty();
        }
        drawn
    }

    fn deed(&mut self, deed: &Deed) {
        let colour = if deed.wrong { LOSS } else { palette::of_design(self.cast.design) };
        self.y += LINE;
        self.text(&format!("{} {}", clock_tenths(deed.at.since_start()), deed.action), true);
        let [user, balancer] = [self.x(0), self.x(1)];
        self.y += 5.0;
        self.arrow(user, balancer, colour, false);
        let tried: Vec<f64> = deed.tried.iter().filter_map(|tried| self.server(*tried)).collect();
        for server in tried {
            self.arrow(balancer, server - 8.0, LOSS, false);
            let d = format!("M{} {}l8 8m0-8l-8 8", tenth(server - 10.0), tenth(self.y - 4.0));
            self.drawn += &Tag::new("path").set("d", d).set("stroke", LOSS).set("stroke-width", "2.4").empty();
            self.y += 11.0;
        }
        let server = deed.by.and_then(|by| self.server(by));
        if let Some(server) = server {
            self.arrow(balancer, server, colour, false);
            self.calls(server, deed.store_calls, colour);
        }
        self.y += 2.0;
        for line in lines(&answer(deed), COLUMNS) {
            self.y += LINE;
            self.text(&line, deed.wrong);
        }
        self.y += 5.0;
        self.arrow(server.unwrap_or(balancer), user, colour, true);
        self.y += 8.0;
    }

    /// Calls of a server to the store.
    fn calls(&mut self, server: f64, calls: u32, colour: &str) {
        if calls == 0 || !self.cast.store {
            return;
        }
        let store = self.x(2 + self.cast.servers.len());
        self.y += 11.0;
        self.arrow(server, store, colour, false);
        let words = format!("{calls} {}", noun(calls.into(), "call"));
        let text = Tag::new("text").set("x", tenth(store - 10.0)).set("y", tenth(self.y - 3.0)).set("font-size", 11);
        self.words += &text.set("text-anchor", "end").saying(&words);
    }

    /// An arrow; answers are dashed.
    fn arrow(&mut self, from: f64, to: f64, colour: &str, answer: bool) {
        let head = if to > from { "m-6-4 6 4-6 4" } else { "m6-4-6 4 6 4" };
        let line = format!("M{} {}H{}", tenth(from), tenth(self.y), tenth(to));
        let path = |d: String| {
            Tag::new("path").set("d", d).set("stroke", colour).set("stroke-width", "1.6").set("fill", "none")
        };
        self.drawn += &if answer {
            let head = format!("M{} {}{head}", tenth(to), tenth(self.y));
            path(line).set("stroke-dasharray", "5 3").empty() + &path(head).empty()
        } else {
            path(line + head).empty()
        };
    }

    fn text(&mut self, words: &str, bold: bool) {
        let text = Tag::new("text").set("x", tenth(FIRST + 6.0)).set("y", tenth(self.y));
        self.words += &if bold { text.set("font-weight", "bold") } else { text }.saying(words);
    }

    /// Words across all lifelines.
    fn band(&mut self, words: &str, harm: bool) {
        let words = lines(words, BAND);
        #[expect(clippy::cast_precision_loss, reason = "a few lines")]
        let height = words.len() as f64 * LINE + 8.0;
        self.y += 6.0;
        let band = Tag::new("rect").set("x", 1).set("y", tenth(self.y)).set("width", WIDTH - 2);
        let band = band.set("height", tenth(height)).set("rx", 3).set("fill", "Canvas");
        let band = if harm { band.set("stroke", LOSS).set("stroke-dasharray", "5 3") } else { band };
        self.drawn += &band.empty();
        for line in words {
            self.y += LINE;
            let text = Tag::new("text").set("x", WIDTH / 2).set("y", tenth(self.y)).set("text-anchor", "middle");
            self.words += &if harm { text.set("font-weight", "bold") } else { text }.saying(&line);
        }
        self.y += 14.0;
    }
}

/// Words that are legible across lines.
fn haloed(words: &str) -> String {
    let group = Tag::new("g").set("font-size", 12).set("stroke", "Canvas").set("stroke-width", 4);
    group.set("paint-order", "stroke").around(words)
}

/// What the user is told, and what the server saw.
fn answer(deed: &Deed) -> String {
    match (deed.missing, deed.cart) {
        (Some(missing), _) if !missing.is_empty() => format!("{} · MISSING {missing}", deed.answer),
        (None, Some(cart)) => format!("{} · the cart: {cart}", deed.answer),
        _ => deed.answer.clone(),
    }
}
