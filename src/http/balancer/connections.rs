//! Connections to the servers, kept open between requests.
//!
//! A connection has no task of its own: who waits for an answer drives it. So a request costs no more changes between
//! tasks than its sockets demand. There are never more connections than clients: a new one takes the place of one that
//! nobody uses, so that the files that a run needs are known before it begins.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
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

/// So many bytes are read at once: an answer of this shop.
const BUFFER: usize = 1_024;

/// A request on its way to a server.
pub type Outgoing = Request<Full<Bytes>>;

/// Connections to all servers.
pub struct ConnectionPool {
    servers: RwLock<Vec<Arc<Endpoint>>>,
    connect_timeout: Duration,
    open: Arc<AtomicUsize>,
    /// Where lines are hung up before new ones are opened.
    most: usize,
}

/// A server as the balancer reaches it.
pub struct Endpoint {
    address: SocketAddr,
    /// Its address, for requests that name no host.
    pub host: HeaderValue,
    /// The one used last is the last.
    idle: Mutex<VecDeque<PooledConnection>>,
}

/// One connection that can take a request, or is busy with one.
struct PooledConnection {
    sender: SendRequest<Full<Bytes>>,
    /// `None` when it is over.
    connection: Option<Box<Connection<TokioIo<TcpStream>, Full<Bytes>>>>,
    _counted: Counted,
}

/// One of the lines that are open.
struct Counted(Arc<AtomicUsize>);

/// Why there is no answer.
#[derive(Debug)]
pub enum ForwardError {
    /// The server was not reached; the request is as it was.
    Connect(io::Error, Box<Outgoing>),
    /// The request was sent, and perhaps taken.
    Sent,
}

impl ConnectionPool {
    /// To no server yet. `most`: so many are open at once, as long as no more are in use.
    #[must_use]
    pub fn new(connect_timeout: Duration, most: usize) -> ConnectionPool {
        ConnectionPool { servers: RwLock::default(), connect_timeout, open: Arc::default(), most }
    }

    /// There is one more server.
    pub fn add(&self, address: SocketAddr) {
        let host = HeaderValue::try_from(address.to_string()).expect("plain text");
        let server = Arc::new(Endpoint { address, host, idle: Mutex::default() });
        self.servers.write().unwrap_or_else(PoisonError::into_inner).push(server);
    }

    /// One of the servers.
    #[must_use]
    pub fn server(&self, id: ServerId) -> Arc<Endpoint> {
        Arc::clone(&self.servers.read().unwrap_or_else(PoisonError::into_inner)[id.index()])
    }

    /// Sends a request and waits for the head of its answer. The body comes while it is read.
    ///
    /// # Errors
    ///
    /// When there is no connection, or it broke.
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
                // The server had hung up meanwhile, and not a byte was sent.
                Err((_, Some(unsent))) if !fresh => request = unsent,
                Err((error, Some(unsent))) => {
                    return Err(ForwardError::Connect(io::Error::other(error), unsent.into()));
                }
                Err((_, None)) => return Err(ForwardError::Sent),
            }
        }
    }

    async fn connect(&self, server: &Endpoint) -> io::Result<PooledConnection> {
        if self.open.fetch_add(1, Ordering::Relaxed) >= self.most {
            self.hang_up_one();
        }
        let counted = Counted(Arc::clone(&self.open));
        let connecting = tokio::time::timeout(self.connect_timeout, TcpStream::connect(server.address));
        let stream = connecting.await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        // Only a socket that is already dead refuses this.
        let _ = stream.set_nodelay(true);
        let builder =
            http1::Builder::new().writev(false).read_buf_exact_size(Some(BUFFER)).handshake(TokioIo::new(stream));
        let (sender, connection) = builder.await.map_err(io::Error::other)?;
        Ok(PooledConnection { sender, connection: Some(Box::new(connection)), _counted: counted })
    }

    /// Closes a line that nobody uses: the one used longest ago, of the server that has most of them.
    fn hang_up_one(&self) {
        let servers = self.servers.read().unwrap_or_else(PoisonError::into_inner);
        let most = servers.iter().max_by_key(|server| server.idle().len());
        drop(most.and_then(|server| server.idle().pop_front()));
    }

    /// Lines that are open.
    #[cfg(test)]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

impl Endpoint {
    fn idle(&self) -> MutexGuard<'_, VecDeque<PooledConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl PooledConnection {
    /// The request comes back when nothing of it was sent.
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

/// Lets a connection send and receive.
fn drive(connection: &mut Option<Box<Connection<TokioIo<TcpStream>, Full<Bytes>>>>, cx: &mut Context<'_>) {
    // What ended it, the answer tells.
    if connection.as_mut().is_some_and(|connection| Pin::new(&mut **connection).poll(cx).is_ready()) {
        *connection = None;
    }
}

/// The body of an answer. When it has been read to its end, the line is free again.
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
            server.idle().push_back(line);
        }
    }
}
