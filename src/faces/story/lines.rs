//! Turns the events of a visit into the lines of a story.

use std::collections::BTreeSet;

use super::concurrent_group::ConcurrentGroup;
use super::in_force::InForce;
use super::newest_cart::{Change, NewestCart};
use super::shortening::{TRIES_ANOTHER, shortened, trim_beginning, went_wrong};
use super::{Deed, Line, Mark, Story, Stranger, broke, deploys};
use crate::base::time::{Instant, NANOS_PER_SEC, Span};
use crate::base::words::{count, plural, span};
use crate::base::{Command, Items, Outcome, Refusal, RegionId, Reply, ServerId, Visit};
use crate::faces::text::clean;
use crate::history::{AbandonReason, Ending, Event, EventKind, Inside, PoolEvent, RECYCLED, Request, Seen, Served};
use crate::regions::RegionMap;
use crate::results::{Tape, VariantReport};
use crate::scenario::CartHome;

/// How long an answer takes that the story remarks on.
const A_WAIT: Span = Span::from_secs(1);

/// The maximum number of lines in a story's first part.
const MOST: usize = 12;

/// Tells a visit in at most `most` lines (no more than 12). `design` is the variant's number in the table.
#[must_use]
pub fn tell(variant: &VariantReport, tape: &Tape, most: usize) -> Story {
    let mut teller = Teller::of(variant);
    for event in &tape.events {
        teller.hear(event, variant, tape);
    }
    let user = tape.events.iter().find_map(|event| match event.what {
        EventKind::Seen(visit, _) | EventKind::Inside(visit, _) => Some(visit.user),
        EventKind::Pool(_) => None,
    });
    let title = user.map_or(String::new(), |user| format!("User {}, design {}", user.0, variant.number));
    let any =
        |wanted: fn(&Deed) -> bool| teller.lines.iter().any(|line| matches!(line, Line::Did(deed) if wanted(deed)));
    let lost = any(|deed| deed.missing.is_some_and(|missing| !missing.is_empty()));
    let about_logins = teller.logged_out || teller.robbed;
    let carts = (lost || !about_logins) && any(|deed| deed.cart.is_some());
    let lines = shortened(teller.lines, &teller.in_force, carts, most.min(MOST));
    Story { title, carts: carts.then_some(variant.scenario.homes.cart), lines, better: None }
}

/// Every line of a visit, from its first request on, and before it what was in force then.
#[must_use]
pub fn film(variant: &VariantReport, tape: &Tape) -> Vec<Line> {
    let mut teller = Teller::of(variant);
    for event in &tape.events {
        teller.hear(event, variant, tape);
    }
    trim_beginning(&mut teller.lines, &teller.in_force);
    teller.lines
}

impl Story {
    /// Adds what happened to the same user in a better design: the end of that visit.
    #[must_use]
    pub fn against(mut self, variant: &VariantReport, tape: &Tape) -> Story {
        let mut teller = Teller::of(variant);
        for event in &tape.events {
            teller.hear(event, variant, tape);
        }
        let end = if self.carts.is_some() { ending(teller.lines) } else { tally(&teller.lines) };
        self.better = end.map(|end| (format!("The same user in design {}", variant.number), vec![end]));
        self
    }
}

/// The line that tells the cart's fate.
fn ending(lines: Vec<Line>) -> Option<Line> {
    let ends = |line: &Line| matches!(line, Line::Did(deed) if deed.missing.is_some() || deed.wrong);
    lines.into_iter().rev().find(ends)
}

/// How many of the user's requests went wrong, and how many strangers were turned away.
fn tally(lines: &[Line]) -> Option<Line> {
    #[expect(clippy::cast_precision_loss, reason = "a number of lines")]
    let of = |wanted: fn(&Deed) -> bool| {
        lines.iter().filter(|line| matches!(line, Line::Did(deed) if wanted(deed))).count() as f64
    };
    let thieves = of(|deed| deed.mark == Some(Mark::TurnedAway(Stranger::Thief)));
    let impostors = of(|deed| deed.mark == Some(Mark::TurnedAway(Stranger::Impostor)));
    let (all, wrong) = (of(|_| true) - thieves - impostors, of(|deed| deed.wrong));
    let turned_away = [("an impostor", impostors), ("a thief", thieves)].map(|(who, often)| match often {
        0.0 => String::new(),
        1.0 => format!("; {who} is turned away"),
        often => format!("; {who} is turned away {} times", count(often)),
    });
    let turned_away = turned_away.concat();
    let fared = format!("{}, {}{turned_away}", plural(all, "request", "requests"), went_wrong(all, wrong));
    (all > 0.0).then_some(Line::Skipped(fared))
}

