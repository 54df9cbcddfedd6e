//! The balancer: a function from request to response, over pooled connections to the servers.
//!
//! Users in this process call it directly, without a socket; for guests there is a listener. All it knows about a request
//! is in the request: its id and its cookies.

mod connections;
mod fields;
pub mod health;
mod routing;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, SET_COOKIE};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use tokio::sync::mpsc;

use super::clock::Clock;
use super::failure::{self, Failure};
use super::log::Log;
use super::wire::{self, RequestId};
use crate::balancing::affinity::Pin;
use crate::balancing::attempt::AttemptFailure;
use crate::base::time::{Instant, Span};
use crate::base::{Outcome, Refusal, ServerId};
use crate::history::PoolEvent;
use crate::scenario::Scenario;
use crate::traffic::Workload;

use connections::{ConnectionPool, ForwardError, Outgoing, ResponseBody};
pub use routing::{InFlightGuard, Router};

/// The balancer: routing, connections, and the limits on retries and answers.
pub struct Balancer {
    routing: Arc<Router>,
    connections: Arc<ConnectionPool>,
    log: Arc<Log>,
    retries: u8,
    answer_timeout: Option<Span>,
    clock: Clock,
    failures: mpsc::UnboundedSender<Failure>,
}

/// The body of a response, from a server or from the balancer itself. The request is in flight until this is dropped.
pub struct ProxiedBody {
    body: Source,
    _ticket: Option<InFlightGuard>,
}

enum Source {
    Server(ResponseBody),
    Here(Full<Bytes>),
}

impl Balancer {
    /// A balancer in front of these servers.
    #[must_use]
    pub fn new(
        scenario: &Scenario,
        addresses: &[SocketAddr],
        workload: Arc<Workload>,
        log: Arc<Log>,
        (clock, failures): (Clock, mpsc::UnboundedSender<Failure>),
    ) -> Balancer {
        let connect_timeout = clock.real(scenario.balancer.connect_timeout.get());
        let connections = Arc::new(ConnectionPool::new(connect_timeout, failure::limit()));
        for address in addresses {
            connections.add(*address);
        }
        Balancer {
            routing: Arc::new(Router::new(scenario, workload, clock)),
            connections,
            log,
            retries: u8::try_from(scenario.balancer.retries.get()).expect("limited to 10"),
            answer_timeout: scenario.balancer.answer_timeout.map(crate::scenario::Time::get),
            clock,
            failures,
        }
    }

    /// A balancer for one request of a guest: it decides as this one does at this moment, over the same connections. What
    /// it learns, counts and notes does not reach the run, and it cannot make the run fail.
    #[must_use]
    pub fn for_guest(&self) -> Balancer {
        Balancer {
            routing: Arc::new(self.routing.for_guest()),
            connections: Arc::clone(&self.connections),
            log: Arc::new(Log::new(self.clock)),
            retries: self.retries,
            answer_timeout: self.answer_timeout,
            clock: self.clock,
            failures: mpsc::unbounded_channel().0,
        }
    }

    /// Adds a server.
    pub fn add(&self, address: &SocketAddr) {
        self.connections.add(*address);
    }

    /// Removes a server for good.
    pub fn remove(&self, server: ServerId) {
        self.connections.remove(server);
    }

    /// What the balancer believes about the servers, and their actual state.
    #[must_use]
    pub fn routing(&self) -> &Arc<Router> {
        &self.routing
    }

    /// How many connections to servers have been opened so far.
    #[must_use]
    pub fn connections_opened(&self) -> u64 {
        self.connections.opened()
    }

    /// Answers a request with a server's response, or with its own: 503 when there is no server, 502 when the server
    /// broke off, and 504 when it does not answer in time.
    pub async fn handle(&self, mut request: Request<Bytes>) -> Response<ProxiedBody> {
        let id = RequestId::of(request.headers());
        let pin = self.routing.pin(request.headers());
        fields::forwarded(request.headers_mut());
        let names_host = request.headers().contains_key(HOST);
        let mut request = request.map(Full::new);
        let mut excluded = Vec::new();
        let mut retries = 0;
        loop {
            let mut ticket = match self.routing.choose(id, pin, &excluded, retries) {
                Ok(ticket) => ticket,
                Err(refusal) => return self.refuse(id, refusal),
            };
            let server = ticket.server;
            let endpoint = self.connections.server(server);
            if !names_host {
                request.headers_mut().insert(HOST, endpoint.host.clone());
            }
            let idempotent = request.method().is_idempotent();
            let copy = idempotent.then(|| Box::new(request.clone()));
            let (again, failure) = match self.ask(&endpoint, request).await {
                Ok(response) => return self.pass(response, pin, ticket),
                Err(error) => self.failed(copy, error),
            };
            let ejected = ticket.failed();
            drop(ticket);
            self.eject(server, ejected);
            let may_be_retried = failure.may_be_retried(idempotent, retries, self.retries, || self.routing.may_retry());
            request = match again {
                Some(again) if may_be_retried => *again,
                _ => return self.give_up(id, server, failure),
            };
            retries += 1;
            failure.exclude(server, &mut excluded);
            if let Some(id) = id {
                self.log.retried(id.visit(), server);
            }
        }
    }

