//! A gate in front of a connection. While it is shut, no bytes pass in either direction, and neither end learns why.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Whether bytes pass; open at first. Whoever opens it must poll the connection again, because nothing else wakes it.
#[derive(Clone, Debug, Default)]
pub struct Gate {
    shut: Arc<AtomicBool>,
}

impl Gate {
    /// Whether bytes pass.
    pub fn is_open(&self) -> bool {
        !self.shut.load(Ordering::Acquire)
    }

    /// Shuts an open gate, and opens a shut one.
    pub fn turn(&self) {
        self.shut.fetch_xor(true, Ordering::AcqRel);
    }

    fn pass(&self) -> Poll<()> {
        if self.is_open() { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// A stream behind a gate.
#[derive(Debug)]
pub struct GatedStream {
    stream: TcpStream,
    gate: Gate,
}

impl GatedStream {
    /// Puts a gate in front of a stream.
    pub fn new(stream: TcpStream, gate: Gate) -> GatedStream {
        GatedStream { stream, gate }
    }

    /// Removes the gate, and returns the stream.
    pub fn into_inner(self) -> TcpStream {
        self.stream
    }
}

impl AsyncRead for GatedStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(self.gate.pass());
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for GatedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.gate.pass());
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.gate.pass());
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.gate.pass());
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
