//! `whatcart serve` against clients that do not behave.

#![expect(clippy::disallowed_methods, reason = "how long a server waits is measured on the wall clock")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::sync::Notify;
use whatcart::serve::{Limits, Server};

/// A server with small limits, which stops when it is dropped.
struct Running {
    address: SocketAddr,
    stop: Arc<Notify>,
    thread: Option<JoinHandle<()>>,
}

const LIMITS: Limits = Limits {
    connections: 4,
    pages: 2,
    idle: Duration::from_millis(400),
    body: 10_000,
    patience: Duration::from_millis(300),
    connection: Duration::from_secs(3),
};

fn start(limits: Limits) -> Running {
    let runtime = Runtime::new().expect("threads");
    let server = runtime.block_on(Server::listen(0, limits)).expect("a free port");
    let (address, stop) = (server.address(), Arc::new(Notify::new()));
    let stopped = stop.clone();
    let thread = std::thread::spawn(move || runtime.block_on(server.answer(&stopped)));
    Running { address, stop, thread: Some(thread) }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.notify_one();
        self.thread.take().expect("it runs").join().expect("it ends well");
    }
}

impl Running {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
        stream
    }

    /// What comes back for these bytes, until the server closes.
    fn sent(&self, bytes: &str) -> String {
        let mut stream = self.connect();
        // The server may have refused it before all of it is there.
        let _ = stream.write_all(bytes.as_bytes());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    /// A call with these headers instead of the usual ones.
    fn call(&self, page: &str, body: &str, changed: &[(&str, &str)]) -> String {
        let host = self.address.to_string();
        let origin = format!("http://{host}");
        let length = body.len().to_string();
        let usual = [
            ("host", &*host),
            ("origin", &origin),
            ("content-type", "application/json"),
            ("content-length", &length),
            ("x-whatcart-page", page),
            ("connection", "close"),
        ];
        let mut head = String::from("POST /call HTTP/1.1\r\n");
        for (name, value) in usual {
            let value = changed.iter().find(|(of, _)| *of == name).map_or(value, |(_, value)| value);
            if value != "-" {
                head += &format!("{name}: {value}\r\n");
            }
        }
        for (name, value) in changed.iter().filter(|(of, _)| usual.iter().all(|(name, _)| name != of)) {
            head += &format!("{name}: {value}\r\n");
        }
        self.sent(&format!("{head}\r\n{body}"))
    }
}

const PAGE: &str = "page-0001";
const LOAD: &str = r#"{"call":"load","scenario":"what-cart"}"#;
const SNAPSHOT: &str = r#"{"call":"snapshot","run":0}"#;

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
}

#[test]
fn a_page_of_this_server_makes_calls() {
    let server = start(LIMITS);
    let answer = server.call(PAGE, LOAD, &[]);
    assert_eq!(status(&answer), 200, "{answer}");
    assert!(answer.contains("\"ok\":{\"runs\"") || answer.contains("\"ok\":{\"scenario\""), "{answer}");
    assert!(server.call(PAGE, SNAPSHOT, &[]).contains("\"clients_per_seat\":1"));
    assert!(server.call("page-0002", SNAPSHOT, &[]).contains("load a scenario first"), "another page has nothing open");
    // By its name, and without an origin, as a program would.
    let host = format!("localhost:{}", server.address.port());
    assert_eq!(status(&server.call(PAGE, SNAPSHOT, &[("host", &host), ("origin", "-")])), 200);
}

