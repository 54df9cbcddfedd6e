use super::*;
use crate::base::time::Span;
use crate::base::{Command, Outcome, Refusal, ServerId};
use crate::faces::text::{Page, width};
use crate::history::{Ending, Event, Inside, Seen};
use crate::results::Strike;
use crate::results::sample::{RequestSample, crashed, item, scenario, sticky_crash, tape, unharmed, visit};

/// The text of a story, without colour.
fn drawn(story: &Story) -> String {
    let text = story.draw(Page::FILE);
    text.lines().for_each(|line| assert!(width(line) <= Page::FILE.columns(), "{line}"));
    #[cfg(feature = "cli")]
    let text = anstream::adapter::strip_str(&text).to_string();
    text
}

#[test]
fn a_cart_goes_with_its_server() {
    let report = sticky_crash();
    let story = tell(&report.variants[1], &crashed(), 12).against(&report.variants[3], &unharmed());
    insta::assert_snapshot!(drawn(&story), @r#"
    User 42, design 2                                       server's cart     user 42 has added
       0:24.7  adds mug    server-2  ok                     mug               mug
       0:27.9  adds lamp   server-2  ok                     mug lamp          mug lamp
       0:30.0  ------------ server-2 crashes: 49 open carts gone, this one too ------------
       0:32.7  adds pen    server-1  "What cart?" New one.  pen               mug lamp pen
       0:38.0  checks out  server-1  charged: pen           MISSING mug lamp
    The same user in design 4
       0:38.0  checks out  server-1  charged: mug lamp pen  complete
    "#);
}

#[test]
fn logged_out_again_and_again() {
    let report = sticky_crash();
    let who = Outcome::Refused(Refusal::Unauthorized);
    let mut heard = vec![RequestSample::ok(1_000, Command::Login, 0)];
    for i in 0..9u32 {
        let at = 2_000 + 1_000 * u64::from(i);
        heard.push(RequestSample::ok(at, Command::Browse, 1 + i % 2).ends(who));
        heard.push(RequestSample::ok(at + 300, Command::Login, i % 3));
    }
    let mut tape = tape(42, heard, &[]);
    let gave_up = Seen::Left(Ending::GaveUp(crate::history::AbandonReason::LoggedOut));
    let last = tape.events.last().expect("events").at;
    tape.events.push(Event { at: last, what: EventKind::Seen(visit(42), gave_up) });
    insta::assert_snapshot!(drawn(&tell(&report.variants[0], &tape, 10)), @r"
    User 42, design 1
       0:02.0  looks around             401: who are you?
       0:02.3  logs in again  server-1  ok
       0:03.0  looks around             401: who are you?
       0:03.3  logs in again  server-2  ok
       0:04.0  looks around             401: who are you?
       0:04.3  logs in again  server-3  ok
               (10 more requests, 5 of them wrong)
       0:10.0  looks around             401: who are you?
       0:10.3  logs in again  server-3  ok
       0:10.3  gives up                 after being logged out
    ");
}

#[test]
fn every_answer_has_words() {
    let report = sticky_crash();
    let add = |n| Command::Add(item(n));
    let heard = vec![
        RequestSample::ok(1_000, add(1), 0).cart(false, &[1]),
        RequestSample::ok(2_000, Command::View, 1).cart(false, &[]),
        RequestSample::ok(3_000, add(2), 1).cart(false, &[2]),
        RequestSample::ok(4_000, Command::View, 1).cart(true, &[2]),
        RequestSample::ok(5_000, add(3), 0).ends(Outcome::TimedOut),
        RequestSample::ok(6_000, add(3), 0).ends(Outcome::Failed),
        RequestSample::ok(7_000, add(3), 0).ends(Outcome::Refused(Refusal::NoServer)),
        RequestSample::ok(8_000, Command::Remove(item(2)), 1).cart(true, &[]),
        RequestSample::ok(9_000, Command::ForgeSession, 1),
        RequestSample::ok(10_000, Command::ForgeSession, 1).ends(Outcome::Refused(Refusal::Unauthorized)),
        RequestSample::ok(11_000, Command::Checkout, 1).cart(true, &[]),
    ];
    let vanished = PoolEvent::Struck { fault: 0, server: Some(ServerId(1)), memory_lost: false };
    let believed = PoolEvent::Believed { server: ServerId(1), up: false };
    let tape = tape(7, heard, &[(4_500, vanished), (5_500, believed)]);
    insta::assert_snapshot!(drawn(&tell(&report.variants[0], &tape, 20)), @r#"
    User 7, design 1                                            server's cart     user 7 has added
       0:01.0  adds mug        server-1  ok                     mug               mug
       0:02.0  looks at cart   server-2  "What cart?" Empty.    –                 mug
       0:03.0  adds lamp       server-2  "What cart?" New one.  lamp              mug lamp
       0:04.0  looks at cart   server-2  where is the mug?      lamp              mug lamp
       0:04.5  ------------ server-2 crashes ------------
       0:05.0  adds pen                  no answer for 20 ms                      mug lamp
       0:05.5  ------------ the balancer takes server-2 to be down ------------
               (2 more requests, all wrong)
       0:08.0  puts back lamp  server-2  ok                     –                 mug
       0:09.0  an impostor     server-2  welcome!                                 mug
       0:10.0  an impostor               401: turned away                         mug
       0:11.0  checks out      server-2  charged: nothing       MISSING mug
    "#);
}

#[test]
fn of_long_carts_some_items_are_named() {
    let report = sticky_crash();
    let all: Vec<u8> = (1..=20).collect();
    let heard = (1..=20)
        .map(|n| RequestSample::ok(u64::from(n) * 1_000, Command::Add(item(n)), 0).cart(n > 1, &all[..n.into()]));
    let checkout = RequestSample::ok(30_000, Command::Checkout, 1).cart(false, &[]);
    let tape = tape(42, heard.chain([checkout]).collect(), &[]);
    insta::assert_snapshot!(drawn(&tell(&report.variants[0], &tape, 12)), @r"
    User 42, design 1                                         server's cart         user 42 has added
       0:01.0  adds mug      server-1  ok                     mug                   mug
       0:02.0  adds lamp     server-1  ok                     mug lamp              mug lamp
       0:03.0  adds pen      server-1  ok                     mug lamp pen          mug lamp pen
       0:04.0  adds book     server-1  ok                     mug lamp pen book     mug lamp pen book
       0:05.0  adds kettle   server-1  ok                     mug lamp pen book +1  mug lamp pen book +1
       0:06.0  adds scarf    server-1  ok                     mug lamp pen book +2  mug lamp pen book +2
       0:07.0  adds clock    server-1  ok                     mug lamp pen book +3  mug lamp pen book +3
               (10 more requests, all well)
       0:18.0  adds item 18  server-1  ok                     mug lamp pen +15      mug lamp pen +15
       0:19.0  adds item 19  server-1  ok                     mug lamp pen +16      mug lamp pen +16
       0:20.0  adds item 20  server-1  ok                     mug lamp pen +17      mug lamp pen +17
       0:30.0  checks out    server-2  charged: nothing       MISSING mug lamp pen book kettle scarf +14
    ");
}

#[test]
fn chooses_user_42_where_a_fault_took_carts() {
    let mut report = sticky_crash();
    assert_eq!(choose(&report).map(|(at, hurt)| (at, hurt.visit.user.0)), Some((1, 42)));
    report.variants.remove(0);
    assert_eq!(choose(&report).map(|(at, hurt)| (at, hurt.visit.user.0)), Some((0, 42)));
    assert_eq!(best_other(&report, 0), Some(2));
    report.variants[0].runs[0].hurt.retain(|hurt| hurt.visit.user.0 != 42);
    assert_eq!(choose(&report).map(|(_, hurt)| hurt.visit.user.0), Some(5));
    report.variants.remove(0);
    assert_eq!(choose(&report), None);
    assert_eq!(best_other(&report, 0), None);
}

/// A line about a successful request, answered at this second.
fn did(second: u64, action: &str, concurrent: Option<u32>) -> Line {
    let at = Instant::from_nanos(second * 1_000_000_000);
    Line::Did(Deed {
        at,
        action: action.into(),
        concurrent,
        server: "server-1".into(),
        answer: "ok".into(),
        ..Deed::default()
    })
}

#[test]
fn a_bracket_holds_requests_of_one_moment_together_and_none_stands_alone() {
    let broke = Line::Broke(Instant::from_nanos(3_500_000_000), "server-2 crashes".into());
    let lines = vec![
        did(1, "adds mug", Some(1)),
        did(2, "adds lamp", Some(1)),
        did(3, "adds pen", Some(2)),
        broke,
        did(4, "adds hat", Some(2)),
        did(5, "looks at cart", Some(2)),
        did(6, "checks out", None),
    ];
    let better = Some(("The same user in design 2".to_string(), vec![did(6, "checks out", Some(3))]));
    let story = Story { title: "User 1, design 1".into(), lines, better, ..Story::default() };
    insta::assert_snapshot!(drawn(&story), @r"
    User 1, design 1
       0:01.0  ┌ adds mug       server-1  ok
       0:02.0  └ adds lamp      server-1  ok
       0:03.0  ┌ adds pen       server-1  ok
       0:03.5  ------------ server-2 crashes ------------
       0:04.0  ├ adds hat       server-1  ok
       0:05.0  └ looks at cart  server-1  ok
       0:06.0  checks out       server-1  ok
    The same user in design 2
       0:06.0  checks out       server-1  ok
    ");
}

#[test]
fn what_broke_is_told_whole() {
    let at = Instant::from_nanos(60_000_000_000);
    let told = |words: &str| {
        let lines = vec![Line::Broke(at, words.into())];
        drawn(&Story { title: "User 1, design 1".into(), lines, ..Story::default() }).lines().last().map(str::to_string)
    };
    assert_eq!(told("it breaks").as_deref(), Some("   1:00.0  ------------ it breaks ------------"));
    let long = told(&"x".repeat(70)).expect("a line");
    assert_eq!(long, format!("   1:00.0  -------- {} --------", "x".repeat(70)));
    let too_long = told(&"x".repeat(200)).expect("a line");
    assert!(too_long.starts_with(&format!("{}--- xxx", " ".repeat(11))) && too_long.ends_with("x ---"), "{too_long}");
}

#[test]
fn a_stranger_who_is_turned_away_is_not_one_of_the_users_requests() {
    let report = sticky_crash();
    let refused = |at, command| RequestSample::ok(at, command, 0).ends(Outcome::Refused(Refusal::Unauthorized));
    let thief = |at| refused(at, Command::ReplayToken);
    let robbed = tape(
        42,
        vec![RequestSample::ok(1_000, Command::Login, 0), RequestSample::ok(2_000, Command::ReplayToken, 0)],
        &[],
    );
    let safe = |thieves: &[u64]| {
        let first = std::iter::once(RequestSample::ok(1_000, Command::Login, 0));
        let impostor = refused(9_000, Command::ForgeSession);
        let heard = first.chain(thieves.iter().map(|at| thief(*at))).chain([impostor]).collect();
        let story = tell(&report.variants[0], &robbed, 12).against(&report.variants[1], &tape(42, heard, &[]));
        drawn(&story).lines().last().expect("lines").trim().to_string()
    };
    let impostor = "1 request, all well; an impostor is turned away";
    assert_eq!(safe(&[]), impostor);
    assert_eq!(safe(&[2_000]), format!("{impostor}; a thief is turned away"));
    assert_eq!(safe(&[2_000, 3_000]), format!("{impostor}; a thief is turned away 2 times"));
}

/// Of a long series of attempts the first and the last are told.
#[test]
fn repeated_attempts_are_counted() {
    let report = sticky_crash();
    let adds = (1..4).map(|i| RequestSample::ok(i * 1_000, Command::Add(item(1)), 0));
    let thieves = (0..9u64).map(|i| RequestSample::ok(10_000 + i * 1_000, Command::ReplayToken, 0));
    let story = tell(&report.variants[0], &tape(42, adds.chain(thieves).collect(), &[]), 7);
    insta::assert_snapshot!(drawn(&story), @r"
    User 42, design 1
       0:01.0  adds mug       server-1  ok
       0:02.0  adds mug       server-1  ok
       0:03.0  adds mug       server-1  ok
       0:10.0  a thief comes  server-1  welcome back!
               (6 more times)
       0:17.0  a thief comes  server-1  welcome back!
       0:18.0  a thief comes  server-1  welcome back!
    ");
}

/// A user who waits sees what the balancer does meanwhile.
#[test]
fn a_silent_server_costs_time() {
    let report = sticky_crash();
    let slow = RequestSample { took: 5_100, ..RequestSample::ok(25_100, Command::Add(item(2)), 2) };
    let mut tape = tape(42, vec![RequestSample::ok(1_000, Command::Add(item(1)), 0), slow], &[]);
    let retried = Event::inside(Instant::ZERO + Span::from_secs(25), visit(42), Inside::Retried { from: ServerId(1) });
    let at = tape.events.iter().position(|event| event.at > retried.at).expect("an answer");
    tape.events.insert(at, retried);
    insta::assert_snapshot!(drawn(&tell(&report.variants[0], &tape, 12)), @r"
    User 42, design 1                                       server's cart     user 42 has added
       0:01.0  adds mug    server-1  ok                     –                 mug
       0:25.0  ------------ server-2 does not answer: the balancer tries another ------------
       0:25.1  adds lamp   server-3  ok, after 5.1 s        –                 mug lamp
    ");
}

/// A control in which nothing breaks is no mend, and where nobody lost anything the design with less waiting is better.
#[test]
fn the_better_design_meets_the_same_faults() {
    let mut report = sticky_crash();
    report.variants[3].scenario.faults.clear();
    assert_eq!(best_other(&report, 1), Some(2));
    report.variants.drain(..2);
    assert_eq!(best_other(&report, 0), None);
    let latency = crate::results::Latency { mean: 2_000.0, ..crate::results::Latency::default() };
    report.variants[0].runs[0].figures.step_latency_ms = Some(latency);
    assert_eq!(best_other(&report, 0), None);
    report.variants[1].scenario.faults = report.variants[0].scenario.faults.clone();
    assert_eq!(best_other(&report, 0), Some(1));
}

#[test]
fn a_server_is_stopped_by_whoever_planned_it() {
    let report = sticky_crash();
    let mut variant = report.variants[0].clone();
    let told = |variant: &VariantReport| {
        let heard = vec![
            RequestSample::ok(1_000, Command::Add(item(1)), 0),
            RequestSample::ok(9_000, Command::Add(item(2)), 1),
        ];
        let fault = u32::try_from(variant.scenario.faults.len()).expect("few");
        let stopped = PoolEvent::Stopped { server: ServerId(0), fault, cut_off_users: 1, cut_requests: 0 };
        drawn(&tell(variant, &tape(42, heard, &[(5_000, stopped)]), 12))
    };
    assert!(told(&variant).contains("the operator stops server-1"), "{}", told(&variant));
    let rules = crate::scenario::load("a", "a", "title = \"a\"\nduration = \"1m\"\nautoscaler.max = 3\n", &[], &[]);
    variant.scenario.autoscaler = rules.expect("a scenario").base.autoscaler;
    assert!(told(&variant).contains("the autoscaler stops server-1"), "{}", told(&variant));
}

/// A fault that never struck has no figures. Later faults keep theirs.
#[test]
fn a_plan_after_a_fault_that_never_struck_tells_its_own_carts() {
    let mut report = sticky_crash();
    let variant = &mut report.variants[1];
    variant.scenario = scenario(
        "title = 'x'\nduration = '2m'\nfaults = [
            { at = '10s', crash = 'server-2' },
            { at = '20s', crash = 'server-2' },
            { at = '30s', deploy = {} },
            { at = '40s', crash = 'server-1' },
        ]",
    );
    let strike =
        |(fault, lost_of_open)| Strike { fault, name: String::new(), at: Instant::ZERO, open_carts: 100, lost_of_open };
    variant.runs[0].strikes = [(0, 5), (2, 10), (3, 33)].map(strike).to_vec();
    let mut tape = crashed();
    let begins = PoolEvent::Struck { fault: 2, server: None, memory_lost: true };
    let struck = tape.events.iter_mut().find(|event| matches!(event.what, EventKind::Pool(_))).expect("a fault");
    struck.what = EventKind::Pool(begins);
    let told = drawn(&tell(variant, &tape, 12));
    assert!(told.contains("rolling deploy: 10 carts open now will be gone"), "{told}");
}

/// A scenario's variant without figures, for a tape.
fn designed(text: &str) -> VariantReport {
    let mut variant = sticky_crash().variants.remove(0);
    variant.scenario = scenario(&format!("title = 'x'\nduration = '2m'\n{text}"));
    variant.runs[0].strikes.clear();
    variant
}

fn strikes(fault: u32, server: u32) -> PoolEvent {
    PoolEvent::Struck { fault, server: Some(ServerId(server)), memory_lost: false }
}

/// What is in force when a visit begins explains it; what is over by then does not.
#[test]
fn a_story_begins_with_what_is_in_force() {
    let variant = designed(
        "faults = [
            { at = '1s', slow = 'server-1', factor = 5, for = '2s' },
            { at = '2s', slow = 'server-2', factor = 10 },
            { at = '3s', store = 'failover' },
            { at = '4s', isolate = 'server-3', for = '4s' },
        ]",
    );
    let login = RequestSample::ok(7_000, Command::Login, 0);
    let add = |at, n, server| RequestSample::ok(at, Command::Add(item(n)), server);
    let adds = [add(10_000, 1, 0).cart(true, &[1]), add(12_000, 2, 1).cart(true, &[1, 2])];
    let store = PoolEvent::Struck { fault: 2, server: None, memory_lost: false };
    let ready = |server| PoolEvent::Ready { server: ServerId(server) };
    let pool = [
        (1_000, strikes(0, 0)),
        (2_000, strikes(1, 1)),
        (3_000, ready(0)),
        (3_000, store),
        (4_000, strikes(3, 2)),
        (8_000, ready(2)),
    ];
    let tape = tape(42, [login].into_iter().chain(adds).collect(), &pool);
    insta::assert_snapshot!(drawn(&tell(&variant, &tape, 12)), @r"
    User 42, design 1                                       server's cart     user 42 has added
       0:02.0  ------------ server-2 works 10 times slower ------------
       0:10.0  adds mug    server-1  ok                     mug               mug
       0:12.0  adds lamp   server-2  ok                     mug lamp          mug lamp
    ");
    let film = film(&variant, &tape);
    assert!(
        matches!(&film[..3], [Line::Broke(..), Line::Broke(_, cut_off), Line::Did(_)] if cut_off == "server-3 is cut off"),
        "{film:?}"
    );
}

/// A random fault, too, is told by what it does, and how it ends.
#[test]
fn random_faults_are_told_in_the_same_words() {
    let variant = designed(
        "servers.count = 1
        [[random_faults]]
        every = { constant = '30s' }
        how = 'vanish'
        restart_after = { constant = '5s' }",
    );
    let add = |at, n| RequestSample::ok(at, Command::Add(item(n)), 0).cart(true, &[n]);
    let heard = vec![add(31_000, 1), add(36_000, 2)];
    let tape = tape(42, heard, &[(30_000, strikes(0, 0)), (35_000, PoolEvent::Ready { server: ServerId(0) })]);
    let told = drawn(&tell(&variant, &tape, 12));
    assert!(told.contains("0:30.0  ------------ server-1 falls silent"), "{told}");
    assert!(told.contains("0:35.0  ------------ server-1 is back, empty"), "{told}");
}

/// A copy is older if what was taken out is in it again, or if it lacks some of what was in it, but not the rest.
#[test]
fn a_server_that_was_cut_off_answers_with_an_older_copy() {
    let variant = designed(
        "homes.cart = 'replicated-memory'
        faults = [{ at = '5s', isolate = 'server-2', for = '4s' }]",
    );
    let (add, remove) = (|n| Command::Add(item(n)), |n| Command::Remove(item(n)));
    let heard = vec![
        RequestSample::ok(1_000, add(1), 1).cart(false, &[1]),
        RequestSample::ok(2_000, add(2), 1).cart(true, &[1, 2]),
        RequestSample::ok(6_000, remove(2), 2).cart(true, &[1]),
        RequestSample::ok(10_000, add(3), 1).cart(true, &[1, 2, 3]),
        RequestSample::ok(11_000, Command::View, 1).cart(true, &[1, 2, 3]),
        RequestSample::ok(12_000, add(4), 2).cart(true, &[1, 4]),
        RequestSample::ok(13_000, Command::Checkout, 1).cart(true, &[1, 2, 3]),
    ];
    let tape = tape(42, heard, &[(5_000, strikes(0, 1)), (9_000, PoolEvent::Ready { server: ServerId(1) })]);
    insta::assert_snapshot!(drawn(&tell(&variant, &tape, 12)), @r"
    User 42, design 1                                           server's cart     user 42 has added
       0:01.0  adds mug        server-2  ok                     mug               mug
       0:02.0  adds lamp       server-2  ok                     mug lamp          mug lamp
       0:05.0  ------------ server-2 is cut off ------------
       0:06.0  puts back lamp  server-3  ok                     mug               mug
       0:09.0  ------------ server-2 is back, with what it had ------------
       0:10.0  adds pen        server-2  ok, in an older copy   mug lamp pen      mug pen
       0:11.0  looks at cart   server-2  the lamp is back       mug lamp pen      mug pen
       0:12.0  adds book       server-3  ok, in an older copy   mug book          mug pen book
       0:13.0  checks out      server-2  charged: mug lamp pen  MISSING book
    ");
}

/// What was begun anew is no older copy; an empty cart is a new one also where the user has looked before.
#[test]
fn a_new_cart_is_not_an_older_copy() {
    let variant = designed("homes.cart = 'replicated-memory'");
    let add = |n| Command::Add(item(n));
    let heard = vec![
        RequestSample::ok(1_000, add(1), 0).cart(false, &[1]),
        RequestSample::ok(2_000, Command::View, 1).cart(false, &[]),
        RequestSample::ok(3_000, add(2), 1).cart(true, &[2]),
        RequestSample::ok(4_000, add(3), 1).cart(true, &[2, 3]),
        RequestSample::ok(5_000, Command::Remove(item(2)), 1).cart(true, &[3]),
        RequestSample::ok(6_000, add(4), 0).cart(true, &[1, 4]),
        RequestSample::ok(7_000, Command::Checkout, 1).cart(true, &[3]),
    ];
    insta::assert_snapshot!(drawn(&tell(&variant, &tape(42, heard, &[]), 12)), @r#"
    User 42, design 1                                           server's cart     user 42 has added
       0:01.0  adds mug        server-1  ok                     mug               mug
       0:02.0  looks at cart   server-2  "What cart?" Empty.    –                 mug
       0:03.0  adds lamp       server-2  "What cart?" New one.  lamp              mug lamp
       0:04.0  adds pen        server-2  ok                     lamp pen          mug lamp pen
       0:05.0  puts back lamp  server-2  ok                     pen               mug pen
       0:06.0  adds book       server-1  ok                     mug book          mug pen book
       0:07.0  checks out      server-2  charged: pen           MISSING mug book
    "#);
}

/// The head of the column says where carts are.
#[test]
fn a_cart_that_no_server_holds_is_not_the_servers() {
    let head = |home: &str| {
        let variant = designed(&format!("homes.cart = '{home}'"));
        let add = RequestSample::ok(1_000, Command::Add(item(1)), 0).cart(false, &[1]);
        let told = drawn(&tell(&variant, &tape(42, vec![add], &[]), 12));
        told.lines().next().expect("a head").to_string()
    };
    for (home, words) in [
        ("signed-token", "  cart in the token  user 42 has added"),
        ("shared-store", "  cart in the store  user 42 has added"),
        ("server-memory", "  server's cart     user 42 has added"),
        ("replicated-memory", "  server's cart     user 42 has added"),
    ] {
        assert!(head(home).ends_with(words), "{}", head(home));
    }
}

/// A long answer at the checkout stays on its line if the verdict fits beside it.
#[test]
fn an_answer_wraps_only_where_there_is_no_room() {
    let checkout = Deed {
        action: "checks out".into(),
        server: "server-6 frankfurt".into(),
        answer: "charged: nothing, after 5.1 s".into(),
        missing: Some(Items::of(item(1))),
        wrong: true,
        ..Deed::default()
    };
    let carts = Some(crate::scenario::CartHome::ServerMemory);
    let story = Story { carts, lines: vec![Line::Did(checkout)], ..Story::default() };
    let last = drawn(&story).lines().last().expect("a line").to_string();
    assert!(last.ends_with("charged: nothing, after 5.1 s  MISSING mug"), "{last}");
}

/// Where room is short, the balancer's attempt goes before what the user did; what else is left out is counted as it is.
#[test]
fn a_user_who_waited_says_so_where_room_is_short() {
    let variant = designed("faults = [{ at = '5s', isolate = 'server-2' }]");
    let add = |at, n| RequestSample::ok(at, Command::Add(item(n)), 0).cart(true, &[n]);
    let heard = vec![add(1_000, 1), RequestSample { took: 5_000, ..add(12_000, 2) }, add(13_000, 3), add(14_000, 4)];
    let mut tape = tape(42, heard, &[(5_000, strikes(0, 1))]);
    let retried = Event::inside(Instant::ZERO + Span::from_secs(11), visit(42), Inside::Retried { from: ServerId(1) });
    let at = tape.events.iter().position(|event| event.at > retried.at).expect("an answer");
    tape.events.insert(at, retried);
    let told = |most| drawn(&tell(&variant, &tape, most));
    assert!(told(6).contains("tries another"), "{}", told(6));
    assert!(!told(5).contains("tries another") && !told(5).contains("more"), "{}", told(5));
    assert!(told(4).contains("(2 more requests"), "{}", told(4));
}
