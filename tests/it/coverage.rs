//! Every kind of event, outcome, verdict and cause occurs at least once: a state that is never reached is a failure.
//! Also tests behaviour that the design promises, in real runs.

mod balancing;
mod copies;
mod crowds;
mod failing;
mod moving;
mod places;
mod pool_changes;
mod process_local;
mod replicas;
mod serverless;
mod stores;
mod tabs;
mod uploads;

use std::collections::BTreeMap;

use whatcart::base::seed::Seed;
use whatcart::base::time::Span;
use whatcart::base::{Command, Outcome, Refusal, Reply, ServerState, Step, UserId};
use whatcart::history::{AbandonReason, Ending, Event, EventKind, Inside, PoolEvent, Recorder, Seen};
use whatcart::judging::checker::{CartVerdict, Finding};
use whatcart::judging::observer::Observer;
use whatcart::judging::post_mortem::Cause;
use whatcart::operations::faults::{Comeback, FaultKind};
use whatcart::results::HurtBy;
use whatcart::scenario::{
    Affinity, CartHome, CookieLife, MigrationWay, PinnedDown, Scenario, SessionHome, StoreFault, Time, Whole,
};
use whatcart::sim::Sim;

use crate::support::naive::Naive;
use crate::support::worlds::{EVERY_POLICY, constant, end, exponential, fault, that, time};

/// How often each kind occurred, by name. Every name starts with 0.
struct Met(BTreeMap<&'static str, u64>);

/// An exhaustive match from a kind to its name: a new kind does not compile until it is named here. All names are
/// expected to occur, except those of kinds that must never do.
macro_rules! names {
    ($function:ident($kind:ty): $($pattern:pat => $name:literal),+ $(; never: $($wrong:pat => $alarm:literal),+)?) => {
        pub fn $function(kind: &$kind) -> &'static str {
            match kind {
                $($pattern => $name,)+
                $($($wrong => $alarm,)+)?
            }
        }
        mod $function {
            pub const ALL: &[&str] = &[$($name),+];
        }
    };
}

names!(command(Command):
    Command::Login => "login", Command::Browse => "browse", Command::Add(_) => "add", Command::Remove(_) => "remove",
    Command::View => "view", Command::Checkout => "checkout", Command::Logout => "logout",
    Command::ForgeSession => "forge session", Command::Upload(_) => "upload", Command::Download(_) => "download",
    Command::ReplayToken => "replay token");
names!(step(Step):
    Step::Login => "step login", Step::Browse => "step browse", Step::Add => "step add", Step::Remove => "step remove",
    Step::View => "step view", Step::Checkout => "step checkout", Step::Logout => "step logout",
    Step::ForgeSession => "step forge session", Step::Upload => "step upload", Step::Download => "step download",
    Step::ReplayToken => "step replay token");
names!(outcome(Outcome):
    Outcome::Ok(Reply::Done) => "done", Outcome::Ok(Reply::Cart(_)) => "cart shown",
    Outcome::Ok(Reply::Charged(_)) => "charged", Outcome::Ok(Reply::Page(_)) => "page",
    Outcome::Refused(Refusal::Forbidden) => "403", Outcome::Refused(Refusal::TooMany) => "429", Outcome::Refused(Refusal::Unauthorized) => "401",
    Outcome::Refused(Refusal::QueueFull) => "queue full", Outcome::Refused(Refusal::NoServer) => "no server",
    Outcome::Refused(Refusal::Unreachable) => "unreachable", Outcome::Refused(Refusal::NotFound) => "404",
    Outcome::Refused(Refusal::StoreDown) => "store down", Outcome::Refused(Refusal::StoreFull) => "store full",
    Outcome::Refused(Refusal::Throttled) => "throttled",
    Outcome::Failed => "failed",
    Outcome::TimedOut => "timed out");
names!(ending(Ending):
    Ending::Finished => "finished", Ending::GaveUp(AbandonReason::Refused) => "gave up on refusals",
    Ending::GaveUp(AbandonReason::Unknown) => "gave up on unknown outcomes",
    Ending::GaveUp(AbandonReason::LoggedOut) => "gave up on logouts");
names!(seen(Seen):
    Seen::Began => "began", Seen::Sent(_) => "sent", Seen::Billed(_) => "billed", Seen::Told { .. } => "told",
    Seen::Left(_) => "left");
