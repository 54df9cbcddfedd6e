//! Real runs as seen by users: addresses for curl, limits of the machine, interrupts, exit codes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const WHATCART: &str = env!("CARGO_BIN_EXE_whatcart");

/// A shop that is open for five real seconds.
const SHORT: [&str; 9] = [
    "run",
    "what-cart",
    "--engine=http",
    "--speed=8",
    "--set=duration=40s",
    "--set=users.count=60",
    "--only=2",
    "--seed=1",
    "--color=never",
];

fn ran(args: &[&str]) -> (i32, String, String) {
    of(&Command::new(WHATCART).args(args).output().expect("the program starts"))
}

fn of(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (output.status.code().expect("not killed"), text(&output.stdout), text(&output.stderr))
}

/// Runs the program in a shell with a limit on open files.
fn with_files(limit: u32, args: &[&str]) -> (i32, String, String) {
    let script = format!("ulimit -n {limit} && exec \"$0\" \"$@\"");
    of(&Command::new("sh").args(["-c", &script, WHATCART]).args(args).output().expect("there is a shell"))
}

fn interrupt(child: &Child) {
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("there is a kill");
    assert!(killed.success());
}

#[test]
fn a_real_run_prints_what_a_simulated_one_does() {
    let (code, printed, errors) = ran(&SHORT);
    // On a machine too busy to keep up, the figures are printed, but the run fails.
    assert!(code == 0 && errors.is_empty() || code == 3 && printed.contains("could not keep up"), "{printed}{errors}");
    for part in ["what-cart", "real requests on this machine", "carts lost", "All carts lost", "MISSING", "Lesson"] {
        assert!(printed.contains(part), "{part}:\n{printed}");
    }
    assert!(printed.lines().all(|line| line.chars().count() <= 100), "{printed}");
}

