//! One moment of a user's story: the user and what they have put in, the balancer and what it believes, the servers and the
//! store with what is there of the cart.

use super::cast::Cast;
use super::icons::{self, Look, row};
use super::palette::{self, LOSS};
use super::whereabouts::{Server, Whereabouts};
use crate::base::{Items, ServerId, ServerState};
use crate::faces::markup::{Tag, tenth};
use crate::faces::story::Deed;
use crate::scenario::{CartHome, DesignNumber};

/// Width and height of a scene.
pub const SIZE: [f64; 2] = [170.0, 116.0];

/// The balancer's bar.
const BALANCER: [f64; 2] = [48.0, 10.0];
/// Where a request leaves its user: it vanishes in the balancer, which alone decides where it comes out.
const USER: [f64; 2] = [34.0, 18.0];
/// Where the servers' cards begin, and how wide they are with a store beside them and without.
const CARDS: f64 = 76.0;
const CARD: [f64; 2] = [42.0, 94.0];
/// The names of servers that have room on a card.
const LONGEST: usize = 9;
/// Between two servers.
const GAP: f64 = 5.0;

/// A rectangle: its left top corner, its width and its height.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// The left edge.
    pub x: f64,
    /// The top edge.
    pub y: f64,
    /// The width.
    pub w: f64,
    /// The height.
    pub h: f64,
}

impl Area {
    fn tag(self, name: &'static str) -> Tag {
        let Area { x, y, w, h } = self;
        Tag::new(name).set("x", tenth(x)).set("y", tenth(y)).set("width", tenth(w)).set("height", tenth(h))
    }

    fn middle(self) -> f64 {
        self.y + self.h / 2.0
    }
}

/// Where things are.
#[derive(Clone, Copy, Debug)]
pub struct Layout<'a> {
    cast: &'a Cast,
}