/// What is known at some point of the visit.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts about a visit and its design")]
struct Teller {
    lines: Vec<Line>,
    /// Acknowledged adds that were not removed.
    added: Items,
    /// Whether an add has been sent: the user has a cart.
    opened: bool,
    logged_in: bool,
    logged_out: bool,
    /// Whether a thief was let in.
    robbed: bool,
    /// Requests that were served but whose user has not been told yet.
    served: Vec<Served>,
    dropped: Option<ServerId>,
    /// Servers where the balancer's attempts failed.
    tried: Vec<ServerId>,
    /// When the last request was sent, or the balancer last tried it elsewhere.
    attempted: Instant,
    /// The newest version of the catalogue shown so far.
    newest: u32,
    /// The number of orders on the statement.
    bills: u32,
    /// Whether something has gone wrong, so that the balancer's beliefs become relevant.
    trouble: bool,
    /// The regions, if there are any.
    map: Option<RegionMap>,
    /// The user's region.
    place: Option<RegionId>,
    /// Whether a platform's instances answer.
    serverless: bool,
    /// Whether carts are in the memory of whichever server answers.
    remembers: bool,
    /// The servers that have had this cart in memory.
    keepers: BTreeSet<ServerId>,
    /// Whether servers copy carts to each other. If so, a server that knows less than the user has an older copy.
    replicated: bool,
    newest_cart: NewestCart,
    in_force: InForce,
    concurrent: ConcurrentGroup,
    /// Whether the answer is to one of several concurrent requests, and may have come in any order.
    together: bool,
    bought: bool,
}

impl Teller {
    fn of(variant: &VariantReport) -> Teller {
        let serverless = variant.scenario.serverless.is_some();
        let remembers = variant.scenario.homes.cart.dies_with_its_server();
        Teller { map: RegionMap::new(&variant.scenario), serverless, remembers, ..Teller::default() }
    }

    /// Adds a line if the user has travelled since the last request.
    fn locate(&mut self, at: Instant, visit: Visit, request: Request) {
        let Some(map) = &self.map else { return };
        let place = map.place(visit.user, visit.number, request.step);
        if self.place.replace(place).is_some_and(|before| before != place) {
            self.lines.push(Line::Broke(at, format!("the user is in {} now", clean(&map.names[place.index()]))));
        }
    }

    /// The displayed name of a server, with its region if there are several.
    fn called(&self, server: ServerId) -> String {
        match &self.map {
            _ if self.serverless => format!("instance-{}", server.0 + 1),
            Some(map) => format!("{server} {}", clean(&map.names[map.of(server).index()])),
            None => server.to_string(),
        }
    }

