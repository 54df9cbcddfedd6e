//! Connections to the servers, kept open between requests.
//!
//! A connection has no task of its own: the task that waits for an answer polls it. So a request costs no more task
//! switches than its sockets demand. An idle connection stays in its server's pool, so a server has as many connections
//! as it ever had requests in flight at once. However requests arrive, few of them have to wait for a new connection.
//! Only when the process has used up the files it may open does a new connection replace an idle one.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::base::ServerId;
use crate::http::failure;

/// The size of a read, in bytes: an answer of this shop fits.
const BUFFER: usize = 1_024;

/// A request on its way to a server.
pub type Outgoing = Request<Full<Bytes>>;

/// Connections to all servers.
pub struct ConnectionPool {
    servers: RwLock<Vec<Arc<Endpoint>>>,
    connect_timeout: Duration,
    /// How many files this process may have open.
    files: u64,
    budget: Arc<Budget>,
    opened: AtomicU64,
}

/// How many connections are open, and how many may be before idle ones are closed.
#[derive(Debug, Default)]
struct Budget {
    open: AtomicU64,
    most: AtomicU64,
}

/// A server as seen by the balancer.
pub struct Endpoint {
    address: SocketAddr,
    /// Its address, as the `Host` of requests that have none.
    pub host: HeaderValue,
    /// Idle connections; the most recently used is last.
    idle: Mutex<VecDeque<PooledConnection>>,
    gone: AtomicBool,
}

/// A connection that can take a request, or is busy with one.
struct PooledConnection {
    sender: SendRequest<Full<Bytes>>,
    /// `None` once it is closed.
    connection: Option<Box<Connection<TokioIo<TcpStream>, Full<Bytes>>>>,
    counted: Counted,
}

/// Counts as one open connection until it is dropped.
struct Counted(Arc<Budget>);

/// Why there is no answer.
#[derive(Debug)]
pub enum ForwardError {
    /// The server was not reached; the request comes back unsent.
    Connect(io::Error, Box<Outgoing>),
    /// The request was sent, and the server may have acted on it.
    Sent,
}

impl ConnectionPool {
    /// A pool without servers, in a process that may have `files` files open.
    #[must_use]
    pub fn new(connect_timeout: Duration, files: u64) -> ConnectionPool {
        let (budget, opened) = (Arc::default(), AtomicU64::new(0));
        ConnectionPool { servers: RwLock::default(), connect_timeout, files, budget, opened }
    }

    /// Adds a server. The files it needs are taken from those for idle connections.
    pub fn add(&self, address: SocketAddr) {
        let host = HeaderValue::try_from(address.to_string()).expect("plain text");
        let server = Arc::new(Endpoint { address, host, idle: Mutex::default(), gone: AtomicBool::new(false) });
        self.servers.write().unwrap_or_else(PoisonError::into_inner).push(server);
        self.share_files();
    }

    /// Removes a server for good, and closes its idle connections.
    pub fn remove(&self, id: ServerId) {
        let server = self.server(id);
        server.gone.store(true, Ordering::Release);
        drop(std::mem::take(&mut *server.idle()));
        self.share_files();
    }

    fn share_files(&self) {
        let servers = self.servers().iter().filter(|server| !server.gone.load(Ordering::Acquire)).count();
        self.budget.most.store(failure::connections_within(self.files, servers as u64), Ordering::Relaxed);
        while self.budget.is_exceeded() && self.hang_up_one() {}
    }

    fn servers(&self) -> RwLockReadGuard<'_, Vec<Arc<Endpoint>>> {
        self.servers.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The endpoint of a server.
    #[must_use]
    pub fn server(&self, id: ServerId) -> Arc<Endpoint> {
        Arc::clone(&self.servers()[id.index()])
    }

    /// How many connections have been opened so far.
    #[must_use]
    pub fn opened(&self) -> u64 {
        self.opened.load(Ordering::Relaxed)
    }

