//! The same input gives the same events: however a run is sliced, cloned, disturbed, or spread over threads.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use proptest::prelude::*;
use whatcart::base::seed::Seed;
use whatcart::base::time::{Instant, Span};
use whatcart::base::{Command, Outcome, Step};
use whatcart::experiment::{self, FAVOURITE, Options};
use whatcart::history::{Event, EventKind, Inside, Seen};
use whatcart::operations::faults::{self, Fault};
use whatcart::results::RunReport;
use whatcart::scenario::{CartHome, DesignNumber, PolicyName, Scenario, Store, Variant, Whole, load};
use whatcart::sim::Sim;

use crate::support::worlds::{any_world, at_ms, constant, end, exponential, fault, show, time};
use crate::support::{for_all, told_as_lines};

fn sim(scenario: &Scenario) -> Sim {
    Sim::new(scenario, Seed(scenario.seed.get()))
}

fn whole(scenario: &Scenario) -> Vec<Event> {
    rest(sim(scenario), scenario)
}

fn rest(mut sim: Sim, scenario: &Scenario) -> Vec<Event> {
    let mut events = Vec::new();
    sim.advance(end(scenario), &mut events);
    events
}

/// Describes the first event that differs.
fn same(a: &[Event], b: &[Event]) -> Result<(), String> {
    let Some(i) = (0..a.len().max(b.len())).find(|i| a.get(*i) != b.get(*i)) else { return Ok(()) };
    let line = |events: &[Event]| told_as_lines(&events.iter().skip(i).take(2).copied().collect::<Vec<_>>());
    Err(format!("event {i} of {} and {} differs:\n{}instead of\n{}", a.len(), b.len(), line(b), line(a)))
}

fn moment(scenario: &Scenario, per_mille: u64) -> Instant {
    Instant::from_nanos(end(scenario).as_nanos() / 20 * per_mille / 1_000)
}

#[test]
fn slices_change_nothing() {
    let cuts = prop::collection::vec(0u64..1_100, 0..30);
    for_all(
        80,
        &(any_world(), cuts),
        |(world, cuts)| format!("{}\ncut at {cuts:?}", show(world)),
        |(world, cuts)| {
            let mut cuts = cuts.clone();
            cuts.sort_unstable();
            let mut sim = sim(world);
            let mut events = Vec::new();
            for cut in cuts {
                sim.advance(moment(world, cut), &mut events);
            }
            sim.advance(end(world), &mut events);
            same(&whole(world), &events)
        },
    );
}

/// Also with one slice per event: nothing hides between two moments.
#[test]
fn the_finest_slices_change_nothing() {
    for_all(10, &any_world(), show, |world| {
        let events = whole(world);
        let (mut sim, mut sliced) = (sim(world), Vec::new());
        for event in &events {
            sim.advance(Instant::from_nanos(event.at.as_nanos().saturating_sub(1)), &mut sliced);
            sim.advance(event.at, &mut sliced);
        }
        same(&events, &sliced)
    });
}

#[test]
fn a_clone_goes_on_alike_and_alone() {
    for_all(
        80,
        &(any_world(), 0u64..1_000),
        |(world, cut)| format!("{}\ncut at {cut}", show(world)),
        |(world, cut)| {
            let mut original = sim(world);
            original.advance(moment(world, *cut), &mut ());
            let clone = original.clone();
            let mut disturbed = original.clone();
            for fault in some_faults(original.now()) {
                disturbed.inject(fault);
            }
            disturbed.advance(end(world), &mut ());
            let events = rest(original, world);
            same(&events, &rest(clone, world))
        },
    );
}

fn some_faults(now: Instant) -> Vec<Fault> {
    let mut scenario = Scenario::house();
    scenario.faults = vec![fault("crash", 1, 0, None), fault("vanish", 2, 0, None), fault("slow", 3, 0, None)];
    let mut faults = faults::timeline(&scenario);
    for fault in &mut faults {
        fault.at = now;
    }
    faults
}

#[test]
fn the_seed_is_all_that_chance_knows() {
    for_all(40, &any_world(), show, |world| {
        let events = whole(world);
        same(&events, &whole(world))?;
        let mut other = world.clone();
        other.seed = Whole::of(world.seed.get() + 1);
        if events.len() > 20 && same(&events, &whole(&other)).is_ok() {
            return Err("another seed changes nothing".into());
        }
        Ok(())
    });
}

