//! What a page is told of a scenario and its designs before anything happens.

use serde::Serialize;

use super::moment::Kept;
use super::units::Seconds;
use crate::base::Step;
use crate::live::{FaultMark, Session};
use crate::scenario::{CartHome, Loaded, SessionHome, UploadHome};

/// A scenario, as a page shows it.
#[derive(Debug, Serialize)]
pub struct ScenarioInfo {
    name: String,
    title: String,
    question: String,
    varies: String,
    lesson: String,
    next: Option<String>,
    /// Whether `set` changed it.
    patched: bool,
    seed: u64,
    duration: f64,
    /// A question to answer before the run.
    predict: Option<PredictInfo>,
    /// The names of all designs.
    designs: Vec<String>,
}

#[derive(Debug, Serialize)]
struct PredictInfo {
    ask: String,
    choices: Vec<String>,
    /// The index of the right choice.
    answer: Option<usize>,
    why: String,
}

impl ScenarioInfo {
    pub fn of(loaded: &Loaded) -> ScenarioInfo {
        let base = &loaded.base;
        let predict = base.predict.as_ref().map(|predict| PredictInfo {
            ask: predict.ask.trim().into(),
            choices: predict.choices.clone(),
            answer: predict.right(),
            why: predict.why.trim().into(),
        });
        ScenarioInfo {
            name: loaded.name.clone(),
            title: base.title.clone(),
            question: base.question.trim().into(),
            varies: base.varies.clone(),
            lesson: base.lesson.trim().into(),
            next: base.next.clone(),
            patched: loaded.patched,
            seed: base.seed.get(),
            duration: base.duration.get().as_secs_f64(),
            predict,
            designs: loaded.variants.iter().map(|variant| variant.name.clone()).collect(),
        }
    }
}

/// A design, as a page draws it.
#[derive(Debug, Serialize)]
pub struct DesignInfo {
    /// Counted from 1.
    number: usize,
    name: String,
    homes: HomesInfo,
    /// Whether anything is kept in servers.
    servers_remember: bool,
    /// Whether the shared store is used.
    store: bool,
    /// Closed loop: how many users there are.
    users: Option<u64>,
    /// Open loop: new visitors a second.
    rate: Option<f64>,
    serverless: bool,
    regions: Vec<String>,
    journey: Vec<Step>,
    /// The names of the items 1, 2, … that the journey adds.
    items: Vec<String>,
    /// The latest end.
    end: Seconds,
    timeline: Vec<TimelineEntry>,
}

/// Where each kind of state lives, as the scenario writes it.
#[derive(Debug, Serialize)]
struct HomesInfo {
    cart: &'static str,
    session: &'static str,
    upload: Option<&'static str>,
}

impl DesignInfo {
    pub fn of(design: usize, name: &str, session: &Session) -> DesignInfo {
        let scenario = session.scenario();
        let homes = scenario.homes;
        let journey = &scenario.users.journey;
        let adds = journey.iter().filter(|step| **step == Step::Add).count();
        let items = (1..).take(adds).filter_map(crate::base::Item::new).map(|item| item.to_string());
        DesignInfo {
            number: design + 1,
            name: name.into(),
            homes: HomesInfo {
                cart: cart_home(homes.cart),
                session: session_home(homes.session),
                upload: scenario.users.upload().then(|| upload_home(homes.upload)),
            },
            servers_remember: Kept::of(scenario).anything(),
            store: (homes.cart == CartHome::SharedStore && adds > 0)
                || homes.session == SessionHome::SharedStore
                || scenario.migration.is_some(),
            users: scenario.users.people(),
            rate: scenario.users.rate.map(crate::scenario::Positive::get),
            serverless: scenario.serverless.is_some(),
            regions: scenario.regions.as_ref().map_or(Vec::new(), |regions| regions.names.clone()),
            journey: journey.iter().copied().collect(),
            items: items.collect(),
            end: Seconds(session.end()),
            timeline: session.faults().into_iter().map(TimelineEntry::of).collect(),
        }
    }
}

fn cart_home(home: CartHome) -> &'static str {
    match home {
        CartHome::ServerMemory => "server-memory",
        CartHome::SharedStore => "shared-store",
        CartHome::SignedToken => "signed-token",
        CartHome::ReplicatedMemory => "replicated-memory",
    }
}

fn session_home(home: SessionHome) -> &'static str {
    match home {
        SessionHome::ServerMemory => "server-memory",
        SessionHome::SharedStore => "shared-store",
        SessionHome::SignedToken => "signed-token",
        SessionHome::UnsignedCookie => "unsigned-cookie",
    }
}

fn upload_home(home: UploadHome) -> &'static str {
    match home {
        UploadHome::ServerMemory => "server-memory",
        UploadHome::LocalDisk => "local-disk",
        UploadHome::ObjectStore => "object-store",
    }
}

/// A fault of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TimelineEntry {
    fault: u32,
    name: String,
    /// `server-2 crashes`
    words: String,
    server: Option<u32>,
    at: Seconds,
    struck: Option<Seconds>,
    injected: bool,
    spared: bool,
}

impl TimelineEntry {
    pub fn of(mark: FaultMark) -> TimelineEntry {
        let FaultMark { index, name, words, server, at, struck, injected, spared, takes_memory: _ } = mark;
        let server = server.map(|server| server.0);
        TimelineEntry {
            fault: index,
            name,
            words,
            server,
            at: Seconds(at),
            struck: struck.map(Seconds),
            injected,
            spared,
        }
    }
}
