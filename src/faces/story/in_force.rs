//! Faults that last: what a story says about their ends, and which of them explain its beginning.

use std::mem::{Discriminant, discriminant};

use super::{Line, deploys};
use crate::base::ServerId;
use crate::base::time::Instant;
use crate::faces::text::clean;
use crate::faces::timeline::end;
use crate::operations::faults::FaultKind;
use crate::results::{Tape, VariantReport};
use crate::scenario::{StoreFault, Target};

/// All faults that have struck so far and last, in order.
#[derive(Default)]
pub(super) struct InForce {
    faults: Vec<Lasting>,
}

/// A fault that lasts.
struct Lasting {
    fault: u32,
    kind: Discriminant<FaultKind<String, String>>,
    /// The server that it struck, if it was a single one.
    server: Option<ServerId>,
    /// The line that tells it.
    line: Line,
    /// When it should end, and the words for that.
    end: Option<(Instant, String)>,
    /// When it ended; [`Instant::NEVER`] until then.
    until: Instant,
    /// Whether the story has told its end.
    told: bool,
}

impl InForce {
    /// A fault has struck, which this line tells.
    pub(super) fn struck(
        &mut self,
        (fault, server): (u32, Option<ServerId>),
        at: Instant,
        line: &Line,
        variant: &VariantReport,
        tape: &Tape,
    ) {
        let Some(kind) = deploys::known(fault, variant, tape).filter(lasts) else { return };
        let end = end(&kind, &variant.scenario).map(|(after, words)| (at + after, clean(&words)));
        let kind = discriminant(&kind);
        // One that strikes the same server anew replaces the earlier one.
        for earlier in
            self.open().filter(|earlier| server.is_some() && (earlier.server, earlier.kind) == (server, kind))
        {
            (earlier.until, earlier.told) = (at, true);
        }
        let line = line.clone();
        self.faults.push(Lasting { fault, kind, server, line, end, until: Instant::NEVER, told: false });
    }

    /// A server works again: what should have ended about now has ended.
    pub(super) fn ready(&mut self, server: ServerId, at: Instant) {
        let off = |fault: &Lasting| {
            let due = fault.end.as_ref().map_or(Instant::NEVER, |(due, _)| *due);
            due.as_nanos().abs_diff(at.as_nanos())
        };
        if let Some(over) = self.open().filter(|fault| fault.server == Some(server)).min_by_key(|fault| off(fault)) {
            over.until = at;
        }
    }

    /// A deploy is complete.
    pub(super) fn finished(&mut self, fault: u32, at: Instant) {
        self.open().filter(|deploy| deploy.fault == fault).for_each(|deploy| deploy.until = at);
    }

    /// The ends, by this time, of what has struck more than one server. No event says so.
    pub(super) fn ends_by(&mut self, now: Instant) -> Vec<Line> {
        let mut lines = Vec::new();
        for fault in self.open().filter(|fault| fault.server.is_none()) {
            if let Some((due, words)) = fault.end.as_ref().filter(|(due, _)| *due <= now) {
                lines.push(Line::Broke(*due, words.clone()));
                (fault.until, fault.told) = (*due, true);
            }
        }
        lines
    }

    /// The end of what has struck a server, told once: when the server answers this user again.
    pub(super) fn back(&mut self, server: ServerId) -> Option<(Instant, Line)> {
        let over = |fault: &&mut Lasting| fault.server == Some(server) && fault.until < Instant::NEVER && !fault.told;
        let over = self.faults.iter_mut().rev().find(over)?;
        over.told = true;
        let (_, words) = over.end.as_ref()?;
        Some((over.until, Line::Broke(over.until, words.clone())))
    }

    /// Whether what a line tells is still in force at a moment.
    pub(super) fn holds(&self, line: &Line, now: Instant) -> bool {
        self.faults.iter().any(|fault| fault.line == *line && fault.until > now)
    }

    fn open(&mut self) -> impl Iterator<Item = &mut Lasting> {
        self.faults.iter_mut().filter(|fault| fault.until == Instant::NEVER)
    }
}

/// Whether a fault is more than a moment's.
fn lasts(kind: &FaultKind<String, String>) -> bool {
    match (kind, kind.target()) {
        (
            FaultKind::Store { how: StoreFault::Failover | StoreFault::Restart, lasting: None, .. }
            | FaultKind::Revive { .. },
            _,
        ) => false,
        (FaultKind::Deploy(_), _) | (_, Target::Server(_) | Target::Region(_) | Target::Store) => true,
        (_, Target::Pool | Target::Users | Target::Carts) => false,
    }
}
