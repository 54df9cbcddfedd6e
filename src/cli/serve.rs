//! `whatcart serve`

use std::io::ErrorKind;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use whatcart::serve::{Limits, Server};

use super::screen::Screen;
use super::{Ended, Failure};

/// Serves the page until Ctrl-C.
pub fn serve(port: u16, screen: &Screen) -> Result<Ended, Failure> {
    let runtime = Runtime::new().context("the machine starts no threads")?;
    let stop = Arc::new(Notify::new());
    let asked = stop.clone();
    ctrlc::set_handler(move || asked.notify_one()).context("no handler for Ctrl-C")?;
    runtime.block_on(async {
        let server = Server::listen(port, Limits::default()).await.map_err(|error| taken(port, error))?;
        screen.print(&format!("http://{}\n", server.address()))?;
        screen.complain("Open this address in a browser on this machine. Ctrl-C ends it.");
        server.answer(&stop).await;
        Ok::<(), Failure>(())
    })?;
    // A call that is being answered is not waited for.
    runtime.shutdown_background();
    Ok(Ended::Well)
}

fn taken(port: u16, error: std::io::Error) -> Failure {
    match error.kind() {
        ErrorKind::AddrInUse => {
            Failure::Run(anyhow!("port {port} is taken: choose another with --port, or 0 for any that is free"))
        }
        _ => Failure::Run(anyhow!(error).context(format!("port {port} cannot be listened on"))),
    }
}
