//! The command line: flags become a plain request, a command carries it out, and its result becomes an exit code.

pub mod args;
pub mod check;
pub mod init;
pub mod list;
pub mod request;
pub mod run;
pub mod screen;
pub mod show;

mod interrupt;
mod predict;
mod progress;
mod real;
mod source;
mod target;

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;
use whatcart::scenario::ScenarioError;

use self::screen::Screen;

/// How a command that did its job ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Success: exit code 0.
    Well,
    /// An expectation did not hold: exit code 1.
    Unexpected,
    /// The user stopped it, and the results so far are printed: exit code 130.
    Interrupted,
}

/// Why a command could not do its job.
#[derive(Debug)]
pub enum Failure {
    /// Bad usage, or a scenario that cannot be run: exit code 2.
    Usage(Box<ScenarioError>),
    /// The run itself failed, or its results could not be written: exit code 3.
    Run(anyhow::Error),
}

impl From<ScenarioError> for Failure {
    fn from(error: ScenarioError) -> Failure {
        Failure::Usage(Box::new(error))
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Failure {
        Failure::Run(error)
    }
}

/// Bad usage that is not about a place in a file.
fn usage(message: impl Into<String>, help: impl Into<String>) -> Failure {
    ScenarioError::new(message, Some(help.into())).into()
}

/// Prints the error, if any, and returns the exit code.
pub fn exit_code(ended: Result<Ended, Failure>, screen: &Screen) -> ExitCode {
    match ended {
        Ok(Ended::Well) => ExitCode::SUCCESS,
        Ok(Ended::Unexpected) => ExitCode::from(1),
        Ok(Ended::Interrupted) => ExitCode::from(130),
        Err(Failure::Usage(error)) => {
            screen.complain(&error.draw(screen.colours_errors()));
            ExitCode::from(2)
        }
        Err(Failure::Run(error)) => {
            let error = ScenarioError::new(format!("{error:#}"), None);
            screen.complain(&error.draw(screen.colours_errors()));
            ExitCode::from(3)
        }
    }
}

/// Prints the JSON Schema of scenarios, for editors.
pub fn schema(screen: &Screen) -> Result<Ended, Failure> {
    let schema = whatcart::scenario::schema::schema();
    screen.print(&format!("{schema:#}\n"))?;
    Ok(Ended::Well)
}

/// Prints completions for a shell.
pub fn completions(shell: Shell, screen: &Screen) -> Result<Ended, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::Arguments::command(), "whatcart", &mut script);
    screen.print(&String::from_utf8_lossy(&script))?;
    Ok(Ended::Well)
}
