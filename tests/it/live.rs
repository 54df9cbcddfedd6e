//! A session can rewind, fork and inject faults, and still matches the report of the same run.

mod moments;
mod reader;

use std::sync::atomic::AtomicBool;

use whatcart::base::seed::Seed;
use whatcart::base::time::Instant;
use whatcart::base::{ServerId, UserId};
use whatcart::experiment::{self, FAVOURITE, Options};
use whatcart::faces::story;
use whatcart::faces::story::Line;
use whatcart::history::{Event, EventKind, Recorder, Seen};
use whatcart::live::{Error, Session};
use whatcart::operations::faults::{self, Fault, FaultKind};
use whatcart::results::{RunReport, VariantReport};
use whatcart::scenario::{Loaded, library, load};
use whatcart::sim::Sim;
use whatcart::sim::snapshot::{Memory, Snapshot};

use crate::support::told_as_lines;
use crate::support::worlds::at_ms;

const SEED: u64 = 270;

/// A scenario of the library with few users; all except the one about large numbers.
pub fn small(entry: &library::Entry) -> Option<Loaded> {
    let crowd = |key: &str| load(entry.name, entry.name, entry.text, &[key.to_owned()], &[]).ok();
    let base = &load(entry.name, entry.name, entry.text, &[], &[]).expect(entry.name).base;
    match base.users.rate {
        _ if entry.name == "big-pool" => None,
        None => crowd("users.count=30"),
        Some(_) => crowd("users.rate=2.0"),
    }
}

/// All designs of all scenarios.
pub fn everything() -> impl Iterator<Item = (Loaded, usize)> {
    let all = library::all().iter().filter_map(small);
    all.flat_map(|loaded| (0..loaded.variants.len()).map(move |design| (loaded.clone(), design)))
}

pub fn open(loaded: &Loaded, design: usize) -> Session {
    Session::load(loaded, design, Some(SEED), FAVOURITE).expect("it is there")
}

pub fn named(name: &str, set: &[&str]) -> Loaded {
    let entry = library::find(name).expect("it comes with the program");
    let set: Vec<String> = set.iter().map(ToString::to_string).collect();
    load(name, name, entry.text, &set, &[]).expect("a sound scenario")
}

/// Everything that can be asked about a moment, in a form that can be compared byte for byte.
fn told(session: &Session) -> String {
    let (mut snapshot, mut memory) = (Snapshot::default(), Memory::default());
    session.snapshot(&mut snapshot);
    session.memory(&mut memory);
    let figures = serde_json::to_string(&session.figures()).expect("figures");
    format!("{figures}\n{:?}\n{snapshot:?}\n{memory:?}\n{:?}", session.series(), session.faults())
}

fn same(a: &str, b: &str, what: &str) {
    let differs = a.lines().zip(b.lines()).position(|(a, b)| a != b);
    let Some(line) = differs else { return assert_eq!(a, b, "{what}") };
    let (a, b) = (a.lines().nth(line).unwrap_or_default(), b.lines().nth(line).unwrap_or_default());
    let at = a.bytes().zip(b.bytes()).position(|(a, b)| a != b).unwrap_or(0);
    let near = |text: &str| text.chars().skip(at.saturating_sub(150)).take(300).collect::<String>();
    panic!("{what}: line {line} differs\n{}\n{}", near(a), near(b));
}

fn same_events(a: &[Event], b: &[Event], what: &str) {
    let Some(i) = (0..a.len().max(b.len())).find(|i| a.get(*i) != b.get(*i)) else { return };
    let line = |events: &[Event]| told_as_lines(&events.iter().skip(i).take(2).copied().collect::<Vec<_>>());
    panic!("{what}: event {i} of {} and {} differs:\n{}instead of\n{}", a.len(), b.len(), line(a), line(b));
}

fn part(end: Instant, thousandths: u64) -> Instant {
    Instant::from_nanos(end.as_nanos() / 1_000 * thousandths)
}

