//! Whose story is told, and the history of that visit in each design.

use whatcart::base::time::{Instant, Span};
use whatcart::base::{UserId, Visit};
use whatcart::experiment::{self, FAVOURITE};
use whatcart::faces::story::{self, Tale};
use whatcart::results::{HurtBy, Report, Tape};
use whatcart::scenario::Loaded;

use super::request::Run;
use super::{Failure, usage};

/// The visit to tell, and the design that it is about.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// The index of that design.
    pub at: usize,
    visit: Visit,
    ended: Instant,
    gave_up: bool,
}

/// The visit of the requested user or of a user whom a design failed, in the first run of each design; `None` if nobody was
/// failed, or if there is no history to tell it from.
///
/// # Errors
///
/// There is no visit of the requested user.
pub fn choose(request: &Run, loaded: &Loaded, report: &Report) -> Result<Option<Choice>, Failure> {
    if report.interrupted || !has_history(report) {
        return Ok(None);
    }
    let chosen = story::choose(report);
    let wanted = story::wanted(report).filter(|at| chosen.is_none_or(|(chosen, _)| chosen != *at));
    let (at, (visit, ended)) = match (request.follow, chosen) {
        // The design that the lesson is about hurt nobody who is counted.
        (None, _) if let Some(at) = wanted => match followed(loaded, report, at, FAVOURITE.0) {
            Ok(visit) => (at, visit),
            Err(_) => return Ok(None),
        },
        (None, None) => return Ok(None),
        (None, Some((at, hurt))) => (at, (hurt.visit, hurt.ended)),
        (Some(user), chosen) => {
            let at = chosen.map_or(0, |(at, _)| at);
            (at, followed(loaded, report, at, user)?)
        }
    };
    let gave_up = chosen.is_some_and(|(_, hurt)| matches!(hurt.how, HurtBy::Abandoned | HurtBy::LoggedOut));
    Ok(Some(Choice { at, visit, ended, gave_up }))
}

/// A real run with very many requests keeps no tape.
fn has_history(report: &Report) -> bool {
    report.variants.iter().all(|variant| variant.runs[0].tape.as_ref().is_none_or(|tape| !tape.is_empty()))
}

/// The same visit in every design; or, if no design failed anybody, a visit of user 42. Empty without any history.
///
/// # Errors
///
/// There is no visit of the requested user.
pub fn tales(request: &Run, loaded: &Loaded, report: &Report) -> Result<(usize, Vec<Tale>), Failure> {
    let choice = match choose(request, loaded, report)? {
        None if report.interrupted || !has_history(report) => None,
        None => {
            let uneventful = |(visit, ended)| Choice { at: 0, visit, ended, gave_up: false };
            followed(loaded, report, 0, FAVOURITE.0).ok().map(uneventful)
        }
        choice => choice,
    };
    let Some(choice) = choice else { return Ok((0, Vec::new())) };
    let tale = |design| Tale { design, user: choice.visit.user, tape: choice.tape(design, loaded, report) };
    Ok((choice.at, (0..report.variants.len()).map(tale).collect()))
}

impl Choice {
    /// What happened in a design. Elsewhere than in its own the visit may take a little longer.
    pub fn tape(&self, design: usize, loaded: &Loaded, report: &Report) -> Tape {
        let until = match (design == self.at, self.gave_up) {
            (true, _) => self.ended,
            (false, true) => self.ended + A_VISIT,
            (false, false) => self.ended + later(self.ended),
        };
        experiment::replay(&loaded.variants[design], &report.variants[design].runs[0], self.visit, until)
    }
}

/// About how long an abandoned visit would have gone on.
const A_VISIT: Span = Span::from_secs(60);

/// A visit may end a little later in another design.
fn later(ended: Instant) -> Span {
    Span::from_nanos(ended.as_nanos() / 4).max(Span::from_secs(10))
}

/// The visit to tell for the user that was requested.
fn followed(loaded: &Loaded, report: &Report, at: usize, user: u32) -> Result<(Visit, Instant), Failure> {
    let run = &report.variants[at].runs[0];
    experiment::follow(&loaded.variants[at], run, UserId(user)).ok_or_else(|| {
        if u64::from(user) > run.figures.users {
            return no_user(user, run.figures.users);
        }
        let help = "follow another user, or keep the shop open for longer: --set duration=10m";
        usage(format!("user {user} never finished a visit in design {}", report.variants[at].number), help)
    })
}

/// The users of a shop are numbered from 1.
pub fn no_user(user: u32, most: u64) -> Failure {
    usage(format!("there is no user {user}"), format!("the users of this shop are 1 to {most}"))
}