    fn hear(&mut self, event: &Event, variant: &VariantReport, tape: &Tape) {
        self.replicated = variant.scenario.homes.cart == CartHome::ReplicatedMemory;
        self.lines.extend(self.in_force.ends_by(event.at));
        match event.what {
            EventKind::Pool(pool @ PoolEvent::Struck { fault, server, .. }) => {
                let line = broke(pool, event.at, variant, tape);
                if let Some(line) = &line {
                    self.in_force.struck((fault, server), event.at, line, variant, tape);
                }
                self.lines.extend(line);
            }
            EventKind::Pool(PoolEvent::Ready { server }) => self.in_force.ready(server, event.at),
            EventKind::Pool(PoolEvent::Finished { fault }) => self.in_force.finished(fault, event.at),
            EventKind::Pool(PoolEvent::Believed { server, up: false }) if self.trouble => {
                self.lines.push(Line::Broke(event.at, format!("the balancer takes {server} to be down")));
            }
            EventKind::Pool(PoolEvent::Ejected { server }) => {
                self.lines.push(Line::Broke(event.at, format!("the balancer ejects {server}: its answers fail")));
            }
            EventKind::Pool(PoolEvent::Readmitted { server }) => {
                self.lines.push(Line::Broke(event.at, format!("the balancer tries {server} again")));
            }
            EventKind::Pool(PoolEvent::Stopped { server, fault: RECYCLED, .. }) if self.keepers.remove(&server) => {
                let name = self.called(server);
                self.lines.push(Line::Broke(event.at, format!("the platform takes {name} away: its memory is gone")));
            }
            EventKind::Pool(pool) => {
                let met = |server: ServerId| self.met(server);
                let line = deploys::concerns(pool, event.at, met, variant, tape);
                self.lines.extend(line);
            }
            EventKind::Seen(_, Seen::Began | Seen::Left(Ending::Finished)) => {}
            EventKind::Inside(_, Inside::Served(served)) => {
                if !served.cart.is_empty() && self.remembers {
                    self.keepers.insert(served.server);
                }
                self.served.push(served);
            }
            EventKind::Inside(_, Inside::Dropped { server }) => self.dropped = server,
            EventKind::Inside(_, Inside::Retried { from }) => {
                self.dropped = Some(from);
                self.tried.push(from);
                if event.at - self.attempted >= A_WAIT {
                    let name = self.called(from);
                    self.lines.push(Line::Broke(event.at, format!("{name} {TRIES_ANOTHER}")));
                }
                self.attempted = event.at;
            }
            EventKind::Seen(visit, Seen::Sent(request)) => {
                self.dropped = None;
                self.tried.clear();
                self.attempted = event.at;
                self.locate(event.at, visit, request);
                self.concurrent.sent();
            }
            EventKind::Seen(_, Seen::Billed(items)) => self.billed(event.at, items),
            EventKind::Seen(_, Seen::Told { request, sent, outcome, .. }) => {
                self.told(event.at, request, sent, outcome);
            }
            EventKind::Seen(_, Seen::Left(Ending::GaveUp(trouble))) => self.gave_up(event.at, trouble),
        }
    }

    /// Whether this user has been served by a server.
    fn met(&self, server: ServerId) -> bool {
        let name = server.to_string();
        self.lines.iter().any(|line| matches!(line, Line::Did(deed) if deed.server == name))
    }

    /// A server answers: if something has ended there meanwhile, the story says so at its time.
    fn answers(&mut self, server: ServerId) {
        if let Some((at, line)) = self.in_force.back(server) {
            let later =
                |line: &Line| matches!(line, Line::Did(Deed { at: then, .. }) | Line::Broke(then, _) if *then > at);
            let before = self.lines.iter().position(later).unwrap_or(self.lines.len());
            self.lines.insert(before, line);
        }
    }

    fn told(&mut self, at: Instant, request: Request, sent: Instant, outcome: Outcome) {
        let served = self.served.iter().position(|served| served.request == request).map(|i| self.served.remove(i));
        if let Some(served) = served {
            self.answers(served.server);
        }
        let concurrent = self.concurrent.told();
        self.together = concurrent.is_some();
        let action = self.action(request);
        let mark = (request.command == Command::Checkout).then_some(Mark::CheckedOut);
        let mut deed = Deed { at, action, concurrent, mark, weight: weight(request.command), ..Deed::default() };
        deed.by = served.map(|served| served.server).or(self.dropped);
        deed.server = deed.by.map_or(String::new(), |server| self.called(server));
        deed.tried = self.tried.iter().copied().filter(|tried| deed.by != Some(*tried)).collect();
        deed.store_calls = served.map_or(0, |served| served.store_calls);
        deed.answer = match outcome {
            Outcome::Ok(reply) => {
                self.acknowledge(request.command);
                self.no_news(request.command, at);
                self.good(&mut deed, request.command, reply, served)
            }
            Outcome::Refused(refusal) => {
                deed.wrong = !request.command.is_a_thief_s();
                let stranger = match request.command {
                    Command::ReplayToken => Some(Stranger::Thief),
                    Command::ForgeSession => Some(Stranger::Impostor),
                    _ => None,
                };
                if let Some(stranger) = stranger.filter(|_| !deed.wrong && refusal == Refusal::Unauthorized) {
                    deed.mark = Some(Mark::TurnedAway(stranger));
                }
                self.logged_out |= deed.wrong && refusal == Refusal::Unauthorized;
                refused(refusal, request.command).into()
            }
            Outcome::Failed => {
                deed.wrong = true;
                "failed: did it work?".into()
            }
            Outcome::TimedOut => {
                deed.wrong = true;
                format!("no answer for {}", span(whole_seconds(at - sent)))
            }
        };
        if deed.missing.is_some() {
            self.lines.extend(served.and_then(|served| dropped(served, at)));
        }
        self.trouble |= deed.wrong && !matches!(outcome, Outcome::Ok(_));
        let waited = at - sent;
        if waited >= A_WAIT && matches!(outcome, Outcome::Ok(_)) {
            deed.answer += &format!(", after {:.1} s", waited.as_secs_f64());
            deed.weight = 3;
        }
        deed.weight = match deed.weight {
            _ if deed.wrong => 3,
            // What was asked at the same moment belongs to the story.
            weight if self.together => weight.max(2),
            weight => weight,
        };
        deed.added = if self.bought && deed.missing.is_none() { Items::NONE } else { self.added };
        self.opened |= matches!((request.command, outcome), (Command::Add(_), Outcome::Ok(_))) || outcome.is_unknown();
        self.lines.push(Line::Did(deed));
    }