names!(inside(Inside):
    Inside::Retried { .. } => "retried", Inside::Served(_) => "served",
    Inside::Dropped { server: Some(_) } => "dropped by a server", Inside::Dropped { server: None } => "dropped before");
names!(pool(PoolEvent):
    PoolEvent::Struck { memory_lost: true, .. } => "struck, memory lost",
    PoolEvent::Struck { memory_lost: false, .. } => "struck, memory kept", PoolEvent::Ready { .. } => "ready",
    PoolEvent::Ejected { .. } => "ejected", PoolEvent::Readmitted { .. } => "readmitted",
    PoolEvent::Believed { up: true, .. } => "believed up", PoolEvent::Believed { up: false, .. } => "believed down",
    PoolEvent::Audited { .. } => "audited", PoolEvent::Turned { .. } => "turned",
    PoolEvent::Stopped { cut_requests: 0, .. } => "stopped idle", PoolEvent::Stopped { .. } => "stopped at work",
    PoolEvent::Finished { .. } => "deploy finished");
names!(finding(Finding):
    Finding::Opened => "opened", Finding::Cart(CartVerdict::Intact) => "intact", Finding::Cart(CartVerdict::Lost(_)) => "lost",
    Finding::Cart(CartVerdict::Overcharged(_)) => "overcharged",
    Finding::Cart(CartVerdict::Abandoned(AbandonReason::Refused)) => "abandoned after refusals",
    Finding::Cart(CartVerdict::Abandoned(AbandonReason::Unknown)) => "abandoned after unknown outcomes",
    Finding::Cart(CartVerdict::Abandoned(AbandonReason::LoggedOut)) => "abandoned after logouts",
    Finding::Cart(CartVerdict::Unknown) => "unknown", Finding::WrongView => "wrong view",
    Finding::LoggedOut => "logged out", Finding::Impostor => "impostor", Finding::MissingFile => "missing file",
    Finding::Forbidden => "refused form", Finding::StalePage => "stale page",
    Finding::Zombie => "zombie");
names!(cause(Cause):
    Cause::RolledBack => "rolled back", Cause::Evicted => "evicted", Cause::Expired => "expired",
    Cause::Overwritten => "overwritten", Cause::Wiped => "wiped", Cause::Split => "split", Cause::Stale => "stale"
    ; never: Cause::Unexplained => "unexplained");
names!(hurt(HurtBy):
    HurtBy::Lost(_) => "hurt by loss", HurtBy::Overcharged => "hurt by overcharging",
    HurtBy::Abandoned => "hurt by giving up", HurtBy::LoggedOut => "hurt by logout",
    HurtBy::Impostor => "hurt by an impostor", HurtBy::MissingFile => "hurt by a missing file",
    HurtBy::ChargedAgain => "hurt by a second charge", HurtBy::Forbidden => "hurt by a refused form",
    HurtBy::StalePage => "hurt by a stale page", HurtBy::WrongView => "hurt by a wrong view",
    HurtBy::Zombie => "hurt by a zombie", HurtBy::Waited => "hurt by a long wait");
names!(fault_kind(FaultKind):
    FaultKind::Crash { comeback: None, .. } => "a crash for good",
    FaultKind::Crash { comeback: Some(_), .. } => "a crash with a comeback",
    FaultKind::Restart { .. } => "a restart", FaultKind::Replace { .. } => "a replacement",
    FaultKind::Revive { .. } => "a revival",
    FaultKind::Vanish { comeback: None, .. } => "a vanishing for good",
    FaultKind::Vanish { comeback: Some(_), .. } => "a vanishing with a comeback",
    FaultKind::Slow { lasting: None, .. } => "slow for good", FaultKind::Slow { lasting: Some(_), .. } => "slow for a while",
    FaultKind::Failing { lasting: None, .. } => "failing for good",
    FaultKind::Failing { lasting: Some(_), .. } => "failing for a while",
    FaultKind::Deploy(_) => "a deploy", FaultKind::Scale(_) => "a change of size", FaultKind::Join(_) => "users who join",
    FaultKind::Autoscale => "an autoscaler",
    FaultKind::Store { how: StoreFault::Outage, lasting: Some(_), .. } => "a store outage",
    FaultKind::Store { how: StoreFault::Outage, lasting: None, .. } => "a store outage for good",
    FaultKind::Store { how: StoreFault::Failover, .. } => "a store failover",
    FaultKind::Store { how: StoreFault::Restart, .. } => "a store restart",
    FaultKind::RegionOutage { lasting: None, .. } => "a region dark for good",
    FaultKind::RegionOutage { lasting: Some(_), .. } => "a region dark for a while",
    FaultKind::Isolate { lasting: None, .. } => "cut off for good", FaultKind::Isolate { lasting: Some(_), .. } => "cut off for a while",
    FaultKind::Migrate { how: MigrationWay::BigBang | MigrationWay::DualWrite } => "a migration that forgets",
    FaultKind::Migrate { how: MigrationWay::ReadThrough } => "a migration that looks back");