/// The moments at which runs are inspected; in most scenarios a fault strikes at 30 s of 180.
const STOPS: [u64; 6] = [0, 97, 167, 240, 500, 713];

#[test]
fn what_is_played_again_is_what_was_played() {
    for (loaded, design) in everything() {
        let what = format!("{}, {}", loaded.name, loaded.variants[design].name);
        let (mut straight, mut events) = (open(&loaded, design), Vec::<Event>::new());
        let stops = STOPS.map(|stop| part(straight.end(), stop));
        let mut seen = Vec::new();
        for stop in stops {
            straight.advance_telling(stop, &mut events).expect("it goes on");
            seen.push((told(&straight), events.len()));
        }
        straight.advance_telling(straight.end(), &mut events).expect("it goes on");
        let end = told(&straight);

        let mut back = straight.fork();
        for i in [4, 1, 3, 0, 2, 2, 5] {
            back.seek(stops[i]).expect("it is within the run");
            same(&told(&back), &seen[i].0, &format!("{what}, at {:?}", stops[i]));
        }
        back.rewind(stops[1]).expect("it has passed");
        let mut again = Vec::<Event>::new();
        back.advance_telling(back.end(), &mut again).expect("it goes on");
        same_events(&events[seen[1].1..], &again, &what);
        same(&told(&back), &end, &what);

        let mut raw = Vec::<Event>::new();
        let mut sim = Sim::new(&loaded.variants[design].scenario, Seed(SEED));
        sim.advance(straight.now(), &mut raw);
        let at_first = raw.len() - events.len();
        assert!(raw[..at_first].iter().all(|event| event.at == Instant::ZERO), "{what}");
        same_events(&raw[at_first..], &events, &what);
    }
}

/// This includes losses that are only found after the end.
#[test]
fn at_the_end_the_figures_are_those_of_a_report() {
    let never = AtomicBool::new(false);
    let options =
        Options { seed: Some(SEED), runs: 1, played: 0, favourite: FAVOURITE, interrupt: &never, progress: &|_| {} };
    for loaded in library::all().iter().filter_map(small) {
        let report = experiment::run(&loaded, &options).expect("it goes on");
        for (design, variant) in report.variants.iter().enumerate() {
            let mut session = open(&loaded, design);
            for stop in STOPS {
                session.advance(part(session.end(), stop)).expect("it goes on");
            }
            session.advance(session.end()).expect("it goes on");
            assert!(session.is_over());
            let json = |figures| serde_json::to_string(figures).expect("figures");
            let what = format!("{}, {}", loaded.name, variant.name);
            same(&json(&session.figures()), &json(&variant.runs[0].figures), &what);
            assert_eq!(session.series(), variant.runs[0].series, "{what}");
            assert_eq!(session.observer().hurt(), variant.runs[0].hurt, "{what}");
        }
    }
}

#[test]
fn a_fork_without_a_difference_makes_none() {
    let loaded = named("sticky-crash", &["users.count=60"]);
    for design in 0..loaded.variants.len() {
        let mut trunk = open(&loaded, design);
        trunk.advance(at_ms(29_999)).expect("it goes on");
        let mut branch = trunk.fork();
        branch.advance(branch.end()).expect("it goes on");
        assert_eq!(trunk.now(), at_ms(29_999), "the other one has not moved");
        trunk.advance(trunk.end()).expect("it goes on");
        same(&told(&branch), &told(&trunk), "a fork");
        let mut alone = open(&loaded, design);
        alone.advance(alone.end()).expect("it goes on");
        same(&told(&alone), &told(&trunk), "one that was never forked");
    }
}

fn crash(server: u32, at: Instant) -> Fault {
    let name = format!("crash server-{}", server + 1);
    Fault { name, at, kind: FaultKind::Crash { server: ServerId(server), comeback: None } }
}

