//! The calls, as they are written in JSON.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::units::Seconds;

/// A call.
#[derive(Debug, Deserialize)]
#[serde(tag = "call", rename_all = "kebab-case")]
pub enum Call {
    Scenarios,
    Source {
        scenario: String,
    },
    Check(Source),
    Load(Load),
    Advance {
        run: usize,
        until: Seconds,
        most_events: Option<usize>,
    },
    Inject {
        run: usize,
        fault: Map<String, Value>,
    },
    Spare {
        run: usize,
        fault: u32,
    },
    Rewind {
        run: usize,
        to: Seconds,
        #[serde(default)]
        forget: bool,
    },
    Fork {
        run: usize,
    },
    Differ {
        runs: [usize; 2],
    },
    Close {
        run: usize,
    },
    Snapshot {
        run: usize,
    },
    Figures {
        run: usize,
    },
    Report {
        run: Option<usize>,
        most_requests: Option<u64>,
    },
    Story {
        run: usize,
        user: Option<u32>,
    },
    Timeline {
        run: usize,
    },
}

/// The names of all calls, for help.
pub const NAMES: [&str; 16] = [
    "scenarios",
    "source",
    "check",
    "load",
    "advance",
    "inject",
    "spare",
    "rewind",
    "fork",
    "differ",
    "close",
    "snapshot",
    "figures",
    "report",
    "story",
    "timeline",
];

/// A scenario: one of the program's own, or a text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The name of a scenario that comes with the program, or what to call the text.
    pub scenario: String,
    /// The text of a scenario of one's own.
    pub text: Option<String>,
    /// Changes, as after `--set`.
    #[serde(default)]
    pub set: Vec<String>,
}

/// Opens designs of a scenario.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// The name of a scenario that comes with the program, or what to call the text.
    pub scenario: String,
    /// The text of a scenario of one's own.
    pub text: Option<String>,
    /// Changes, as after `--set`.
    #[serde(default)]
    pub set: Vec<String>,
    /// Which designs, counted from 1; the first when absent.
    #[serde(default)]
    pub designs: Vec<usize>,
    /// The root seed; the scenario's own when absent.
    pub seed: Option<u64>,
    /// The user to follow; 42 when absent.
    pub user: Option<u32>,
}