#[test]
fn events_come_in_order_of_time() {
    for_all(40, &any_world(), show, |world| {
        let events = whole(world);
        let back = events.windows(2).find(|pair| pair[0].at > pair[1].at);
        back.map_or(Ok(()), |pair| Err(format!("time runs back:\n{}", told_as_lines(pair))))
    });
}

/// An injected fault has the same effect as the same fault in the scenario.
#[test]
fn an_injected_fault_is_a_fault_of_the_scenario() {
    for_all(
        80,
        &(any_world(), 0u64..1_000),
        |(world, cut)| format!("{}\ncut at {cut}", show(world)),
        |(world, cut)| {
            let cut = moment(world, *cut);
            // Random faults are numbered after written ones, and migrations and autoscalers cannot be injected.
            let world = &Scenario { random_faults: Vec::new(), migration: None, autoscaler: None, ..world.clone() };
            let faults = faults::timeline(world);
            let (before, later): (Vec<_>, Vec<_>) = (0..faults.len()).partition(|i| faults[*i].at <= cut);
            let pick = |which: &[usize]| which.iter().map(|i| world.faults[*i].clone()).collect::<Vec<_>>();
            let mut written = world.clone();
            written.faults = pick(&before).into_iter().chain(pick(&later)).collect();
            let mut started = written.clone();
            started.faults.truncate(before.len());
            let (mut sim, mut events) = (sim(&started), Vec::new());
            sim.advance(cut, &mut events);
            for i in later {
                sim.inject(faults[i].clone());
            }
            sim.advance(end(world), &mut events);
            same(&whole(&written), &events)
        },
    );
}

/// A fault whose time has passed strikes at once.
#[test]
fn a_late_fault_strikes_now() {
    let scenario = Scenario::house();
    let mut sim = sim(&scenario);
    sim.advance(at_ms(5_000), &mut ());
    sim.inject(some_faults(at_ms(1_000)).remove(0));
    let mut events = Vec::new();
    sim.advance(at_ms(5_000), &mut events);
    assert!(matches!(events[..], [Event { what: EventKind::Pool(_), .. }, ..]), "{}", told_as_lines(&events));
    assert!(events.iter().all(|event| event.at == at_ms(5_000)));
}

/// The random draws of a visit's step: how long its user thinks afterwards, and how much work it is.
type Luck = BTreeMap<(u32, u32, u16), (Option<Span>, Span)>;

/// The draws of steps that were served at the first attempt, in a run without contention.
fn luck(scenario: &Scenario) -> Luck {
    let mut luck = Luck::new();
    let mut thinking = BTreeMap::new();
    for event in whole(scenario) {
        match event.what {
            EventKind::Seen(visit, Seen::Sent(request)) => {
                if let Some((step, since)) = thinking.remove(&(visit.user.0, visit.number)) {
                    let after: &mut (Option<Span>, Span) = luck.entry((visit.user.0, visit.number, step)).or_default();
                    after.0 = Some(event.at - since);
                }
                assert!(usize::from(request.step) < scenario.users.journey.len());
            }
            EventKind::Seen(visit, Seen::Told { request, outcome: Outcome::Ok(_), settled: true, .. })
                if request.attempt == 0 =>
            {
                thinking.insert((visit.user.0, visit.number), (request.step, event.at));
            }
            EventKind::Inside(visit, Inside::Served(served)) if served.request.attempt == 0 => {
                luck.entry((visit.user.0, visit.number, served.request.step)).or_default().1 = served.busy;
            }
            _ => {}
        }
    }
    luck
}

/// So many workers that nobody waits, and a store without latency.
fn roomy() -> Scenario {
    let mut scenario = Scenario::house();
    scenario.duration = time(60_000);
    scenario.users.count = Some(Whole::of(20));
    scenario.users.ramp = Some(time(5_000));
    scenario.users.think = exponential(700_000);
    scenario.servers.workers = Whole::of(64);
    scenario.store = Store { latency: constant(0), ..Store::default() };
    scenario
}

