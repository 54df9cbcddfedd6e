//! One user's visit in each design: as a strip of frames, and as a sequence diagram.

use super::section;
use crate::faces::drawing::cast::Cast;
use crate::faces::drawing::sequence::Sequence;
use crate::faces::drawing::strip;
use crate::faces::markup::Tag;
use crate::faces::story::{Line, Tale, tell};
use crate::results::Report;
use crate::scenario::CartHome;

/// The most frames of a strip.
const FRAMES: usize = 9;
/// The frames of all strips, roughly: a report of many designs should be small enough to send.
const IN_ALL: usize = 48;
/// A story needs so many frames, however many designs there are.
const LEAST: usize = 5;

/// The stories of a report; nothing if there are none.
pub(super) fn stories(report: &Report, tales: &[Tale]) -> String {
    let Some(first) = tales.first() else { return String::new() };
    let mut strips = Tag::new("p").saying(
        "Each frame is a request of this user, with its answer, or something that happened meanwhile. From left to right: the \
         user, with everything that was put in the cart; the balancer, with a dot for each server that it takes to be up; \
         the servers and the store, with what each of them has of this cart. Outlines are what is missing.",
    );
    if report.variants.iter().any(|variant| variant.scenario.homes.cart == CartHome::ReplicatedMemory) {
        strips += &Tag::new("p").saying("Copies on other servers are drawn when one of these servers answers.");
    }
    let most = (IN_ALL / tales.len()).clamp(LEAST, FRAMES);
    let mut diagrams = Vec::new();
    for tale in tales {
        let Some(variant) = report.variants.get(tale.design) else { continue };
        let lines: Vec<Line> = tell(variant, &tale.tape, most).lines;
        let cast = Cast::of(variant, tale.user, &lines);
        let id = format!("design-{}", variant.number).replace('.', "-");
        let heading = format!("Design {}: {}", variant.number, variant.name);
        strips += &("\n".to_owned() + &Tag::new("h3").saying(&heading) + "\n");
        if lines.is_empty() {
            strips += &Tag::new("p").saying("This user did not come.");
            continue;
        }
        strips += &Tag::new("div").around(&strip::strip(&id, variant, &tale.tape, &cast, &lines).join("\n"));
        diagrams.push((format!("{id}-sequence"), Sequence::of(&variant.name, &cast, &lines)));
    }
    let height = diagrams.iter().map(|(_, diagram)| diagram.height).max().unwrap_or(0);
    let diagrams: Vec<String> = diagrams.iter().map(|(id, diagram)| diagram.picture(id, height)).collect();
    section(&format!("The story of user {}", first.user.0), &strips)
        + "\n"
        + &section("The same as sequence diagrams", &Tag::new("div").around(&diagrams.join("\n")))
}
