//! `whatcart run --step`: a teacher's pace. Each part of the output has the screen to itself until Enter is pressed.

use std::io::{BufRead, IsTerminal, stdin, stdout};

use whatcart::faces::table::{Part, header};
use whatcart::faces::text::{Tone, clean, paint};
use whatcart::scenario::Loaded;

use super::args::Format;
use super::request::Run;
use super::screen::Screen;
use super::{Failure, interrupt, predict, usage};

/// Clears the screen and goes to its top.
const CLEAR: &str = "\u{1b}[2J\u{1b}[H";

/// What is shown, one by one, before and after the run.
pub struct Steps<'a> {
    screen: &'a Screen,
    /// The scenario's name and title, at the top of every screen.
    title: String,
}

impl Steps<'_> {
    /// # Errors
    ///
    /// There is no terminal, or the output has no parts.
    pub fn new<'a>(request: &Run, loaded: &Loaded, screen: &'a Screen) -> Result<Steps<'a>, Failure> {
        if request.format != Format::Table {
            return Err(usage("--step shows the table and its story piece by piece", "leave out --step, or --format"));
        }
        if !(stdin().is_terminal() && stdout().is_terminal()) {
            let help = "run it in a terminal, with neither input nor output redirected, or leave --step out";
            return Err(usage("--step waits for Enter after each part, and this is not a terminal", help));
        }
        Ok(Steps { screen, title: header::title(&loaded.name, &loaded.base.title, screen.page) })
    }

    /// Shows the question; returns whether to go on.
    pub fn ask(&self, loaded: &Loaded, seed: Option<u64>) -> anyhow::Result<bool> {
        let text = match &loaded.base.predict {
            Some(asked) => predict::choices(asked, seed.unwrap_or(loaded.base.seed.get()), self.screen.page),
            None => self.screen.page.wrap("", &clean(&loaded.base.question.replace('\n', " "))),
        };
        self.go_through(&[Part { name: "question", text }], Some("table"))
    }

    /// Clears the screen for something that asks by itself.
    pub fn alone<T>(&self, asks: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
        self.screen.print(CLEAR)?;
        interrupt::while_waiting(asks)
    }

    /// Shows these parts one by one.
    pub fn show(&self, parts: &[Part]) -> anyhow::Result<()> {
        // The title is on every screen.
        let parts: Vec<Part> = parts.iter().filter(|part| part.name != "title").cloned().collect();
        self.go_through(&parts, None).map(|_| ())
    }

    /// Shows parts one by one; returns whether to go on.
    fn go_through(&self, parts: &[Part], then: Option<&str>) -> anyhow::Result<bool> {
        let screens = screens(&self.title, parts, then, self.screen.rows);
        interrupt::while_waiting(|| stepped(&screens, &mut stdin().lock(), &mut |text| self.screen.print(text)))
    }
}

/// What is on each screen, and the prompt below it; the last may have none.
fn screens(title: &str, parts: &[Part], then: Option<&str>, rows: usize) -> Vec<(String, Option<String>)> {
    // A blank line below the title, and a line for the prompt.
    let room = rows.saturating_sub(title.lines().count() + 2).max(1);
    let mut all: Vec<(String, &str)> = Vec::new();
    for part in parts {
        let lines: Vec<&str> = part.text.trim_matches('\n').lines().collect();
        let pages = paged(&lines, room);
        all.extend(pages.into_iter().map(|lines| (lines.join("\n"), part.name)));
    }
    let prompt = |at: usize, name: &str| match all.get(at + 1) {
        Some((_, next)) if *next == name => Some("Enter shows more".to_owned()),
        Some((_, next)) => Some(format!("Enter shows the {next}")),
        None => then.map(|next| format!("Enter shows the {next}")),
    };
    let drawn = |(at, (text, name)): (usize, &(String, &str))| (format!("{title}\n{text}\n"), prompt(at, name));
    all.iter().enumerate().map(drawn).collect()
}

/// Lines in pieces of at most this many, each ending at a blank line if it has one in its second half.
fn paged<'a>(mut lines: &[&'a str], room: usize) -> Vec<Vec<&'a str>> {
    let mut pieces = Vec::new();
    while lines.len() > room {
        let blank = lines[..room].iter().rposition(|line| line.trim().is_empty()).filter(|at| *at > room / 2);
        let (piece, rest) = lines.split_at(blank.unwrap_or(room));
        pieces.push(piece.to_vec());
        lines = if blank.is_some() { &rest[1..] } else { rest };
    }
    pieces.push(lines.to_vec());
    pieces
}

/// Prints screen after screen, and waits for a line after each that has a prompt. Returns whether input goes on.
fn stepped(
    screens: &[(String, Option<String>)],
    input: &mut impl BufRead,
    print: &mut impl FnMut(&str) -> anyhow::Result<()>,
) -> anyhow::Result<bool> {
    for (text, prompt) in screens {
        print(&format!("{CLEAR}{text}"))?;
        let Some(prompt) = prompt else { continue };
        print(&paint(Tone::Faint, &format!("{prompt}, Ctrl-D ends: ")))?;
        if input.read_line(&mut String::new())? == 0 {
            print("\n")?;
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(name: &'static str, lines: usize) -> Part {
        let lines: Vec<String> = (1..=lines).map(|line| format!("{name} {line}")).collect();
        Part { name, text: lines.join("\n") + "\n" }
    }

    /// What is printed when somebody types this, without the codes that clear the screen.
    fn shown(parts: &[Part], rows: usize, typed: &str) -> (bool, Vec<String>) {
        let mut text = String::new();
        let screens = screens("title\n", parts, None, rows);
        let goes_on = stepped(&screens, &mut typed.as_bytes(), &mut |printed| {
            text += printed;
            Ok(())
        });
        let shown = text.split(CLEAR).skip(1).map(|screen| anstream::adapter::strip_str(screen).to_string());
        (goes_on.expect("memory takes it"), shown.collect())
    }

    #[test]
    fn each_part_waits_for_enter_and_the_last_for_nothing() {
        let parts = [part("table", 2), part("story", 1)];
        let (goes_on, screens) = shown(&parts, 30, "\n");
        assert!(goes_on);
        assert_eq!(screens[0], "title\n\ntable 1\ntable 2\nEnter shows the story, Ctrl-D ends: ");
        assert_eq!(screens[1..], ["title\n\nstory 1\n"]);
    }

    #[test]
    fn the_end_of_input_ends_it_on_a_new_line() {
        let (goes_on, screens) = shown(&[part("table", 1), part("story", 1)], 30, "");
        assert!(!goes_on);
        assert_eq!(screens, ["title\n\ntable 1\nEnter shows the story, Ctrl-D ends: \n"]);
    }

    #[test]
    fn a_long_part_takes_several_screens_that_fit() {
        let (_, screens) = shown(&[part("table", 60)], 30, "\n\n\n");
        assert_eq!(screens.len(), 3);
        assert!(screens.iter().all(|screen| screen.lines().count() <= 30), "{screens:?}");
        let rows = screens.concat();
        assert!((1..=60).all(|line| rows.contains(&format!("table {line}\n"))));
        assert!(screens[0].contains("Enter shows more"));
    }
}