    /// How an attempt failed, and the request if it is still available: it was never sent, or was copied.
    fn failed(
        &self,
        copy: Option<Box<Outgoing>>,
        error: Option<ForwardError>,
    ) -> (Option<Box<Outgoing>>, AttemptFailure) {
        match error {
            None => (copy, AttemptFailure::Overdue),
            Some(ForwardError::Sent) => (copy, AttemptFailure::BrokenOff),
            Some(ForwardError::Connect(error, unsent)) => {
                self.notice(&error);
                let silent = error.kind() == io::ErrorKind::TimedOut;
                (Some(unsent), if silent { AttemptFailure::Unreachable } else { AttemptFailure::Refused })
            }
        }
    }

    /// Answers the request without trying another server.
    fn give_up(&self, id: Option<RequestId>, server: ServerId, failure: AttemptFailure) -> Response<ProxiedBody> {
        match failure.outcome() {
            Outcome::Refused(refusal) => self.refuse(id, refusal),
            // The server keeps working, and will itself record what became of the request.
            _ if failure == AttemptFailure::Overdue => own(StatusCode::GATEWAY_TIMEOUT, "the server does not answer"),
            _ => self.broken_off(id, server),
        }
    }

    /// Sends a request to a server. The error is `None` when no answer comes within the timeout.
    async fn ask(
        &self,
        endpoint: &Arc<connections::Endpoint>,
        request: Outgoing,
    ) -> Result<Response<ResponseBody>, Option<ForwardError>> {
        let answered = self.connections.ask(endpoint, request);
        let Some(timeout) = self.answer_timeout else { return answered.await.map_err(Some) };
        match self.clock.before(self.clock.now() + timeout, answered).await {
            Some(answered) => answered.map_err(Some),
            None => Err(None),
        }
    }

    /// Fails the run if this machine, not the server, is to blame.
    fn notice(&self, error: &io::Error) {
        if failure::is_out_of_descriptors(error) {
            // The receiver is gone only if the run is already over.
            let _ = self.failures.send(failure::out_of_descriptors());
        }
    }

    /// Announces an ejection, if there is one, and readmits the server when it ends.
    fn eject(&self, server: ServerId, until: Option<Instant>) {
        let Some(until) = until else { return };
        self.log.pool(PoolEvent::Ejected { server });
        let (routing, log, clock) = (Arc::clone(&self.routing), Arc::clone(&self.log), self.clock);
        tokio::spawn(async move {
            clock.sleep_until(until).await;
            if routing.readmit(server) {
                log.pool(PoolEvent::Readmitted { server });
            }
        });
    }

    /// Passes on a server's response. The affinity cookie names this server from now on.
    fn pass(&self, response: Response<ResponseBody>, pin: Pin, mut ticket: InFlightGuard) -> Response<ProxiedBody> {
        let server = ticket.server;
        self.eject(server, ticket.answered(response.status()));
        let mut response = response.map(|body| ProxiedBody { body: Source::Server(body), _ticket: Some(ticket) });
        fields::returned(response.headers_mut());
        if let Some(cookie) = self.routing.new_cookie(pin, server) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        response
    }

    fn refuse(&self, id: Option<RequestId>, refusal: Refusal) -> Response<ProxiedBody> {
        if let Some(id) = id {
            self.log.dropped(id.visit(), None);
        }
        answered(StatusCode::SERVICE_UNAVAILABLE, &wire::refused(refusal))
    }

    fn broken_off(&self, id: Option<RequestId>, server: ServerId) -> Response<ProxiedBody> {
        if let Some(id) = id {
            self.log.dropped(id.visit(), Some(server));
        }
        own(StatusCode::BAD_GATEWAY, "the server broke off")
    }
}

/// A response of the balancer's own.
pub fn own(status: StatusCode, error: &str) -> Response<ProxiedBody> {
    answered(status, &wire::Body { error: Some(error.into()), ..wire::Body::default() })
}

fn answered(status: StatusCode, body: &wire::Body) -> Response<ProxiedBody> {
    let text = serde_json::to_vec(body).expect("plain data");
    let mut response = Response::new(ProxiedBody { body: Source::Here(Full::new(text.into())), _ticket: None });
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

impl Body for ProxiedBody {
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
    use crate::base::{Command, File, Item, UserId};

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