#[test]
fn a_fork_with_a_difference_has_the_same_past_and_another_future() {
    let loaded = named("sticky-crash", &["users.count=60"]);
    let mut trunk = open(&loaded, 1);
    trunk.advance(at_ms(20_000)).expect("it goes on");
    let past = told(&trunk);
    let mut branch = trunk.fork();
    assert_eq!(branch.inject(crash(0, at_ms(20_000))), Ok(1));
    branch.advance(at_ms(60_000)).expect("it goes on");
    trunk.advance(at_ms(60_000)).expect("it goes on");
    assert!(branch.figures().lost_by.wiped > trunk.figures().lost_by.wiped);
    assert_eq!((trunk.inputs().len(), branch.inputs().len()), (0, 1));
    branch.rewind(at_ms(20_000)).expect("it has passed");
    branch.rewind(at_ms(19_999)).expect("it has passed");
    branch.forget_later_inputs();
    branch.advance(at_ms(20_000)).expect("it goes on");
    same(&told(&branch), &past, "it was undone");
    branch.advance(at_ms(60_000)).expect("it goes on");
    same(&told(&branch), &told(&trunk), "it was undone");
}

/// An injected fault is the same as one in the file, whenever it was injected.
#[test]
fn an_injected_fault_is_one_of_the_file() {
    for name in ["sticky-crash", "store-outage", "deploy-drain", "slow-server"] {
        let written = named(name, &["users.count=60"]);
        let bare = named(name, &["users.count=60", "faults=[]"]);
        for design in 0..written.variants.len() {
            let scenario = &written.variants[design].scenario;
            let own = faults::timeline(scenario);
            let mut file = open(&written, design);
            let mut events = Vec::<Event>::new();
            file.advance_telling(file.end(), &mut events).expect("it goes on");
            let end = file.figures();
            file.rewind(at_ms(31_000)).expect("it has passed");
            for announced in [0, 7_000] {
                let mut injected = open(&bare, design);
                let mut heard = Vec::<Event>::new();
                injected.advance_telling(at_ms(announced), &mut heard).expect("it goes on");
                for fault in &own {
                    injected.inject_telling(fault.clone(), &mut heard).expect("it can be injected");
                }
                injected.advance_telling(injected.end(), &mut heard).expect("it goes on");
                same_events(&events, &heard, name);
                assert_eq!(injected.figures(), end, "{name}");
                assert!(injected.faults().iter().all(|mark| mark.injected), "{name}");
                injected.rewind(at_ms(31_000)).expect("it has passed");
                assert_eq!(injected.figures(), file.figures(), "{name}");
            }
        }
    }
}

/// "Server 2 lives": a fork in which the file's fault is cancelled equals the file without it.
#[test]
fn a_fault_that_is_spared_never_was() {
    let times = |session: &Session| session.faults().iter().map(|mark| mark.at).collect::<Vec<Instant>>();
    let mut spared = 0;
    for name in ["sticky-crash", "store-outage", "deploy-drain", "slow-server"] {
        let (written, bare) = (named(name, &["users.count=60"]), named(name, &["users.count=60", "faults=[]"]));
        for design in 0..written.variants.len() {
            let mut trunk = open(&written, design);
            trunk.advance(at_ms(8_000)).expect("it goes on");
            let mut branch = trunk.fork();
            let faults = u32::try_from(branch.faults().len()).expect("a few");
            for fault in 0..faults {
                assert_eq!(branch.spare(fault), Ok(()), "{name}");
                assert_eq!(branch.spare(fault), Err(Error::NotAhead(fault)), "{name}: it is spared already");
            }
            assert_eq!(branch.spare(faults), Err(Error::NotAhead(faults)), "{name}: there is none");
            let mut without = open(&bare, design);
            let (mut heard, mut events) = (Vec::<Event>::new(), Vec::<Event>::new());
            without.advance(at_ms(8_000)).expect("it goes on");
            without.advance_telling(without.end(), &mut events).expect("it goes on");
            branch.advance_telling(branch.end(), &mut heard).expect("it goes on");
            same_events(&events, &heard, name);
            assert!(branch.faults().iter().all(|mark| mark.spared && mark.struck.is_none()), "{name}");
            assert_eq!(times(&branch), times(&trunk), "{name}");
            spared += faults;
            branch.rewind(at_ms(40_000)).expect("it has passed");
            without.rewind(at_ms(40_000)).expect("it has passed");
            assert_eq!(branch.observer().checker.counts(), without.observer().checker.counts(), "{name}");
            branch.rewind(at_ms(7_999)).expect("it has passed");
            branch.forget_later_inputs();
            branch.advance(branch.end()).expect("it goes on");
            trunk.advance(trunk.end()).expect("it goes on");
            same(&told(&branch), &told(&trunk), name);
            assert_eq!(trunk.spare(0), Err(Error::NotAhead(0)), "{name}: it has struck");
        }
    }
    assert!(spared > 10, "{spared}");
}

