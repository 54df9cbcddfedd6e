//! The files that a run writes.

use whatcart::base::words::plural;
use whatcart::experiment;
use whatcart::faces::drawing::cast::Cast;
use whatcart::faces::drawing::crowd::Crowd;
use whatcart::faces::drawing::film::{self, Part};
use whatcart::faces::drawing::seats::clients_per_seat;
use whatcart::faces::html::{self, Beside};
use whatcart::faces::story::{self, Tale};
use whatcart::faces::table::columns;
use whatcart::faces::{assumptions, export};
use whatcart::results::Report;
use whatcart::results::statistics::Summary;
use whatcart::scenario::Loaded;

use super::request::Run;
use super::screen::Screen;
use super::target::Target;
use super::{Failure, stories, usage};

/// The files that a run writes at its end.
pub struct Files {
    /// Its output, instead of the terminal.
    pub output: Option<Target>,
    series: Option<Target>,
    html: Option<Target>,
    film: Option<Target>,
}

/// The most lines of a film.
const LINES: usize = 8;

impl Files {
    /// Checks, before a long run, that each can be written, and that no two are the same.
    ///
    /// # Errors
    ///
    /// A file cannot be written, or would be written twice.
    pub fn new(request: &Run) -> Result<Files, Failure> {
        let target = |path: &Option<_>| path.as_deref().map(Target::new).transpose();
        let files = Files {
            output: target(&request.output)?,
            series: target(&request.series)?,
            html: target(&request.html)?,
            film: target(&request.film)?,
        };
        let named =
            [("-o", &files.output), ("--series", &files.series), ("--html", &files.html), ("--film", &files.film)];
        for (at, (first, one)) in named.iter().enumerate() {
            for (second, other) in &named[at + 1..] {
                if let (Some(one), Some(other)) = (one, other)
                    && one.is(other)
                {
                    let message = format!("{first} and {second} name the same file, and only one can be in it");
                    return Err(usage(message, "give each its own file"));
                }
            }
        }
        Ok(files)
    }

    /// Writes all of them but the output.
    ///
    /// # Errors
    ///
    /// A file cannot be written, or there is no story of the requested user.
    pub fn write_beside(
        &self,
        request: &Run,
        loaded: &Loaded,
        report: &Report,
        screen: &Screen,
    ) -> Result<(), Failure> {
        if let Some(series) = &self.series {
            series.write(&screen.spelled(&export::series_csv(report, request.incomplete)))?;
        }
        if self.html.is_none() && self.film.is_none() {
            return Ok(());
        }
        let (about, tales) = stories::tales(request, loaded, report)?;
        if let Some(html) = &self.html {
            html.write(&screen.spelled_as_markup(&page(request, loaded, report, &tales)))?;
        }
        match (&self.film, tales.is_empty()) {
            (None, _) => {}
            (Some(_), true) => screen.complain("No film is written: this run has no story to tell."),
            (Some(film), false) => film.write(&screen.spelled_as_markup(&moving(loaded, report, about, &tales)))?,
        }
        Ok(())
    }
}

/// The report as a page.
fn page(request: &Run, loaded: &Loaded, report: &Report, tales: &[Tale]) -> String {
    html::html(
        report,
        &Beside {
            assumptions: &assumptions::assumptions(loaded),
            changes: &request.changes(),
            command: &request.command(report.seed),
            tales,
        },
    )
}

/// The film of the design that the story is about, and of the one that fared best beside it.
fn moving(loaded: &Loaded, report: &Report, about: usize, tales: &[Tale]) -> String {
    let other = story::best_other(report, about);
    let parts: Vec<Part> = std::iter::once(about).chain(other).map(|at| part(loaded, report, &tales[at])).collect();
    film::film(&report.scenario.title, &parts)
}

fn part<'a>(loaded: &Loaded, report: &'a Report, tale: &'a Tale) -> Part<'a> {
    let variant = &report.variants[tale.design];
    let lines = story::tell(variant, &tale.tape, LINES).lines;
    let moments = film::moments(&lines);
    let mut crowd = Crowd::at(&variant.scenario, &moments);
    if let Some(last) = moments.last() {
        experiment::hear(&loaded.variants[tale.design], &variant.runs[0], *last, &mut crowd);
    }
    let clients = crowd.clients();
    let cast = Cast::of(variant, tale.user, &lines);
    let per_seat = clients_per_seat(clients);
    let figure = figure(report, tale.design);
    Part { variant, tape: &tale.tape, lines, crowd: crowd.kept(), per_seat, cast, figure }
}

/// What a film ends with: the first column of the table.
fn figure(report: &Report, design: usize) -> String {
    let summaries = Summary::all(&report.variants);
    let columns = columns::choose(report, &summaries);
    let first =
        columns.first().map(|column| format!("{}: {}", column.head.join(" ").trim(), column.cells[design].text()));
    let runs = report.variants[design].runs.len();
    #[expect(clippy::cast_precision_loss, reason = "a number of runs")]
    let over = if runs > 1 { format!(" (mean of {})", plural(runs as f64, "run", "runs")) } else { String::new() };
    first.unwrap_or_default() + &over
}
