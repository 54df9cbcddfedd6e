//! What lies in a cart, as small pictures.

use crate::base::{Item, Items};
use crate::faces::markup::{Tag, tenth};

/// The side of an item's square.
pub const SIDE: f64 = 12.0;

/// More items than this are a number.
const MOST: u32 = 6;

/// The first items of a journey have shapes of their own; the others are boxes. All are drawn in 16 by 16.
const SHAPES: [(&str, &str); 3] = [
    (
        "M2.5 3.5h8v7a2 2 0 0 1-2 2h-4a2 2 0 0 1-2-2z",
        "M10.5 5.5h1.2a1.8 1.8 0 0 1 1.8 1.8v.4a1.8 1.8 0 0 1-1.8 1.8h-1.2",
    ),
    ("M5.6 2h4.8l3 6.4H2.6z", "M8 8v5.4M4.8 13.6h6.4"),
    ("m11.2 1.8 3 3-8 8-3.9.9.9-3.9z", ""),
];
const BOX: (&str, &str) = ("M2.5 5 8 2l5.5 3v6L8 14l-5.5-3z", "");
const SHEET: (&str, &str) = ("M3.5 1.5h6l3 3v10h-9z", "");

/// The names of the shapes in a document.
const NAMES: [&str; 5] = ["mug", "lamp", "pen", "box", FILE];
const FILE: &str = "file";

/// A person, in 36 by 36.
const PERSON: &str = "M11.5 12a6.5 6.5 0 1 0 13 0 6.5 6.5 0 1 0-13 0zM5 34c0-18 26-18 26 0z";

/// A person, from the top left corner.
#[must_use]
pub fn person() -> String {
    Tag::new("use").set("href", "#user").empty()
}

/// The shapes, to be defined once in a document that uses them.
#[must_use]
pub fn defined() -> String {
    let shapes = SHAPES.iter().chain([&BOX, &SHEET]).zip(NAMES);
    let shape = |((body, line), name): (&(&str, &str), &str)| {
        let mut inside = Tag::new("path").set("d", body).empty();
        if !line.is_empty() {
            inside += &Tag::new("path").set("d", line).set("fill", "none").set("stroke-width", "1.5").empty();
        }
        Tag::new("g").set("id", name).around(&inside)
    };
    let person = Tag::new("path").set("id", "user").set("d", PERSON).empty();
    Tag::new("defs").around(&(shapes.map(shape).collect::<String>() + &person))
}

/// How items are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// There, in this colour.
    Filled(&'static str),
    /// Missing: only an outline, in this colour.
    Outlined(&'static str),
}

/// The number of squares that items take in a row.
#[must_use]
pub fn squares(items: Items) -> u32 {
    if items.len() > MOST { 3 } else { items.len() }
}

/// Items from left to right, in rows of at most `in_a_row`, from the top left corner. Of many items only the number is
/// shown.
#[must_use]
pub fn row(items: Items, look: Look, [x, y]: [f64; 2], in_a_row: usize) -> String {
    if items.is_empty() {
        return String::new();
    }
    if items.len() > MOST {
        let words = format!("{} items", items.len());
        let text = Tag::new("text").set("x", tenth(x)).set("y", tenth(y + 10.0)).set("font-size", "11");
        return text.saying(&words);
    }
    let at = |place: usize| {
        let (column, row) = (place % in_a_row.max(1), place / in_a_row.max(1));
        #[expect(clippy::cast_precision_loss, reason = "a few items")]
        [x + column as f64 * (SIDE + 1.0), y + row as f64 * (SIDE + 1.0)]
    };
    group(look).around(&items.iter().enumerate().map(|(place, item)| one(item, at(place))).collect::<String>())
}

fn group(look: Look) -> Tag {
    let (Look::Filled(colour) | Look::Outlined(colour)) = look;
    let group = Tag::new("g").set("stroke", colour);
    match look {
        Look::Filled(_) => group.set("fill", colour),
        Look::Outlined(_) => group.set("fill", "none").set("stroke-width", "1.4").set("stroke-dasharray", "2.2 1.2"),
    }
}

/// Files from left to right, from the top left corner.
#[must_use]
pub fn files(files: Items, look: Look, [x, y]: [f64; 2]) -> String {
    // A set of files is numbered like a set of items; all look the same.
    let same: String =
        (0..files.len().min(MOST)).map(|place| shape(FILE, [x + f64::from(place) * (SIDE + 1.0), y])).collect();
    if files.is_empty() { same } else { group(look).around(&same) }
}

fn one(item: Item, [x, y]: [f64; 2]) -> String {
    shape(NAMES[(usize::from(item.number()) - 1).min(NAMES.len() - 2)], [x, y])
}

fn shape(name: &str, [x, y]: [f64; 2]) -> String {
    let place = format!("translate({} {}) scale(.75)", tenth(x), tenth(y));
    Tag::new("use").set("href", format!("#{name}")).set("transform", place).empty()
}
