//! A shop on sockets, a client that acts like curl, and servers that misbehave.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::base::seed::Seed;
use crate::base::time::Span;
use crate::base::{Command, Items};
use crate::http::balancer::Balancer;
use crate::http::clock::Clock;
use crate::http::failure::Failure;
use crate::http::log::Log;
use crate::http::servers;
use crate::http::shop_server::{Shop, Slot};
use crate::http::store::{self, Backend, Updated};
use crate::http::wire::CartId;
use crate::scenario::{Dist, Forgets, Scenario, Time, Whole};
use crate::traffic::Workload;

/// Longer than anything here takes.
const AT_MOST: Duration = Duration::from_secs(20);

/// A shop whose service takes `service_ms` milliseconds.
pub fn scenario(service_ms: u64) -> Scenario {
    let mut scenario = Scenario::house();
    scenario.servers.service = Dist::Constant(Time::of(Span::from_millis(service_ms)));
    scenario.servers.count = Whole::of(2);
    scenario.store.latency = Dist::Constant(Time::of(Span::ZERO));
    scenario
}

/// Servers and a balancer in front of them.
pub struct Town {
    pub slots: Vec<Arc<Slot>>,
    pub shop: Arc<Shop>,
    pub log: Arc<Log>,
    pub workload: Arc<Workload>,
    pub clock: Clock,
    pub balancer: Arc<Balancer>,
    pub failures: mpsc::UnboundedReceiver<Failure>,
    pub alarm: mpsc::UnboundedSender<Failure>,
}

impl Town {
    /// Real servers.
    pub fn open(scenario: &Scenario) -> Town {
        Town::with(scenario, &[])
    }

    /// Real servers with the caller's store.
    pub fn before(scenario: &Scenario, backend: Box<dyn Backend>) -> Town {
        Town::built(scenario, &[], Some(backend))
    }

    /// A balancer in front of these addresses, or of the real servers if there are none.
    pub fn with(scenario: &Scenario, rogues: &[SocketAddr]) -> Town {
        Town::built(scenario, rogues, None)
    }

    fn built(scenario: &Scenario, rogues: &[SocketAddr], backend: Option<Box<dyn Backend>>) -> Town {
        let clock = Clock::start(1.0);
        let workload = Arc::new(Workload::new(scenario, Seed(1)));
        let log = Arc::new(Log::new(clock));
        let (alarm, failures) = mpsc::unbounded_channel();
        let (shop, slots) = servers::open(scenario, &workload, &log, backend, (clock, &alarm)).expect("ports");
        let doors: Vec<SocketAddr> = slots.iter().map(|slot| slot.address).collect();
        let doors = if rogues.is_empty() { doors } else { rogues.to_vec() };
        let (w, l) = (Arc::clone(&workload), Arc::clone(&log));
        let balancer = Arc::new(Balancer::new(scenario, &doors, w, l, (clock, alarm.clone())));
        Town { slots, shop, log, workload, clock, balancer, failures, alarm }
    }

    pub fn door(&self, index: usize) -> SocketAddr {
        self.slots[index].address
    }
}

/// A defective store: it panics on every call.
pub struct Defective;

impl Backend for Defective {
    fn update_cart(&self, _: CartId, _: Command) -> store::StoreFuture<'_, Updated> {
        panic!("a defect, made for a test")
    }
    fn read_cart(&self, _: CartId) -> store::StoreFuture<'_, Option<Items>> {
        panic!("a defect, made for a test")
    }
    fn write_cart(&self, _: CartId, _: Items) -> store::StoreFuture<'_, Option<Items>> {
        panic!("a defect, made for a test")
    }
    fn session(&self, _: String) -> store::StoreFuture<'_, Option<String>> {
        panic!("a defect, made for a test")
    }
    fn put_session(&self, _: String, _: String) -> store::StoreFuture<'_, ()> {
        panic!("a defect, made for a test")
    }
    fn drop_session(&self, _: String) -> store::StoreFuture<'_, ()> {
        panic!("a defect, made for a test")
    }
    fn forget(&self, _: Forgets, _: u32) {}
}

/// A client with a cookie jar, like curl.
#[derive(Clone, Default)]
pub struct Curl {
    pub jar: BTreeMap<String, String>,
    /// The CSRF token in the form of the last page.
    pub form: String,
    /// The idempotency key of the order.
    pub order: String,
    /// The id of the request, if it is to be a user's: guests have none.
    pub id: String,
}

/// A server's answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Status line and header fields, in lower case.
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn of(text: &str) -> Answer {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        Answer { status, head: head.to_lowercase(), body: body.into() }
    }
}

