//! A story for a slide: one design or two side by side, moved by SVG itself, so that it plays wherever a browser draws it.
//! Where nothing moves, the picture is the moment that matters.

use super::cast::Cast;
use super::crowd::{Held, Memory};
use super::palette::{self, LOSS};
use super::scene::{Layout, SIZE, scene};
use super::seats;
use super::strip;
use super::whereabouts::Follower;
use crate::base::Items;
use crate::base::layout::lines;
use crate::base::time::Instant;
use crate::base::words::clock_tenths;
use crate::faces::markup::{Tag, tenth};
use crate::faces::story::{Deed, Line};
use crate::results::{Tape, VariantReport};

/// A slide's proportions.
const SLIDE: [u32; 2] = [960, 540];
/// The width of a pane, and how much larger than elsewhere its scene is.
const PANE: f64 = 470.0;
const SCALE: f64 = 2.55;
/// Where the scene and the words below it begin.
const SCENE: f64 = 122.0;
const WORDS: f64 = SCENE + SIZE[1] * SCALE + 28.0;
/// Seconds that a beat takes.
const BEAT: f64 = 2.2;
/// The part of a beat that a request takes.
const ARRIVES: f64 = 0.4;
/// Paper and ink, the same on every slide.
const PAPER: &str = "#fffdf8";
const INK: &str = "#16191d";

/// A design of a film.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// The design.
    pub variant: &'a VariantReport,
    /// What happened to the user in it.
    pub tape: &'a Tape,
    /// The lines that are shown.
    pub lines: Vec<Line>,
    /// What every memory held at each line.
    pub crowd: Vec<Held>,
    /// How many clients share a seat.
    pub per_seat: u32,
    /// Who appears.
    pub cast: Cast,
    /// The figure that it ends with.
    pub figure: String,
}

/// The moments of a story's lines, in order.
#[must_use]
pub fn moments(lines: &[Line]) -> Vec<Instant> {
    let mut last = Instant::ZERO;
    let at = |line: &Line| {
        if let Line::Did(Deed { at, .. }) | Line::Broke(at, _) = line {
            last = *at;
        }
        last
    };
    lines.iter().map(at).collect()
}

/// The film of one or two designs.
#[must_use]
pub fn film(title: &str, parts: &[Part]) -> String {
    let beats = beats(parts);
    let climax = climax(parts, &beats);
    let mut drawn = Tag::new("title").saying(title) + &Tag::new("desc").saying(&description(parts));
    drawn += &super::icons::defined();
    let [width, height] = SLIDE;
    drawn += &Tag::new("rect").set("width", width).set("height", height).set("fill", PAPER).empty();
    for (at, line) in lines(title, 66).iter().take(2).enumerate() {
        let y = [32.0, 58.0][at];
        drawn += &words([16.0, y], 22, true, "start", line);
    }
    for (pane, part) in parts.iter().enumerate() {
        let place =
            format!("translate({} 0)", if parts.len() == 1 { PANE / 2.0 } else { [16.0, 16.0 + PANE][pane.min(1)] });
        let drawn_part = self::part(part, &beats.iter().map(|beat| beat[pane]).collect::<Vec<_>>(), climax);
        drawn += &Tag::new("g").set("transform", place).around(&drawn_part);
    }
    drawn += &progress(beats.len(), climax);
    Tag::new("svg")
        .set("xmlns", "http://www.w3.org/2000/svg")
        .set("viewBox", format!("0 0 {width} {height}"))
        .set("role", "img")
        .set("font-family", super::FONT)
        .set("color", INK)
        .set("fill", INK)
        .around(&drawn)
        + "\n"
}

/// For each beat and each part, which of its lines is shown.
fn beats(parts: &[Part]) -> Vec<[usize; 2]> {
    let [first, second] = match parts {
        [first, second, ..] => [&*first.lines, &*second.lines],
        [first] => [&*first.lines, &[]],
        [] => [&[][..], &[][..]],
    };
    let times = [moments(first), moments(second)];
    let mut beats = Vec::new();
    let (mut a, mut b) = (0, 0);
    while a < first.len() || b < second.len() {
        let (takes_a, takes_b) = match (first.get(a), second.get(b)) {
            (Some(one), Some(other)) if is_like(one, other) => (true, true),
            (Some(_), Some(_)) if comes_later(&first[a..], &second[b]) => (true, false),
            (Some(_), Some(_)) if comes_later(&second[b..], &first[a]) => (false, true),
            (Some(_), Some(_)) => (times[0][a] <= times[1][b], times[0][a] > times[1][b]),
            (one, other) => (one.is_some(), other.is_some()),
        };
        (a, b) = (a + usize::from(takes_a), b + usize::from(takes_b));
        beats.push([a.saturating_sub(1), b.saturating_sub(1)]);
    }
    beats
}

/// Whether two lines tell of the same.
fn is_like(one: &Line, other: &Line) -> bool {
    match (one, other) {
        (Line::Did(one), Line::Did(other)) => one.action == other.action,
        (Line::Broke(one, _), Line::Broke(other, _)) => one == other,
        (Line::Skipped(_), Line::Skipped(_)) => true,
        _ => false,
    }
}

