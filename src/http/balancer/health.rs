//! Health checks: the balancer sends `GET /health` to every server, over a new connection each time, and believes the
//! answer. A check takes no worker.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::Router;
use crate::balancing::pool::HealthRules;
use crate::base::time::Instant;
use crate::base::{ServerId, ServerState};
use crate::history::PoolEvent;
use crate::http::clock::Clock;
use crate::http::log::Log;

/// Checks one server repeatedly, until it is gone for good.
pub async fn watch(
    server: ServerId,
    address: SocketAddr,
    rules: HealthRules,
    routing: Arc<Router>,
    (clock, log): (Clock, Arc<Log>),
) {
    let phase = rules.phase(server, routing.seed());
    let begun = clock.now();
    let first = Instant::ZERO + phase;
    let mut next = if begun <= first { first } else { rules.next_check(phase, begun) };
    loop {
        clock.sleep_until(next).await;
        if routing.with_pool(|pool| pool.members[server.index()].state == ServerState::Retired) {
            return;
        }
        let answered = clock.before(clock.now() + rules.timeout(), is_well(address)).await;
        if let Some(up) = routing.checked(server, answered.unwrap_or(false)) {
            log.pool(PoolEvent::Believed { server, up });
        }
        // By the moments in phase, not by those at which this task ran a little late.
        let ended = if answered.is_none() { next + rules.timeout() } else { next };
        next = rules.check_after(phase, ended, answered.is_none());
    }
}

/// Whether the server reports that it is healthy.
async fn is_well(address: SocketAddr) -> bool {
    ask(address).await.unwrap_or(false)
}

async fn ask(address: SocketAddr) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get("/health").header("host", address.to_string()).body(Empty::<Bytes>::new())?;
    let answered = async { sender.send_request(request).await.map(|response| response.status().is_success()) };
    tokio::pin!(connection);
    tokio::select! {
        answered = answered => Ok(answered?),
        _ = &mut connection => Ok(false),
    }
}
