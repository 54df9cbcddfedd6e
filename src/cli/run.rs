//! `whatcart run`

use whatcart::base::UserId;
use whatcart::base::words::thousands;
use whatcart::experiment::{self, FAVOURITE, MOST_RUNS, Precision};
use whatcart::faces::ascii::ascii_json;
use whatcart::faces::story::{self, Story};
use whatcart::faces::table::{self, Look, Part};
use whatcart::faces::text::Page;
use whatcart::faces::{assumptions, explain, export};
use whatcart::results::{Agreement, Report, expectations};
use whatcart::scenario::{Loaded, library, load, prose};

use super::args::{Engine, Format};
use super::files::Files;
use super::predict::Prediction;
use super::progress::Progress;
use super::request::Run;
use super::screen::Screen;
use super::source::Source;
use super::step::Steps;
use super::{Ended, Failure, guarded, interrupt, link, predict, real, source, stories, usage};

/// The number of rows that the whole output should not exceed; the story is shortened to fit.
const ROWS: usize = 34;

/// A story is never cut to fewer lines than these.
const LEAST_TOLD: usize = 9;

/// Runs a scenario and prints or writes the results.
pub fn run(request: &Run, screen: &Screen) -> Result<Ended, Failure> {
    match request.link.as_deref() {
        Some("") if request.what.is_empty() => Err(usage(
            "--link needs a link to run, or a scenario to make a link of",
            "run it as `whatcart run --link URL`",
        )),
        None | Some("") => played(request, &source::find(&request.what)?, screen),
        Some(_) if !request.what.is_empty() => Err(usage(
            "this names a scenario, and a link to another run",
            "give one of them, or `--link` without a link",
        )),
        Some(url) => {
            let (request, source) = link::opened(url, request, screen)?;
            played(&request, &source, screen)
        }
    }
}

fn played(request: &Run, source: &Source, screen: &Screen) -> Result<Ended, Failure> {
    let mut loaded = source::load(source, &request.set, &request.vary, screen)?;
    source::only(&mut loaded, &request.only)?;
    source::by_hand(&mut loaded, &request.by_hand)?;
    if request.link.is_some() {
        let page = request.page.as_deref().unwrap_or(link::PAGE);
        screen.print(&format!("{}\n", link::of(request, source, &loaded, page)?))?;
        return Ok(Ended::Well);
    }
    check_user(request, &loaded)?;
    check_time(request)?;
    check_files(request)?;
    let left_out = if request.engine == Engine::Sim { Vec::new() } else { real::playable(&mut loaded)? };
    let files = Files::new(request)?;

    let steps = if request.step { Some(Steps::new(request, &loaded, screen)?) } else { None };
    let prediction = match &steps {
        Some(steps) if request.predict => Some(steps.alone(|| predict::ask(&loaded, request.seed, screen))?),
        Some(steps) if !steps.ask(&loaded, request.seed)? => return Ok(Ended::Well),
        Some(_) => Prediction::unsaid(&loaded),
        None if request.predict => Some(predict::ask(&loaded, request.seed, screen)?),
        None => None,
    };
    let progress = Progress::new(request.quiet, screen);
    let show = |permille| progress.at(permille);
    let options = experiment::Options {
        seed: request.seed,
        runs: request.runs,
        played: 0,
        favourite: request.follow.map_or(FAVOURITE, UserId),
        interrupt: interrupt::noticed(),
        progress: &show,
    };
    let mut reached = None;
    let report = match request.engine {
        Engine::Sim => match request.until_precise {
            None => measured(&loaded, &options, experiment::run),
            Some(wanted) => measured(&loaded, &options, |loaded, options| {
                let (report, precision) = experiment::until_precise(loaded, options, wanted)?;
                reached = Some(precision);
                Ok(report)
            }),
        },
        Engine::Http => real::executed(&loaded, &options, request, &progress),
        Engine::Both => real::compared(&loaded, &options, request, &progress),
    };
    progress.end();
    let report = Report { left_out, ..report? };

    let parts = printed(request, &loaded, &report, prediction.as_ref(), screen)?;
    if let Some(precision) = reached {
        screen.complain(&said(&precision));
    }
    files.write_beside(request, &loaded, &report, screen)?;
    let text = || parts.iter().map(|part| part.text.as_str()).collect::<String>();
    match (files.output, steps) {
        (_, Some(steps)) if !report.interrupted => steps.show(&parts)?,
        (Some(output), _) => output.write(&screen.for_file(&text()))?,
        (None, _) => screen.print(&text())?,
    }
    if report.interrupted {
        return Ok(Ended::Interrupted);
    }
    real::kept_up(&report)?;
    let agrees = report.agreement.as_ref().is_none_or(Agreement::agrees);
    Ok(if agrees { Ended::Well } else { Ended::Unexpected })
}

/// The report with its expectations evaluated, unless the run was changed or cut short: then they need not hold.
pub fn measured(
    loaded: &Loaded,
    options: &experiment::Options,
    play: impl FnOnce(&Loaded, &experiment::Options) -> Result<Report, experiment::NoProgress>,
) -> Result<Report, Failure> {
    let mut report = guarded(|| play(loaded, options))?;
    if !loaded.patched && !report.interrupted {
        report.expectations = expectations::judge(&report)?;
    }
    Ok(report)
}

