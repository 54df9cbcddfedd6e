//! Random histories of a shop that is correct by construction, or that lies when told to.
//!
//! The shop has one basket and one order per visit. It may execute a request at any time after it was sent, even after
//! its user has given up. A visit may have several requests in flight. A case is a list of small moves, so that a
//! failing one shrinks to a few.

use proptest::prelude::*;
use whatcart::base::time::{Instant, Span};
use whatcart::base::{ClientId, Command, Items, Outcome, Refusal, Reply, UserId, Visit};
use whatcart::history::{AbandonReason, Ending, Event, EventKind, Request, Seen};

use super::item;

/// How many people shop at the same time.
const SHOPPERS: u8 = 3;
/// Items are numbered from 1 to this.
const ITEMS: u8 = 6;

/// Something that happens to one shopper. Numbers select from whatever is available.
#[derive(Clone, Copy, Debug)]
pub enum Move {
    Add(u8),
    Remove(u8),
    View,
    Checkout,
    Browse,
    Forge,
    Replay,
    /// The shop executes a request, perhaps one whose user has gone.
    Execute(u8),
    /// A request is answered, after being executed if it was not yet.
    Answer(u8),
    /// Its connection breaks; it may still be executed later.
    Lose(u8),
    /// Its user gives up; it may still be executed later.
    TimeOut(u8),
    /// The shop refuses a request that it has not executed.
    Refuse(u8),
    /// 401 for a request that it has not executed.
    LogOut(u8),
    /// The next answer with content has these items wrong; or the next one without content was not executed.
    Lie(u8),
    /// The visit ends.
    Leave,
    /// The visit is given up.
    GiveUp,
}

/// What shoppers and the shop may do.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Whether requests for the same item, several views and several checkouts may be in flight at once.
    pub tangled: bool,
    /// Whether the shop may lie.
    pub lies: bool,
}

/// Lists of moves: which shopper, and what happens.
pub fn moves(longest: usize) -> impl Strategy<Value = Vec<(u8, Move)>> {
    let number = 0u8..16;
    let one = prop_oneof![
        8 => number.clone().prop_map(Move::Add),
        3 => number.clone().prop_map(Move::Remove),
        4 => Just(Move::View),
        3 => Just(Move::Checkout),
        1 => Just(Move::Browse),
        1 => Just(Move::Forge),
        1 => Just(Move::Replay),
        5 => number.clone().prop_map(Move::Execute),
        14 => number.clone().prop_map(Move::Answer),
        2 => number.clone().prop_map(Move::Lose),
        2 => number.clone().prop_map(Move::TimeOut),
        2 => number.clone().prop_map(Move::Refuse),
        1 => number.prop_map(Move::LogOut),
        2 => any::<u8>().prop_map(Move::Lie),
        1 => Just(Move::Leave),
        1 => Just(Move::GiveUp),
    ];
    prop::collection::vec((0..SHOPPERS, one), 1..longest)
}

/// The events that result from these moves.
pub fn play(moves: &[(u8, Move)], rules: Rules) -> Vec<Event> {
    let mut shoppers: Vec<Shopper> = (0..SHOPPERS).map(|who| Shopper::new(who, rules)).collect();
    let mut tape = Tape::default();
    for (who, what) in moves {
        shoppers[usize::from(*who)].make(*what, &mut tape);
    }
    for shopper in &mut shoppers {
        shopper.leave(Ending::Finished, &mut tape);
    }
    tape.events
}

#[derive(Default)]
struct Tape {
    events: Vec<Event>,
}

impl Tape {
    fn now(&self) -> Instant {
        Instant::ZERO + Span::from_millis(self.events.len() as u64)
    }

    fn seen(&mut self, visit: Visit, seen: Seen) {
        self.events.push(Event { at: self.now(), what: EventKind::Seen(visit, seen) });
    }
}

/// A request, from when it is sent until the end of the visit.
#[derive(Clone, Copy)]
struct Flight {
    request: Request,
    sent: Instant,
    done: Option<Reply>,
    /// Whether it was refused, so that it will never be executed.
    refused: bool,
    told: Option<Outcome>,
}