fn comes_later(lines: &[Line], wanted: &Line) -> bool {
    lines.iter().any(|line| is_like(line, wanted))
}

/// The beat that a still picture shows: the first in which something goes wrong for the user of the first design.
fn climax(parts: &[Part], beats: &[[usize; 2]]) -> usize {
    let is_wrong = |line: usize| {
        parts.first().is_some_and(|part| matches!(part.lines.get(line), Some(Line::Did(deed)) if deed.wrong))
    };
    beats.iter().position(|beat| is_wrong(beat[0])).unwrap_or(beats.len().saturating_sub(1))
}

fn description(parts: &[Part]) -> String {
    let one = |part: &Part| {
        let told: Vec<String> = part.lines.iter().map(|line| strip::title(line, &part.cast)).collect();
        format!("Design {}, {}: {}", part.variant.number, part.variant.name, told.join(" "))
    };
    parts.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// A design: its name, and for each of its lines a picture that is there in the beats of that line.
fn part(part: &Part, shown: &[usize], climax: usize) -> String {
    let colour = palette::of_design(part.variant.number);
    let badge = Tag::new("rect").set("x", 0).set("y", 76).set("width", 34).set("height", 34).set("rx", 6);
    let mut drawn = badge.set("fill", colour).empty();
    let number = Tag::new("g").set("fill", "#ffffff");
    drawn += &number.around(&words([17.0, 100.0], 20, true, "middle", &part.variant.number.to_string()));
    drawn += &words([44.0, 100.0], 20, true, "start", &part.variant.name);
    let mut follower = Follower::new(part.variant, part.tape);
    let mut added = Items::NONE;
    for (at, (line, moment)) in part.lines.iter().zip(moments(&part.lines)).enumerate() {
        let now = follower.at(moment);
        let deed = if let Line::Did(deed) = line { Some(deed) } else { None };
        added = deed.map_or(added, |deed| deed.added);
        let place = format!("translate(0 {}) scale({SCALE})", tenth(SCENE));
        let picture =
            seats::seats(Layout::of(&part.cast), &part.crowd, at, part.per_seat) + &scene(&part.cast, now, added, deed);
        let there: Vec<bool> = shown.iter().map(|line| *line == at).collect();
        let Some(beat) = there.iter().position(|there| *there) else { continue };
        let clock = Clock { beats: shown.len(), beat };
        let picture = Tag::new("g").set("transform", place).around(&picture)
            + &said(line, &part.cast, clock)
            + &request(part, deed, clock)
            + &falling(part, at, clock);
        drawn += &appears(&picture, &there, climax);
    }
    let ends: Vec<bool> = (0..shown.len()).map(|beat| beat + 1 == shown.len()).collect();
    drawn + &appears(&words([0.0, 530.0], 20, true, "start", &part.figure), &ends, usize::MAX)
}

/// Time and deed, and then the answer: it comes when the request has arrived.
fn said(line: &Line, cast: &Cast, clock: Clock) -> String {
    let (head, harm) = match line {
        Line::Did(deed) => (format!("{} {}", clock_tenths(deed.at.since_start()), deed.action), deed.wrong),
        Line::Broke(at, _) => (clock_tenths(at.since_start()), true),
        Line::Skipped(_) => (String::new(), false),
    };
    let answer = strip::below(line, cast);
    let text = |(at, text): (usize, &String)| words([0.0, WORDS + [25.0, 49.0][at]], 20, harm, "start", text);
    let answer: String = lines(&answer, 35).iter().take(2).enumerate().map(text).collect();
    let group = if harm { Tag::new("g").set("fill", "#b93700") } else { Tag::new("g") };
    let comes = match line {
        Line::Did(_) => {
            let comes = Tag::new("animate").set("attributeName", "opacity").set("calcMode", "discrete");
            let times = format!("0;{}", share(clock.beat, ARRIVES, clock.beats));
            timed(comes, clock.beats).set("keyTimes", times).set("values", "0;1").empty()
        }
        Line::Broke(..) | Line::Skipped(_) => String::new(),
    };
    words([0.0, WORDS], 20, true, "start", &head) + &group.around(&(comes + &answer))
}

fn words([x, y]: [f64; 2], size: u32, bold: bool, anchor: &str, text: &str) -> String {
    let tag = Tag::new("text").set("x", tenth(x)).set("y", tenth(y)).set("font-size", size).set("text-anchor", anchor);
    let tag = if bold { tag.set("font-weight", "bold") } else { tag };
    tag.saying(text)
}

/// A picture that is there in some beats. Where nothing moves, it is there if it is in the climax.
fn appears(picture: &str, there: &[bool], climax: usize) -> String {
    let display = |there: bool| if there { "inline" } else { "none" };
    let mut times = Vec::new();
    let mut values = Vec::new();
    for (beat, now) in there.iter().enumerate() {
        if beat == 0 || there[beat - 1] != *now {
            times.push(share(beat, 0.0, there.len()));
            values.push(display(*now));
        }
    }
    let still = there.get(climax).copied().unwrap_or(climax == usize::MAX);
    let animate = Tag::new("animate").set("attributeName", "display").set("calcMode", "discrete");
    let animate = timed(animate, there.len()).set("keyTimes", times.join(";")).set("values", values.join(";"));
    Tag::new("g").set("display", display(still)).around(&(animate.empty() + picture))
}

/// A moment of a film.
#[derive(Clone, Copy)]
struct Clock {
    beats: usize,
    /// The beat.
    beat: usize,
}

fn timed(tag: Tag, beats: usize) -> Tag {
    #[expect(clippy::cast_precision_loss, reason = "a few beats")]
    let all = BEAT * beats as f64;
    tag.set("dur", format!("{}s", tenth(all))).set("repeatCount", "indefinite")
}

/// Where a part of a beat is in the film, from 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "a few beats")]
fn share(beat: usize, part: f64, beats: usize) -> String {
    let share = format!("{:.4}", (beat as f64 + part) / beats.max(1) as f64);
    let short = share.trim_end_matches('0').trim_end_matches('.');
    short.into()
}

/// The request on its way, at the beginning of its beat.
fn request(part: &Part, deed: Option<&Deed>, clock: Clock) -> String {
    let Some((deed, way)) = deed.and_then(|deed| Some((deed, Layout::of(&part.cast).way(deed.by?)?))) else {
        return String::new();
    };
    let at = |[x, y]: [f64; 2]| format!("{} {}", tenth(x * SCALE), tenth(SCENE + y * SCALE));
    let path = way.map(at).join("L");
    let times = [share(clock.beat, 0.0, clock.beats), share(clock.beat, ARRIVES, clock.beats)];
    let (times, points) = match clock.beat {
        0 => (format!("{};{};1", times[0], times[1]), "0;1;1"),
        _ => (format!("0;{};{};1", times[0], times[1]), "0;0;1;1"),
    };
    let motion = Tag::new("animateMotion").set("path", format!("M{path}")).set("calcMode", "linear");
    let motion = timed(motion, clock.beats).set("keyTimes", times).set("keyPoints", points);
    let colour = if deed.wrong { LOSS } else { palette::of_design(part.variant.number) };
    // Where nothing moves it would stand in the corner.
    Tag::new("circle").set("r", 0).set("fill", colour).around(&(grows(clock) + &motion.empty()))
}

/// A radius that is only there in its beat.
fn grows(clock: Clock) -> String {
    let there: Vec<&str> = (0..clock.beats).map(|beat| if beat == clock.beat { "9" } else { "0" }).collect();
    let times: Vec<String> = (0..clock.beats).map(|beat| share(beat, 0.0, clock.beats)).collect();
    let animate = Tag::new("animate").set("attributeName", "r").set("calcMode", "discrete");
    timed(animate, clock.beats).set("keyTimes", times.join(";")).set("values", there.join(";")).empty()
}

/// The carts of a memory that is wiped fall out of it.
fn falling(part: &Part, at: usize, clock: Clock) -> String {
    let harm = matches!(part.lines.get(at), Some(Line::Broke(..)));
    let (Some(before), Some(now), true) =
        (at.checked_sub(1).and_then(|at| part.crowd.get(at)), part.crowd.get(at), harm)
    else {
        return String::new();
    };
    let layout = Layout::of(&part.cast);
    let mut drawn = String::new();
    for (memory, carts) in before {
        let Memory::Server(server) = memory else { continue };
        if !now.contains_key(memory)
            && let Some(area) = layout.server(*server)
        {
            drawn += &seats::plate(carts, area, part.per_seat, LOSS);
        }
    }
    if drawn.is_empty() {
        return drawn;
    }
    let times = [0.0, 0.1, 0.9].map(|part| share(clock.beat, part, clock.beats));
    let fall = Tag::new("animateTransform").set("attributeName", "transform").set("type", "translate");
    let fall = timed(fall, clock.beats).set("keyTimes", format!("0;{};{};1", times[1], times[2]));
    let fall = fall.set("values", format!("0 0;0 0;0 {0};0 {0}", SIZE[1])).empty();
    let fade = Tag::new("animate").set("attributeName", "opacity").set("values", "1;1;0;0");
    let fade = timed(fade, clock.beats).set("keyTimes", format!("0;{};{};1", times[1], times[2])).empty();
    let place = format!("translate(0 {}) scale({SCALE})", tenth(SCENE));
    Tag::new("g").set("transform", place).around(&Tag::new("g").around(&(fall + &fade + &drawn)))
}

/// A dot for each beat.
fn progress(beats: usize, climax: usize) -> String {
    let mut drawn = String::new();
    for beat in 0..beats {
        #[expect(clippy::cast_precision_loss, reason = "a few beats")]
        let x = f64::from(SLIDE[0]) - 24.0 - 14.0 * (beats - 1 - beat) as f64;
        let dot = Tag::new("circle").set("cx", tenth(x)).set("cy", 524).set("r", 4);
        let there: Vec<bool> = (0..beats).map(|other| other == beat).collect();
        drawn += &dot.clone().set("fill", "none").set("stroke", "currentColor").empty();
        drawn += &appears(&dot.empty(), &there, climax);
    }
    drawn
}
