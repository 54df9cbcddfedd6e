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

/// A run that lasts until it is interrupted, and what it prints first: what `--verbose` says of its one design.
fn a_long_run() -> (Child, Vec<String>) {
    let args = [&SHORT[..], &["--verbose", "--set=duration=10m"]].concat();
    let mut child =
        Command::new(WHATCART).args(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let lines = BufReader::new(child.stderr.take().expect("piped")).lines().map_while(Result::ok);
    // A line that says whose these are, four addresses, and two commands with a line above each.
    (child, lines.take(9).collect())
}

/// The address of a server or the balancer in what was printed.
fn address<'a>(printed: &'a [String], name: &str) -> &'a str {
    let line = printed.iter().find(|line| line.trim_start().starts_with(name)).expect("it is named");
    line.split_once("http://").expect("an address").1
}

/// Sends bytes, and nothing after them, and reads what comes back.
fn sent(door: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(door).expect("somebody listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time");
    // The other end may hang up before it has read everything.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

const ADD: &str =
    "POST /cart/items HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nContent-Length: 10\r\n\r\n{\"item\":3}";

/// Asks for the cart that an answer has named.
fn view(added: &str) -> String {
    let (_, cookie) = added.split_once("visit=").expect("a cookie");
    let visit = cookie.split(';').next().expect("a value");
    format!("GET /cart HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nCookie: visit={visit}\r\n\r\n")
}

/// The output of `--verbose` is enough to shop during the run: through the balancer, and at the servers.
#[test]
fn people_can_shop_while_it_runs() {
    let (mut child, printed) = a_long_run();
    assert_eq!(printed[0], "design 1 of 1, round robin, server memory, 8x as fast, for 75 s:", "{printed:#?}");
    let [balancer, first, second] = ["balancer", "server-1", "server-2"].map(|name| address(&printed, name));
    let added = sent(first, ADD.as_bytes());
    assert!(added.starts_with("HTTP/1.1 200") && added.ends_with(r#"{"cart":[3]}"#), "{added}");
    let view_it = view(&added);
    assert!(sent(first, view_it.as_bytes()).ends_with(r#"{"cart":[3]}"#));
    assert!(sent(second, view_it.as_bytes()).ends_with(r#"{"cart":[]}"#), "What cart?");
    // Through the balancer, whose turns go round: now the cart is there, and now it is not.
    let added = sent(balancer, ADD.as_bytes());
    assert!(added.ends_with(r#"{"cart":[3]}"#), "{added}");
    let view_it = view(&added);
    let views = (0..200).map(|_| sent(balancer, view_it.as_bytes()));
    let mut seen = views.map(|text| text.ends_with(r#"{"cart":[3]}"#));
    let one = seen.next().expect("many");
    assert!(seen.any(|other| other != one), "always {one}");
    interrupt(&child);
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    for door in [balancer, first] {
        assert!(TcpStream::connect(door).is_err(), "nothing outlives the run");
    }
}

/// The commands that `--verbose` prints do what it says, in a shell.
#[test]
fn the_printed_commands_show_what_cart() {
    if Command::new("curl").arg("--version").output().is_err() {
        eprintln!("skipped: there is no curl");
        return;
    }
    let (mut child, printed) = a_long_run();
    let commands: Vec<&String> = printed.iter().filter(|line| line.contains("curl")).collect();
    assert_eq!(commands.len(), 2, "{printed:#?}");
    let folder = tempfile::tempdir().expect("a folder");
    let told = |command: &str| {
        let output = Command::new("sh").args(["-c", command]).current_dir(folder.path()).output().expect("a shell");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    assert!(told(commands[0]).starts_with(r#"{"cart":[1]}{"cart":["#), "{}", commands[0]);
    assert_eq!(told(commands[1]), r#"{"cart":[1]}{"cart":[]}"#, "{}", commands[1]);
    interrupt(&child);
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
}

/// Whatever somebody sends to the balancer's address, the run goes on, and its figures add up.
#[test]
#[allow(clippy::disallowed_methods, reason = "how soon it hangs up is what matters")]
fn hostile_requests_do_not_disturb_the_run() {
    let (mut child, printed) = a_long_run();
    let balancer = address(&printed, "balancer");
    let huge = format!("GET / HTTP/1.1\r\nHost: shop\r\nX-Long: {}\r\n\r\n", "A".repeat(1 << 20));
    assert!(sent(balancer, huge.as_bytes()).starts_with("HTTP/1.1 431"));
    let length = "POST /cart/items HTTP/1.1\r\nHost: shop\r\nContent-Length: 99999999\r\n\r\n{";
    assert!(sent(balancer, length.as_bytes()).starts_with("HTTP/1.1 413"));
    let begun = std::time::Instant::now();
    for unfinished in ["GET /cart HTTP/1.1", "\u{0}\u{1}", "POST /login HTTP/1.1\r\nContent-Length: 5\r\n\r\n{"] {
        let answer = sent(balancer, unfinished.as_bytes());
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    assert!(begun.elapsed() < Duration::from_secs(18), "each is sent away after five seconds");
    let made_up = ADD.replace("Host:", "X-Request-Id: 42-0-41-1-3-0\r\nCookie: visit=000042-0001\r\nHost:");
    let added = sent(balancer, made_up.as_bytes());
    assert!(added.ends_with(r#"{"cart":[3]}"#) && added.contains("set-cookie: visit=000000"), "{added}");
    interrupt(&child);
    let mut figures = String::new();
    child.stdout.take().expect("piped").read_to_string(&mut figures).expect("text");
    assert_eq!(child.wait().expect("it ends").code(), Some(130), "not 70: all requests are accounted for");
    assert!(figures.contains("Interrupted"), "{figures}");
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
