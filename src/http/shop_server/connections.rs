//! The connections of a process: it accepts them, and serves each until one end goes.

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

/// How long a server waits when it cannot accept a connection, before it tries again.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(10);

/// Connections are accepted from now on, until the process dies or nobody reaches it any more.
pub fn accept(process: &Arc<ServerProcess>, listener: TcpListener) {
    tokio::spawn(listen(Arc::clone(process), listener));
}

async fn listen(process: Arc<ServerProcess>, listener: TcpListener) {
    let _alarm = process.alarm();
    let mut injector = process.deaths();
    let mut within_reach = process.reach();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = injector.wait_for(Option::is_some) => break,
            _ = within_reach.wait_for(|reached| !reached) => break,
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
            // The client has gone again, or the machine is short of something for a moment.
            Err(_) => tokio::time::sleep(ACCEPT_BACKOFF).await,
        }
    }
    drop(listener);
    process.listens_no_more();
}

/// Serves one connection, until its client or this process goes.
async fn converse(process: Arc<ServerProcess>, stream: TcpStream) {
    let _alarm = process.alarm();
    // Only a socket that is already dead refuses this.
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
    let mut injector = process.deaths();
    let mut within_reach = process.reach();
    let death = loop {
        tokio::select! {
            biased;
            death = injector.wait_for(Option::is_some) => break death.ok().and_then(|death| *death),
            _ = within_reach.wait_for(|reached| *reached != gate.is_open()) => {}
            _ = &mut connection => return,
        }
        // Cut off: nothing comes and nothing goes; work goes on, and its answer is sent afterwards. A connection that
        // is idle is closed, so that the balancer has to make a new one, and waits for that as it does in a
        // simulation.
        gate.turn();
        if !gate.is_open() && !busy.load(Ordering::Acquire) {
            return;
        }
    };
    if death == Some(Death::Vanish) {
        // Idle: closed, for the same reason. Behind a shut gate there is an answer that was not sent.
        if gate.is_open() && !busy.load(Ordering::Acquire) {
            return;
        }
        // Nobody reads and nobody hangs up, until another host answers for this address.
        let _ = injector.wait_for(|death| *death == Some(Death::Crash)).await;
    }
    port::reset(connection.into_parts().io.into_inner().into_inner());
}
