//! How many real requests this machine plays in a second, and what one costs: `cargo bench --bench http`.
//!
//! Users who do not think, 64 of them, with the house's journey; three servers that take no time, carts in the shared
//! store, round robin. Measured twice, in turn: as a run plays it, users, balancer, servers and history in one process;
//! and as one would build it from parts, `wrk` with 64 connections before HAProxy before the same three servers. `wrk`
//! sends the same requests in the same order, with a session and with carts, but keeps no cookies, judges nothing and
//! writes nothing down. Both need be installed (Debian: `apt install wrk haproxy`); otherwise that half is skipped.
//!
//! `cargo bench --bench http -- run SECONDS` plays in this process and prints one line. A balancer that keeps its
//! connections opens next to none: were it more than a few in a thousand requests, the figures would be of `connect`.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a benchmark reads the clock")]
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant as Clock};

use whatcart::base::UserId;
use whatcart::base::seed::Seed;
use whatcart::base::time::Span;
use whatcart::http::{self, Options, Servers};
use whatcart::judging::observer::Observer;
use whatcart::scenario::{CartHome, Dist, Scenario, Time, Whole};

const USERS: u64 = 64;
const ROUNDS: usize = 7;
const SECONDS: u64 = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => table(),
        ["run", seconds] => {
            let Run { per_second, connects } = run(seconds.parse().expect("a number of seconds"));
            println!("requests_per_s={per_second:.0} connections_per_request={connects:.5}");
        }
        ["servers"] => serve(),
        _ => eprintln!("usage: http [run SECONDS]"),
    }
}

/// Nobody thinks and nothing takes time. (In a scenario file that is refused: its simulation would not end.)
fn scenario(seconds: u64) -> Scenario {
    let nothing = Dist::Constant(Time::of(Span::ZERO));
    let mut scenario = Scenario::house();
    scenario.duration = Time::of(Span::from_secs(seconds));
    scenario.users.count = Some(Whole::of(USERS));
    scenario.users.think = nothing;
    scenario.users.ramp = Some(Time::of(Span::ZERO));
    scenario.servers.service = nothing;
    scenario.homes.cart = CartHome::SharedStore;
    scenario.store.latency = nothing;
    scenario
}

/// What a run in this process came to.
#[derive(Clone, Copy)]
struct Run {
    per_second: f64,
    /// Connections that the balancer opened, a request.
    connects: f64,
}

/// A run in this process.
fn run(seconds: u64) -> Run {
    let scenario = scenario(seconds);
    let options =
        Options { speed: 1.0, interrupt: &false.into(), progress: &|_| (), for_guests: false, started: &|_| () };
    let mut observer = Observer::new(&scenario, None, UserId(42));
    let played = http::play(&scenario, Seed(1), &options, &mut observer).unwrap_or_else(|failure| panic!("{failure}"));
    let requests = observer.meter.requests();
    assert_eq!((requests.ok, observer.checker.counts().lost), (requests.sent, 0), "all is well");
    let connects = played.connections as f64 / requests.ok as f64;
    Run { per_second: requests.ok as f64 / seconds as f64, connects }
}

/// The servers alone: prints where they are, and stays until nobody listens any more.
fn serve() {
    let mut servers = Servers::start(&scenario(1), Seed(1)).unwrap_or_else(|failure| panic!("{failure}"));
    let addresses: Vec<String> = servers.addresses().iter().map(ToString::to_string).collect();
    println!("{}", addresses.join(" "));
    io::stdin().read_to_end(&mut Vec::new()).expect("it ends");
    assert_eq!(servers.trouble(), None);
}

/// One way to send requests, measured.
#[derive(Clone, Copy)]
struct Measured {
    per_second: f64,
    /// Connections that our balancer opened, a request; not a number for others.
    connects: f64,
    /// Of all processes, and of the kernel for them.
    cpu_us: f64,
}

fn table() {
    let missing: Vec<&str> = ["wrk", "haproxy"].into_iter().filter(|name| !is_installed(name)).collect();
    let mut rounds: Vec<(Measured, Option<Measured>)> = Vec::new();
    for _ in 0..ROUNDS {
        let ours = whole();
        rounds.push((ours, missing.is_empty().then(built_from_parts)));
    }
    println!("{USERS} users who do not think, 3 servers, shared store in memory: medians of {ROUNDS} rounds in turn\n");
    println!("{:<44} {:>12} {:>24}", "", "requests/s", "CPU a request, all, us");
    line("whatcart: users, balancer, servers, history", rounds.iter().map(|(ours, _)| *ours));
    let connects = median(rounds.iter().map(|(ours, _)| ours.connects).collect());
    println!("{:<44} {connects:>12.5}", "    connections it opens a request");
    if !missing.is_empty() {
        println!("\nskipped: {} is not installed, so there is nothing to compare with", missing.join(" and "));
        return;
    }
    let pairs = || rounds.iter().filter_map(|(ours, theirs)| Some((*ours, (*theirs)?)));
    line("wrk -> HAProxy -> the same servers", pairs().map(|(_, theirs)| theirs));
    let ratios = |of: fn(Measured, Measured) -> f64| median(pairs().map(|(ours, theirs)| of(ours, theirs)).collect());
    let faster = ratios(|ours, theirs| ours.per_second / theirs.per_second);
    let dearer = ratios(|ours, theirs| ours.cpu_us / theirs.cpu_us);
    println!("\nratio of requests/s: {faster:.2} (the goal is 1.5)    ratio of CPU: {dearer:.2}");
}

fn line(name: &str, rounds: impl Iterator<Item = Measured> + Clone) {
    let per_second = median(rounds.clone().map(|round| round.per_second).collect());
    let cpu_us = median(rounds.map(|round| round.cpu_us).collect());
    println!("{name:<44} {per_second:>12.0} {cpu_us:>24.1}");
}

