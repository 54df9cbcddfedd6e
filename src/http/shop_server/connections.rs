//! The connections of a process: it accepts them, and serves each until either end goes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use super::gate::{Gate, GatedStream};
use super::{Death, ServerProcess, handling, port};
use crate::http::failure;

/// How long a server waits before it tries again after it failed to accept a connection.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(10);

/// Accepts connections until the process dies, is cut off, or shuts down.
pub fn accept(process: &Arc<ServerProcess>, listener: TcpListener) {
    tokio::spawn(listen(Arc::clone(process), listener));
}

async fn listen(process: Arc<ServerProcess>, listener: TcpListener) {
    let _alarm = process.alarm();
    let mut deaths = process.deaths();
    let mut within_reach = process.reach();
    let mut accepts = process.accepts();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = deaths.wait_for(Option::is_some) => break,
            _ = within_reach.wait_for(|reached| !reached) => break,
            _ = accepts.wait_for(|accepts| !accepts) => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                tokio::spawn(converse(Arc::clone(&process), stream));
            }
            Err(error) if failure::is_out_of_descriptors(&error) => {
                process.shop.fail(failure::out_of_descriptors());
                break;
            }
            // The client has already gone, or the machine is briefly short of a resource.
            Err(_) => tokio::time::sleep(ACCEPT_BACKOFF).await,
        }
    }
    drop(listener);
    process.listens_no_more();
}

/// Serves one connection until its client or this process goes.
async fn converse(process: Arc<ServerProcess>, stream: TcpStream) {
    let _alarm = process.alarm();
    // This fails only for a socket that is already dead.
    let _ = stream.set_nodelay(true);
    let (this, busy) = (Arc::clone(&process), Arc::new(AtomicBool::new(false)));
    let at_work = Arc::clone(&busy);
    let service = service_fn(move |request| {
        let (this, at_work) = (Arc::clone(&this), Arc::clone(&at_work));
        async move {
            at_work.store(true, Ordering::Release);
            let answer = handling::answer(&this, request).await;
            at_work.store(false, Ordering::Release);
            answer.ok_or("the process died")
        }
    });
    let gate = Gate::default();
    let stream = TokioIo::new(GatedStream::new(stream, gate.clone()));
    let mut connection = http1::Builder::new().writev(false).serve_connection(stream, service);
    let mut deaths = process.deaths();
    let mut within_reach = process.reach();
    let (mut accepts, mut shuts_down) = (process.accepts(), false);
    let death = loop {
        tokio::select! {
            biased;
            death = deaths.wait_for(Option::is_some) => break death.ok().and_then(|death| *death),
            _ = accepts.wait_for(|accepts| !accepts), if !shuts_down => {
                // An idle connection is closed, any other with its next answer.
                std::pin::Pin::new(&mut connection).graceful_shutdown();
                shuts_down = true;
                continue;
            }
            _ = within_reach.wait_for(|reached| *reached != gate.is_open()) => {}
            _ = &mut connection => return,
        }
        // Cut off: no bytes pass, work goes on, and its answer is sent once the server is reconnected. An idle
        // connection is closed, so that the balancer has to open a new one, which hangs, as in the simulation.
        gate.turn();
        if !gate.is_open() && !busy.load(Ordering::Acquire) {
            return;
        }
    };
    if death == Some(Death::Vanish) {
        // An idle connection is closed, for the same reason. Behind a shut gate there is an unsent answer.
        if gate.is_open() && !busy.load(Ordering::Acquire) {
            return;
        }
        // Neither reads nor hangs up until another host takes over this address.
        let _ = deaths.wait_for(|death| *death == Some(Death::Crash)).await;
    }
    port::reset(connection.into_parts().io.into_inner().into_inner());
}