struct Shopper {
    rules: Rules,
    visit: Visit,
    inside: bool,
    flights: Vec<Flight>,
    basket: Items,
    order: Option<Items>,
    lie: Option<u8>,
}

impl Shopper {
    fn new(who: u8, rules: Rules) -> Shopper {
        let who = u32::from(who);
        let visit = Visit { user: UserId(who + 1), client: ClientId(who), number: 0 };
        Shopper { rules, visit, inside: false, flights: Vec::new(), basket: Items::NONE, order: None, lie: None }
    }

    fn make(&mut self, what: Move, tape: &mut Tape) {
        match what {
            Move::Add(n) => self.send(Command::Add(item(1 + n % ITEMS)), tape),
            Move::Remove(n) => self.send(Command::Remove(item(1 + n % ITEMS)), tape),
            Move::View => self.send(Command::View, tape),
            Move::Checkout => self.send(Command::Checkout, tape),
            Move::Browse => self.send(Command::Browse, tape),
            Move::Forge => self.send(Command::ForgeSession, tape),
            Move::Replay => self.send(Command::ReplayToken, tape),
            Move::Execute(n) => {
                if let Some(i) = self.choose(n, |f| f.done.is_none() && !f.refused) {
                    self.execute(i, tape);
                }
            }
            Move::Answer(n) => {
                if let Some(i) = self.choose(n, |f| f.told.is_none()) {
                    self.answer(i, tape);
                }
            }
            Move::Lose(n) => self.disappoint(n, Outcome::Failed, tape),
            Move::TimeOut(n) => self.disappoint(n, Outcome::TimedOut, tape),
            Move::Refuse(n) => self.refuse(n, Refusal::QueueFull, tape),
            Move::LogOut(n) => self.refuse(n, Refusal::Unauthorized, tape),
            Move::Lie(mask) if self.rules.lies => self.lie = Some(mask),
            Move::Lie(_) => {}
            Move::Leave => self.leave(Ending::Finished, tape),
            Move::GiveUp => self.leave(Ending::GaveUp(AbandonReason::Unknown), tape),
        }
    }

    fn choose(&self, n: u8, wanted: impl Fn(&Flight) -> bool) -> Option<usize> {
        let there: Vec<usize> = (0..self.flights.len()).filter(|i| wanted(&self.flights[*i])).collect();
        there.get(usize::from(n) % there.len().max(1)).copied()
    }

    fn send(&mut self, command: Command, tape: &mut Tape) {
        if !self.may_send(command) {
            return;
        }
        if !self.inside {
            self.inside = true;
            self.visit.number += 1;
            tape.seen(self.visit, Seen::Began);
        }
        let step = u16::try_from(self.flights.len()).expect("few requests");
        let request = Request { step, attempt: 0, command };
        self.flights.push(Flight { request, sent: tape.now(), done: None, refused: false, told: None });
        tape.seen(self.visit, Seen::Sent(request));
    }

    /// No journey touches the cart after checkout. Orderly shoppers wait for an answer about an item before they send
    /// another request about it, and only ask for what makes sense.
    fn may_send(&self, command: Command) -> bool {
        let charged = |f: &Flight| matches!(f.told, Some(Outcome::Ok(Reply::Charged(_))));
        let changes = |command| matches!(command, Command::Add(_) | Command::Remove(_));
        if changes(command) && self.flights.iter().any(charged) {
            return false;
        }
        if self.rules.tangled {
            return true;
        }
        let last_ok = |wanted: Command| {
            self.flights.iter().rposition(|f| f.request.command == wanted && matches!(f.told, Some(Outcome::Ok(_))))
        };
        let out = |wanted: Command| self.flights.iter().any(|f| f.request.command == wanted && f.told.is_none());
        let last_add = |item| {
            let there = |f: &Flight| f.request.command == Command::Add(item) && !f.refused;
            self.flights.iter().rposition(there)
        };
        match command {
            Command::Add(item) | Command::Remove(item) if out(Command::Add(item)) || out(Command::Remove(item)) => {
                false
            }
            Command::Add(item) => {
                last_ok(Command::Add(item)).is_none_or(|add| last_ok(Command::Remove(item)).is_some_and(|r| r > add))
            }
            Command::Remove(item) => {
                last_add(item).is_some_and(|add| last_ok(Command::Remove(item)).is_none_or(|remove| remove < add))
            }
            Command::View | Command::Checkout => !out(command),
            _ => true,
        }
    }

