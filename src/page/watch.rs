//! Follows a session: what happened in a slice of time, from its events and from what is different after it.

use std::collections::BTreeMap;

use super::happening::{About, Happening, What};
use super::keyframe::{StoreRow, UserRow, server_rows};
use super::moment::Moment;
use super::requests;
use super::tally::{Tally, is_gone, why_gone};
use super::units::{ItemSet, Place, Seconds};
use super::words;
use crate::base::time::Instant;
use crate::base::{ClientId, Command, Items, ServerId, UserId, Visit};
use crate::history::{Event, EventKind, Evidence, Inside, PoolEvent, Seen};
use crate::judging::post_mortem::{Cause, first_cause};
use crate::live::Session;
use crate::sim::snapshot::{ClientSnapshot, Doing, Holder};

/// Follows a session.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    before: Moment,
    after: Moment,
    tally: Tally,
    checkouts: BTreeMap<Visit, Evidence>,
    /// Whether everybody had left.
    over: bool,
}

/// One slice of time: its events, and how a client's changes are dated.
struct Slice<'a> {
    events: &'a [Event],
    /// The last event of each client.
    of_client: BTreeMap<ClientId, Instant>,
    /// When servers last lost their memory.
    of_server: BTreeMap<ServerId, Instant>,
    end: Instant,
}

impl Slice<'_> {
    fn of(events: &[Event], end: Instant) -> Slice<'_> {
        let (mut of_client, mut of_server) = (BTreeMap::new(), BTreeMap::new());
        for event in events {
            match event.what {
                EventKind::Seen(visit, _) | EventKind::Inside(visit, _) => {
                    of_client.insert(visit.client, event.at);
                }
                EventKind::Pool(PoolEvent::Struck { server: Some(server), .. } | PoolEvent::Stopped { server, .. }) => {
                    of_server.insert(server, event.at);
                }
                EventKind::Pool(_) => {}
            }
        }
        Slice { events, of_client, of_server, end }
    }

    fn when(&self, client: ClientId) -> Instant {
        self.of_client.get(&client).copied().unwrap_or(self.end)
    }

    /// When a place changed what it holds of a client's cart.
    fn when_at(&self, holder: Holder, client: ClientId) -> Instant {
        let died = if let Holder::Server(server) = holder { self.of_server.get(&server).copied() } else { None };
        died.unwrap_or_else(|| self.when(client))
    }

    /// When an item ceased to exist.
    fn when_gone(&self, client: ClientId) -> Instant {
        self.of_server.values().next_back().copied().unwrap_or_else(|| self.when(client))
    }
}

impl Watch {
    /// A watch that begins here.
    pub fn begin(session: &Session) -> Watch {
        let mut watch = Watch::default();
        watch.before.take(session);
        watch.tally = Tally::of(session, &watch.before);
        watch.checkouts = checkouts(session, &watch.before);
        watch.over = session.is_over();
        watch
    }

    /// What is there at this moment.
    pub fn moment(&self) -> &Moment {
        &self.before
    }

    /// Carts by what has become of them.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// What has happened since the last look. `events` are those of this slice. With `single` seats, also what single
    /// requests and users did.
    pub fn look(&mut self, session: &mut Session, events: &[Event], followed: UserId, single: bool) -> Vec<Happening> {
        self.after.take(session);
        let slice = Slice::of(events, session.now());
        let mut found = Vec::new();
        if single {
            requests::tell(events, &self.before.snapshot, &self.after.snapshot, &mut found);
            self.holdings(&slice, &mut found);
        }
        let gone = self.users(session, &slice, single, &mut found);
        self.places(&slice, &mut found);
        self.verdicts(session, &slice, single, &mut found);
        self.pool(session, &slice, gone, &mut found);
        if single {
            deeds(session, events, followed, &mut found);
        }
        self.tallied(session, &mut found);
        found.sort_by_key(|happening| happening.t);
        self.checkouts = checkouts(session, &self.after);
        std::mem::swap(&mut self.before, &mut self.after);
        found
    }

