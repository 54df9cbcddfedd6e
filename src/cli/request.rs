//! A request: the resolved meaning of the flags.

use std::path::PathBuf;

use clap_complete::Shell;
use whatcart::link::Deed;

use super::args::{Arguments, Command, Engine, Format, RunArguments};

/// The scenario that tells the opening story.
const OPENING: &str = "what-cart";

/// What to do.
#[derive(Debug)]
pub enum Request {
    List,
    Show(Show),
    Explain(Explain),
    Init(PathBuf),
    Run(Box<Run>),
    Check(Check),
    Serve(u16),
    Schema,
    Man(Install<()>),
    Completions(Install<Shell>),
}

/// What to do with files that packages install.
#[derive(Debug)]
pub enum Install<What> {
    /// Print one.
    Print(What),
    /// Write all of them into this folder.
    Write(PathBuf),
}

/// Show a scenario.
#[derive(Debug)]
pub struct Show {
    pub what: String,
    pub shown: Shown,
}

/// How much of a scenario to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// The question and its choices.
    Question,
    /// What a class may know before it predicts.
    WithoutSpoilers,
    /// The lesson and the TOML too.
    Everything,
}

/// Explain the output, or the format of scenarios.
#[derive(Debug)]
pub enum Explain {
    /// List the words of the output.
    Words,
    /// List the keys of a scenario.
    Keys,
    /// Explain this word or key.
    One(String),
}

/// Check the expectations of scenarios.
#[derive(Debug)]
pub struct Check {
    pub what: Vec<String>,
    pub seeds: u32,
}

/// Run a scenario.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "flags")]
pub struct Run {
    pub what: String,
    pub engine: Engine,
    pub speed: Option<f64>,
    pub verbose: bool,
    pub seed: Option<u64>,
    pub runs: u32,
    pub until_precise: Option<f64>,
    pub predict: bool,
    pub step: bool,
    pub explain: bool,
    pub assume: bool,
    pub set: Vec<String>,
    pub vary: Vec<String>,
    pub only: Vec<String>,
    pub by_hand: Vec<Deed>,
    /// A link to run or, if it is empty, that one is to be printed.
    pub link: Option<String>,
    /// Where the page is.
    pub page: Option<String>,
    pub format: Format,
    pub series: Option<PathBuf>,
    pub html: Option<PathBuf>,
    pub film: Option<PathBuf>,
    pub incomplete: bool,
    pub output: Option<PathBuf>,
    pub follow: Option<u32>,
    pub details: bool,
    pub charts: bool,
    pub quiet: bool,
}

impl From<Arguments> for Request {
    fn from(arguments: Arguments) -> Request {
        match arguments.command {
            None => Request::Run(Box::new(Run::of(OPENING))),
            Some(Command::List) => Request::List,
            Some(Command::Explain { keys: true, .. }) => Request::Explain(Explain::Keys),
            Some(Command::Explain { word, .. }) if word.is_empty() => Request::Explain(Explain::Words),
            Some(Command::Explain { word, .. }) => Request::Explain(Explain::One(word.join(" "))),
            Some(Command::Show { what, no_spoilers, question }) => {
                let shown = match (question, no_spoilers) {
                    (true, _) => Shown::Question,
                    (_, true) => Shown::WithoutSpoilers,
                    _ => Shown::Everything,
                };
                Request::Show(Show { what, shown })
            }
            Some(Command::Init { file }) => Request::Init(file),
            Some(Command::Run(run)) => Request::Run(Box::new(Run::from(*run))),
            Some(Command::Check { what, seeds }) => Request::Check(Check { what, seeds }),
            Some(Command::Serve { port }) => Request::Serve(port),
            Some(Command::Schema) => Request::Schema,
            Some(Command::Man { dir }) => Request::Man(dir.map_or(Install::Print(()), Install::Write)),
            Some(Command::Completions { to }) => Request::Completions(match (to.shell, to.dir) {
                (Some(shell), _) => Install::Print(shell),
                (None, dir) => Install::Write(dir.unwrap_or_default()),
            }),
        }
    }
}

impl Run {
    /// A plain run.
    fn of(what: &str) -> Run {
        Run {
            what: what.into(),
            engine: Engine::Sim,
            speed: None,
            verbose: false,
            seed: None,
            runs: 1,
            until_precise: None,
            predict: false,
            step: false,
            explain: false,
            assume: false,
            set: Vec::new(),
            vary: Vec::new(),
            only: Vec::new(),
            by_hand: Vec::new(),
            link: None,
            page: None,
            format: Format::Table,
            series: None,
            html: None,
            film: None,
            incomplete: false,
            output: None,
            follow: None,
            details: false,
            charts: false,
            quiet: false,
        }
    }

    /// What it changes in a scenario, except the seed, in words for the header.
    pub fn changes(&self) -> Vec<String> {
        let mut changes: Vec<String> = self.set.iter().chain(&self.vary).cloned().collect();
        if !self.only.is_empty() {
            changes.push(format!("only {}", self.only.join(", ")));
        }
        changes.extend(self.by_hand.iter().map(Deed::words));
        changes
    }

    /// The command line that repeats the run with this seed.
    pub fn command(&self, seed: u64) -> String {
        let mut words = vec!["whatcart run".to_string(), quoted(&self.what), format!("--seed {seed}")];
        match self.engine {
            Engine::Sim => {}
            Engine::Http => words.push("--engine http".into()),
            Engine::Both => words.push("--engine both".into()),
        }
        words.extend(self.speed.map(|speed| format!("--speed {speed}")));
        words.extend(self.until_precise.map(|share| format!("--until-precise {}%", share * 100.0)));
        if self.runs > 1 {
            words.push(format!("--runs {}", self.runs));
        }
        for (flag, values) in [("--set", &self.set), ("--vary", &self.vary), ("--only", &self.only)] {
            words.extend(values.iter().map(|value| format!("{flag} {}", quoted(value))));
        }
        words.extend(self.by_hand.iter().map(|deed| format!("--do {deed}")));
        words.join(" ")
    }
}

/// A word, quoted for a shell if necessary.
fn quoted(word: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-_./=,:+@%".contains(c);
    if !word.is_empty() && word.chars().all(harmless) {
        word.into()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

impl From<RunArguments> for Run {
    fn from(arguments: RunArguments) -> Run {
        let RunArguments {
            what,
            engine,
            speed,
            verbose,
            seed,
            runs,
            until_precise,
            warm_up,
            predict,
            step,
            explain,
            assume,
            mut set,
            vary,
            only,
            by_hand,
            link,
            page,
            format,
            series,
            html,
            film,
            incomplete,
            output,
            follow,
            details,
            charts,
            quiet,
        } = arguments;
        set.extend(warm_up.map(|time| format!("warm_up={time}")));
        Run {
            what: what.unwrap_or_default(),
            engine,
            speed,
            verbose,
            seed,
            runs,
            until_precise,
            predict,
            step,
            explain,
            assume,
            set,
            vary,
            only,
            by_hand,
            link,
            page,
            format,
            series,
            html,
            film,
            incomplete,
            output,
            follow,
            details,
            charts,
            quiet,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_repeats_the_run() {
        let set = vec!["title=\"it's mine\"".into(), "servers.count=5".into()];
        let run = Run { runs: 30, set, only: vec!["sticky, server memory".into()], ..Run::of("sticky-crash") };
        assert_eq!(
            run.command(7),
            r#"whatcart run sticky-crash --seed 7 --runs 30 --set 'title="it'\''s mine"' --set servers.count=5 --only 'sticky, server memory'"#
        );
    }
}
