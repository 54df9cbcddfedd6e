//! The calls of a page that shows a run: a request in JSON, an answer in JSON.
//!
//! [`Page::call`] is all there is: the same for a browser, which runs the core as wasm, and for a server. What a page
//! shows as a figure, a name or a sentence is in an answer; the page itself computes nothing. `docs/page-calls.md`
//! describes every call and field.
//!
//! A picture is a pure function of a keyframe, the events after it, and the time: there is a keyframe at least every
//! second.

mod calls;
mod design;
mod differ;
mod film;
mod happening;
mod headline;
mod keyframe;
mod moment;
mod problem;
mod report;
mod requests;
mod size;
mod stage;
mod tally;
mod units;
mod watch;
mod words;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::base::UserId;
use crate::faces::story::FAVOURITE;
use crate::live::{self, Session};
use crate::operations::faults;
use crate::results::expectations;
use crate::scenario::{Fault, Loaded, check, library, load, nearest};

use calls::{Call, Load, NAMES, Source};
use design::ScenarioInfo;
use film::Frame;
use problem::Problem;
use report::{Asked, MOST_REQUESTS, Pending};
use stage::{MOST_EVENTS, Run, room_for_one};

/// What one page has open.
#[derive(Debug, Default)]
pub struct Page {
    loaded: Option<Loaded>,
    /// What was asked for when it was loaded.
    asked: Option<Asked>,
    report: Option<Pending>,
    runs: Vec<Option<Run>>,
}

/// The longest request, in bytes.
pub const LONGEST_REQUEST: usize = 512 * 1024;

impl Page {
    /// Answers one call: `{"ok": …}`, or `{"error": {"kind": …, "message": …}}` if it was refused and changed nothing.
    pub fn call(&mut self, request: &str) -> String {
        let answer = read(request).and_then(|call| self.answer(call));
        match answer {
            Ok(answer) => format!("{{\"ok\":{answer}}}"),
            Err(problem) => json!({ "error": problem }).to_string(),
        }
    }

    fn answer(&mut self, call: Call) -> Result<String, Problem> {
        Ok(match call {
            Call::Scenarios => written(&scenarios()?),
            Call::Source { scenario } => json!({ "scenario": scenario, "text": known(&scenario)?.text }).to_string(),
            Call::Check(source) => written(&ScenarioInfo::of(&read_scenario(&source)?)),
            Call::Load(load) => self.load(load)?,
            Call::Advance { run, until, most_events } => {
                written(&self.run(run)?.advance(until.0, most_events.unwrap_or(MOST_EVENTS))?)
            }
            Call::Inject { run, fault } => self.inject(run, fault)?,
            Call::Spare { run, fault } => {
                let run = self.run(run)?;
                run.session.spare(fault)?;
                written(&run.timeline())
            }
            Call::Rewind { run, to, forget } => written(&self.run(run)?.rewind(to.0, forget)?),
            Call::Fork { run } => self.fork(run)?,
            Call::Differ { runs: [one, other] } => {
                self.run(one)?;
                self.run(other)?;
                written(&differ::carts([&self.runs[one], &self.runs[other]].map(Option::as_ref))?)
            }
            Call::Close { run } => {
                self.run(run)?;
                self.runs[run] = None;
                "{}".into()
            }
            Call::Snapshot { run } => written(&self.run(run)?.keyframe()),
            Call::Figures { run } => written(&self.run(run)?.session.figures()),
            Call::Report { run, most_requests } => self.report(run, most_requests.unwrap_or(MOST_REQUESTS))?,
            Call::Story { run, user } => self.story(run, user)?,
            Call::Timeline { run } => written(&self.run(run)?.timeline()),
        })
    }

    fn run(&mut self, run: usize) -> Result<&mut Run, Problem> {
        let open: Vec<String> =
            (0..self.runs.len()).filter(|i| self.runs[*i].is_some()).map(|i| i.to_string()).collect();
        let known = self.runs.get_mut(run).and_then(Option::as_mut);
        known.ok_or_else(|| {
            let help =
                if open.is_empty() { "load a scenario first".into() } else { format!("open are {}", open.join(", ")) };
            Problem::request(format!("there is no run {run}"), Some(help))
        })
    }

    fn load(&mut self, request: Load) -> Result<String, Problem> {
        let Load { scenario, text, set, designs, seed, user } = request;
        let loaded = read_scenario(&Source { scenario, text, set: set.clone() })?;
        let designs = if designs.is_empty() { vec![1] } else { designs };
        room_for_one(designs.len().saturating_sub(1))?;
        let followed = user.map_or(FAVOURITE, UserId);
        let indices = designs.iter().map(|design| design.checked_sub(1));
        let none = || Problem::request("designs are counted from 1", None);
        let indices: Vec<usize> = indices.collect::<Option<_>>().ok_or_else(none)?;
        indices.iter().try_for_each(|design| size::check_design(&loaded, *design))?;
        let variants = indices.iter().filter_map(|design| loaded.variants.get(*design));
        size::check_together(variants.map(|variant| live::clients(&variant.scenario)).sum())?;
        let mut runs = Vec::new();
        for design in indices {
            runs.push(Some(Run::new(design, Session::load(&loaded, design, seed, followed)?, followed)));
        }
        let seed = seed.unwrap_or(loaded.base.seed.get());
        let asked = Asked { seed, set, inputs: Vec::new(), by_hand: Vec::new() };
        (self.loaded, self.asked, self.runs, self.report) = (Some(loaded), Some(asked), runs, None);
        Ok(self.opened())
    }

