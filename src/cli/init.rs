//! `whatcart init`

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::Context;

use super::screen::Screen;
use super::{Ended, Failure, usage};

const TEMPLATE: &str = include_str!("template.toml");

/// Writes a scenario to start from; never overwrites a file.
pub fn init(file: &Path, screen: &Screen) -> Result<Ended, Failure> {
    let shown = file.display();
    match OpenOptions::new().write(true).create_new(true).open(file) {
        Ok(mut new) => new.write_all(TEMPLATE.as_bytes()).with_context(|| format!("`{shown}` cannot be written"))?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(usage(format!("`{shown}` exists"), "choose another name; nothing was overwritten"));
        }
        Err(error) => return Err(anyhow::Error::new(error).context(format!("`{shown}` cannot be written")).into()),
    }
    screen.print(&format!(
        "Wrote {shown}: three servers, one crash, two designs. Change it, then\n\n  whatcart run {shown}\n"
    ))?;
    Ok(Ended::Well)
}