impl<'a> Layout<'a> {
    /// The layout for this cast.
    #[must_use]
    pub fn of(cast: &'a Cast) -> Layout<'a> {
        Layout { cast }
    }

    /// The design that is drawn.
    #[must_use]
    pub fn design(&self) -> DesignNumber {
        self.cast.design
    }

    /// The card of a server; `None` if it is not shown.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a few servers")]
    pub fn server(&self, server: ServerId) -> Option<Area> {
        let place = self.cast.servers.iter().position(|shown| *shown == server)? as f64;
        let all = self.cast.servers.len() as f64;
        let h = ((SIZE[1] - GAP * (all - 1.0)) / all).min(36.0);
        let w = CARD[usize::from(!self.cast.store && !self.cast.objects)];
        Some(Area { x: CARDS, y: place * (h + GAP), w, h })
    }

    /// The shared store.
    #[must_use]
    pub fn store(&self) -> Area {
        Area { x: 132.0, y: 14.0, w: 38.0, h: SIZE[1] - 28.0 }
    }

    /// The way of a request to a server: from the user to the balancer's edge, and from its other edge to the server.
    #[must_use]
    pub fn way(&self, server: ServerId) -> Option<[[f64; 2]; 4]> {
        let area = self.server(server)?;
        let y = area.middle();
        let [left, width] = BALANCER;
        Some([USER, [left, USER[1]], [left + width, y], [area.x, y]])
    }
}

/// The whole scene after a deed, or at a fault.
#[must_use]
pub fn scene(cast: &Cast, now: &Whereabouts, added: Items, deed: Option<&Deed>) -> String {
    let layout = Layout::of(cast);
    let missing = deed.map_or(Items::NONE, |deed| missing(deed, added));
    let in_server = matches!(cast.home, CartHome::ServerMemory | CartHome::ReplicatedMemory);
    let mut drawn = user(cast, now, added, missing) + &balancer(layout, now);
    for server in &cast.servers {
        let known = now.servers.get(server).copied().unwrap_or_default();
        let asked = deed.filter(|deed| deed.by == Some(*server));
        let files = asked
            .filter(|deed| deed.wrong && deed.cart.is_none())
            .map_or(Items::NONE, |_| now.uploaded.minus(known.files));
        let missing = if asked.is_some() && in_server { missing } else { Items::NONE };
        drawn += &card(layout, *server, &known, [missing, files]);
    }
    if cast.store || cast.objects {
        drawn += &store(layout, now, missing);
    }
    drawn + &deed.map_or_else(String::new, |deed| request(layout, deed))
}

/// What a cart lacks, as somebody saw it who was asked for it.
fn missing(deed: &Deed, added: Items) -> Items {
    let seen = deed.cart.filter(|_| deed.wrong);
    seen.map_or(Items::NONE, |cart| added.union(deed.missing.unwrap_or_default()).minus(cart))
}

/// The user, and what they believe to have.
fn user(cast: &Cast, now: &Whereabouts, added: Items, missing: Items) -> String {
    let words = |y: u32, text: &str| Tag::new("text").set("x", 0).set("y", y).set("font-size", 11).saying(text);
    let mut drawn = icons::person() + &words(47, &cast.who());
    drawn += &row(added, Look::Filled("currentColor"), [1.0, 52.0], 3);
    let below = if added.is_empty() { 52.0 } else { 66.0 };
    drawn += &icons::files(now.uploaded, Look::Filled("currentColor"), [1.0, below]);
    if cast.home == CartHome::SignedToken && !now.token.union(missing).is_empty() {
        let colour = palette::of_design(cast.design);
        let taken = 13.0 * f64::from(icons::squares(now.token));
        drawn += &words(94, "token");
        let tag = Area { x: 0.5, y: 98.0, w: taken + 13.0 * f64::from(icons::squares(missing)) + 4.0, h: 16.0 };
        drawn += &tag.tag("rect").set("rx", 2).set("fill", "none").set("stroke", colour).empty();
        drawn += &row(now.token, Look::Filled(colour), [3.0, 100.0], 6);
        drawn += &row(missing, Look::Outlined(LOSS), [3.0 + taken, 100.0], 6);
    }
    drawn
}

/// The balancer, with a port for each server that says what it believes.
fn balancer(layout: Layout, now: &Whereabouts) -> String {
    let [x, w] = BALANCER;
    let bar = Area { x, y: 0.0, w, h: SIZE[1] };
    let mut drawn = bar.tag("rect").set("rx", 4).set("fill", "none").set("stroke", "currentColor").empty();
    for server in &layout.cast.servers {
        let Some(area) = layout.server(*server) else { continue };
        let known = now.servers.get(server).copied().unwrap_or_default();
        let wrong = known.is_dead() != known.believed_down;
        let colour = if wrong { LOSS } else { "currentColor" };
        let port = Tag::new("circle").set("cx", tenth(x + w / 2.0)).set("cy", tenth(area.middle())).set("r", 3.5);
        let fill = if known.believed_down { "none" } else { colour };
        drawn += &port.set("fill", fill).set("stroke", colour).set("stroke-width", "1.5").empty();
        if wrong {
            let text = Tag::new("text").set("x", tenth(x + w + 3.0)).set("y", tenth(area.middle() - 5.0));
            drawn += &text.set("font-size", "12").set("font-weight", "bold").set("fill", LOSS).saying("≠");
        }
    }
    drawn
}

/// A server: its name, its state, and what it holds or should hold.
fn card(layout: Layout, server: ServerId, known: &Server, [missing, no_files]: [Items; 2]) -> String {
    let Some(area) = layout.server(server) else { return String::new() };
    let colour = palette::of_design(layout.cast.design);
    let harmed = known.is_dead() || known.troubled;
    let frame = area.tag("rect").set("rx", 4).set("fill", "none");
    let frame = if harmed {
        frame.set("stroke", LOSS).set("stroke-width", "1.5").set("stroke-dasharray", "4 3")
    } else {
        frame.set("stroke", "currentColor")
    };
    let mut drawn = frame.empty();
    drawn += &heading(layout, server, known, area);
    let below = [area.x + 4.0, area.y + (area.h - icons::SIDE - 1.0).min(16.0)];
    let in_a_row = if layout.cast.store { 3 } else { 7 };
    drawn += &row(known.holds, Look::Filled(colour), below, in_a_row);
    let taken = 13.0 * f64::from(icons::squares(known.holds));
    let ghosts = if known.is_dead() { known.died } else { missing };
    drawn += &row(ghosts, Look::Outlined(LOSS), [below[0] + taken, below[1]], in_a_row);
    drawn += &icons::files(known.files, Look::Filled(colour), below);
    drawn + &icons::files(no_files, Look::Outlined(LOSS), [below[0] + 13.0 * f64::from(known.files.len()), below[1]])
}

/// The name of a server, with a cross if nobody answers, and in words what became of it where there is room for them.
fn heading(layout: Layout, server: ServerId, known: &Server, area: Area) -> String {
    let text = |x: f64| Tag::new("text").set("x", tenth(x)).set("y", tenth(area.y + 12.0)).set("font-size", "10.5");
    let in_full = layout.cast.name(server, true);
    let narrow = layout.cast.store || layout.cast.objects;
    let name = if narrow || in_full.len() > LONGEST { layout.cast.name(server, false) } else { in_full };
    let mut drawn = text(area.x + 4.0).saying(&name);
    if matches!(known.state, Some(ServerState::Down | ServerState::Silent)) {
        #[expect(clippy::cast_precision_loss, reason = "a short name")]
        let after = area.x + 11.0 + 6.2 * name.len() as f64;
        drawn += &cross(after, area.y + 8.0);
    }
    let state = state(known);
    if !narrow && !state.is_empty() {
        drawn += &text(area.x + area.w - 3.0).set("text-anchor", "end").saying(state);
    }
    drawn
}

/// What is written beside a server's name.
fn state(server: &Server) -> &'static str {
    match server.state {
        Some(ServerState::Down) => "dead",
        Some(ServerState::Silent) => "silent",
        Some(ServerState::Booting) => "boots",
        Some(ServerState::Retired) => "gone",
        Some(ServerState::Draining) => "drains",
        Some(ServerState::Terminating) => "leaves",
        Some(ServerState::Up) | None if server.troubled => "ill",
        Some(ServerState::Up) | None => "",
    }
}

