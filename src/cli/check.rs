//! `whatcart check`

use whatcart::experiment::{self, FAVOURITE};
use whatcart::report::text::{Tone, WIDTH, clean, left, paint, width};
use whatcart::report::{Expectation, Report};
use whatcart::scenario::library;

use super::progress::Progress;
use super::screen::Screen;
use super::{Ended, Failure, interrupt, run, source};

/// Runs scenarios and prints what each expects, what came, and whether that holds.
pub fn check(what: &[String], screen: &Screen) -> Result<Ended, Failure> {
    let names: Vec<String> = match what {
        [] => library::all().iter().map(|entry| entry.name.into()).collect(),
        what => what.to_vec(),
    };
    let mut scenarios = Vec::new();
    for name in &names {
        scenarios.push(source::load(&source::find(name)?, &[], &[])?);
    }
    let interrupt = interrupt::noticed();
    let mut text = String::new();
    let (mut held, mut failed) = (0, 0);
    let mut ended = Ended::Well;
    for loaded in &scenarios {
        let progress = Progress::new(false);
        let show = |permille| progress.at(permille);
        let options =
            experiment::Options { seed: None, runs: 1, played: 0, favourite: FAVOURITE, interrupt, progress: &show };
        let report = run::measured(loaded, &options, experiment::run)?;
        progress.end();
        if report.interrupted {
            ended = Ended::Interrupted;
            break;
        }
        failed += report.expectations.iter().filter(|expectation| !expectation.passed).count();
        held += report.expectations.iter().filter(|expectation| expectation.passed).count();
        text += &scenario(&report);
    }
    text += &verdict(held, failed, ended);
    screen.print(&text)?;
    Ok(if failed > 0 && ended == Ended::Well { Ended::Unexpected } else { ended })
}

fn scenario(report: &Report) -> String {
    let mut text = format!("{}\n", paint(Tone::Strong, &clean(&report.name)));
    if report.expectations.is_empty() {
        text += "  expects nothing\n";
    }
    let claims = report.expectations.iter().map(|expectation| width(&expectation.what)).max().unwrap_or(0).min(48);
    let variants = report.expectations.iter().map(|expectation| width(&expectation.variant)).max().unwrap_or(0).min(36);
    report.expectations.iter().for_each(|expectation| text += &line(expectation, variants, claims));
    text
}

/// Design, claim and what came, in one line or two.
fn line(expectation: &Expectation, variants: usize, claims: usize) -> String {
    let mark = if expectation.passed { paint(Tone::Fine, "ok    ") } else { paint(Tone::Loss, "FAILED") };
    let claim = clean(&expectation.what);
    let head = format!("  {mark}  {}  ", left(&clean(&expectation.variant), variants));
    let observed = clean(&expectation.observed);
    let whole = format!("{head}{}  {observed}", left(&claim, claims));
    if width(&whole) <= WIDTH {
        return whole + "\n";
    }
    format!("{head}{claim}\n{}{observed}\n", " ".repeat(width(&head) + 2))
}

fn verdict(held: usize, failed: usize, ended: Ended) -> String {
    let all = held + failed;
    match (failed, ended) {
        (_, Ended::Interrupted) => format!("\nInterrupted after {all} expectations, of which {failed} did not hold.\n"),
        (0, _) => format!("\n{}\n", paint(Tone::Fine, &format!("All {all} expectations hold."))),
        _ => format!("\n{}\n", paint(Tone::Loss, &format!("{failed} of {all} expectations did not hold."))),
    }
}
