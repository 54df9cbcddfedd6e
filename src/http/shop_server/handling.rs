//! How a server handles a request: it reads it, waits for a worker, serves it, and answers.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::{Request, StatusCode};
use hyper::body::Incoming;

use super::ServerProcess;
use super::answer::{Answer, error, json, refused};
use super::job::Job;
use super::request::{self, ParsedRequest, RequestKind};
use crate::base::Refusal;
use crate::http::wire::Body;
use crate::operations::faults;
use crate::scenario::Share;

/// Reads a request and answers it. `None` if the process has died in the meantime.
pub async fn answer(process: &Arc<ServerProcess>, request: Request<Incoming>) -> Option<Answer> {
    let request = match request::read(request).await {
        Ok(request) => request,
        Err(response) => return Some(response),
    };
    if let Some(response) = without_worker(&request) {
        return Some(response);
    }
    let counts = request.id.is_some();
    process.outlive(work(Arc::clone(process), request), counts).await
}

/// Answers requests that need no worker.
fn without_worker(request: &ParsedRequest) -> Option<Answer> {
    matches!(request.what, RequestKind::Health).then(|| json(StatusCode::OK, &Body::default()))
}

/// Waits for a worker, and serves the request. `None` if the process has died in the meantime.
async fn work(process: Arc<ServerProcess>, request: ParsedRequest) -> Option<Answer> {
    let shop = &process.shop;
    let sent = request.sent.unwrap_or_else(|| shop.clock.now());
    if fails(&process, &request) {
        return Some(fail(&process, &request));
    }
    let Some(worker) = process.worker().await else {
        if let Some(id) = request.id {
            shop.log.dropped(id.visit(), Some(process.slot.id));
        }
        return Some(refused(StatusCode::SERVICE_UNAVAILABLE, Refusal::QueueFull, None));
    };
    match request.what {
        RequestKind::Shop(command) => Job::new(&process, &request, command, (sent, worker.begun)).serve().await,
        RequestKind::Health => None,
    }
}

/// Whether a server that fails a share of its requests fails this one.
fn fails(process: &ServerProcess, request: &ParsedRequest) -> bool {
    let failing = process.slot.failing.load(Ordering::Relaxed);
    // Guests have no random draws of their own: they are failed only if everybody is.
    request.id.map_or(failing == Share::ALL, |id| faults::fails(failing, process.shop.workload.seed, id.key))
}

/// Answers 500 at once. (A timer would take longer than the millisecond of the simulation.)
fn fail(process: &ServerProcess, request: &ParsedRequest) -> Answer {
    if let Some(id) = request.id {
        process.shop.log.dropped(id.visit(), Some(process.slot.id));
    }
    error(StatusCode::INTERNAL_SERVER_ERROR, "this server fails", None)
}