/// Inputs at the same moment, between checkpoints and at them, keep their order and their effect.
#[test]
fn what_was_injected_is_played_again() {
    let loaded = named("sticky-crash", &["users.count=60"]);
    let mut session = open(&loaded, 0);
    let mut seen = Vec::new();
    for (at, server) in [(0, 2), (8_000, 0), (8_000, 1), (11_500, 0)] {
        session.advance(at_ms(at)).expect("it goes on");
        let back = Some(faults::Comeback { after: whatcart::base::time::Span::from_secs(2), new_host: true });
        let fault =
            Fault { kind: FaultKind::Crash { server: ServerId(server), comeback: back }, ..crash(server, at_ms(at)) };
        session.inject(fault).expect("it can be injected");
        session.advance(at_ms(at + 1_700)).expect("it goes on");
        seen.push((session.now(), told(&session)));
        session.rewind(at_ms(at)).expect("it has passed");
    }
    session.advance(session.end()).expect("it goes on");
    assert_eq!(session.inputs().len(), 4);
    assert!(session.faults().iter().filter(|mark| mark.injected).all(|mark| mark.struck.is_some()));
    let (last, before) = seen.split_last().expect("four");
    session.rewind(last.0).expect("it has passed");
    same(&told(&session), &last.1, "the last one");
    session.rewind(before[0].0).expect("it has passed");
    let (faults, now) = (session.faults(), told(&session));
    assert_eq!(faults.iter().filter(|mark| mark.struck.is_some()).count(), 1);
    same(&now, &before[0].1, "the first one");
}

#[test]
fn errors_say_what_is_wrong_and_change_nothing() {
    let loaded = named("sticky-crash", &["users.count=20"]);
    let wrong = Session::load(&loaded, 9, None, FAVOURITE).expect_err("there are fewer");
    assert_eq!(wrong, Error::UnknownDesign { wanted: 10, there: loaded.variants.len() });
    assert_eq!(wrong.to_string(), format!("there is no design 10: the scenario has {}", loaded.variants.len()));
    let mut session = open(&loaded, 1);
    let end = session.end();
    session.advance(at_ms(1_000)).expect("it goes on");
    let before = told(&session);
    let (now, late) = (session.now(), end + whatcart::base::time::Span::from_secs(1));
    assert_eq!(session.advance(late), Err(Error::BeyondTheEnd { asked: late, end }));
    assert_eq!(session.advance(at_ms(999)), Err(Error::Passed { asked: at_ms(999), now }));
    assert_eq!(session.rewind(at_ms(1_001)), Err(Error::NotYet { asked: at_ms(1_001), now }));
    assert_eq!(session.inject(crash(3, now)), Err(Error::UnknownServer(ServerId(3))));
    assert_eq!(session.inject(crash(0, late)), Err(Error::BeyondTheEnd { asked: late, end }));
    let scaler = Fault { kind: FaultKind::Autoscale, ..crash(0, now) };
    assert!(matches!(session.inject(scaler), Err(Error::PartOfTheDesign(_))));
    same(&told(&session), &before, "nothing was done");
    session.advance(end).expect("it goes on");
    assert_eq!(session.inject(crash(0, now)), Err(Error::Over));
    let told = Error::NotYet { asked: at_ms(61_500), now: at_ms(1_000) }.to_string();
    assert_eq!(told, "1m1s500ms has not come yet: the run is at 1s");
}