    /// What was loaded: the scenario, and each run with its first keyframe.
    fn opened(&self) -> String {
        let Some(loaded) = &self.loaded else { return "{}".into() };
        let runs = self.runs.iter().enumerate().filter_map(|(at, run)| Some(opened(at, run.as_ref()?, loaded)));
        json!({ "scenario": ScenarioInfo::of(loaded), "runs": runs.collect::<Vec<Value>>() }).to_string()
    }

    fn inject(&mut self, run: usize, fault: Map<String, Value>) -> Result<String, Problem> {
        let run = self.run(run)?;
        let fault = read_fault(fault, &run.session)?;
        let (fault, batch) = run.inject(fault)?;
        Ok(json!({ "fault": fault, "batch": batch, "timeline": run.timeline() }).to_string())
    }

    fn fork(&mut self, run: usize) -> Result<String, Problem> {
        room_for_one(self.runs.iter().flatten().count())?;
        let clients: u64 = self.runs.iter().flatten().map(Run::clients).sum();
        size::check_together(clients + self.run(run)?.clients())?;
        let fork = self.run(run)?.clone();
        let free = self.runs.iter().position(Option::is_none).unwrap_or(self.runs.len());
        if free == self.runs.len() {
            self.runs.push(None);
        }
        self.runs[free] = Some(fork);
        Ok(json!({ "run": free }).to_string())
    }

    /// The report of all designs; with a run, what was done by hand in it is done in all of them.
    fn report(&mut self, run: Option<usize>, most_requests: u64) -> Result<String, Problem> {
        let nothing = || Problem::request("nothing is open", Some("load a scenario first".into()));
        let mut asked = self.asked.clone().ok_or_else(nothing)?;
        if let Some(run) = run {
            let run = self.run(run)?;
            (asked.inputs, asked.by_hand) = (run.session.inputs().to_vec(), run.by_hand());
        }
        let loaded = self.loaded.as_ref().ok_or_else(nothing)?;
        let pending = match self.report.take().filter(|pending| pending.is_for(&asked)) {
            Some(pending) => pending,
            None => Pending::begin(asked, loaded)?,
        };
        Ok(self.report.insert(pending).go_on(loaded, most_requests)?.to_string())
    }

    fn story(&mut self, run: usize, user: Option<u32>) -> Result<String, Problem> {
        let run = self.run(run)?;
        let user = user.map_or(run.followed(), UserId);
        run.follow(user);
        let film = run.session.film(user).unwrap_or_default();
        let frames: Vec<Frame> = film.iter().map(Frame::from).collect();
        Ok(json!({ "user": user, "frames": frames }).to_string())
    }
}

fn opened(at: usize, run: &Run, loaded: &Loaded) -> Value {
    let name = &loaded.variants[run.design].name;
    json!({ "run": at, "design": run.info(name), "keyframe": run.keyframe() })
}

fn written(answer: &impl Serialize) -> String {
    serde_json::to_string(answer).expect("answers are plain data")
}

fn read(request: &str) -> Result<Call, Problem> {
    if request.len() > LONGEST_REQUEST {
        return Err(Problem::size("this request is too long", format!("it may have {LONGEST_REQUEST} bytes")));
    }
    serde_json::from_str(request).map_err(|error| {
        let help = format!("the calls are {}", NAMES.join(", "));
        Problem::request(error.to_string(), error.to_string().contains("variant").then_some(help))
    })
}

/// A scenario that comes with the program.
fn known(name: &str) -> Result<&'static library::Entry, Problem> {
    library::find(name).ok_or_else(|| {
        let names = library::all().iter().map(|entry| entry.name);
        Problem::request(format!("there is no scenario `{name}`"), nearest::suggest(name, "the scenarios are", names))
    })
}

/// Reads and checks a scenario as the command line does.
fn read_scenario(source: &Source) -> Result<Loaded, Problem> {
    let Source { scenario: name, text, set } = source;
    let text = match text {
        Some(text) => text.as_str(),
        None => known(name)?.text,
    };
    size::check_text(text)?;
    let loaded = load(name, &format!("{name}.toml"), text, set, &[])?;
    match expectations::validate(&loaded).into_iter().next() {
        Some(problem) => Err(loaded.error_at(&problem.place, problem.message, problem.help).into()),
        None => Ok(loaded),
    }
}

/// A fault as a scenario writes it: `{"crash": "server-2", "replace_after": "5s"}`. Without `at`, it strikes now.
fn read_fault(mut table: Map<String, Value>, session: &Session) -> Result<faults::Fault, Problem> {
    let now = session.now().since_start();
    table.entry("at").or_insert_with(|| now.to_string().into());
    let fault: Fault =
        serde_json::from_value(table.into()).map_err(|error| Problem::request(error.to_string(), None))?;
    let mut scenario = session.scenario().clone();
    scenario.faults.push(fault.clone());
    if let Some(violation) = check(&scenario).into_iter().next() {
        return Err(violation.into());
    }
    faults::resolve(&fault, session.scenario())
        .ok_or_else(|| Problem::request("this fault is not complete", Some("say what breaks".into())))
}

/// The scenarios that come with the program, in the order of the lessons.
fn scenarios() -> Result<Vec<Value>, Problem> {
    let info = |entry: &library::Entry| -> Result<Value, Problem> {
        let loaded = load(entry.name, entry.name, entry.text, &[], &[])?;
        let too_large = (0..loaded.variants.len()).find_map(|design| size::check_design(&loaded, design).err());
        Ok(json!({
            "name": entry.name,
            "title": loaded.base.title,
            "question": loaded.base.question.trim(),
            "designs": loaded.variants.iter().map(|variant| &variant.name).collect::<Vec<_>>(),
            "too_large": too_large,
        }))
    };
    library::all().iter().map(info).collect()
}