names!(state(ServerState):
    ServerState::Up => "up", ServerState::Down => "down", ServerState::Silent => "silent"
,
    ServerState::Booting => "booting", ServerState::Draining => "draining",
    ServerState::Terminating => "terminating", ServerState::Retired => "retired");

/// The names of all causes of loss and all kinds of faults that scenarios can reach.
pub fn causes_and_faults() -> Vec<&'static str> {
    [cause::ALL, fault_kind::ALL].concat()
}

impl Met {
    fn nothing() -> Met {
        let all = [
            command::ALL,
            step::ALL,
            outcome::ALL,
            ending::ALL,
            seen::ALL,
            inside::ALL,
            pool::ALL,
            finding::ALL,
            cause::ALL,
            hurt::ALL,
            fault_kind::ALL,
            state::ALL,
        ];
        Met(all.concat().into_iter().map(|name| (name, 0)).collect())
    }

    fn meet(&mut self, name: &'static str) {
        *self.0.entry(name).or_default() += 1;
    }

    fn event(&mut self, event: &Event) {
        match &event.what {
            EventKind::Seen(_, what) => {
                self.meet(seen(what));
                match what {
                    Seen::Sent(request) => self.meet(command(&request.command)),
                    Seen::Told { outcome: how, .. } => self.meet(outcome(how)),
                    Seen::Left(how) => self.meet(ending(how)),
                    Seen::Began | Seen::Billed(_) => {}
                }
            }
            EventKind::Inside(_, what) => self.meet(inside(what)),
            EventKind::Pool(what) => {
                self.meet(pool(what));
                if let PoolEvent::Turned { state: turned, .. } = what {
                    self.meet(state(turned));
                }
            }
        }
    }

    fn run(&mut self, scenario: &Scenario) {
        scenario.users.journey.iter().for_each(|it| self.meet(step(it)));
        let mut sim = Sim::new(scenario, Seed(1));
        let mut observer = Observer::new(scenario, sim.heavy(), UserId(1));
        let mut naive = Naive::default();
        for percent in 1..=100 {
            let mut events = Vec::new();
            let at = end(scenario).as_nanos() / 100 * percent;
            sim.advance(whatcart::base::time::Instant::from_nanos(at), &mut events);
            sim.view().servers.iter().for_each(|server| self.meet(state(&server.state)));
            if percent == 100 {
                sim.audit(&mut events);
            }
            for event in &events {
                self.event(event);
                observer.record(event);
                naive.record(event);
            }
        }
        naive.judge().findings.values().flatten().for_each(|it| self.meet(finding(it)));
        observer.hurt().iter().for_each(|it| self.meet(hurt(&it.how)));
        for (why, n) in Cause::ALL.iter().zip(observer.post_mortem.lost_by()) {
            (0..n).for_each(|_| self.meet(cause(why)));
        }
        sim.faults().iter().for_each(|it| self.meet(fault_kind(&it.kind)));
        // This asserts that everything adds up.
        let _ = whatcart::results::figures(&observer, scenario, crate::support::moment(&sim), sim.faults());
    }
}

/// A minute of the house settings with fewer users.
pub fn base() -> Scenario {
    let mut scenario = Scenario::house();
    scenario.duration = time(60_000);
    scenario.users.count = Some(Whole::of(60));
    scenario.users.think = exponential(1_000_000);
    scenario
}