/// In a closed loop the users are known in advance.
fn check_user(request: &Run, loaded: &Loaded) -> Result<(), Failure> {
    let Some(user) = request.follow else { return Ok(()) };
    let users = |scenario: &whatcart::scenario::Scenario| match scenario.users.rate {
        Some(_) => u64::from(u32::MAX),
        None => scenario.users.count.map_or(300, whatcart::scenario::Whole::get),
    };
    let most = loaded.variants.iter().map(|variant| users(&variant.scenario)).max().unwrap_or(0);
    if u64::from(user) > most {
        return Err(stories::no_user(user, most));
    }
    Ok(())
}

/// Additional output on request: proofs and assumptions.
fn beside(request: &Run, loaded: &Loaded, report: &Report, page: Page) -> Vec<Part> {
    let mut parts = Vec::new();
    if request.explain {
        let text = explain::proofs(report, page, |at, run, visit, ended| {
            experiment::replay(&loaded.variants[at], run, visit, ended)
        });
        parts.push(Part { name: "proofs", text });
    }
    if request.assume {
        let text = assumptions::table(&assumptions::assumptions(loaded), page);
        parts.push(Part { name: "assumptions", text });
    }
    parts
}

/// The precision that was reached, and whether it is the requested one.
fn said(precision: &Precision) -> String {
    let Precision { wanted, reached, figure, runs } = precision;
    if !reached.is_finite() {
        return format!("How precisely {figure} is known cannot be told from {runs} complete runs.");
    }
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let known = format!("{figure} is known to within {} after {} runs", percent(*reached), thousands(u64::from(*runs)));
    if precision.is_reached() {
        return format!("{known}.");
    }
    let most = thousands(u64::from(MOST_RUNS));
    format!("{known}: {} was not reached within the maximum of {most} runs.", percent(*wanted))
}

/// Simulated time has no speed, and simulated servers have no addresses.
fn check_time(request: &Run) -> Result<(), Failure> {
    if request.until_precise.is_some() && request.engine != Engine::Sim {
        let help = "leave one of them out; --runs sets the number of real runs";
        return Err(usage("--until-precise makes many runs, and real ones would take hours", help));
    }
    let flag = match (request.engine, request.speed, request.verbose) {
        (Engine::Sim, Some(_), _) => "--speed",
        (Engine::Sim, None, true) => "--verbose",
        _ => return Ok(()),
    };
    Err(usage(
        format!("{flag} is for real requests, and these would be simulated"),
        "add --engine http, or leave it out",
    ))
}

/// What is written where.
fn check_files(request: &Run) -> Result<(), Failure> {
    if request.incomplete && request.format != Format::Csv && request.series.is_none() {
        let help = "add --format csv or --series FILE, or leave it out";
        return Err(usage("--incomplete is about rows of CSV, and none would be written", help));
    }
    Ok(())
}

/// The results in the format that was asked for. Only a table has several parts.
fn printed(
    request: &Run,
    loaded: &Loaded,
    report: &Report,
    prediction: Option<&Prediction>,
    screen: &Screen,
) -> Result<Vec<Part>, Failure> {
    let text = match request.format {
        Format::Json if screen.ascii() => ascii_json(&export::json(report)),
        Format::Json => export::json(report),
        Format::Csv => export::csv(report, request.incomplete),
        Format::Markdown => export::markdown(report, &assumptions::assumptions(loaded), &request.command(report.seed)),
        Format::Table => {
            let page = if request.output.is_some() { Page::FILE } else { screen.page };
            let mut parts = table(request, loaded, report, prediction, page)?;
            parts.extend(beside(request, loaded, report, page));
            return Ok(parts);
        }
    };
    Ok(vec![Part { name: "results", text }])
}

fn table(
    request: &Run,
    loaded: &Loaded,
    report: &Report,
    prediction: Option<&Prediction>,
    page: Page,
) -> Result<Vec<Part>, Failure> {
    let story = if request.quiet { None } else { story(request, loaded, report)? };
    let next = report.scenario.next.as_deref().and_then(library::find);
    let next = next.and_then(|entry| load(entry.name, entry.name, entry.text, &[], &[]).ok());
    let next_title = next.as_ref().map(|next| &*next.base.title);
    let answer = prediction.filter(|_| !report.interrupted).map(|prediction| {
        if request.step { prediction.with_question(report, page) } else { prediction.verdict(report, page) }
    });
    let changes = request.changes();
    let look = Look {
        page,
        details: request.details,
        quiet: request.quiet,
        story: story.as_ref(),
        charts: request.charts,
        answer: answer.as_deref(),
        changes: &changes,
        next_title,
    };
    Ok(table::parts(report, &look))
}

/// The story of the requested user or, for a single run, of a user whom a design failed.
fn story(request: &Run, loaded: &Loaded, report: &Report) -> Result<Option<Story>, Failure> {
    if report.variants.iter().all(|variant| variant.runs.len() > 1) && request.follow.is_none() {
        return Ok(None);
    }
    let Some(choice) = stories::choose(request, loaded, report)? else { return Ok(None) };
    let best = story::best_other(report, choice.at);
    let rows = report.variants.len()
        + 12
        + prose::plain(&report.scenario.lesson).len() / 90
        + if best.is_some() { 3 } else { 1 };
    let tape = |design| choice.tape(design, loaded, report);
    let story = story::tell(&report.variants[choice.at], &tape(choice.at), ROWS.saturating_sub(rows).max(LEAST_TOLD));
    Ok(Some(match best {
        None => story,
        Some(best) => story.against(&report.variants[best], &tape(best)),
    }))
}