impl Curl {
    pub fn message(&self, method: &str, path: &str, body: &str) -> String {
        let cookies: Vec<String> = self.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = if cookies.is_empty() { String::new() } else { format!("Cookie: {}\r\n", cookies.join("; ")) };
        let form = if self.form.is_empty() { String::new() } else { format!("X-CSRF-Token: {}\r\n", self.form) };
        let order = if self.order.is_empty() { String::new() } else { format!("Idempotency-Key: {}\r\n", self.order) };
        let id = if self.id.is_empty() { String::new() } else { format!("X-Request-Id: {}\r\n", self.id) };
        let (fields, length) = (format!("{cookies}{form}{order}{id}"), body.len());
        format!(
            "{method} {path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n{fields}Content-Length: {length}\r\n\r\n{body}"
        )
    }

    /// Sends a request, and keeps the cookies. The error is the socket's.
    pub async fn try_ask(&mut self, door: SocketAddr, what: &str, body: &str) -> io::Result<Answer> {
        let (method, path) = what.split_once(' ').expect("a method and a path");
        let message = self.message(method, path, body);
        self.try_send(door, &message).await
    }

    /// Sends a complete message, and keeps the cookies.
    pub async fn try_send(&mut self, door: SocketAddr, message: &str) -> io::Result<Answer> {
        let mut stream = TcpStream::connect(door).await?;
        stream.write_all(message.as_bytes()).await?;
        let mut text = Vec::new();
        stream.read_to_end(&mut text).await?;
        let answer = Answer::of(&String::from_utf8_lossy(&text));
        for line in String::from_utf8_lossy(&text).lines().take_while(|line| !line.is_empty()) {
            if let Some(form) = line.strip_prefix("x-csrf-token: ") {
                self.form = form.into();
            }
            let Some(cookie) = line.strip_prefix("set-cookie: ") else { continue };
            let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
            self.jar.insert(name.into(), value.into());
            self.jar.retain(|_, value| !value.is_empty());
        }
        Ok(answer)
    }

    /// Status and body of an answer, which must come.
    pub async fn ask(&mut self, door: SocketAddr, what: &str, body: &str) -> (u16, String) {
        let answer = self.answer(door, what, body).await;
        (answer.status, answer.body)
    }

    pub async fn answer(&mut self, door: SocketAddr, what: &str, body: &str) -> Answer {
        in_time(self.try_ask(door, what, body)).await.expect("an answer")
    }
}

/// The output of a future, which must complete in time.
pub async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(AT_MOST, future).await.expect("it does not take for ever")
}

/// Waits until something is true.
pub async fn until(what: &str, is_true: impl Fn() -> bool) {
    let waited = async {
        while !is_true() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(AT_MOST, waited).await.unwrap_or_else(|_| panic!("in vain: {what}"));
}

/// How a server misbehaves once it has read the head of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rogue {
    /// Says nothing and keeps the connection open.
    Silent,
    /// Closes the connection without an answer.
    CutsOff,
    /// Closes the connection in the middle of the body.
    CutsBody,
    /// Answers 200 with a body that is not JSON.
    Nonsense,
    /// Answers 418.
    Teapot,
}

/// A server that misbehaves: its address, and the requests it has received (request lines and header fields).
pub async fn rogue(how: Rogue) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let got = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&got);
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else { return };
            tokio::spawn(misbehave(stream, how, Arc::clone(&heard)));
        }
    });
    (address, got)
}

async fn misbehave(mut stream: TcpStream, how: Rogue, heard: Arc<Mutex<Vec<String>>>) {
    let mut text = Vec::new();
    let mut chunk = [0; 4096];
    while !text.windows(4).any(|four| four == b"\r\n\r\n") {
        match stream.read(&mut chunk).await {
            Ok(n) if n > 0 => text.extend_from_slice(&chunk[..n]),
            _ => return,
        }
    }
    heard.lock().expect("not poisoned").push(String::from_utf8_lossy(&text).into());
    let answer = match how {
        Rogue::Silent => {
            // Waits until the other end gives up.
            let _ = stream.read(&mut chunk).await;
            return;
        }
        Rogue::CutsOff => return,
        Rogue::CutsBody => "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"cart\":[1",
        Rogue::Nonsense => "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        Rogue::Teapot => "HTTP/1.1 418 I'm a teapot\r\nContent-Length: 2\r\n\r\n{}",
    };
    // The client may have gone.
    let _ = stream.write_all(answer.as_bytes()).await;
}