    fn acknowledge(&mut self, command: Command) {
        match command {
            Command::Add(item) => self.added = self.added.with(item),
            Command::Remove(item) => self.added = self.added.without(item),
            _ => {}
        }
    }

    /// What a successful answer says, in words.
    fn good(&mut self, deed: &mut Deed, command: Command, reply: Reply, served: Option<Served>) -> String {
        if command.touches_cart() {
            deed.cart = served.map(|served| served.cart);
        }
        let knew = served.and_then(|served| served.knew_cart.filter(|_| command.touches_cart()));
        let forgotten = self.opened && knew == Some(false);
        let change = self.newest_cart.changed(command, deed.cart.filter(|_| !self.together), forgotten);
        match (command, reply) {
            (Command::Login, _) => {
                deed.weight = if self.logged_in { 2 } else { 0 };
                self.logged_in = true;
                "ok".into()
            }
            (_, Reply::Charged(items)) => self.charged(deed, items),
            (Command::View, Reply::Cart(items)) => self.shown(deed, items, forgotten),
            (Command::Browse, Reply::Page(version)) => {
                deed.wrong = version < self.newest;
                let after = if deed.wrong { format!(", after {}", self.newest) } else { String::new() };
                self.newest = version.max(self.newest);
                format!("catalogue {version}{after}")
            }
            (Command::ForgeSession, _) => {
                deed.wrong = true;
                "welcome!".into()
            }
            (Command::ReplayToken, _) => {
                deed.wrong = true;
                self.robbed = true;
                "welcome back!".into()
            }
            _ if forgotten || change == Change::Began => {
                deed.wrong = true;
                "\"What cart?\" New one.".into()
            }
            _ if change == Change::Older && self.replicated => {
                deed.wrong = true;
                "ok, in an older copy".into()
            }
            _ => "ok".into(),
        }
    }

    fn charged(&mut self, deed: &mut Deed, items: Items) -> String {
        let missing = self.added.minus(items);
        let extra = items.minus(self.added);
        self.bought = true;
        deed.missing = Some(missing);
        deed.wrong = !missing.is_empty() || !extra.is_empty();
        if items.is_empty() { "charged: nothing".into() } else { format!("charged: {items}") }
    }

    /// What a user sees who looks at the cart. `forgotten`: the server did not know it.
    fn shown(&self, deed: &mut Deed, items: Items, forgotten: bool) -> String {
        if self.together {
            return if self.bought && !items.is_empty() { format!("shows {items}") } else { "ok".into() };
        }
        if self.bought {
            deed.wrong = !items.is_empty();
            return back(items);
        }
        let missing = self.added.minus(items);
        deed.wrong = forgotten || !missing.is_empty() || !items.minus(self.added).is_empty();
        match missing.iter().next() {
            _ if forgotten => "\"What cart?\" Empty.".into(),
            Some(first) => format!("where is the {first}?"),
            None => back(self.newest_cart.removed().intersection(items)),
        }
    }

    fn action(&self, request: Request) -> String {
        match request.command {
            Command::Login if self.logged_in => "logs in again".into(),
            Command::Login => "logs in".into(),
            Command::Browse => "looks around".into(),
            Command::Add(item) => format!("adds {item}"),
            Command::Remove(item) => format!("puts back {item}"),
            Command::View => "looks at cart".into(),
            Command::Checkout => "checks out".into(),
            Command::Logout => "logs out".into(),
            Command::ForgeSession => "an impostor".into(),
            Command::Upload(file) => format!("uploads {file}"),
            Command::Download(file) => format!("fetches {file}"),
            Command::ReplayToken => "a thief comes".into(),
        }
    }