    /// What places hold.
    fn holdings(&self, slice: &Slice, found: &mut Vec<Happening>) {
        let held = |moment: &Moment| -> BTreeMap<(Holder, ClientId), Items> {
            moment.held.iter().map(|(holder, client, items)| ((*holder, *client), *items)).collect()
        };
        let (before, after) = (held(&self.before), held(&self.after));
        let went = before.keys().filter(|key| !after.contains_key(key)).map(|key| (*key, Items::NONE));
        let changed =
            after.iter().filter(|(key, items)| before.get(key) != Some(items)).map(|(key, items)| (*key, *items));
        for ((holder, client), items) in went.chain(changed) {
            let what = What::Holds { place: Place(holder), client: client.0, items: ItemSet(items) };
            found.push(Happening { t: Seconds(slice.when_at(holder, client)), what });
        }
    }

    /// What users do and believe; returns how many of their carts have newly lost something for good.
    fn users(&self, session: &Session, slice: &Slice, single: bool, found: &mut Vec<Happening>) -> u32 {
        let mut gone = 0;
        for (at, after) in self.after.snapshot.clients.iter().enumerate() {
            let before = self.before.snapshot.clients.get(at);
            if newly_gone(before, after) {
                gone += 1;
                if single {
                    let items = ItemSet(after.cart.minus(after.exists));
                    let cause = why_gone(session, after).name();
                    let what = What::Gone { client: after.client.0, items, cause };
                    found.push(Happening { t: Seconds(slice.when_gone(after.client)), what });
                }
            }
            if single && before != Some(after) {
                let what = What::User { row: UserRow(*after) };
                found.push(Happening { t: Seconds(slice.when(after.client)), what });
            }
        }
        gone
    }

    /// Servers and the store.
    fn places(&self, slice: &Slice, found: &mut Vec<Happening>) {
        let before = server_rows(&self.before);
        for (at, row) in server_rows(&self.after).into_iter().enumerate() {
            let known = before.get(at);
            if known == Some(&row) {
                continue;
            }
            let server = u32::try_from(at).expect("servers have 32 bits");
            let t = Seconds(slice.of_server.get(&ServerId(server)).copied().unwrap_or(slice.end));
            let what = match known.filter(|known| known.is_like(&row)) {
                Some(_) => What::Load { server, load: row.load },
                None => What::Server { row },
            };
            found.push(Happening { t, what });
        }
        let row = StoreRow::of(&self.after);
        if row != StoreRow::of(&self.before) {
            found.push(Happening { t: Seconds(slice.end), what: What::Store { row } });
        }
    }

    /// Checkouts that were answered with less than their users had put into their carts.
    fn verdicts(&self, session: &Session, slice: &Slice, single: bool, found: &mut Vec<Happening>) {
        let so_far = session.observer().post_mortem.lost_by();
        for (cause, lost) in Cause::ALL.into_iter().zip(so_far) {
            let before = self.tally.lost_by.get(cause.name()).copied().unwrap_or(0);
            if before == 0 && lost > 0 {
                let what = What::Say { about: About::Loss, text: words::first_loss(cause) };
                found.push(Happening { t: Seconds(slice.end), what });
            }
        }
        if single {
            lost(slice.events, &self.before, &self.checkouts, found);
        }
    }

