//! For each cause of loss, two requests that prove it: the one whose effect was acknowledged, and the one that did not
//! find it.

use crate::base::time::Instant;
use crate::base::words::clock_tenths;
use crate::base::{Command, Item, Items, Outcome, Reply, ServerId, Visit};
use crate::faces::text::{Block, Page, Side, Tone, beside, lines, paint, width};
use crate::history::{EventKind, Inside, PoolEvent, Seen, Served};
use crate::judging::post_mortem::cause_of;
use crate::results::{Cause, HurtBy, Report, RunReport, Tape};
use crate::scenario::DesignNumber;

/// One proof for each cause by which any design lost a cart, from the first run of the first design with that cause.
/// `replay` returns the tape of a visit up to a moment, given the variant's index, the run, the visit and the moment.
#[must_use]
pub fn proofs(report: &Report, page: Page, replay: impl Fn(usize, &RunReport, Visit, Instant) -> Tape) -> String {
    let mut text = String::new();
    for cause in Cause::ALL {
        let hurt = report.variants.iter().enumerate().find_map(|(at, variant)| {
            let run = variant.runs.first()?;
            let hurt = run.hurt.iter().find(|hurt| hurt.how == HurtBy::Lost(cause))?;
            Some((at, run, hurt))
        });
        let Some((at, run, hurt)) = hurt else { continue };
        let tape = replay(at, run, hurt.visit, hurt.ended);
        if let Some(proof) = Proof::of(&tape, hurt.visit, cause) {
            text += "\n";
            text += &proof.draw(report.variants[at].number, page);
        }
    }
    match text.is_empty() {
        true if report.interrupted => "\nNo cart had been lost when this was interrupted.\n".into(),
        true => "\nNo cart was lost: there is nothing to explain.\n".into(),
        false => text,
    }
}

/// Two requests of one visit, and what happened in between.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    /// Why the item was missing.
    pub cause: Cause,
    /// The visit.
    pub visit: Visit,
    /// The item.
    pub item: Item,
    /// When the add was acknowledged, and how it was served.
    pub added: (Instant, Served),
    /// When the checkout was served, and how.
    pub charged: (Instant, Served),
    /// What it charged.
    pub items: Items,
    /// When a fault ended the process that had the item, if that is the cause.
    pub ended: Option<(Instant, Option<ServerId>)>,
}

impl Proof {
    /// The proof in a visit's tape that it lost an item by this cause; `None` if it did not.
    #[must_use]
    pub fn of(tape: &Tape, visit: Visit, cause: Cause) -> Option<Proof> {
        let (items, charged) = checkout(tape, visit)?;
        let evidence = charged.1.evidence;
        let lost = acknowledged(tape, visit).minus(items);
        let item = lost.iter().find(|item| cause_of(Items::of(*item), &evidence) == cause)?;
        let added = last_served(tape, visit, |command| command == Command::Add(item))?;
        let ended = evidence.killed_by.filter(|_| cause == Cause::Wiped).and_then(|fault| struck(tape, fault));
        Some(Proof { cause, visit, item, added, charged, items, ended })
    }

    /// Draws the two requests and an explanatory sentence.
    #[must_use]
    pub fn draw(&self, design: DesignNumber, page: Page) -> String {
        let Proof { cause, visit, item, added, charged, items, .. } = self;
        let title = format!("{}: user {} in design {design}", word(*cause), visit.user.0);
        let line = |(at, served): &(Instant, Served), did: &str, answer: &str| {
            let Served { server, process, .. } = served;
            let time = clock_tenths(at.since_start());
            let whence = format!("{server} (process {})", process.0 + 1);
            let before = 3 + width(&time) + 2 + 12 + 1 + width(&whence) + 2;
            let room = page.columns().saturating_sub(before).max(8);
            beside(&[
                Block::new(3, width(&time), Side::Left, vec![time]),
                Block::new(2, 12, Side::Left, vec![did.into()]),
                Block::new(1, width(&whence), Side::Left, vec![whence]),
                Block::new(2, room, Side::Left, lines(answer, room)),
            ])
        };
        let held = format!("acknowledged; the cart: {}", added.1.cart);
        let told = if items.is_empty() { "charged nothing".into() } else { format!("charged {items}") };
        format!("{}\n", paint(Tone::Strong, &title))
            + &line(added, &format!("adds {item}"), &held)
            + &line(charged, "checks out", &format!("{told}; the {item} is missing"))
            + &page.wrap("   ", &self.sentence())
    }