/// A difference, in words and as a change of the scenario.
type Change = (&'static str, fn(&mut Scenario));

#[test]
fn nobodys_luck_depends_on_others() {
    let base = luck(&roomy());
    assert!(base.len() > 1_000, "{}", base.len());
    let variants: [Change; 6] = [
        ("more users", |s| s.users.count = Some(Whole::of(33))),
        ("another policy", |s| s.balancer.policy = PolicyName::PowerOfTwo),
        ("another home", |s| s.homes.cart = CartHome::SharedStore),
        ("more servers", |s| s.servers.count = Whole::of(7)),
        ("a crash", |s| s.faults = vec![fault("crash", 2, 20_000, Some(3_000))]),
        ("a later closing", |s| s.duration = time(90_000)),
    ];
    for (what, change) in variants {
        let mut scenario = roomy();
        change(&mut scenario);
        let other = luck(&scenario);
        let mut shared = 0;
        for (key, lucky) in &base {
            let Some(same) = other.get(key) else { continue };
            shared += 1;
            assert_eq!(lucky.1, same.1, "{what}: the work of {key:?}");
            if let (Some(this), Some(that)) = (lucky.0, same.0) {
                assert_eq!(this, that, "{what}: the thinking after {key:?}");
            }
        }
        assert!(shared * 10 > base.len() * 9, "{what}: only {shared} of {} steps are shared", base.len());
    }
}

#[test]
fn another_journey_keeps_the_thinking_of_its_steps() {
    let mut shorter = roomy();
    shorter.users.journey = vec![Step::Login, Step::Browse, Step::Add, Step::Checkout].into();
    let (long, short) = (luck(&roomy()), luck(&shorter));
    for user in 1..=20 {
        for step in 0..3 {
            assert_eq!(long[&(user, 1, step)], short[&(user, 1, step)], "user {user}, step {step}");
        }
    }
}

/// Reports are the same on one thread and on two.
#[test]
fn threads_change_nothing() {
    const CRASH: &str = r#"
        title = "threads"
        duration = "20s"
        users.count = 60
        faults = [{ at = "8s", crash = "server-2", replace_after = "3s" }]
        variants = [{ name = "memory" }, { name = "token", homes.cart = "signed-token" }]
    "#;
    let loaded = load("threads", "threads", CRASH, &[], &[]).expect("it is a good scenario");
    let never = AtomicBool::new(false);
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
        let options =
            Options { seed: Some(7), runs: 4, played: 0, favourite: FAVOURITE, interrupt: &never, progress: &|_| {} };
        pool.install(|| experiment::run(&loaded, &options).expect("it goes on"))
    };
    let (one, two) = (run(1), run(2));
    assert_eq!(format!("{one:?}"), format!("{two:?}"));
    let figures = &one.variants[0].runs;
    assert_eq!(figures.len(), 4);
    assert!(figures[0].figures != figures[1].figures, "runs have seeds of their own");
}

/// A replayed visit is the visit that was recorded.
#[test]
fn a_replay_tells_what_happened() {
    let mut scenario = roomy();
    scenario.faults = vec![fault("crash", 2, 20_000, Some(3_000))];
    let variant = Variant { number: DesignNumber::of(1), name: "replayed".into(), scenario: scenario.clone() };
    let user = whatcart::base::UserId(7);
    let played = RunReport { seed: scenario.seed.get(), ..RunReport::default() };
    let taped = RunReport { tape: Some(whole(&scenario)), ..played.clone() };
    let (visit, until) = experiment::follow(&variant, &played, user).expect("user 7 finishes a visit");
    let tape = experiment::replay(&variant, &played, visit, until);
    assert_eq!(experiment::follow(&variant, &taped, user), Some((visit, until)));
    assert_eq!(experiment::replay(&variant, &taped, visit, until).events, tape.events);
    let wanted = |event: &Event| match event.what {
        EventKind::Seen(of, _) | EventKind::Inside(of, _) => of == visit,
        EventKind::Pool(_) => event.at <= until,
    };
    let events: Vec<Event> = whole(&scenario).into_iter().filter(|event| event.at <= until && wanted(event)).collect();
    same(&events, &tape.events).expect("the same events");
    let checks_out = |e: &Event| matches!(e.what, EventKind::Seen(_, Seen::Sent(r)) if r.command == Command::Checkout);
    assert!(tape.events.iter().any(checks_out));
}