#[test]
fn its_json_says_how_real_time_was_kept() {
    let (code, printed, _) = ran(&[&SHORT[..], &["--format=json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&printed).expect("JSON");
    assert_eq!(json["engine"], "http");
    let figures = &json["variants"][0];
    assert_eq!(code, if figures["pace"]["kept_up"] == true { 0 } else { 3 });
    assert_eq!(figures["pace"]["speed"], 8.0);
    assert!(figures["pace"]["late_ms"]["p50"].as_f64().expect("a number") < 100.0, "{figures}");
    let of = |name: &str| figures["requests"][name].as_u64().expect("a count");
    assert!(of("sent") > 1_000);
    assert_eq!(of("sent"), of("ok") + of("refused") + of("failed") + of("timed_out") + of("in_flight"));
}

/// New servers get their own ports, are used once they pass their checks, and the old ones leave without harm to
/// anybody.
#[test]
fn a_real_deploy_with_a_spare_server_hurts_nobody() {
    let args = [
        "run",
        "zero-downtime-deploy",
        "--engine=http",
        "--speed=6",
        "--set=duration=90s",
        "--only=5",
        "--format=json",
    ];
    let (code, printed, errors) = ran(&args);
    let json: serde_json::Value = serde_json::from_str(&printed).expect(&errors);
    let figures = &json["variants"][0];
    assert_eq!(code, if figures["pace"]["kept_up"] == true { 0 } else { 3 }, "{errors}");
    let deploy = &figures["deploys"]["the deploy"];
    assert_eq!((&deploy["finished"], &deploy["cut_requests"]), (&true.into(), &0.into()), "{deploy}");
    assert!((30.0..60.0).contains(&deploy["took_s"].as_f64().expect("a number")), "{deploy}");
    let of = |name: &str| figures["requests"][name].as_u64().expect("a count");
    assert_eq!((of("refused"), of("failed"), &figures["carts"]["lost"]), (0, 0, &0.into()));
    let servers = figures["load"]["per_server"].as_array().expect("a list");
    assert!(servers.len() == 6 && servers.iter().all(|server| server["requests"].as_u64() > Some(100)), "{servers:?}");
    assert!((3.1..4.0).contains(&figures["price"]["servers"].as_f64().expect("a number")), "{figures}");
}

/// The output of `--verbose` is enough to visit a server by hand during the run.
#[test]
fn a_server_can_be_visited_by_hand() {
    let args = [&SHORT[..], &["--verbose"]].concat();
    let mut child =
        Command::new(WHATCART).args(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let errors = BufReader::new(child.stderr.take().expect("piped"));
    let lines = errors.lines().map_while(Result::ok);
    let doors: Vec<String> = lines.filter_map(|line| Some(line.split_once("http://")?.1.to_owned())).take(3).collect();
    let ask = |door: &str, request: &str| {
        let mut stream = TcpStream::connect(door).expect("a server listens");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    };
    let add = "POST /cart/items HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nContent-Length: 10\r\n\r\n{\"item\":3}";
    let added = ask(&doors[0], add);
    assert!(added.starts_with("HTTP/1.1 200") && added.ends_with(r#"{"cart":[3]}"#), "{added}");
    let (_, cookie) = added.split_once("visit=").expect("a cookie");
    let visit = cookie.split(';').next().expect("a value");
    let view = format!("GET /cart HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nCookie: visit={visit}\r\n\r\n");
    assert!(ask(&doors[0], &view).ends_with(r#"{"cart":[3]}"#));
    assert!(ask(&doors[1], &view).ends_with(r#"{"cart":[]}"#), "What cart?");
    interrupt(&child);
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert!(TcpStream::connect(&*doors[0]).is_err(), "nothing outlives the run");
}

#[test]
fn an_interrupt_prints_what_was_measured() {
    let args = [&SHORT[..], &["--verbose", "--set=duration=10m"]].concat();
    let mut child =
        Command::new(WHATCART).args(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut line = String::new();
    BufReader::new(child.stderr.take().expect("piped")).read_line(&mut line).expect("a line");
    // The servers are up; shortly afterwards there may or may not be something to print. Both are fine.
    interrupt(&child);
    let mut printed = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut printed).expect("text");
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    assert!(printed.contains("Interrupted") && printed.contains("2  round robin"), "{printed}");
}

/// Whenever the signal comes, the run ends soon, and as an interrupted one.
#[test]
#[allow(clippy::disallowed_methods, reason = "somebody waits, and presses Ctrl-C")]
fn an_interrupt_may_come_at_any_moment() {
    let moments = [0, 2, 10, 40, 150, 600, 2_500].map(|millis| ("--engine=http", millis));
    for (engine, millis) in moments.into_iter().chain([("--engine=both", 5), ("--engine=both", 100)]) {
        let others = SHORT.iter().filter(|arg| !arg.starts_with("--engine"));
        let mut command = Command::new(WHATCART);
        let child =
            command.args(others).arg(engine).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        std::thread::sleep(Duration::from_millis(millis));
        interrupt(&child);
        let begun = std::time::Instant::now();
        let output = child.wait_with_output().expect("it ends");
        let told = || format!("{engine}, {millis} ms: {output:?}");
        // Until the program handles the signal, its default action ends the process.
        assert!(matches!(output.status.code(), Some(130) | None), "{}", told());
        assert!(begun.elapsed() < Duration::from_secs(15), "{}", told());
    }
}

/// In a network namespace with a single port.
#[test]
fn no_free_port_is_told() {
    let apart = |args: &[&str]| Command::new("unshare").arg("-rn").args(args).output();
    if !apart(&["true"]).is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: this system gives nobody a network of their own");
        return;
    }
    let script = "echo '50000 50000' >/proc/sys/net/ipv4/ip_local_port_range && exec \"$0\" \"$@\"";
    let output = apart(&[&["sh", "-c", script, WHATCART], &SHORT[..]].concat()).expect("it starts");
    let (code, printed, errors) = of(&output);
    assert_eq!((code, &*printed), (3, ""), "{errors}");
    assert!(errors.contains("server-2 cannot have a port: Address already in use"), "{errors}");
}

#[test]
fn too_few_files_and_too_many_users_are_told_with_the_remedy() {
    let (code, printed, errors) = with_files(100, &["run", "what-cart", "--engine=http", "--only=2"]);
    assert_eq!((code, &*printed), (3, ""));
    assert!(errors.contains("100 open files") && errors.contains("ulimit -n 1024"), "{errors}");
    assert!(errors.contains("users.count=9"), "{errors}");
    let (code, _, errors) = ran(&["run", "what-cart", "--engine=http", "--set=users.count=1_000_000"]);
    assert_eq!(code, 2);
    let errors = errors.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(errors.contains("at most 20000") && errors.contains("--engine sim"), "{errors}");
}

#[test]
fn flags_that_mean_nothing_are_refused() {
    for args in [
        ["run", "what-cart", "--speed=2", "--engine=sim"],
        ["run", "what-cart", "--speed=0", "--engine=http"],
        ["run", "what-cart", "--speed=nan", "--engine=http"],
        ["run", "what-cart", "--speed=1e9", "--engine=http"],
        ["run", "what-cart", "--verbose", "--engine=sim"],
        ["run", "what-cart", "--engine=carrier-pigeon", "--quiet"],
    ] {
        let (code, printed, errors) = ran(&args);
        assert_eq!((code, &*printed), (2, ""), "{args:?}: {errors}");
    }
}