    /// An order on the statement is only news if the checkout was never answered.
    fn billed(&mut self, at: Instant, items: Items) {
        let answered = |line: &Line| matches!(line, Line::Did(deed) if deed.missing.is_some());
        let asked =
            self.lines.iter().any(|line| matches!(line, Line::Did(deed) if deed.mark == Some(Mark::CheckedOut)));
        if asked && !self.lines.iter().any(answered) {
            let answer = format!("charged: {items}");
            let action = "finds a bill".into();
            let mark = Some(Mark::Billed);
            let missing = Some(self.added.minus(items));
            let deed = Deed { at, action, answer, added: self.added, missing, mark, weight: 3, ..Deed::default() };
            self.lines.push(Line::Did(deed));
        } else if self.bills > 0 {
            let (action, answer) = ("a second bill".into(), format!("charged again: {items}"));
            let deed = Deed { at, action, answer, added: self.added, wrong: true, weight: 3, ..Deed::default() };
            self.lines.push(Line::Did(deed));
        }
        self.bills += 1;
    }

    /// Drops the line about an order if the checkout's answer, at the same moment, tells it anyway.
    fn no_news(&mut self, command: Command, now: Instant) {
        let is_bill =
            |line: &Line| matches!(line, Line::Did(deed) if deed.mark == Some(Mark::Billed) && deed.at == now);
        if command == Command::Checkout && self.lines.last().is_some_and(is_bill) {
            self.lines.pop();
        }
    }

    fn gave_up(&mut self, at: Instant, trouble: AbandonReason) {
        let answer = match trouble {
            AbandonReason::Refused => "after a refusal",
            AbandonReason::Unknown => "after a failure",
            AbandonReason::LoggedOut => "after being logged out",
        };
        let action = "gives up".into();
        let deed =
            Deed { at, action, answer: answer.into(), added: self.added, wrong: true, weight: 3, ..Deed::default() };
        self.lines.push(Line::Did(deed));
    }
}

/// A line for a cart that the store dropped at some time before the checkout.
fn dropped(served: Served, at: Instant) -> Option<Line> {
    let evidence = &served.evidence;
    let what = match (evidence.evicted.is_empty(), evidence.expired.is_empty()) {
        (false, _) => "the full store has evicted this cart by now, to make room",
        (true, false) => "this cart has expired in the store by now",
        (true, true) => return None,
    };
    Some(Line::Broke(at, what.into()))
}

/// What a user says who sees items again that should be gone.
fn back(items: Items) -> String {
    match items.len() {
        0 => "ok".into(),
        1 => format!("the {items} is back"),
        _ => format!("{items} are back"),
    }
}

fn refused(refusal: Refusal, command: Command) -> &'static str {
    match refusal {
        Refusal::Unauthorized if command.is_a_thief_s() => "401: turned away",
        Refusal::Unauthorized => "401: who are you?",
        Refusal::QueueFull => "503: queue full",
        Refusal::NoServer => "503: no server",
        Refusal::Unreachable => "503: cannot connect",
        Refusal::Throttled => "429: too many at once",
        Refusal::NotFound => "404: what file?",
        Refusal::Forbidden => "403: whose form is this?",
        Refusal::TooMany => "429: too many requests",
        Refusal::StoreDown => "503: store is down",
        Refusal::StoreFull => "507: store is full",
    }
}

/// How much a successful request contributes to the story.
fn weight(command: Command) -> u8 {
    match command {
        Command::Login | Command::Browse => 0,
        Command::View => 1,
        Command::Logout | Command::Add(_) | Command::Remove(_) | Command::Upload(_) | Command::Download(_) => 2,
        Command::Checkout | Command::ForgeSession | Command::ReplayToken => 3,
    }
}

fn whole_seconds(time: Span) -> Span {
    match time.as_nanos() / NANOS_PER_SEC {
        0 => Span::from_millis((time.as_nanos() / 1_000_000).max(1)),
        seconds => Span::from_secs(seconds),
    }
}
