//! A loopback port that is never released during a run: it listens, refuses, or is silent.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::net::TcpListener;

use super::process::Death;

/// The length of the accept queue. The kernel may allow less.
const BACKLOG: i32 = 4_096;

/// How many connections fill an accept queue of length one, and are never accepted.
const FILLERS: usize = 4;

/// A port, and the socket that holds it while no server listens.
#[derive(Debug)]
pub struct Port {
    address: SocketAddr,
    /// Bound but not listening: connections are refused. Listening with a full queue: they hang.
    holder: Option<Socket>,
    /// The connections that fill the queue.
    fillers: Vec<Socket>,
}

impl Port {
    /// Binds any free loopback port. Connections are refused for now.
    pub fn bind() -> io::Result<Port> {
        let holder = bound(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = holder.local_addr()?.as_socket().ok_or_else(|| io::Error::other("no address"))?;
        Ok(Port { address, holder: Some(holder), fillers: Vec::new() })
    }

    /// The address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts to listen: from now on, connections are accepted.
    pub fn listen(&mut self) -> io::Result<TcpListener> {
        self.fillers.clear();
        let holder = match self.holder.take() {
            Some(holder) => holder,
            None => bound(self.address)?,
        };
        holder.listen(BACKLOG)?;
        TcpListener::from_std(holder.into())
    }

    /// Releases the port: nobody will listen here any more.
    pub fn give_up(&mut self) {
        self.fillers.clear();
        self.holder = None;
    }

    /// Holds the port after its listener has been closed: from now on, connections are refused, or hang.
    pub fn close(&mut self, death: Death) -> io::Result<()> {
        // The port of a server that was cut off before is held already.
        self.fillers.clear();
        self.holder = None;
        let holder = bound(self.address)?;
        if death == Death::Vanish {
            // A full queue of length one: the kernel drops new connections, as a dead host would.
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

/// Begins to connect, and does not wait for the result.
fn knock(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    match socket.connect(&SockAddr::from(address)) {
        Err(error) if !in_progress(&error) => Err(error),
        _ => Ok(socket),
    }
}

fn in_progress(error: &io::Error) -> bool {
    // `io::ErrorKind` has no stable kind for EINPROGRESS.
    error.kind() == io::ErrorKind::WouldBlock || error.raw_os_error() == Some(115) || error.raw_os_error() == Some(36)
}

/// Closes a connection so that the other end sees a reset, even if data is still in transit.
pub fn reset(stream: tokio::net::TcpStream) {
    // If this fails, the other end has already gone.
    let _ = socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    drop(stream);
}