#[test]
fn who_is_not_a_page_of_this_server_is_refused() {
    let server = start(LIMITS);
    let port = server.address.port();
    let elsewhere = format!("http://127.0.0.1:{}", port ^ 1);
    for (changed, wanted) in [
        (("host", "evil.example"), 421),
        (("host", "127.0.0.1"), 421),
        (("host", "-"), 400),
        (("origin", "http://evil.example"), 403),
        (("origin", "null"), 403),
        (("origin", &*elsewhere), 403),
        (("sec-fetch-site", "cross-site"), 403),
        (("content-type", "text/plain"), 415),
        (("content-type", "application/x-www-form-urlencoded"), 415),
        (("content-type", "-"), 415),
        (("x-whatcart-page", "-"), 400),
        (("x-whatcart-page", "short"), 400),
        (("x-whatcart-page", "../../etc/passwd"), 400),
    ] {
        let answer = server.call(PAGE, LOAD, &[changed]);
        let missing_host = changed == ("host", "-") && status(&answer) == 421;
        assert!(status(&answer) == wanted || missing_host, "{changed:?}: {answer}");
        assert!(!answer.contains("access-control-allow"), "{answer}");
    }
}

#[test]
fn files_are_few_and_come_with_security_headers() {
    let server = start(LIMITS);
    let host = format!("Host: {}\r\nConnection: close\r\n\r\n", server.address);
    let answer = server.sent(&format!("GET /engine.json HTTP/1.1\r\n{host}"));
    assert_eq!(status(&answer), 200);
    assert!(answer.ends_with("{ \"engine\": \"http\" }\n"), "{answer}");
    for header in [
        "content-security-policy: default-src 'self'; script-src 'self' 'wasm-unsafe-eval'",
        "x-content-type-options: nosniff",
        "x-frame-options: DENY",
        "referrer-policy: no-referrer",
    ] {
        assert!(answer.contains(header), "{header}\n{answer}");
    }
    for (line, wanted) in [
        ("GET /../Cargo.toml HTTP/1.1", 404),
        ("GET /etc/passwd HTTP/1.1", 404),
        ("GET /call HTTP/1.1", 405),
        ("DELETE /engine.json HTTP/1.1", 405),
        ("OPTIONS /call HTTP/1.1", 405),
    ] {
        assert_eq!(status(&server.sent(&format!("{line}\r\n{host}"))), wanted, "{line}");
    }
    assert_eq!(status(&server.sent("\u{16}\u{3}\u{1}not http\r\n\r\n")), 400);
}

#[test]
fn bodies_are_short_and_quick() {
    let server = start(LIMITS);
    let huge = "x".repeat(20_000);
    assert_eq!(status(&server.call(PAGE, &huge, &[])), 413);
    assert_eq!(status(&server.call(PAGE, "{}", &[("content-length", "99999999999")])), 413);
    let began = Instant::now();
    assert_eq!(status(&server.call(PAGE, "{", &[("content-length", "500")])), 408, "the rest never comes");
    // A header that never ends.
    let mut slow = server.connect();
    slow.write_all(b"GET / HTTP/1.1\r\nHost:").expect("it listens");
    let _ = slow.read_to_end(&mut Vec::new());
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

#[test]
fn silent_clients_do_not_keep_others_out() {
    let server = start(LIMITS);
    let silent: Vec<TcpStream> = (0..LIMITS.connections + 2).map(|_| server.connect()).collect();
    assert_eq!(status(&server.call(PAGE, LOAD, &[])), 200, "those who say nothing are hung up on");
    drop(silent);
}

#[test]
fn pages_are_few_and_end_when_nobody_calls() {
    let server = start(LIMITS);
    assert_eq!(status(&server.call("page-0001", LOAD, &[])), 200);
    assert_eq!(status(&server.call("page-0002", LOAD, &[])), 200);
    let answer = server.call("page-0003", LOAD, &[]);
    assert_eq!(status(&answer), 429, "{answer}");
    assert!(answer.contains("2 pages are open"), "{answer}");
    assert_eq!(status(&server.call("page-0001", SNAPSHOT, &[])), 200);
    std::thread::sleep(LIMITS.idle + Duration::from_millis(200));
    assert_eq!(status(&server.call("page-0003", LOAD, &[])), 200);
    assert!(server.call("page-0001", SNAPSHOT, &[]).contains("load a scenario first"), "it was forgotten");
}

#[test]
fn it_stops_at_once_whoever_is_connected() {
    let server = start(LIMITS);
    let _waiting = server.connect();
    let began = Instant::now();
    drop(server);
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}
