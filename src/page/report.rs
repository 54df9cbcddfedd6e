//! The report of the scenario that is open: what the command line prints of all designs, as data.

use serde::Serialize;
use serde_json::{Value, json};

use super::problem::Problem;
use super::size;
use crate::base::seed::Seed;
use crate::faces::story::FAVOURITE;
use crate::faces::table::columns::{self, Cell, Column};
use crate::faces::table::{self, header};
use crate::faces::text::clean;
use crate::live::{self, Input, Playthrough};
use crate::results::statistics::Summary;
use crate::results::{Digest, Report, VariantReport};
use crate::scenario::Loaded;

/// How many requests of users one call plays at most unless told otherwise; some 100 ms of work.
pub const MOST_REQUESTS: u64 = 20_000;

/// What was opened, as far as a report depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub seed: u64,
    /// Changes, as after `--set`.
    pub set: Vec<String>,
    /// What was done by hand, in every design alike.
    pub inputs: Vec<Input>,
    /// The same in words.
    pub by_hand: Vec<String>,
}

/// A report in the making: design by design, each from its start to its end.
#[derive(Debug)]
pub struct Pending {
    asked: Asked,
    done: Vec<VariantReport>,
    playing: Option<Playthrough>,
}

impl Pending {
    /// Whether every design may be played here.
    pub fn begin(asked: Asked, loaded: &Loaded) -> Result<Pending, Problem> {
        (0..loaded.variants.len()).try_for_each(|design| size::check_design(loaded, design))?;
        Ok(Pending { asked, done: Vec::new(), playing: None })
    }

    /// Whether this is the report that is asked for.
    pub fn is_for(&self, asked: &Asked) -> bool {
        self.asked == *asked
    }

    /// Plays on for about so many requests of users. The answer says how much is done and, at the end, what came out.
    pub fn go_on(&mut self, loaded: &Loaded, most_requests: u64) -> Result<Value, Problem> {
        let mut left = most_requests.max(1);
        while let Some(variant) = loaded.variants.get(self.done.len()) {
            if left == 0 {
                return Ok(json!({ "done": self.share(loaded), "report": null }));
            }
            let Asked { seed, inputs, .. } = &self.asked;
            let begin = || Playthrough::begin(&variant.scenario, Seed(*seed), FAVOURITE, inputs.clone());
            let run = self.playing.get_or_insert_with(begin);
            while left > 0 && !run.is_over() {
                let before = run.requests();
                run.advance().map_err(live::Error::Stuck)?;
                left = left.saturating_sub((run.requests() - before).max(1));
            }
            if run.is_over() {
                let mut report = VariantReport::of(variant);
                report.take_in(self.playing.take().map(Playthrough::report));
                self.done.push(report);
            }
        }
        let report = Report::of(loaded, "sim", self.asked.seed, 1, self.done.clone());
        Ok(json!({ "done": 1, "report": ReportInfo::of(&report, &self.asked) }))
    }

    #[expect(clippy::cast_precision_loss, reason = "numbers of designs")]
    fn share(&self, loaded: &Loaded) -> f64 {
        let playing = self.playing.as_ref().map_or(0.0, Playthrough::share);
        (self.done.len() as f64 + playing) / loaded.variants.len() as f64
    }
}

/// A report, with everything as finished texts.
#[derive(Debug, Serialize)]
struct ReportInfo {
    /// `300 users · 3 servers · open for 2 min · seed 270 · simulated`
    facts: String,
    /// What breaks when, and in which designs.
    timelines: Vec<String>,
    /// What was changed in the scenario.
    changes: Vec<String>,
    columns: Vec<ColumnInfo>,
    rows: Vec<Row>,
    notes: Vec<String>,
    warnings: Vec<String>,
    /// What of the lesson holds in this run.
    lesson: String,
    next: Option<String>,
    digest: Option<String>,
}

#[derive(Debug, Serialize)]
struct ColumnInfo {
    name: String,
    head: String,
    /// Whether it has words rather than numbers.
    words: bool,
}

#[derive(Debug, Serialize)]
struct Row {
    /// The design's number, such as `2`.
    number: String,
    name: String,
    cells: Vec<CellInfo>,
}

#[derive(Debug, Serialize)]
struct CellInfo {
    figure: String,
    /// `97 %`, or nothing.
    share: String,
    /// Whether it is a loss.
    loss: bool,
}

impl ReportInfo {
    fn of(report: &Report, asked: &Asked) -> ReportInfo {
        let Asked { set, by_hand, .. } = asked;
        let summaries = Summary::all(&report.variants);
        let columns = columns::choose(report, &summaries);
        let changes: Vec<String> = set.iter().chain(by_hand).cloned().collect();
        let cells = |at: usize| columns.iter().filter_map(|column| column.cells.get(at)).map(CellInfo::of).collect();
        let row = |(at, variant): (usize, &VariantReport)| Row {
            number: variant.number.to_string(),
            name: clean(&variant.name),
            cells: cells(at),
        };
        ReportInfo {
            facts: header::facts(report),
            timelines: header::timelines(report),
            changes: table::changes(report, &changes),
            columns: columns.iter().map(ColumnInfo::of).collect(),
            rows: report.variants.iter().enumerate().map(row).collect(),
            notes: table::sentences(report, &summaries, &columns),
            warnings: table::warnings(report, &summaries),
            lesson: table::told(report, &summaries, &changes),
            next: report.scenario.next.clone(),
            digest: Digest::of(report).map(|digest| digest.to_string()),
        }
    }
}

impl ColumnInfo {
    fn of(column: &Column) -> ColumnInfo {
        ColumnInfo { name: column.name.clone(), head: column.head.join(" ").trim().into(), words: column.words }
    }
}

impl CellInfo {
    fn of(cell: &Cell) -> CellInfo {
        let Cell { figure, share, tone } = cell;
        CellInfo { figure: figure.clone(), share: share.clone(), loss: *tone == crate::faces::text::Tone::Loss }
    }
}
