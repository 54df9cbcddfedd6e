//! The balancer: a function from request to response, over pooled connections to the servers.
//!
//! Users in this process call it directly and need no socket to it; a listener could call it just as well. What it
//! knows of a request is in the request: its id, its cookies.

mod fields;
pub mod health;
mod routing;

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, SET_COOKIE};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::mpsc;

use super::clock::Clock;
use super::failure::{self, Failure};
use super::log::Log;
use super::wire::{self, RequestId};
use crate::model::{Refusal, ServerId};
use crate::policy::affinity::Pin;
use crate::scenario::Scenario;
use crate::workload::Workload;

pub use routing::{Routing, Ticket};

/// Connections to one server that are kept open though nobody uses them.
const IDLE_EACH: usize = 1_024;

/// What the balancer is made of.
pub struct Balancer {
    routing: Arc<Routing>,
    authorities: RwLock<Vec<Authority>>,
    client: Client<HttpConnector, Full<Bytes>>,
    log: Arc<Log>,
    retries: u8,
    failures: mpsc::UnboundedSender<Failure>,
}

/// How one attempt failed.
enum Trouble {
    /// It never reached the server.
    Connect,
    /// It was sent, and perhaps taken.
    Sent,
}

/// A response as it comes from a server, or from the balancer itself. While it lives, the request is in flight.
pub struct Passed {
    body: Source,
    _ticket: Option<Ticket>,
}

enum Source {
    Server(Incoming),
    Here(Full<Bytes>),
}

impl Balancer {
    /// In front of these servers.
    #[must_use]
    pub fn new(
        scenario: &Scenario,
        addresses: &[SocketAddr],
        workload: Arc<Workload>,
        log: Arc<Log>,
        (clock, failures): (Clock, mpsc::UnboundedSender<Failure>),
    ) -> Balancer {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(clock.real(scenario.balancer.connect_timeout.get())));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(IDLE_EACH)
            .build(connector);
        Balancer {
            routing: Arc::new(Routing::new(scenario, workload, clock)),
            authorities: RwLock::new(addresses.iter().map(authority).collect()),
            client,
            log,
            retries: u8::try_from(scenario.balancer.retries.get()).expect("limited to 10"),
            failures,
        }
    }

    /// Behind it is one more server.
    pub fn add(&self, address: &SocketAddr) {
        self.authorities.write().unwrap_or_else(PoisonError::into_inner).push(authority(address));
    }

    fn authority(&self, server: ServerId) -> Authority {
        self.authorities.read().unwrap_or_else(PoisonError::into_inner)[server.index()].clone()
    }

    /// What it believes, and what is true.
    #[must_use]
    pub fn routing(&self) -> &Arc<Routing> {
        &self.routing
    }

    /// Answers a request: from a server, or with 503 when there is none, or with 502 when the one that had it broke off.
    pub async fn handle(&self, request: Request<Bytes>) -> Response<Passed> {
        let id = RequestId::of(request.headers());
        let idempotent = request.method().is_idempotent();
        let pin = self.routing.pin(request.headers());
        let mut excluded = Vec::new();
        let mut retries = 0;
        loop {
            let ticket = match self.routing.choose(id, pin, &excluded, retries) {
                Ok(ticket) => ticket,
                Err(refusal) => return self.refuse(id, refusal),
            };
            let server = ticket.server;
            let trouble = match self.attempt(&request, server).await {
                Ok(response) => return self.pass(response, pin, ticket),
                Err(trouble) => trouble,
            };
            drop(ticket);
            let may_go_on = matches!(trouble, Trouble::Connect) || idempotent;
            match (trouble, may_go_on && retries < self.retries) {
                (_, true) => {}
                (Trouble::Connect, false) => return self.refuse(id, Refusal::Unreachable),
                (Trouble::Sent, false) => return self.broken_off(id, server),
            }
            retries += 1;
            excluded.push(server);
            if let Some(id) = id {
                self.log.retried(id.visit(), server);
            }
        }
    }

    async fn attempt(&self, request: &Request<Bytes>, server: ServerId) -> Result<Response<Incoming>, Trouble> {
        let mut copy = Request::new(Full::new(request.body().clone()));
        *copy.method_mut() = request.method().clone();
        let path = request.uri().path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
        let uri = Uri::builder().scheme(Scheme::HTTP).authority(self.authority(server));
        *copy.uri_mut() = uri.path_and_query(path).build().expect("made of good parts");
        *copy.headers_mut() = request.headers().clone();
        fields::forwarded(copy.headers_mut());
        self.client.request(copy).await.map_err(|error| {
            if out_of_descriptors(&error) {
                let _ = self.failures.send(failure::out_of_descriptors());
            }
            if error.is_connect() { Trouble::Connect } else { Trouble::Sent }
        })
    }

    /// Passes on what a server said; the affinity cookie names the server from now on.
    fn pass(&self, response: Response<Incoming>, pin: Pin, mut ticket: Ticket) -> Response<Passed> {
        ticket.answered();
        let server = ticket.server;
        let mut response = response.map(|body| Passed { body: Source::Server(body), _ticket: Some(ticket) });
        fields::returned(response.headers_mut());
        if let Some(cookie) = self.routing.new_cookie(pin, server) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        response
    }

    fn refuse(&self, id: Option<RequestId>, refusal: Refusal) -> Response<Passed> {
        if let Some(id) = id {
            self.log.dropped(id.visit(), None);
        }
        own(StatusCode::SERVICE_UNAVAILABLE, wire::refusal_name(refusal))
    }

    fn broken_off(&self, id: Option<RequestId>, server: ServerId) -> Response<Passed> {
        if let Some(id) = id {
            self.log.dropped(id.visit(), Some(server));
        }
        own(StatusCode::BAD_GATEWAY, "the server broke off")
    }
}

fn authority(address: &SocketAddr) -> Authority {
    Authority::try_from(address.to_string()).expect("an address")
}

/// An answer of the balancer's own.
fn own(status: StatusCode, error: &str) -> Response<Passed> {
    let body = wire::Body { error: Some(error.into()), ..wire::Body::default() };
    let text = serde_json::to_vec(&body).expect("plain data");
    let mut response = Response::new(Passed { body: Source::Here(Full::new(text.into())), _ticket: None });
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Whether the machine, not the server, is to blame.
fn out_of_descriptors(error: &hyper_util::client::legacy::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if error.downcast_ref::<std::io::Error>().is_some_and(failure::is_out_of_descriptors) {
            return true;
        }
        cause = error.source();
    }
    false
}

impl Body for Passed {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.body {
            Source::Server(body) => std::pin::Pin::new(body).poll_frame(cx),
            Source::Here(body) => std::pin::Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.body {
            Source::Server(body) => body.is_end_stream(),
            Source::Here(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.body {
            Source::Server(body) => body.size_hint(),
            Source::Here(body) => body.size_hint(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Command, File, Item, UserId};

    #[test]
    fn methods_are_as_idempotent_as_the_model_says() {
        let item = Item::new(1).expect("in range");
        let file = File::new(1).expect("in range");
        for command in [
            Command::Login,
            Command::Browse,
            Command::Add(item),
            Command::Remove(item),
            Command::View,
            Command::Checkout,
            Command::Logout,
            Command::ForgeSession,
            Command::ReplayToken,
            Command::Upload(file),
            Command::Download(file),
        ] {
            assert_eq!(wire::spelled(command, UserId(1)).0.is_idempotent(), command.is_idempotent(), "{command:?}");
        }
    }
}
