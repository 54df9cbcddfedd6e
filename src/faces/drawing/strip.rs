//! A user's story as a row of frames, each a picture of its own, so that they wrap wherever there is no room.

use super::cast::Cast;
use super::palette::LOSS;
use super::picture;
use super::scene::{self, scene};
use super::whereabouts::{Follower, Whereabouts};
use crate::base::Items;
use crate::base::layout::lines;
use crate::base::words::clock_tenths;
use crate::faces::markup::{Tag, tenth};
use crate::faces::story::{Deed, Line};
use crate::results::{Tape, VariantReport};

/// The width of a frame, and the blanks inside it.
const WIDTH: u32 = 184;
const MARGIN: f64 = 7.0;
/// Where the scene begins, and where the answer does.
const SCENE: f64 = 28.0;
const ANSWER: f64 = 28.0 + scene::SIZE[1] + 18.0;
/// The height of a line of text, and characters in it where they are bold.
const LINE: f64 = 15.0;
const COLUMNS: usize = 21;

/// The frames of a story. `id` is unique in the document.
#[must_use]
pub fn strip(id: &str, variant: &VariantReport, tape: &Tape, cast: &Cast, told: &[Line]) -> Vec<String> {
    let most = told.iter().map(|line| lines(&below(line, cast), COLUMNS).len()).max().unwrap_or(1);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "pixels")]
    let height = (ANSWER + LINE * (most as f64 - 1.0) + 10.0) as u32;
    let mut follower = Follower::new(variant, tape);
    let mut added = Items::NONE;
    let mut frames = Vec::new();
    for (at, line) in told.iter().enumerate() {
        if let Line::Did(deed) = line {
            added = deed.added;
        }
        let content = match line {
            Line::Did(Deed { at, .. }) | Line::Broke(at, _) => frame(line, cast, follower.at(*at), added),
            Line::Skipped(_) => skipped(),
        };
        let id = format!("{id}-{}", at + 1);
        frames.push(picture(
            &id,
            [WIDTH, height],
            &title(line, cast),
            "",
            &(border(line, height) + &content + &text(line, cast)),
        ));
    }
    frames
}

/// What a frame says, for those who cannot see it.
#[must_use]
pub fn title(line: &Line, cast: &Cast) -> String {
    match line {
        Line::Did(deed) => {
            let at = clock_tenths(deed.at.since_start());
            let whom =
                if deed.server.is_empty() { "Nobody answers".into() } else { format!("{} answers", deed.server) };
            let stop = if deed.answer.ends_with(['.', '?', '!']) { "" } else { "." };
            let seen = deed.cart.map_or(String::new(), |cart| format!(" It sees in the cart: {cart}."));
            let Deed { action, answer, added, .. } = deed;
            format!("{at} user {} {action}. {whom}: {answer}{stop}{seen} The user has put in: {added}.", cast.user.0)
        }
        Line::Broke(at, words) => format!("{} {words}", clock_tenths(at.since_start())),
        Line::Skipped(words) => words.clone(),
    }
}

/// The text below the scene.
pub(super) fn below(line: &Line, cast: &Cast) -> String {
    let deed = match line {
        Line::Did(deed) => deed,
        Line::Broke(_, words) | Line::Skipped(words) => return words.clone(),
    };
    let whence = if cast.regions && !deed.server.is_empty() { format!("{}: ", deed.server) } else { String::new() };
    match deed.missing {
        Some(missing) if !missing.is_empty() => format!("{whence}{} · MISSING {missing}", deed.answer),
        _ => format!("{whence}{}", deed.answer),
    }
}

fn is_bad(line: &Line) -> bool {
    match line {
        Line::Did(deed) => deed.wrong,
        Line::Broke(..) => true,
        Line::Skipped(_) => false,
    }
}

fn border(line: &Line, height: u32) -> String {
    let frame = Tag::new("rect").set("x", 1).set("y", 1).set("width", WIDTH - 2).set("height", height - 2).set("rx", 5);
    let frame = frame.set("fill", "none");
    match line {
        Line::Did(deed) if deed.wrong => frame.set("stroke", LOSS).set("stroke-width", 2),
        Line::Broke(..) => frame.set("stroke", LOSS).set("stroke-dasharray", "5 3"),
        Line::Did(_) | Line::Skipped(_) => frame.set("stroke", "currentColor").set("stroke-opacity", "0.4"),
    }
    .empty()
}

fn frame(line: &Line, cast: &Cast, now: &Whereabouts, added: Items) -> String {
    let deed = if let Line::Did(deed) = line { Some(deed) } else { None };
    let place = format!("translate({} {})", tenth(MARGIN), tenth(SCENE));
    Tag::new("g").set("transform", place).around(&scene(cast, now, added, deed))
}

/// Three dots.
fn skipped() -> String {
    [-18, 0, 18].map(|x| Tag::new("circle").set("cx", 92 + x).set("cy", 80).set("r", 4).empty()).concat()
}

/// The time and the deed above the scene, and the answer below it.
fn text(line: &Line, cast: &Cast) -> String {
    let words = |y: f64, bold: bool, text: &str| {
        let tag = Tag::new("text").set("x", tenth(MARGIN)).set("y", tenth(y)).set("font-size", "12.5");
        let tag = if bold { tag.set("font-weight", "bold") } else { tag };
        tag.saying(text)
    };
    let head = match line {
        Line::Did(deed) => format!("{} {}", clock_tenths(deed.at.since_start()), deed.action),
        Line::Broke(at, _) => clock_tenths(at.since_start()),
        Line::Skipped(_) => String::new(),
    };
    let mut drawn = words(19.0, true, &head);
    let mut y = ANSWER;
    for answer in lines(&below(line, cast), COLUMNS) {
        drawn += &words(y, is_bad(line), &answer);
        y += LINE;
    }
    drawn
}
