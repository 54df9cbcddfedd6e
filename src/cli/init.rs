//! `whatcart init`

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::{Context, Result};
use whatcart::scenario::schema::schema;

use super::screen::Screen;
use super::{Ended, Failure, usage};

const TEMPLATE: &str = include_str!("template.toml");
/// What editors complete and explain keys with. The version is in its name, so that none ever has to be overwritten.
const SCHEMA: &str = concat!("whatcart-", env!("CARGO_PKG_VERSION"), ".schema.json");

/// Writes a scenario to start from, and the schema for editors beside it; never overwrites a file.
pub fn init(file: &Path, screen: &Screen) -> Result<Ended, Failure> {
    let shown = file.display();
    // Editors with a TOML extension look for this line.
    if !written(file, &format!("#:schema ./{SCHEMA}\n{TEMPLATE}"))? {
        return Err(usage(format!("`{shown}` exists"), "choose another name; nothing was overwritten"));
    }
    written(&file.with_file_name(SCHEMA), &format!("{:#}\n", schema()))?;
    let further = format!(
        "docs/writing-scenarios.md leads through it in ten minutes. Every key is in docs/reference.md, and `whatcart \
         explain KEY` explains one. Editors complete and explain keys with {SCHEMA}, which was written too."
    );
    screen.print(&format!(
        "Wrote {shown}: three servers, one crash, two designs. Change it, then\n\n  whatcart run {shown}\n\n{}",
        screen.page.wrap("", &further)
    ))?;
    Ok(Ended::Well)
}

/// Writes a new file. Returns whether that was possible: false if there is one of this name.
fn written(file: &Path, text: &str) -> Result<bool> {
    let opened = OpenOptions::new().write(true).create_new(true).open(file);
    let wrote = match opened {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        opened => opened.and_then(|mut new| new.write_all(text.as_bytes())),
    };
    wrote.with_context(|| format!("`{}` cannot be written", file.display()))?;
    Ok(true)
}
