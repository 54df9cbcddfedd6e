//! A loopback port that stays ours: listening, refusing, or silent.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::net::TcpListener;

use super::process::Death;

/// Connections that wait to be accepted. The kernel may allow fewer.
const BACKLOG: i32 = 4_096;

/// So many connections fill a queue that has room for one, and are never accepted.
const FILLERS: usize = 4;

/// A port and the socket that holds it while no server listens.
#[derive(Debug)]
pub struct Port {
    address: SocketAddr,
    /// Bound and not listening: connections are refused. Listening with a full queue: they hang.
    holder: Option<Socket>,
    /// What fills the queue.
    fillers: Vec<Socket>,
}

impl Port {
    /// Any free port of the loopback interface; connections are refused for now.
    pub fn bind() -> io::Result<Port> {
        let holder = bound(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = holder.local_addr()?.as_socket().ok_or_else(|| io::Error::other("no address"))?;
        Ok(Port { address, holder: Some(holder), fillers: Vec::new() })
    }

    /// Where.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on connections are accepted.
    pub fn listen(&mut self) -> io::Result<TcpListener> {
        self.fillers.clear();
        let holder = match self.holder.take() {
            Some(holder) => holder,
            None => bound(self.address)?,
        };
        holder.listen(BACKLOG)?;
        TcpListener::from_std(holder.into())
    }

    /// Nobody will listen here any more, and nothing holds the port.
    pub fn give_up(&mut self) {
        self.fillers.clear();
        self.holder = None;
    }

    /// The listener is closed: from now on connections are refused, or hang.
    pub fn close(&mut self, death: Death) -> io::Result<()> {
        // Whoever was cut off before is held already.
        self.fillers.clear();
        self.holder = None;
        let holder = bound(self.address)?;
        if death == Death::Vanish {
            // A queue of one that is full: the kernel then drops what comes, as a dead host would.
            holder.listen(0)?;
            self.fillers = (0..FILLERS).map(|_| knock(self.address)).collect::<io::Result<_>>()?;
        }
        self.holder = Some(holder);
        Ok(())
    }
}

fn bound(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::from(address))?;
    Ok(socket)
}

/// Begins a connection and does not wait for it.
fn knock(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    match socket.connect(&SockAddr::from(address)) {
        Err(error) if !in_progress(&error) => Err(error),
        _ => Ok(socket),
    }
}

fn in_progress(error: &io::Error) -> bool {
    // EINPROGRESS on Unix has no kind of its own yet.
    error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(115) || error.raw_os_error() == Some(36)
}

/// Closes so that the other end sees a reset, whatever is still on its way.
pub fn reset(stream: tokio::net::TcpStream) {
    // When it fails, the other end has gone already.
    let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    drop(stream);
}
