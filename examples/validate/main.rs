//! Every figure that theory knows, beside the one that the simulator makes: `cargo run --release --example validate`.
//!
//! Prints `docs/validation.md`. A row holds when the prediction lies in the 99.9 % interval of the figure's mean (or is as
//! far from it as the prediction itself is rounded); with so many rows, one that fails by chance is rare, and the seeds
//! are fixed. Ends with 1 when a row does not hold.

mod lessons;
mod measure;
mod moving;
mod queues;
mod shares;
mod theory;

use std::process::ExitCode;

/// One prediction and what came.
pub struct Row {
    /// What it is about.
    pub what: String,
    /// What theory says.
    pub predicted: f64,
    /// How far the prediction may be off by itself: its rounding, or what it leaves out.
    pub slack: f64,
    /// What the simulator makes.
    pub got: Estimate,
}

/// A mean over several seeds, and half of its 99.9 % interval.
#[derive(Clone, Copy, Debug)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// Half of the interval; 0 for what is exact.
    pub half: f64,
}

impl Row {
    fn holds(&self) -> bool {
        (self.got.mean - self.predicted).abs() <= self.got.half + self.slack
    }
}

/// A table of the document.
pub struct Section {
    title: &'static str,
    words: &'static str,
    rows: Vec<Row>,
}

fn main() -> ExitCode {
    let sections = [queues::section(), shares::section(), moving::section(), lessons::section()];
    println!("# Validation\n");
    println!(
        "What theory predicts, compared with the simulator's results. One command prints everything below:\n\n\
         ```\ncargo run --release --example validate > docs/validation.md\n```\n\n\
         A row holds if the prediction lies in the 99.9 % interval of the figure, widened by the known inaccuracy of the\n\
         prediction (its slack). Figures are means over several seeds, after a warm-up where there is a steady state."
    );
    let mut failed = 0;
    for Section { title, words, rows } in &sections {
        println!("\n## {title}\n\n{words}\n\n| | predicted | slack | figure | interval | |\n|:--|--:|--:|--:|--:|:--|");
        for row in rows {
            let verdict = if row.holds() { "holds" } else { "**does not hold**" };
            failed += u32::from(!row.holds());
            let slack = if row.slack > 0.0 { short(row.slack) } else { String::new() };
            let (predicted, mean, half) = (short(row.predicted), short(row.got.mean), short(row.got.half));
            println!("| {} | {predicted} | {slack} | {mean} | ± {half} | {verdict} |", row.what);
        }
    }
    let rows: usize = sections.iter().map(|section| section.rows.len()).sum();
    println!("\n{} of {rows} rows hold.", rows - failed as usize);
    for words in [include_str!("other.md"), include_str!("mutants.md")] {
        println!("\n{}", words.trim_end());
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// About four significant digits.
fn short(x: f64) -> String {
    let decimals = match x.abs() {
        x if x >= 1_000.0 => 0,
        x if x >= 100.0 => 1,
        x if x >= 10.0 => 2,
        _ => 4,
    };
    format!("{x:.decimals$}")
}
