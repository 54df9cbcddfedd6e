//! The command line: flags become a plain request, a command carries it out, and its result becomes an exit code.

pub mod args;
pub mod check;
pub mod explain;
pub mod init;
pub mod install;
pub mod list;
pub mod request;
pub mod run;
pub mod screen;
pub mod serve;
pub mod show;

mod files;
mod interrupt;
mod link;
mod predict;
mod progress;
mod real;
mod source;
mod step;
mod stories;
mod target;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use anyhow::anyhow;
use clap::Parser;
use whatcart::experiment::NoProgress;
use whatcart::http;
use whatcart::results::expectations::ClaimError;
use whatcart::scenario::ScenarioError;

use self::args::{Arguments, Color};
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
    /// whatcart itself is wrong, and will be again: 70, `EX_SOFTWARE` of sysexits.
    Defect(anyhow::Error),
}

impl Failure {
    /// The exit code that tells scripts what to do about it.
    fn code(&self) -> u8 {
        match self {
            Failure::Usage(_) => 2,
            Failure::Run(_) => 3,
            Failure::Defect(_) => 70,
        }
    }
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

impl From<NoProgress> for Failure {
    fn from(stuck: NoProgress) -> Failure {
        Failure::Defect(anyhow!(stuck))
    }
}

/// Claims are read before a run, and those that cannot be are refused there.
impl From<ClaimError> for Failure {
    fn from(error: ClaimError) -> Failure {
        Failure::Defect(anyhow!(error).context("a claim that could be read before the run cannot be judged after it"))
    }
}

impl From<http::Failure> for Failure {
    fn from(failure: http::Failure) -> Failure {
        match failure {
            http::Failure::Panic(_) | http::Failure::Defect(_) => Failure::Defect(anyhow!(failure)),
            http::Failure::Machine { .. } | http::Failure::Descriptors { .. } => Failure::Run(anyhow!(failure)),
            // Trying again does not help: the scenario has to change.
            http::Failure::TooMany { .. } => ScenarioError::new(failure.to_string(), None).into(),
        }
    }
}

/// Does something, and makes a panic in it a failure: sums that do not agree, or anything else that cannot be.
pub fn guarded<T, E: Into<Failure>>(work: impl FnOnce() -> Result<T, E>) -> Result<T, Failure> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(ended) => ended.map_err(Into::into),
        Err(_) => Err(Failure::Defect(anyhow!(
            "an internal consistency check of whatcart failed. This is a defect: please report this command"
        ))),
    }
}

/// Bad usage that is not about a place in a file.
fn usage(message: impl Into<String>, help: impl Into<String>) -> Failure {
    ScenarioError::new(message, Some(help.into())).into()
}

/// The command line. If it is wrong, or asks for help or the version, that is printed, and the exit code returned.
pub fn arguments() -> Result<Arguments, ExitCode> {
    Arguments::try_parse().map_err(|told| {
        // What could not be read may still say how to print why.
        let ascii = std::env::args_os().any(|word| word == "--ascii");
        let screen = Screen::new(Color::Auto, ascii);
        let text = told.render().ansi().to_string();
        if told.use_stderr() {
            screen.complain(text.trim_end());
        } else if let Err(error) = screen.print(&text) {
            return exit_code(Err(error.into()), &screen);
        }
        ExitCode::from(u8::try_from(told.exit_code()).unwrap_or(2))
    })
}

/// Prints the error, if any, and returns the exit code.
pub fn exit_code(ended: Result<Ended, Failure>, screen: &Screen) -> ExitCode {
    match ended {
        Ok(Ended::Well) => ExitCode::SUCCESS,
        Ok(Ended::Unexpected) => ExitCode::from(1),
        Ok(Ended::Interrupted) => ExitCode::from(130),
        Err(failure) => {
            let code = failure.code();
            let error = match failure {
                Failure::Usage(error) => *error,
                Failure::Run(error) | Failure::Defect(error) => ScenarioError::new(format!("{error:#}"), None),
            };
            screen.complain(&error.draw(screen.colours_errors(), screen.margin.columns()));
            ExitCode::from(code)
        }
    }
}

