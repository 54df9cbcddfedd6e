//! `whatcart serve`: the page and its calls over HTTP, for browsers on this machine.
//!
//! It listens on the loopback interface only. A request must name this server as its host, and a call must come from a
//! page of this server and be JSON: so no other web site can make calls, not even by a name that it lets point here.
//! Everything that a client can make it keep or wait for has a limit.

mod files;
mod pages;
mod request;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio::time::{sleep, timeout};

use pages::Pages;

/// What a client may make the server keep, and how long it may make it wait.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once; more wait.
    pub connections: usize,
    /// Pages that have something open.
    pub pages: usize,
    /// How long a page is kept after its last call.
    pub idle: Duration,
    /// The longest body of a call, in bytes.
    pub body: usize,
    /// How long a client may take to send its header, and again its body.
    pub patience: Duration,
    /// How long a connection may last.
    pub connection: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections: 64,
            pages: 8,
            idle: Duration::from_secs(15 * 60),
            body: crate::page::LONGEST_REQUEST,
            patience: Duration::from_secs(10),
            connection: Duration::from_secs(10 * 60),
        }
    }
}

/// A server that listens, and does not answer yet.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    limits: Limits,
}

/// What all connections share.
struct Shared {
    address: SocketAddr,
    limits: Limits,
    pages: Pages,
}

/// How long to wait when no connection can be accepted: usually because no file descriptor is free.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

impl Server {
    /// Listens on a port of the loopback interface; on any free one if it is 0.
    ///
    /// # Errors
    ///
    /// The port is taken, or this machine refuses.
    pub async fn listen(port: u16, limits: Limits) -> io::Result<Server> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        Ok(Server { listener, address, limits })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` is notified. Then it drops all connections.
    pub async fn answer(self, stop: &Notify) {
        let Server { listener, address, limits } = self;
        let shared = Arc::new(Shared { address, limits, pages: Pages::new(limits.pages, limits.idle) });
        let room = Arc::new(Semaphore::new(limits.connections));
        let accepting = async {
            loop {
                let Ok(place) = room.clone().acquire_owned().await else { return };
                let Ok((stream, _)) = listener.accept().await else {
                    sleep(ACCEPT_BACKOFF).await;
                    continue;
                };
                let shared = shared.clone();
                tokio::spawn(async move {
                    // A client that is too slow, or breaks off, is its own trouble.
                    let _ = timeout(limits.connection, connection(stream, shared)).await;
                    drop(place);
                });
            }
        };
        tokio::select! {
            () = accepting => {}
            () = stop.notified() => {}
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    let patience = shared.limits.patience;
    let service = service_fn(move |request| request::answer(request, shared.clone()));
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(patience).max_buf_size(64 * 1024);
    // The client may have gone.
    let _ = http.serve_connection(TokioIo::new(stream), service).await;
}