fn is_installed(name: &str) -> bool {
    Command::new(name).arg("-v").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// A run as it is played, in a process of its own.
fn whole() -> Measured {
    measured(|| {
        let output = own().args(["run", &SECONDS.to_string()]).output().expect("this program runs");
        assert!(output.status.success(), "{}: {}", output.status, String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("text");
        let field = |name: &str| text.split_whitespace().find_map(|field| field.strip_prefix(name)?.parse().ok());
        let named = |name: &str| field(name).unwrap_or_else(|| panic!("no {name} in {text}"));
        Run { per_second: named("requests_per_s="), connects: named("connections_per_request=") }
    })
}

fn own() -> Command {
    Command::new(std::env::current_exe().expect("this program has a path"))
}

fn measured(play: impl FnOnce() -> Run) -> Measured {
    let before = cpu_of_children();
    let Run { per_second, connects } = play();
    let cpu = cpu_of_children() - before;
    Measured { per_second, connects, cpu_us: cpu / (per_second * SECONDS as f64) * 1e6 }
}

/// Seconds of CPU that this program's children have used, those that have ended; not a number where Linux is not.
fn cpu_of_children() -> f64 {
    const TICKS_A_SECOND: f64 = 100.0;
    let Ok(stat) = std::fs::read_to_string("/proc/self/stat") else { return f64::NAN };
    let (_, fields) = stat.rsplit_once(')').expect("a name in parentheses");
    let ticks = fields.split_whitespace().skip(13).take(2).map(|field| field.parse::<f64>().expect("a number"));
    ticks.sum::<f64>() / TICKS_A_SECOND
}

/// A child that does not outlive its part.
struct Part(Child);

impl Drop for Part {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The same by way of wrk and HAProxy.
fn built_from_parts() -> Measured {
    let folder = tempfile::tempdir().expect("a folder");
    measured(|| {
        let mut servers =
            Part(own().arg("servers").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs"));
        let mut addresses = String::new();
        let mut lines = BufReader::new(servers.0.stdout.take().expect("piped"));
        lines.read_line(&mut addresses).expect("a line");
        let (_haproxy, door) = haproxy(folder.path(), &addresses);
        let session = log_in(door);
        let script = folder.path().join("journey.lua");
        std::fs::write(&script, journey(&session)).expect("it can be written");
        let output = Command::new("wrk")
            .args([&format!("-c{USERS}"), "-t2", &format!("-d{SECONDS}s"), "-s"])
            .arg(&script)
            .arg(format!("http://{door}/"))
            .output();
        let output = output.expect("wrk runs");
        drop(servers.0.stdin.take());
        assert!(servers.0.wait().expect("they end").success(), "no server is in trouble");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(!text.contains("Non-2xx") && !text.contains("Socket errors"), "{text}");
        let per_second = text.lines().find_map(|line| line.strip_prefix("Requests/sec:")?.trim().parse().ok());
        Run { per_second: per_second.expect("a number"), connects: f64::NAN }
    })
}

/// HAProxy before these servers, and where it listens.
fn haproxy(folder: &Path, addresses: &str) -> (Part, SocketAddr) {
    let door = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let servers = (1..).zip(addresses.split_whitespace()).map(|(n, at)| format!("  server server-{n} {at} check\n"));
    let config = format!(
        "global\n  maxconn 4096\ndefaults\n  mode http\n  timeout connect 5s\n  timeout client 15s\n  timeout server 15s\n\
         frontend door\n  bind {door}\n  default_backend shop\n\
         backend shop\n  balance roundrobin\n  http-reuse always\n  option httpchk GET /health\n{}",
        servers.collect::<String>()
    );
    let file = folder.join("haproxy.cfg");
    std::fs::write(&file, config).expect("it can be written");
    let child = Command::new("haproxy").arg("-db").arg("-f").arg(file).stdout(Stdio::null()).spawn();
    let part = Part(child.expect("HAProxy runs"));
    let begin = Clock::now();
    while TcpStream::connect(door).is_err() {
        assert!(begin.elapsed() < Duration::from_secs(10), "HAProxy does not listen");
        std::thread::sleep(Duration::from_millis(10));
    }
    (part, door)
}

/// A session, as a cookie.
fn log_in(door: SocketAddr) -> String {
    let mut stream = TcpStream::connect(door).expect("it listens");
    let ask = "POST /login HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nContent-Length: 22\r\n\r\n{\"user\":\"user-000042\"}";
    stream.write_all(ask.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (_, cookie) = answer.split_once("set-cookie: ").unwrap_or_else(|| panic!("no cookie: {answer}"));
    cookie.split(';').next().expect("a value").into()
}

/// A script for wrk: the house's journey again and again, each thread with carts of its own. Requests are made before
/// the first is sent.
fn journey(session: &str) -> String {
    format!(
        r#"
local threads = 0
function setup(thread)
  threads = threads + 1
  thread:set("id", threads)
end
function init(args)
  requests, at = {{}}, 0
  for visit = 1, {USERS} do
    wrk.headers["Cookie"] = string.format("visit=%06d-0001; {session}", id * 1000 + visit)
    wrk.headers["Content-Type"] = "application/json"
    local function ask(method, path, body) requests[#requests + 1] = wrk.format(method, path, nil, body) end
    ask("POST", "/login", string.format('{{"user":"user-%06d"}}', id * 1000 + visit))
    ask("GET", "/")
    ask("GET", "/")
    ask("POST", "/cart/items", '{{"item":1}}')
    ask("GET", "/cart")
    ask("POST", "/cart/items", '{{"item":2}}')
    ask("POST", "/cart/items", '{{"item":3}}')
    ask("POST", "/checkout")
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
"#
    )
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
