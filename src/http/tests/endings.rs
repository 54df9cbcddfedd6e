//! How servers end, and how a run does: crash, silence, panic, limits.

use std::io::ErrorKind;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::support::{Curl, Defective, Town, in_time, scenario, until};
use crate::base::ProcessId;
use crate::base::seed::Seed;
use crate::http::failure::{self, Failure};
use crate::http::shop_server::Death;
use crate::http::{self, Options};
use crate::scenario::{CartHome, load};

/// A request in service: its connection, and the cookies that it was sent with.
async fn begun(town: &Town) -> (TcpStream, Curl) {
    let mut curl = Curl::default();
    curl.ask(town.door(0), "GET /cart", "").await;
    let mut stream = TcpStream::connect(town.door(0)).await.expect("it listens");
    let message = curl.message("POST", "/cart/items", r#"{"item":5}"#);
    stream.write_all(message.as_bytes()).await.expect("it reads");
    let process = town.slots[0].running().expect("it is up");
    until("a worker has it", || process.workers.available_permits() < 4).await;
    (stream, curl)
}

#[tokio::test]
async fn a_crash_resets_what_is_under_way_and_forgets() {
    let town = Town::open(&scenario(100));
    let mut keeper = Curl::default();
    keeper.ask(town.door(0), "POST /cart/items", r#"{"item":1}"#).await;
    let mut idle = TcpStream::connect(town.door(0)).await.expect("it listens");
    let (mut stream, _) = begun(&town).await;
    let mut struck = None;
    in_time(town.slots[0].kill(Death::Crash, |process| struck = Some(process.process)))
        .await
        .expect("the port stays ours");
    assert_eq!(struck, Some(ProcessId(0)));
    let mut answer = Vec::new();
    for stream in [&mut stream, &mut idle] {
        let error = in_time(stream.read_to_end(&mut answer)).await.expect_err("it does not end well");
        assert_eq!((error.kind(), answer.len()), (ErrorKind::ConnectionReset, 0));
    }
    let refused = TcpStream::connect(town.door(0)).await.expect_err("nobody listens");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    town.slots[0].revive(ProcessId(7)).expect("the port is still ours");
    assert_eq!(town.slots[0].running().expect("it is up").process, ProcessId(7));
    assert_eq!(keeper.ask(town.door(0), "GET /cart", "").await, (200, r#"{"cart":[]}"#.into()));
}

/// Requests in service when a server crashes have no effect, wherever the cart lives.
#[tokio::test]
async fn a_crash_takes_effects_that_were_not_committed() {
    let mut scenario = scenario(100);
    scenario.homes.cart = CartHome::SharedStore;
    let town = Town::open(&scenario);
    let (_stream, mut curl) = begun(&town).await;
    in_time(town.slots[0].kill(Death::Crash, |_| ())).await.expect("the port stays ours");
    tokio::time::sleep(Duration::from_millis(150)).await;
    assert_eq!(curl.ask(town.door(1), "GET /cart", "").await.1, r#"{"cart":[]}"#);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_vanished_server_is_silent_until_another_takes_its_place() {
    let town = Town::open(&scenario(50));
    let (mut stream, _) = begun(&town).await;
    in_time(town.slots[0].kill(Death::Vanish, |_| ())).await.expect("the port stays ours");
    let mut byte = [0];
    let heard = tokio::time::timeout(Duration::from_millis(300), stream.read(&mut byte)).await;
    assert!(heard.is_err(), "neither an answer nor an end: {heard:?}");
    let door = town.door(0);
    let connected = tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(door)).await;
    assert!(connected.is_err(), "neither accepted nor refused: {connected:?}");
    town.slots[0].revive(ProcessId(7)).expect("the port is still ours");
    let error = in_time(stream.read(&mut byte)).await.expect_err("the new host knows no such connection");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(Curl::default().ask(door, "GET /cart", "").await.0, 200);
}

#[tokio::test]
async fn servers_die_and_rise_again_and_again() {
    let mut town = Town::open(&scenario(0));
    for round in 0..20 {
        let death = if round % 2 == 0 { Death::Crash } else { Death::Vanish };
        in_time(town.slots[0].kill(death, |_| ())).await.expect("the port stays ours");
        town.slots[0].revive(ProcessId(10 + round)).expect("the port is still ours");
        assert_eq!(Curl::default().ask(town.door(0), "GET /", "").await.0, 200, "round {round}");
    }
    assert!(town.failures.try_recv().is_err());
}

/// A panic is never a silent loss, whether it ends a connection or work whose client has gone.
#[tokio::test]
async fn a_task_that_panics_is_told() {
    let mut scenario = scenario(50);
    scenario.homes.cart = CartHome::SharedStore;
    let mut town = Town::before(&scenario, Box::new(Defective));
    let mut curl = Curl::default();
    let answer = in_time(curl.try_ask(town.door(1), "GET /cart", "")).await;
    assert!(answer.is_err() || answer.is_ok_and(|answer| answer.status == 0), "it hung up");
    let mut told = vec![in_time(town.failures.recv()).await.expect("it is told")];
    let process = town.slots[1].running().expect("it is up");
    let message = curl.message("GET", "/cart", "");
    let mut gone = TcpStream::connect(town.door(1)).await.expect("it listens");
    gone.write_all(message.as_bytes()).await.expect("it reads");
    until("a worker has it", || process.workers.available_permits() < 4).await;
    drop(gone);
    told.push(in_time(town.failures.recv()).await.expect("it is told"));
    for told in told {
        assert!(matches!(&told, Failure::Panic(what) if what.contains("server-2")), "{told}");
        assert!(told.to_string().contains("no figure of this run can be trusted"));
    }
}

/// A panic also fails the run, at once.
#[test]
fn a_run_in_which_something_panics_has_no_figures() {
    let mut scenario = scenario(1);
    scenario.homes.cart = CartHome::SharedStore;
    let options =
        Options { speed: 50.0, interrupt: &false.into(), progress: &|_| (), for_guests: false, started: &|_| () };
    let played = http::play_with(&scenario, Seed(1), &options, &mut (), Some(Box::new(Defective)));
    assert!(matches!(&played, Err(Failure::Panic(what)) if what.contains("server-")), "{played:?}");
}

#[test]
fn too_many_users_and_too_few_files() {
    assert_eq!(failure::check(300, 1, 3, 20_000), Ok(()));
    let told = failure::check(20_001, 1, 3, 1 << 20).expect_err("too many").to_string();
    assert!(told.contains("20001 users") && told.contains("--engine sim"), "{told}");
    let told = failure::check(1_000, 1, 3, 1_024).expect_err("too few").to_string();
    for part in ["1024 open files", "`ulimit -n 4096`", "--set users.count=471"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let told = failure::check(300, 3, 3, 1_024).expect_err("three requests each").to_string();
    assert!(told.contains("--set users.count=157"), "{told}");
    assert_eq!(failure::check(157, 3, 3, 1_024), Ok(()));
    // The more servers there are, the fewer connections may be open.
    assert_eq!([3, 100, 200].map(|servers| failure::connections_within(1_024, servers)), [471, 180, 0]);
}

/// Servers that are added before others have gone need files too.
#[test]
fn a_pool_that_grows_is_counted_before_the_run() {
    let most = |plan: &str| {
        let text = format!("title = \"A pool\"\nduration = \"2m\"\nservers = {{ count = 3 }}\n{plan}");
        let loaded = load("test", "test.toml", &text, &[], &[]).unwrap_or_else(|error| panic!("{error:?}"));
        loaded.base.most_servers_at_once()
    };
    let fault = |what: &str| most(&format!("[[faults]]\nat = \"10s\"\n{what}"));
    assert_eq!(most(""), 3);
    assert_eq!(most("[autoscaler]\nmax = 8"), 8);
    assert_eq!(most("[autoscaler]\nmax = 8\ndrain = \"5s\""), 16, "eight leave while eight come");
    assert_eq!(fault("scale = 5"), 5);
    assert_eq!(fault("deploy = { strategy = \"rolling\" }"), 3);
    assert_eq!(fault("deploy = { strategy = \"rolling\", surge = 2, unavailable = 0 }"), 5);
    assert_eq!(fault("deploy = { strategy = \"blue-green\" }"), 6);
}

/// A port already in use fails in the same way as having no free port.
#[test]
fn a_port_that_somebody_else_has() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let again = std::net::TcpListener::bind(taken.local_addr().expect("an address")).expect_err("it is taken");
    let told = failure::of_io("server-1 cannot have a port".into(), &again).to_string();
    assert!(told.starts_with("server-1 cannot have a port: Address already in use"), "{told}");
    let full = std::io::Error::from_raw_os_error(24);
    assert!(matches!(failure::of_io("x".into(), &full), Failure::Descriptors { .. }));
}