/// Prints the JSON Schema of scenarios, for editors.
pub fn schema(screen: &Screen) -> Result<Ended, Failure> {
    let schema = whatcart::scenario::schema::schema();
    screen.print(&format!("{schema:#}\n"))?;
    Ok(Ended::Well)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use whatcart::base::ServerId;
    use whatcart::base::time::Instant;
    use whatcart::experiment::{FAVOURITE, Options};
    use whatcart::results::Report;
    use whatcart::scenario::{library, load};
    use whatcart::sim::{Holder, Stuck};

    /// The way that `whatcart run` goes, with another simulator in it.
    fn ran(play: impl FnOnce() -> Result<Report, NoProgress>) -> Result<Ended, Failure> {
        let entry = library::find("what-cart").expect("it comes with the program");
        let loaded = load(entry.name, entry.name, entry.text, &[], &[]).expect("a sound scenario");
        let options = Options {
            seed: Some(1),
            runs: 1,
            played: 0,
            favourite: FAVOURITE,
            interrupt: &AtomicBool::new(false),
            progress: &|_| (),
        };
        guarded(|| run::measured(&loaded, &options, |_, _| play()).map(|_| Ended::Well))
    }

    fn code(ended: Result<Ended, Failure>) -> (u8, String) {
        match ended.expect_err("it fails") {
            Failure::Usage(error) => (Failure::Usage(error).code(), String::new()),
            Failure::Run(error) => (Failure::Run(anyhow!("")).code(), format!("{error:#}")),
            Failure::Defect(error) => (Failure::Defect(anyhow!("")).code(), format!("{error:#}")),
        }
    }

    #[test]
    fn a_broken_law_is_a_defect() {
        let (code, told) = code(ran(|| panic!("planted: these sums do not agree")));
        assert_eq!(code, 70);
        assert!(
            told.contains("an internal consistency check of whatcart failed") && told.contains("please report"),
            "{told}"
        );
    }

    #[test]
    fn a_panic_outside_a_simulation_is_a_defect_too() {
        let (code, _) = code(guarded(|| -> Result<Ended, Failure> { panic!("planted: this table has no columns") }));
        assert_eq!(code, 70);
    }

    #[test]
    fn a_simulation_that_cannot_go_on_is_a_defect() {
        let waiting = vec![(Holder::Queue(ServerId(0)), 3)];
        let stuck = Stuck { at: Instant::ZERO, stands_still: false, at_one_moment: 0, waiting, idle: 0 };
        let (code, told) = code(ran(|| Err(NoProgress { variant: "one".into(), seed: 1, stuck })));
        assert_eq!(code, 70);
        assert!(told.contains("3 users wait for their turn") && told.contains("a defect of whatcart"), "{told}");
    }

    #[test]
    fn what_the_machine_refuses_is_worth_trying_again_and_a_defect_is_not() {
        let what = || "listening on 127.0.0.1:0".to_owned();
        for (failure, wanted) in [
            (http::Failure::Machine { what: what(), why: "no port is free".into() }, 3),
            (http::Failure::Descriptors { limit: 64, suggestion: 4_096, users: 1 }, 3),
            (http::Failure::Panic("a user's task".into()), 70),
            (http::Failure::Defect("server-1 was to die and is not up".into()), 70),
        ] {
            let (code, told) = code(guarded(|| Err::<Ended, _>(failure.clone())));
            assert_eq!((code, told), (wanted, failure.to_string()));
        }
        let too_many = http::Failure::TooMany { clients: 30_000, most: 20_000 };
        assert_eq!(code(Err(too_many.into())).0, 2, "with other figures it can be done");
        let nowhere = target::Target::new(std::path::Path::new("/no/such/folder/out.json")).map(|_| Ended::Well);
        assert_eq!(code(nowhere.map_err(Failure::from)).0, 3);
        assert_eq!(code(Err(usage("no such flag", "leave it out"))).0, 2);
    }
}