    fn pool(&self, session: &Session, slice: &Slice, gone: u32, found: &mut Vec<Happening>) {
        let faults = if slice.events.iter().any(is_strike) { session.faults() } else { Vec::new() };
        let process =
            |moment: &Moment, of: ServerId| moment.snapshot.servers.get(of.index()).map(|server| server.process);
        for event in slice.events {
            let EventKind::Pool(pool) = event.what else { continue };
            let t = Seconds(event.at);
            if let PoolEvent::Struck { fault, server, memory_lost } = pool {
                found.push(Happening { t, what: What::Struck { fault } });
                let text = words::struck(faults.get(fault as usize), server, memory_lost, gone);
                found.push(Happening { t, what: What::Say { about: About::Fault, text } });
                continue;
            }
            let empty = match pool {
                PoolEvent::Ready { server } => process(&self.before, server) != process(&self.after, server),
                _ => false,
            };
            let about = if matches!(
                pool,
                PoolEvent::Believed { .. } | PoolEvent::Ejected { .. } | PoolEvent::Readmitted { .. }
            ) {
                About::Belief
            } else {
                About::Pool
            };
            if let Some(text) = words::pool(pool, self.after.serverless, empty, gone) {
                found.push(Happening { t, what: What::Say { about, text } });
            }
        }
    }

    fn tallied(&mut self, session: &Session, found: &mut Vec<Happening>) {
        let t = Seconds(session.now());
        let tally = Tally::of(session, &self.after);
        if tally != self.tally {
            found.push(Happening { t, what: What::Tally { tally: tally.clone() } });
            self.tally = tally;
        }
        if session.is_over() && !self.over {
            let text = words::end(self.tally.lost, self.tally.opened);
            found.push(Happening { t, what: What::Say { about: About::End, text } });
        }
        self.over = session.is_over();
    }
}

/// Whether items of this client's cart exist no longer that existed before.
fn newly_gone(before: Option<&ClientSnapshot>, after: &ClientSnapshot) -> bool {
    let same_visit =
        |before: &&ClientSnapshot| before.visit == after.visit && !matches!(before.doing, Doing::Away { .. });
    let was_gone = before.filter(same_visit).is_some_and(is_gone);
    is_gone(after) && !was_gone
}

fn is_strike(event: &Event) -> bool {
    matches!(event.what, EventKind::Pool(PoolEvent::Struck { .. }))
}

/// Checkouts with something missing. The cause is that of the evidence taken when they were served, `under_way` before.
fn lost(events: &[Event], before: &Moment, under_way: &BTreeMap<Visit, Evidence>, found: &mut Vec<Happening>) {
    let mut charges = requests::Charges::of(&before.snapshot.clients);
    let mut served = under_way.clone();
    for event in events {
        match event.what {
            EventKind::Inside(visit, Inside::Served(done))
                if done.request.command == Command::Checkout && done.evidence != Evidence::default() =>
            {
                served.entry(visit).or_insert(done.evidence);
            }
            EventKind::Seen(visit, Seen::Told { request, outcome, .. }) => {
                let Some(missing) = charges.told(visit, request.command, outcome) else { continue };
                let evidence = served.get(&visit).copied().unwrap_or_default();
                let (items, cause) = (ItemSet(missing), first_cause(missing, &evidence).name());
                let what = What::Lost { client: visit.client.0, items, cause };
                found.push(Happening { t: Seconds(event.at), what });
            }
            _ => {}
        }
    }
}

/// The evidence of checkouts that were served and whose users have not been told yet.
fn checkouts(session: &Session, moment: &Moment) -> BTreeMap<Visit, Evidence> {
    let of = moment.snapshot.requests.iter().filter(|request| request.command == Command::Checkout);
    let evidence = |visit| session.observer().post_mortem.evidence(visit);
    of.filter_map(|request| Some((request.visit, evidence(request.visit)?))).collect()
}

/// What the followed user was told, in words.
fn deeds(session: &mut Session, events: &[Event], followed: UserId, found: &mut Vec<Happening>) {
    let told =
        |event: &&Event| matches!(event.what, EventKind::Seen(visit, Seen::Told { .. }) if visit.user == followed);
    let Some(event) = events.iter().rev().find(told) else { return };
    let Some(film) = session.film(followed) else { return };
    let Some(deed) = words::last_deed(&film) else { return };
    let what = What::Say { about: About::User, text: words::deed(followed.0, deed) };
    found.push(Happening { t: Seconds(event.at), what });
}