/// All state is in the wrong place.
fn forgetful() -> Scenario {
    use Step::{Add, Browse, Checkout, ForgeSession, Login, Logout, Remove, View};
    let mut scenario = base();
    scenario.users.journey = vec![Login, Browse, Add, Add, Remove, View, ForgeSession, Checkout, Logout].into();
    scenario.users.patience = Whole::of(6);
    scenario.homes.session = SessionHome::ServerMemory;
    scenario
}

/// Carts split, and sessions are not verified.
fn gullible() -> Scenario {
    let mut scenario = forgetful();
    scenario.homes.session = SessionHome::UnsignedCookie;
    scenario
}

/// Sticky users, and one server after another in trouble.
fn stormy() -> Scenario {
    let mut scenario = base();
    scenario.servers.count = Whole::of(6);
    scenario.servers.service = exponential(150_000);
    scenario.balancer.affinity = Affinity::Cookie(CookieLife::Visit);
    let comeback = Some(Comeback { after: Span::from_secs(4), new_host: false });
    let restarted = that(FaultKind::Crash { server: "server-2".into(), comeback }, 20_000);
    scenario.faults = vec![
        fault("crash", 1, 10_000, Some(7_000)),
        restarted,
        fault("restart", 3, 24_000, None),
        fault("replace", 4, 28_000, None),
        fault("vanish", 5, 12_000, Some(12_000)),
        fault("vanish", 6, 45_000, None),
        fault("crash", 5, 50_000, None),
        fault("slow", 1, 30_000, Some(5_000)),
        fault("slow", 2, 40_000, None),
        fault("isolate", 3, 33_000, Some(6_000)),
        fault("isolate", 4, 55_000, None),
        fault("revive", 6, 52_000, None),
        fault("revive", 2, 53_000, None),
    ];
    scenario
}

/// Impatient users, and servers that are too small.
fn crowded() -> Scenario {
    let mut scenario = base();
    scenario.users.count = Some(Whole::of(10));
    scenario.servers.count = Whole::of(1);
    scenario.servers.workers = Whole::of(1);
    scenario.servers.queue = Whole::of(3);
    scenario.servers.service = exponential(120_000);
    scenario.users.timeout = Time::of(whatcart::base::time::Span::from_millis(250));
    scenario.users.patience = Whole::of(2);
    scenario
}

/// Users bound to a server that never comes back, and a balancer that keeps them there.
fn stuck() -> Scenario {
    let mut scenario = base();
    scenario.balancer.affinity = Affinity::Cookie(CookieLife::User);
    scenario.balancer.pinned_down = PinnedDown::Fail;
    scenario.balancer.retries = Whole::of(0);
    scenario.homes.cart = CartHome::SharedStore;
    scenario.faults = vec![fault("crash", 2, 15_000, None)];
    scenario
}

#[test]
fn everything_is_met() {
    let mut met = Met::nothing();
    let simple = [base(), forgetful(), gullible(), stormy(), crowded(), stuck()];
    let others =
        [copies::rewriting(), copies::dawdling(), uploads::scattered(), pool_changes::busy(), failing::broken()];
    let apart = [places::apart(), places::dark(), serverless::cramped()];
    let moving = [replicas::returning(), moving::big_bang(), moving::read_through()];
    let special = apart.into_iter().chain(moving).chain(stores::all()).chain(process_local::all());
    for scenario in simple.into_iter().chain(others).chain(special) {
        met.run(&scenario);
    }
    let missing: Vec<&str> = met.0.iter().filter(|(_, n)| **n == 0).map(|(name, _)| *name).collect();
    assert!(missing.is_empty(), "never met: {missing:?}\nmet: {:#?}", met.0);
    assert!(!met.0.contains_key("unexplained"), "a loss without a cause\nmet: {:#?}", met.0);
}

/// Every policy serves, evenly enough not to forget a server.
#[test]
fn every_policy_uses_every_server() {
    for policy in EVERY_POLICY {
        let mut scenario = base();
        scenario.balancer.policy = policy;
        scenario.servers.service = constant(5);
        let mut observer = Observer::new(&scenario, None, UserId(1));
        Sim::new(&scenario, Seed(1)).advance(end(&scenario), &mut observer);
        let requests: Vec<u64> = observer.meter.work.iter().map(|work| work.requests).collect();
        let all: u64 = requests.iter().sum();
        assert!(requests.iter().all(|n| *n * 6 > all), "{policy:?}: {requests:?}");
    }
}