/// A session tells the same story of a visit as a report; and it knows injected faults.
#[test]
fn a_story_is_the_one_of_a_report() {
    let loaded = named("sticky-crash", &["users.count=60"]);
    let variant = &loaded.variants[1];
    let mut session = open(&loaded, 1);
    assert_eq!(session.story(UserId(999), 12), None, "there is no such user");
    session.advance(session.end()).expect("it goes on");
    let run = RunReport { seed: SEED, figures: session.figures(), ..RunReport::default() };
    let report = VariantReport { runs: vec![run], ..VariantReport::of(variant) };
    let mut events = Vec::<Event>::new();
    Sim::new(&variant.scenario, Seed(SEED)).advance(session.end(), &mut events);
    for user in (1..=60).map(UserId) {
        let last = events.iter().rev().find_map(|event| match event.what {
            EventKind::Seen(visit, Seen::Left(_)) if visit.user == user => Some((visit, event.at)),
            _ => None,
        });
        let (visit, until) = last.expect("everybody visits");
        let tape = experiment::replay(variant, &report.runs[0], visit, until);
        assert_eq!(session.story(user, 12), Some(story::tell(&report, &tape, 12)), "user {}", user.0);
    }
    session.rewind(at_ms(20_000)).expect("it has passed");
    let mut shown = Snapshot::default();
    session.snapshot(&mut shown);
    session.inject(crash(2, at_ms(20_000))).expect("it can be injected");
    session.advance(at_ms(26_000)).expect("it goes on");
    let within = shown.clients.iter().filter(|client| client.step == 4).map(|client| client.user);
    let stories: Vec<_> = within.map(|user| session.story(user, 12).expect("they are there")).collect();
    let broke = |line: &Line| matches!(line, Line::Broke(at, words) if *at == at_ms(20_000) && words.starts_with("server-3 crashes"));
    assert!(stories.iter().any(|story| story.lines.iter().any(broke)), "{stories:#?}");
}

/// The story grows with the run: whether followed from the start or requested later, it is the same.
#[test]
fn a_story_follows_its_user() {
    let loaded = named("login-sessions", &["users.count=60"]);
    let mut followed = open(&loaded, 0);
    let mut met = 0;
    for second in (0..150).step_by(5) {
        followed.seek(at_ms(second * 1_000)).expect("it is within the run");
        let mut late = open(&loaded, 0);
        late.advance(at_ms(second * 1_000)).expect("it goes on");
        let story = followed.story(UserId(7), 12);
        met += usize::from(story.is_some());
        assert_eq!(story, late.story(UserId(7), 12), "at {second} s");
        if second == 60 {
            followed.rewind(at_ms(31_000)).expect("it has passed");
            late.rewind(at_ms(31_000)).expect("it has passed");
            assert_eq!(followed.story(UserId(7), 12), late.story(UserId(7), 12));
        }
    }
    assert!(met > 20, "{met}");
}

/// A recorder that is passed as a trait object.
#[test]
fn any_recorder_hears_the_same() {
    let loaded = named("two-tabs", &["users.count=30"]);
    let (mut known, mut unknown) = (Vec::<Event>::new(), Vec::<Event>::new());
    let sim = Sim::new(&loaded.variants[0].scenario, Seed(SEED));
    sim.clone().advance(at_ms(60_000), &mut known);
    let mut recorder: &mut dyn Recorder = &mut unknown;
    sim.clone().advance(at_ms(60_000), &mut recorder);
    same_events(&known, &unknown, "by another name");
    assert!(known.len() > 1_000);
}
