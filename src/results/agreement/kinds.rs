//! Counted events, which must have happened or must not.

use super::{CERTAIN, Conformity, Judgement, Predicted, Trial, Unit};
use crate::results::Figures;

struct Kind {
    figure: &'static str,
    what: &'static str,
    unit: Unit,
    count: fn(&Figures) -> u64,
}

const fn loss(figure: &'static str, what: &'static str, count: fn(&Figures) -> u64) -> Kind {
    Kind { figure, what, unit: Unit::Losses, count }
}

/// What rates are a share of. An engine that nobody visits, or in which nothing breaks, loses nothing; it must not
/// pass.
const fn case(figure: &'static str, what: &'static str, count: fn(&Figures) -> u64) -> Kind {
    Kind { figure, what, unit: Unit::Cases, count }
}

const KINDS: [Kind; 24] = [
    loss("lost_by.split", "split carts", |f| f.lost_by.split),
    loss("lost_by.wiped", "wiped carts", |f| f.lost_by.wiped),
    loss("lost_by.overwritten", "overwritten carts", |f| f.lost_by.overwritten),
    loss("lost_by.stale", "stale carts", |f| f.lost_by.stale),
    loss("lost_by.rolled_back", "rolled-back carts", |f| f.lost_by.rolled_back),
    loss("lost_by.evicted", "evicted carts", |f| f.lost_by.evicted),
    loss("lost_by.expired", "expired carts", |f| f.lost_by.expired),
    loss("lost_by.unexplained", "unexplained losses", |f| f.lost_by.unexplained),
    loss("carts.overcharged", "overcharged carts", |f| f.carts.overcharged),
    loss("carts.open", "carts still open", |f| f.carts.open),
    loss("visits.abandoned_refused + visits.abandoned_unknown", "visits given up", |f| {
        f.visits.abandoned_refused + f.visits.abandoned_unknown
    }),
    loss("visits.abandoned_logged_out", "visits given up after logouts", |f| f.visits.abandoned_logged_out),
    loss("wrong_views", "wrong views", |f| f.wrong_views),
    loss("logged_out", "logouts", |f| f.logged_out),
    loss("zombie_logins", "zombie logins", |f| f.zombie_logins),
    loss("impostors_accepted", "impostors let in", |f| f.impostors_accepted),
    loss("missing_files", "missing files", |f| f.missing_files),
    loss("ghosts", "ghosts", |f| f.ghosts),
    loss("double_charges", "double charges", |f| f.double_charges),
    case("visits.begun", "visits", |f| f.visits.begun),
    case("carts.opened", "carts opened", |f| f.carts.opened),
    case("views", "views", |f| f.views),
    case("impostors", "impostors", |f| f.impostors),
    case("faults.open_carts", "carts open at a fault", |f| f.faults.values().map(|fault| fault.open_carts).sum()),
];

/// Every kind, in one variant.
pub(super) fn judged<'a>(trial: &'a Trial) -> impl Iterator<Item = Judgement> + use<'a> {
    KINDS.iter().map(|kind| {
        let predicted: Vec<u64> = trial.predicted.iter().map(kind.count).collect();
        let executed: Vec<u64> = trial.executed.iter().map(|figures| (kind.count)(figures)).collect();
        one(kind, &predicted, &executed)
    })
}

#[expect(clippy::cast_precision_loss, reason = "numbers of carts")]
fn one(kind: &Kind, simulated: &[u64], executed: &[u64]) -> Judgement {
    let least = simulated.iter().min().copied().unwrap_or(0);
    let most = simulated.iter().max().copied().unwrap_or(0);
    let mean = |counts: &[u64]| counts.iter().sum::<u64>() as f64 / counts.len().max(1) as f64;
    let (predicted, as_predicted) = match (least, most) {
        _ if simulated.is_empty() => (Predicted::Possible, None),
        (_, 0) => (Predicted::Impossible, Some(executed.iter().all(|count| *count == 0))),
        (CERTAIN.., _) => (Predicted::Certain, Some(executed.iter().all(|count| *count > 0))),
        _ => (Predicted::Possible, None),
    };
    Judgement {
        figure: kind.figure.into(),
        what: kind.what.into(),
        unit: kind.unit,
        predicted,
        mean: mean(simulated),
        low: least as f64,
        high: most as f64,
        observed: mean(executed),
        verdict: as_predicted.map_or(Conformity::NotJudged, Conformity::of),
    }
}
