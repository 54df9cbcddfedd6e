//! What packages install beside the program: man pages and completions.

use std::fs::create_dir_all;
use std::io;
use std::path::Path;

use anyhow::Context;
use clap::{CommandFactory, ValueEnum};
use clap_complete::Shell;
use clap_mangen::Man;

use super::args::Arguments;
use super::request::Install;
use super::screen::Screen;
use super::{Ended, Failure};

/// The name of the program.
const NAME: &str = "whatcart";

/// Prints the man page of the program, or writes those of all its commands.
pub fn man(install: &Install<()>, screen: &Screen) -> Result<Ended, Failure> {
    match install {
        Install::Print(()) => {
            let mut page = Vec::new();
            Man::new(Arguments::command()).render(&mut page).context("the man page cannot be made")?;
            screen.print(&String::from_utf8_lossy(&page))?;
        }
        Install::Write(folder) => write(folder, || clap_mangen::generate_to(Arguments::command(), folder))?,
    }
    Ok(Ended::Well)
}

/// Prints the completions for a shell, or writes those for all shells.
pub fn completions(install: &Install<Shell>, screen: &Screen) -> Result<Ended, Failure> {
    match install {
        Install::Print(shell) => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Arguments::command(), NAME, &mut script);
            screen.print(&String::from_utf8_lossy(&script))?;
        }
        Install::Write(folder) => write(folder, || {
            Shell::value_variants().iter().try_for_each(|shell| {
                clap_complete::generate_to(*shell, &mut Arguments::command(), NAME, folder).map(|_| ())
            })
        })?,
    }
    Ok(Ended::Well)
}

/// Writes files into a folder, which is made if it is not there.
fn write(folder: &Path, files: impl FnOnce() -> io::Result<()>) -> anyhow::Result<()> {
    create_dir_all(folder)
        .and_then(|()| files())
        .with_context(|| format!("`{}` cannot be written to", folder.display()))
}
