//! The carts of all users in the memories that hold them: every user has a seat, the same one in every memory.

use std::collections::BTreeSet;

use super::crowd::{Held, Memory};
use super::palette;
use super::scene::{Area, Layout};
use crate::faces::markup::{Tag, tenth};

/// Seats in a row, and rows.
const ACROSS: u32 = 25;
const DOWN: u32 = 12;

/// How many clients share a seat.
#[must_use]
pub fn clients_per_seat(clients: u32) -> u32 {
    clients.div_ceil(ACROSS * DOWN).max(1)
}

/// What every memory in sight holds at this line of a story.
#[must_use]
pub(super) fn seats(layout: Layout, crowd: &[Held], line: usize, per_seat: u32) -> String {
    let colour = palette::of_design(layout.design());
    let Some(held) = crowd.get(line) else { return String::new() };
    let drawn = held.iter().filter_map(|(memory, carts)| {
        let area = match memory {
            Memory::Server(server) => layout.server(*server)?,
            Memory::Store => layout.store(),
        };
        Some(plate(carts, area, per_seat, colour))
    });
    drawn.collect()
}

/// The carts of one memory, on the right of a server's card or at the bottom of the store.
#[must_use]
pub(super) fn plate(carts: &BTreeSet<u32>, area: Area, per_seat: u32, colour: &str) -> String {
    let wide = area.w > area.h;
    let [x, y, w, h] = if wide {
        [area.x + area.w - 38.0, area.y + 3.0, 35.0, area.h - 6.0]
    } else {
        [area.x + 3.0, area.y + 54.0, area.w - 6.0, area.h - 60.0]
    };
    let (column, row) = (w / f64::from(ACROSS), h / f64::from(DOWN));
    let taken: BTreeSet<u32> = carts.iter().map(|client| (client / per_seat).min(ACROSS * DOWN - 1)).collect();
    let seat = |seat: &u32| {
        let (across, down) = (f64::from(seat % ACROSS), f64::from(seat / ACROSS));
        format!("M{} {}h{}", tenth(x + across * column), tenth(y + (down + 0.5) * row), tenth(column * 0.75))
    };
    let places: String = taken.iter().map(seat).collect();
    if places.is_empty() {
        return places;
    }
    let path = Tag::new("path").set("d", places).set("stroke", colour).set("stroke-width", tenth(row * 0.75));
    path.set("stroke-opacity", "0.55").empty()
}
