//! How a run against the wall clock kept time: its speed, and whether this machine kept up.

use crate::base::words::{count, listed, real};
use crate::results::{Pace, Report};
use crate::scenario::DesignNumber;

/// `simulated`, `real requests on this machine, 6x as fast`, or `real, 6x as fast, beside 100 simulations`.
#[must_use]
pub fn how(report: &Report) -> String {
    let speed = paces(report).next().map(|(_, pace)| pace.speed);
    if speed.is_none() && report.engine == "sim" {
        return "simulated".into();
    }
    // The full text does not fit on the line.
    let what = if report.agreement.is_some() { "real" } else { "real requests on this machine" };
    let fast = match speed {
        None => String::new(),
        Some(1.0) => ", in real time".into(),
        Some(speed) => format!(", {}x as fast", count(speed)),
    };
    let mut how = format!("{what}{fast}");
    if let Some(agreement) = &report.agreement {
        how += &format!(", beside {} simulations", count_of(agreement.simulations));
    }
    how
}

#[expect(clippy::cast_precision_loss, reason = "a number of simulations")]
fn count_of(simulations: usize) -> String {
    count(simulations as f64)
}

/// The pace of every run, with the number of its design.
fn paces(report: &Report) -> impl Iterator<Item = (DesignNumber, &Pace)> {
    let runs = report.variants.iter().flat_map(|variant| variant.runs.iter().map(|run| (variant.number, run)));
    runs.filter_map(|(design, run)| Some((design, run.figures.pace.as_ref()?)))
}

/// The lateness of requests in the worst run; `None` for simulations.
#[must_use]
pub fn lateness(report: &Report) -> Option<String> {
    let worst = paces(report).map(|(_, pace)| pace.late_ms.p99).reduce(f64::max)?;
    Some(format!("99 % of requests were sent less than {} ms later than meant.", real(worst)))
}

/// The warning about a run that could not keep up.
#[must_use]
pub fn warning(report: &Report) -> Option<String> {
    let mut behind: Vec<String> =
        paces(report).filter(|(_, pace)| !pace.kept_up).map(|(design, _)| design.to_string()).collect();
    behind.dedup();
    let designs = if behind.len() == 1 { "design" } else { "designs" };
    (!behind.is_empty()).then(|| {
        format!(
            "This machine could not keep up in {designs} {}: requests were sent too late. Do not trust this run. Try \
             a lower --speed, or fewer users.",
            listed(&behind)
        )
    })
}