fn cross(x: f64, y: f64) -> String {
    let d = format!("M{} {}l7 7m0-7l-7 7", tenth(x - 3.5), tenth(y - 3.5));
    Tag::new("path").set("d", d).set("stroke", LOSS).set("stroke-width", "2.4").set("fill", "none").empty()
}

/// The shared store: a cylinder.
fn store(layout: Layout, now: &Whereabouts, missing: Items) -> String {
    let Area { x, y, w, h } = layout.store();
    let (r, colour) = (w / 2.0, palette::of_design(layout.cast.design));
    let (x0, y0, y1) = (tenth(x), tenth(y), tenth(y + h));
    let d = format!("M{x0} {y0}a{r} 6 0 0 1 {w} 0V{y1}a{r} 6 0 0 1 -{w} 0zM{x0} {y0}a{r} 6 0 0 0 {w} 0");
    let shape = Tag::new("path").set("d", d).set("fill", "none");
    let shape = if now.store_is_down {
        shape.set("stroke", LOSS).set("stroke-width", "1.5").set("stroke-dasharray", "4 3")
    } else {
        shape.set("stroke", "currentColor")
    };
    let words = Tag::new("text").set("x", tenth(x + r)).set("y", tenth(y + 20.0)).set("font-size", "11");
    let words = words.set("text-anchor", "middle");
    let name = if layout.cast.store { "store" } else { "files" };
    let mut drawn = shape.empty() + &words.saying(if now.store_is_down { "down" } else { name });
    if now.store_is_down {
        drawn += &cross(x + r, y + h - 10.0);
    }
    if layout.cast.home == CartHome::SharedStore {
        drawn += &row(now.store, Look::Filled(colour), [x + 5.0, y + 27.0], 2);
        let below = if now.store.is_empty() { 0.0 } else { 13.0 * f64::from(now.store.len().div_ceil(2)) };
        drawn += &row(missing, Look::Outlined(LOSS), [x + 5.0, y + 27.0 + below], 2);
    }
    drawn + &icons::files(now.objects, Look::Filled(colour), [x + 5.0, y + 27.0])
}

/// The way of a request: to servers that failed it, to the one that answered, and on to the store.
fn request(layout: Layout, deed: &Deed) -> String {
    let mut drawn = String::new();
    for server in &deed.tried {
        drawn += &layout
            .way(*server)
            .map_or_else(String::new, |way| path(&way, LOSS, "") + &cross(way[3][0] - 7.0, way[3][1]));
    }
    let colour = if deed.wrong { LOSS } else { palette::of_design(layout.cast.design) };
    if let Some(way) = deed.by.and_then(|by| layout.way(by)) {
        drawn += &path(&way, colour, HEAD);
        if let (1.., Some(area)) = (deed.store_calls, deed.by.and_then(|by| layout.server(by))) {
            let [from, to] = [area.x + area.w, layout.store().x];
            let d = format!("M{} {}H{}{HEAD}", tenth(from), tenth(area.middle()), tenth(to));
            drawn += &line(&d, colour);
        }
    }
    drawn
}

/// The head of an arrow that goes to the right.
const HEAD: &str = "m-6-4 6 4-6 4";

fn path([a, b, c, d]: &[[f64; 2]; 4], colour: &str, head: &str) -> String {
    let at = |[x, y]: &[f64; 2]| format!("{} {}", tenth(*x), tenth(*y));
    line(&format!("M{}L{}M{}L{}{head}", at(a), at(b), at(c), at(d)), colour)
}

fn line(d: &str, colour: &str) -> String {
    Tag::new("path").set("d", d).set("stroke", colour).set("stroke-width", 2).set("fill", "none").empty()
}