    /// Sends a request and waits for the head of its answer. The body arrives as it is read.
    ///
    /// # Errors
    ///
    /// When no connection can be opened, or when it breaks.
    pub async fn ask(
        &self,
        server: &Arc<Endpoint>,
        mut request: Outgoing,
    ) -> Result<Response<ResponseBody>, ForwardError> {
        loop {
            let kept = server.idle().pop_back();
            let fresh = kept.is_none();
            let mut line = match kept {
                Some(line) => line,
                None => match self.connect(server).await {
                    Ok(line) => line,
                    Err(error) => return Err(ForwardError::Connect(error, request.into())),
                },
            };
            match line.ask(request).await {
                Ok(response) => {
                    let line = Some((line, Arc::clone(server)));
                    return Ok(response.map(|body| ResponseBody { body, ended: false, line }));
                }
                // The server had closed the idle connection, and not a byte was sent.
                Err((_, Some(unsent))) if !fresh => request = unsent,
                Err((error, Some(unsent))) => {
                    return Err(ForwardError::Connect(io::Error::other(error), unsent.into()));
                }
                Err((_, None)) => return Err(ForwardError::Sent),
            }
        }
    }

    async fn connect(&self, server: &Endpoint) -> io::Result<PooledConnection> {
        let counted = Counted::new(&self.budget);
        if self.budget.is_exceeded() {
            self.hang_up_one();
        }
        let connecting = tokio::time::timeout(self.connect_timeout, TcpStream::connect(server.address));
        let stream = connecting.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        self.opened.fetch_add(1, Ordering::Relaxed);
        // This fails only on a socket that is already dead.
        let _ = stream.set_nodelay(true);
        let builder =
            http1::Builder::new().writev(false).read_buf_exact_size(Some(BUFFER)).handshake(TokioIo::new(stream));
        let (sender, connection) = builder.await.map_err(io::Error::other)?;
        Ok(PooledConnection { sender, connection: Some(Box::new(connection)), counted })
    }

    /// Closes an idle connection: the least recently used one of the server that has most of them. Returns false when
    /// none is idle.
    fn hang_up_one(&self) -> bool {
        let servers = self.servers();
        let most = servers.iter().max_by_key(|server| server.idle().len());
        most.and_then(|server| server.idle().pop_front()).is_some()
    }
}

impl Budget {
    fn is_exceeded(&self) -> bool {
        self.open.load(Ordering::Relaxed) > self.most.load(Ordering::Relaxed)
    }
}

impl Endpoint {
    fn idle(&self) -> MutexGuard<'_, VecDeque<PooledConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a connection for the next request, unless too many are open or the server is gone.
    fn keep(&self, line: PooledConnection) {
        let mut idle = self.idle();
        // Checked under the lock: `remove` sets `gone` first and then empties the queue, so it drops whatever was kept
        // before.
        if !self.gone.load(Ordering::Acquire) && !line.counted.0.is_exceeded() {
            idle.push_back(line);
        }
    }
}