    fn execute(&mut self, i: usize, tape: &mut Tape) {
        let reply = match self.flights[i].request.command {
            Command::Add(item) => {
                self.basket = self.basket.with(item);
                Reply::Done
            }
            Command::Remove(item) => {
                self.basket = self.basket.without(item);
                Reply::Done
            }
            Command::View => Reply::Cart(self.basket),
            Command::Checkout => Reply::Charged(self.charge(tape)),
            Command::Login
            | Command::Browse
            | Command::Logout
            | Command::ForgeSession
            | Command::ReplayToken
            | Command::Upload(_)
            | Command::Download(_) => Reply::Done,
        };
        self.flights[i].done = Some(reply);
    }

    fn charge(&mut self, tape: &mut Tape) -> Items {
        if let Some(before) = self.order {
            return before;
        }
        tape.seen(self.visit, Seen::Billed(self.basket));
        self.order = Some(self.basket);
        std::mem::take(&mut self.basket)
    }

    fn answer(&mut self, i: usize, tape: &mut Tape) {
        let lie = self.lie.take();
        let touches = matches!(self.flights[i].request.command, Command::Add(_) | Command::Remove(_));
        if self.flights[i].done.is_none() && !(touches && lie.is_some()) {
            self.execute(i, tape);
        }
        let wrong = u64::from(lie.unwrap_or(0) & ((1 << (ITEMS + 1)) - 1));
        let is_impostor = matches!(self.flights[i].request.command, Command::ForgeSession | Command::ReplayToken);
        let outcome = match self.flights[i].done {
            Some(_) if is_impostor && lie.is_none() => Outcome::Refused(Refusal::Unauthorized),
            Some(Reply::Cart(items)) => Outcome::Ok(Reply::Cart(Items(items.0 ^ wrong))),
            Some(Reply::Charged(items)) => Outcome::Ok(Reply::Charged(Items(items.0 ^ wrong))),
            Some(Reply::Done | Reply::Page(_)) | None => Outcome::Ok(Reply::Done),
        };
        self.flights[i].refused |= self.flights[i].done.is_none();
        self.tell(i, outcome, tape);
    }

    fn disappoint(&mut self, n: u8, outcome: Outcome, tape: &mut Tape) {
        if let Some(i) = self.choose(n, |f| f.told.is_none()) {
            self.tell(i, outcome, tape);
        }
    }

    fn refuse(&mut self, n: u8, refusal: Refusal, tape: &mut Tape) {
        if let Some(i) = self.choose(n, |f| f.told.is_none() && f.done.is_none()) {
            self.flights[i].refused = true;
            self.tell(i, Outcome::Refused(refusal), tape);
        }
    }

    fn tell(&mut self, i: usize, outcome: Outcome, tape: &mut Tape) {
        let Flight { request, sent, .. } = self.flights[i];
        self.flights[i].told = Some(outcome);
        tape.seen(self.visit, Seen::Told { request, sent, meant: sent, outcome, settled: true });
    }

    fn leave(&mut self, ending: Ending, tape: &mut Tape) {
        if !self.inside {
            return;
        }
        while let Some(i) = self.choose(0, |f| f.told.is_none()) {
            self.tell(i, Outcome::TimedOut, tape);
        }
        tape.seen(self.visit, Seen::Left(ending));
        self.inside = false;
        self.flights.clear();
        self.basket = Items::NONE;
        self.order = None;
        self.lie = None;
    }
}
