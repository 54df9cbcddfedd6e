//! The balancer's own address, for guests: people can shop through it while a run lasts, beside the users of the run.
//!
//! A guest's connection takes one request, so that the limits below hold for all that it can do.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::balancer::{Balancer, ProxiedBody, own};
use super::body::{self, FILE_LIMIT};
use super::failure::{self, Failure};
use super::wire;

/// Most connections at once; others wait in the kernel. Each takes up to three file descriptors, which the process has in
/// reserve.
const MOST_CONNECTIONS: usize = 8;
/// Most bytes of a request's head.
const HEAD_LIMIT: usize = 16 << 10;
/// How long a guest may take to send the head, and then the body.
const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection lasts at most, whatever the guest or the server does.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(30);
/// How long to wait after a failure to accept a connection, before the next attempt.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(10);

/// A free port on the loopback interface.
///
/// # Errors
///
/// When there is no port left, or no file descriptor.
pub async fn bind() -> Result<TcpListener, Failure> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    bound.map_err(|error| failure::of_io("the balancer cannot have a port".into(), &error))
}

/// Accepts connections, and passes on the request of each, until the task is aborted.
pub async fn listen(balancer: Arc<Balancer>, listener: TcpListener) {
    let free = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let permit = Arc::clone(&free).acquire_owned().await.expect("never closed");
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(converse(Arc::clone(&balancer), stream, permit));
            }
            Err(_) => tokio::time::sleep(ACCEPT_BACKOFF).await,
        }
    }
}

async fn converse(balancer: Arc<Balancer>, stream: TcpStream, _permit: OwnedSemaphorePermit) {
    // This fails only for a socket that is already dead.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let balancer = balancer.for_guest();
        async move { Ok::<_, Infallible>(pass_on(&balancer, request).await) }
    });
    let connection = http1::Builder::new()
        .keep_alive(false)
        .max_buf_size(HEAD_LIMIT)
        .timer(TokioTimer::new())
        .header_read_timeout(READ_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    // A connection that breaks, or takes too long, is its guest's own affair.
    let _ = tokio::time::timeout(CONNECTION_TIMEOUT, connection).await;
}

async fn pass_on(balancer: &Balancer, request: Request<Incoming>) -> Response<ProxiedBody> {
    let (mut head, body) = request.into_parts();
    // Only users of the run have these.
    head.headers.remove(wire::REQUEST_ID);
    head.headers.remove(wire::REQUEST_START);
    match body::read(body, FILE_LIMIT, READ_TIMEOUT).await {
        Ok(body) => balancer.handle(Request::from_parts(head, body)).await,
        Err(unread) => own(unread.status(), unread.why()),
    }
}