impl Counted {
    fn new(budget: &Arc<Budget>) -> Counted {
        budget.open.fetch_add(1, Ordering::Relaxed);
        Counted(Arc::clone(budget))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl PooledConnection {
    /// The error contains the request if nothing of it was sent.
    async fn ask(&mut self, request: Outgoing) -> Result<Response<Incoming>, (hyper::Error, Option<Outgoing>)> {
        let PooledConnection { sender, connection, .. } = self;
        let mut answer = pin!(sender.try_send_request(request));
        let answered = poll_fn(|cx| {
            drive(connection, cx);
            answer.as_mut().poll(cx)
        });
        answered.await.map_err(|mut error| {
            let unsent = error.take_message();
            (error.into_error(), unsent)
        })
    }
}

/// Polls a connection, so that it sends and receives.
fn drive(connection: &mut Option<Box<Connection<TokioIo<TcpStream>, Full<Bytes>>>>, cx: &mut Context<'_>) {
    // Why it ended is reported with the answer.
    if connection.as_mut().is_some_and(|connection| Pin::new(&mut **connection).poll(cx).is_ready()) {
        *connection = None;
    }
}

/// The body of an answer. If it was read to its end, dropping it makes the connection idle again.
pub struct ResponseBody {
    body: Incoming,
    ended: bool,
    line: Option<(PooledConnection, Arc<Endpoint>)>,
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let mut frame = Pin::new(&mut self.body).poll_frame(cx);
        if let (Poll::Pending, Some((line, _))) = (&frame, &mut self.line) {
            drive(&mut line.connection, cx);
            frame = Pin::new(&mut self.body).poll_frame(cx);
        }
        self.ended |= matches!(frame, Poll::Ready(None));
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        if let (true, Some((line, server))) = (self.ended || self.body.is_end_stream(), self.line.take())
            && line.sender.is_ready()
        {
            server.keep(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;
    use crate::http::tests::support::{Town, in_time, scenario};

    const FIRST: ServerId = ServerId(0);
    const SECOND: ServerId = ServerId(1);

    /// Connections to the two servers of a town, in a process that may have `files` files open.
    fn connections(town: &Town, files: u64) -> ConnectionPool {
        let connections = ConnectionPool::new(Duration::from_secs(5), files);
        town.slots.iter().for_each(|slot| connections.add(slot.address));
        connections
    }

    /// Sends a request to a server. The connection is busy until the answer has been read.
    async fn ask(connections: &ConnectionPool, server: ServerId) -> Response<ResponseBody> {
        let request = Request::get("/").header("host", "shop").body(Full::default()).expect("a request");
        in_time(connections.ask(&connections.server(server), request)).await.expect("an answer")
    }

    /// Sends `requests` requests to a server at once, and reads all answers.
    async fn ask_at_once(connections: &ConnectionPool, server: ServerId, requests: usize) {
        let mut answers = Vec::new();
        for _ in 0..requests {
            answers.push(ask(connections, server).await);
        }
        for answer in answers {
            assert_eq!(in_time(answer.into_body().collect()).await.expect("a body").to_bytes(), "{}");
        }
    }

    fn idle(connections: &ConnectionPool) -> Vec<usize> {
        connections.servers().iter().map(|server| server.idle().len()).collect()
    }

    #[tokio::test]
    async fn a_server_keeps_as_many_lines_as_it_had_requests_at_once() {
        let town = Town::open(&scenario(0));
        let connections = connections(&town, 1_024);
        for _ in 0..5 {
            ask_at_once(&connections, FIRST, 3).await;
            ask_at_once(&connections, SECOND, 2).await;
        }
        assert_eq!((idle(&connections), connections.opened()), (vec![3, 2], 5));
    }

    #[tokio::test]
    async fn idle_lines_give_way_when_the_files_are_used_up() {
        let town = Town::open(&scenario(0));
        // Enough for three connections.
        let connections = connections(&town, 64 + 2 * 6 + 3 * 2);
        ask_at_once(&connections, FIRST, 3).await;
        ask_at_once(&connections, SECOND, 1).await;
        assert_eq!((idle(&connections), connections.opened()), (vec![2, 1], 4), "the first server's oldest is hung up");
        ask_at_once(&connections, SECOND, 5).await;
        assert_eq!(
            (idle(&connections), connections.opened()),
            (vec![0, 3], 8),
            "what is busy is not hung up, and not all is kept"
        );
        assert_eq!(connections.budget.open.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn a_pool_that_grows_takes_files_from_idle_lines() {
        let town = Town::open(&scenario(0));
        let connections = connections(&town, 64 + 2 * 6 + 8 * 2);
        ask_at_once(&connections, FIRST, 4).await;
        ask_at_once(&connections, SECOND, 4).await;
        assert_eq!(idle(&connections), [4, 4]);
        connections.add(town.slots[1].address);
        assert_eq!(idle(&connections).iter().sum::<usize>(), 5, "a server needs the files of three lines");
        let unread = ask(&connections, FIRST).await;
        connections.remove(FIRST);
        drop(in_time(unread.into_body().collect()).await);
        assert_eq!(idle(&connections)[0], 0, "nobody is sent there any more");
        let kept = idle(&connections)[1];
        ask_at_once(&connections, SECOND, 8).await;
        assert_eq!((idle(&connections)[1], kept <= 4), (8, true), "what the one that left had is free");
    }
}
