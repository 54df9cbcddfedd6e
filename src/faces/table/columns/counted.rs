//! The columns that count something.

use crate::faces::text::Tone;

/// A column with a count.
pub(super) struct Counted {
    pub(super) name: &'static str,
    pub(super) head: &'static str,
    /// The paths of what is counted; several are added up.
    pub(super) paths: &'static [&'static str],
    /// The denominator: its path, and its name if the rows differ.
    pub(super) of: Option<(&'static str, &'static str)>,
    pub(super) tone: Tone,
    pub(super) rank: u8,
}

const OPENED: Option<(&str, &str)> = Some(("carts.opened", "opened"));
const ABANDONED: &[&str] = &["visits.abandoned_refused", "visits.abandoned_unknown", "visits.abandoned_logged_out"];

#[rustfmt::skip]
pub(super) const COUNTED: [Counted; 21] = [
    Counted { name: "unfinished", head: "unfinished", paths: &["visits.open"], of: Some(("visits.begun", "all visits")), tone: Tone::Loss, rank: 1 },
    Counted { name: "lost", head: "carts lost", paths: &["carts.lost"], of: OPENED, tone: Tone::Loss, rank: 0 },
    Counted { name: "intact", head: "intact", paths: &["carts.intact"], of: OPENED, tone: Tone::Plain, rank: 7 },
    Counted { name: "overcharged", head: "overcharged", paths: &["carts.overcharged"], of: OPENED, tone: Tone::Loss, rank: 4 },
    Counted { name: "unknown", head: "unknown outcome", paths: &["carts.unknown"], of: OPENED, tone: Tone::Loss, rank: 8 },
    Counted { name: "abandoned-carts", head: "carts abandoned", paths: &["carts.abandoned"], of: OPENED, tone: Tone::Loss, rank: 10 },
    Counted { name: "abandoned", head: "visits abandoned", paths: ABANDONED, of: Some(("visits.begun", "all visits")), tone: Tone::Loss, rank: 3 },
    Counted { name: "failed", head: "requests failed", paths: &["requests.failed"], of: Some(("requests.sent", "all requests")), tone: Tone::Loss, rank: 2 },
    Counted { name: "errors", head: "errors", paths: &["requests.failed", "requests.refused"], of: Some(("requests.sent", "requests")), tone: Tone::Loss, rank: 2 },
    Counted { name: "logged-out", head: "logged out", paths: &["logged_out"], of: None, tone: Tone::Loss, rank: 4 },
    Counted { name: "impostors", head: "impostors let in", paths: &["impostors_accepted"], of: Some(("impostors", "all tries")), tone: Tone::Loss, rank: 3 },
    Counted { name: "zombies", head: "zombie logins", paths: &["zombie_logins"], of: Some(("replays", "all tries")), tone: Tone::Loss, rank: 3 },
    Counted { name: "overwritten", head: "overwritten", paths: &["lost_by.overwritten"], of: OPENED, tone: Tone::Loss, rank: 4 },
    Counted { name: "ghosts", head: "items back again", paths: &["ghosts"], of: None, tone: Tone::Loss, rank: 5 },
    Counted { name: "wrong-views", head: "wrong views", paths: &["wrong_views"], of: Some(("views", "all views")), tone: Tone::Loss, rank: 9 },
    Counted { name: "not-found", head: "404 \"what file?\"", paths: &["files.missing_downloads"], of: Some(("files.downloads", "all downloads")), tone: Tone::Loss, rank: 1 },
    Counted { name: "destroyed", head: "files destroyed", paths: &["files.destroyed"], of: Some(("files.uploaded", "all uploads")), tone: Tone::Loss, rank: 1 },
    Counted { name: "forbidden", head: "403 forms", paths: &["hidden.forbidden"], of: None, tone: Tone::Loss, rank: 2 },
    Counted { name: "charged-twice", head: "charged twice", paths: &["double_charges"], of: Some(("hidden.retried_checkouts", "retried")), tone: Tone::Loss, rank: 2 },
    Counted { name: "over-limit", head: "over limit", paths: &["hidden.over_limit"], of: None, tone: Tone::Loss, rank: 2 },
    Counted { name: "stale-pages", head: "stale pages", paths: &["hidden.stale_pages"], of: Some(("hidden.pages", "pages")), tone: Tone::Loss, rank: 2 },
];
