//! Links: the fragment of an address says which run is shown, and the command line plays the same one.
//!
//! `#v=1&s=sticky-crash&p=2,4&seed=270&set=servers.count%3D5&do=20:crash:server-2~50:deploy&t=31.2&u=42`
//!
//! | part | what it says |
//! | --- | --- |
//! | `v` | the version of this list; 1 if it is missing |
//! | `s` | the scenario's name |
//! | `z` | the text of a scenario of one's own, deflated and in base64url; `s` is what it is called then |
//! | `p` | the designs that are shown, counted from 1 |
//! | `seed` | the root seed; the scenario's own if it is missing |
//! | `set` | a change, as after `--set`; there may be several |
//! | `do` | what is done by hand: see [`Deed`], with `~` between two |
//! | `t` | the time that the page shows, in seconds |
//! | `u` | the user who is followed |
//!
//! `#tour/4` is a step of the page's tour. Whatever is not understood is left out, and told. The page reads and writes
//! links by itself; `tests/links.json` holds every form that was ever published, for both.

mod deed;
mod escape;

use thiserror::Error;

pub use deed::Deed;
use escape::{escaped, unescaped};

/// What a link says. What it leaves out is left to the scenario.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Link {
    /// The name of a scenario that comes with the program, or what `text` is called.
    pub scenario: String,
    /// A scenario of one's own: deflated TOML in base64url.
    pub packed: Option<String>,
    /// The designs, counted from 1; none: not said.
    pub designs: Vec<usize>,
    /// The root seed.
    pub seed: Option<u64>,
    /// Changes, as after `--set`.
    pub set: Vec<String>,
    /// What is done by hand.
    pub deeds: Vec<Deed>,
    /// The time that is shown, in seconds.
    pub time: Option<f64>,
    /// The user who is followed.
    pub user: Option<u32>,
}

/// Why a text is no link to a run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LinkError {
    /// It is longer than [`LONGEST`].
    #[error("this link has more than {} bytes", LONGEST)]
    TooLong,
    /// No scenario is named, or its name is none.
    #[error("this link names no scenario")]
    NoScenario,
    /// It is a step of the page's tour.
    #[error("this link is step {0} of the page's tour, not a run")]
    Tour(u32),
}

/// The version of links that is written.
const VERSION: u32 = 1;
/// No link is longer, in bytes.
pub const LONGEST: usize = 16 * 1024;
/// The longest packed scenario, in characters.
pub const LONGEST_PACKED: usize = 8 * 1024;
/// As many designs as can be shown.
const MOST_DESIGNS: usize = 12;
/// A part that was not understood is quoted up to this length, in characters.
const QUOTED: usize = 60;

/// Reads the fragment of a link, with or without what is before the `#`. The second value tells the parts that were not
/// understood.
///
/// # Errors
///
/// If it is too long, or no run can be made of it.
pub fn read(text: &str) -> Result<(Link, Vec<String>), LinkError> {
    if text.len() > LONGEST {
        return Err(LinkError::TooLong);
    }
    let fragment = text.split_once('#').map_or(text, |(_, fragment)| fragment);
    if let Some(step) = tour_step(fragment) {
        return Err(LinkError::Tour(step));
    }
    let (mut link, mut ignored) = (Link::default(), Vec::new());
    for part in fragment.split('&').filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        let (key, value) = (unescaped(key), unescaped(value));
        if link.take_in(&key, &value).is_none() {
            ignored.push(format!("{key}={value}").chars().take(QUOTED).collect());
        }
    }
    if link.scenario.is_empty() { Err(LinkError::NoScenario) } else { Ok((link, ignored)) }
}

/// `tour/4`, or nothing at all, which is the first step.
fn tour_step(fragment: &str) -> Option<u32> {
    match fragment.strip_prefix("tour") {
        Some("") => Some(1),
        Some(rest) => rest.strip_prefix('/').filter(|digits| digits.len() <= 2).and_then(whole),
        None => fragment.is_empty().then_some(1),
    }
}

/// A number of digits only.
fn whole<N: std::str::FromStr>(digits: &str) -> Option<N> {
    digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether a scenario can be called like this.
fn is_name(name: &str) -> bool {
    let harmless = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=60).contains(&name.len()) && name.bytes().all(harmless)
}

impl Link {
    /// Takes in one part; `None` if it is not understood. There has been one version of links so far.
    fn take_in(&mut self, key: &str, value: &str) -> Option<()> {
        match key {
            "v" => return (whole(value) == Some(VERSION)).then_some(()),
            "s" => self.scenario = Some(value).filter(|name| is_name(name))?.into(),
            "z" => {
                self.packed = Some(Some(value).filter(|packed| (1..=LONGEST_PACKED).contains(&packed.len()))?.into());
            }
            "p" => {
                let designs: Option<Vec<usize>> = value.split(',').map(whole).collect();
                let sound = |designs: &Vec<usize>| {
                    designs.len() <= MOST_DESIGNS && designs.iter().all(|design| (1..100).contains(design))
                };
                self.designs = designs.filter(sound)?;
            }
            "seed" => self.seed = Some(whole::<u64>(value).filter(|seed| *seed <= MOST_SEED)?),
            "set" => self.set.push(value.into()),
            "do" => return self.take_in_deeds(value),
            "t" => self.time = Some(value.parse().ok().filter(|time| (0.0..1e6).contains(time))?),
            "u" => self.user = Some(whole::<u32>(value).filter(|user| (1..=1_000_000).contains(user))?),
            _ => return None,
        }
        Some(())
    }

    /// Those that are understood are done.
    fn take_in_deeds(&mut self, value: &str) -> Option<()> {
        let deeds: Vec<Option<Deed>> = value.split('~').map(Deed::read).collect();
        let all = deeds.iter().all(Option::is_some);
        self.deeds = deeds.into_iter().flatten().collect();
        self.deeds.sort_by_key(|deed| deed.at);
        all.then_some(())
    }

    /// The fragment, with its `#`.
    #[must_use]
    pub fn fragment(&self) -> String {
        let mut parts = vec![format!("v={VERSION}"), format!("s={}", escaped(&self.scenario))];
        if !self.designs.is_empty() {
            let designs: Vec<String> = self.designs.iter().map(usize::to_string).collect();
            parts.push(format!("p={}", designs.join(",")));
        }
        parts.extend(self.seed.map(|seed| format!("seed={seed}")));
        parts.extend(self.set.iter().map(|patch| format!("set={}", escaped(patch))));
        if !self.deeds.is_empty() {
            let deeds: Vec<String> = self.deeds.iter().map(Deed::to_string).collect();
            parts.push(format!("do={}", deeds.join("~")));
        }
        parts.extend(self.time.map(|time| format!("t={time}")));
        parts.extend(self.user.map(|user| format!("u={user}")));
        parts.extend(self.packed.as_ref().map(|packed| format!("z={packed}")));
        format!("#{}", parts.join("&"))
    }
}

/// Greater whole numbers are rounded by browsers.
const MOST_SEED: u64 = (1 << 53) - 1;

#[cfg(test)]
mod tests;