    fn sentence(&self) -> String {
        let Proof { item, added, charged, ended, .. } = self;
        let (holder, asked) = (added.1.server, charged.1.server);
        match self.cause {
            Cause::Split => format!(
                "The {item} is in another server's memory, and {asked} answered: it never heard of it, and read another cart."
            ),
            Cause::Wiped => match ended {
                Some((at, _)) => format!(
                    "The {item} was in the memory of a process of {holder} that ended at {}; nobody else had it.",
                    clock_tenths(at.since_start())
                ),
                None => format!("The {item} was in a memory that is gone; nobody else had it."),
            },
            Cause::Overwritten => format!(
                "Between the two another request of this visit wrote back an older copy of the cart, without the {item}."
            ),
            Cause::Expired => format!("What held the {item} had been kept for its time, and was no longer accepted."),
            Cause::Evicted => format!("The store was full, and threw out the cart with the {item} to make room."),
            Cause::RolledBack => {
                format!("The store failed over between the two, and its successor had not heard of the {item} yet.")
            }
            Cause::Stale => {
                format!("{asked} answered from an older copy of the cart, from before the {item} was added.")
            }
            Cause::Unexplained => "Nothing explains it: a defect of the simulator.".into(),
        }
    }
}

/// The title of a cause's proof.
fn word(cause: Cause) -> &'static str {
    match cause {
        Cause::RolledBack => "Rolled back",
        Cause::Evicted => "Evicted",
        Cause::Expired => "Expired",
        Cause::Overwritten => "Overwritten",
        Cause::Wiped => "Wiped",
        Cause::Stale => "Stale",
        Cause::Split => "Split",
        Cause::Unexplained => "Unexplained",
    }
}

/// The acknowledged adds that were not removed afterwards.
fn acknowledged(tape: &Tape, visit: Visit) -> Items {
    let mut items = Items::NONE;
    for event in &tape.events {
        if let EventKind::Seen(whose, Seen::Told { request, outcome: Outcome::Ok(_), .. }) = event.what
            && whose == visit
        {
            match request.command {
                Command::Add(item) => items = items.with(item),
                Command::Remove(item) => items = items.without(item),
                _ => {}
            }
        }
    }
    items
}

/// The charge that the user was told, and the request that was served for it.
fn checkout(tape: &Tape, visit: Visit) -> Option<(Items, (Instant, Served))> {
    let charged = tape.events.iter().find_map(|event| match event.what {
        EventKind::Seen(whose, Seen::Told { outcome: Outcome::Ok(Reply::Charged(items)), .. }) if whose == visit => {
            Some(items)
        }
        _ => None,
    })?;
    let first = tape
        .events
        .iter()
        .find_map(|event| served(event.what, visit, event.at, |command| command == Command::Checkout))?;
    Some((charged, first))
}

fn last_served(tape: &Tape, visit: Visit, which: impl Fn(Command) -> bool) -> Option<(Instant, Served)> {
    tape.events.iter().rev().find_map(|event| served(event.what, visit, event.at, &which))
}

fn served(what: EventKind, visit: Visit, at: Instant, which: impl Fn(Command) -> bool) -> Option<(Instant, Served)> {
    match what {
        EventKind::Inside(whose, Inside::Served(served))
            if whose == visit && which(served.request.command) && served.knew_cart.is_some() =>
        {
            Some((at, served))
        }
        _ => None,
    }
}

fn struck(tape: &Tape, wanted: u32) -> Option<(Instant, Option<ServerId>)> {
    tape.events.iter().find_map(|event| match event.what {
        EventKind::Pool(PoolEvent::Struck { fault, server, .. }) if fault == wanted => Some((event.at, server)),
        _ => None,
    })
}
