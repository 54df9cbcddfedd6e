//! `whatcart check`

use std::time::{Duration, Instant};

use whatcart::base::words::plural;
use whatcart::experiment::{Survey, survey};
use whatcart::faces::text::{Page, Tone, clean, left, paint, paint_lines, width};
use whatcart::results::expectations::{ClaimError, Observed, over_seeds, verdicts};
use whatcart::results::prose;
use whatcart::results::{Expectation, Figures};
use whatcart::scenario::{Loaded, library};

use super::progress::Progress;
use super::request::Check;
use super::screen::Screen;
use super::{Ended, Failure, guarded, interrupt, source};

/// Runs scenarios and prints each expectation, the observed figures, and whether it holds.
pub fn check(request: &Check, screen: &Screen) -> Result<Ended, Failure> {
    #[expect(clippy::disallowed_methods, reason = "how long it took is said, and judges nothing")]
    let began = Instant::now();
    let names: Vec<String> = match &request.what[..] {
        [] => library::all().iter().map(|entry| entry.name.into()).collect(),
        what => what.to_vec(),
    };
    let mut scenarios = Vec::new();
    for name in &names {
        scenarios.push(source::load(&source::find(name)?, &[], &[], screen)?);
    }
    let progress = Progress::new(false, screen);
    progress.say(&what_is_played(&scenarios, request.seeds));
    let show = |permille| progress.at(permille);
    let interrupt = interrupt::noticed();
    let played = guarded(|| survey(&scenarios, request.seeds, interrupt, &show));
    progress.end();

    let mut text = String::new();
    let mut score = Score::default();
    for (loaded, survey) in scenarios.iter().zip(played?) {
        let seeds = survey.seeds.len();
        score.seeds = Some(score.seeds.map_or((seeds, seeds), |(least, most)| (least.min(seeds), most.max(seeds))));
        if seeds == 0 {
            continue;
        }
        let expectations = judged(loaded, &survey)?;
        score.take_in(&loaded.name, &expectations);
        text += &scenario(&loaded.name, &expectations, screen.page);
    }
    text += &score.told(request.seeds, began.elapsed(), screen.page);
    screen.print(&text)?;
    Ok(match (score.interrupted(request.seeds), score.failed) {
        (true, _) => Ended::Interrupted,
        (false, 0) => Ended::Well,
        (false, _) => Ended::Unexpected,
    })
}

/// `6 scenarios`, `100 seeds each`
fn what_is_played(scenarios: &[Loaded], seeds: u32) -> Vec<String> {
    let what = match scenarios {
        [only] => clean(&only.name),
        several => format!("{} scenarios", several.len()),
    };
    let seeds = (seeds > 1).then(|| format!("{seeds} seeds each"));
    [what].into_iter().chain(seeds).collect()
}

/// The expectations of a scenario, evaluated for each seed.
fn judged(loaded: &Loaded, survey: &Survey) -> Result<Vec<Expectation>, Failure> {
    let observed = |runs: &[Figures]| -> Vec<Observed> {
        loaded.variants.iter().zip(runs).map(|(variant, figures)| Observed::of(&variant.name, figures)).collect()
    };
    let each = survey.seeds.iter().map(|(seed, runs)| Ok((*seed, verdicts(&loaded.base.expect, &observed(runs))?)));
    let mut judged = over_seeds(&each.collect::<Result<Vec<_>, ClaimError>>()?);
    // The words of a lesson are about the scenario's own seed.
    if let Some((_, own)) = survey.seeds.first() {
        judged.extend(prose::verdicts(loaded, &observed(own))?);
    }
    Ok(judged)
}

fn scenario(name: &str, expectations: &[Expectation], page: Page) -> String {
    let mut text = format!("{}\n", paint(Tone::Strong, &clean(name)));
    if expectations.is_empty() {
        text += "  has no expectations\n";
    }
    let claims = expectations.iter().map(|expectation| width(&expectation.what)).max().unwrap_or(0).min(48);
    let variants = expectations.iter().map(|expectation| width(&expectation.variant)).max().unwrap_or(0).min(36);
    for expectation in expectations {
        text += &line(expectation, variants, claims, page);
    }
    text
}

/// Columns beside the name of a design; with less, the claim goes below it.
const LEAST_CLAIM: usize = 36;

/// The design, the expectation and the observed figures, in one or more lines.
fn line(expectation: &Expectation, variants: usize, claims: usize, page: Page) -> String {
    let mark = if expectation.passed { paint(Tone::Fine, "ok    ") } else { paint(Tone::Loss, "FAILED") };
    let claim = clean(&expectation.what);
    let head = format!("  {mark}  {}  ", left(&clean(&expectation.variant), variants));
    let observed = clean(&expectation.observed);
    let whole = format!("{head}{}  {observed}", left(&claim, claims));
    if width(&whole) <= page.columns() {
        return whole + "\n";
    }
    if width(&head) + LEAST_CLAIM > page.columns() {
        let indent = " ".repeat(width("  FAILED  "));
        let variant = page.wrap(&format!("  {mark}  "), &clean(&expectation.variant));
        return variant + &page.wrap(&indent, &claim) + &page.wrap(&(indent + "  "), &observed);
    }
    let indent = " ".repeat(width(&head) + 2);
    format!("{}{}", page.wrap(&head, &claim), page.wrap(&indent, &observed))
}

/// The result over all scenarios.
#[derive(Default)]
struct Score {
    held: usize,
    failed: usize,
    /// Scenarios with an expectation that did not hold.
    wrong: Vec<String>,
    /// The least and the most seeds of any scenario.
    seeds: Option<(usize, usize)>,
}

impl Score {
    fn take_in(&mut self, name: &str, expectations: &[Expectation]) {
        let failed = expectations.iter().filter(|expectation| !expectation.passed).count();
        self.failed += failed;
        self.held += expectations.len() - failed;
        if failed > 0 {
            self.wrong.push(clean(name));
        }
    }

    /// Whether some scenario was judged with fewer seeds than asked for.
    fn interrupted(&self, seeds: u32) -> bool {
        self.seeds.is_some_and(|(least, _)| least < seeds as usize)
    }

    fn told(&self, seeds: u32, took: Duration, page: Page) -> String {
        let all = self.held + self.failed;
        let took = format!("({:.1} s)", took.as_secs_f64());
        if let Some((least, most)) = self.seeds.filter(|_| self.interrupted(seeds)) {
            let judged = if least == most { format!("{most}") } else { format!("{least} to {most}") };
            let failed = self.failed;
            let told = format!("Interrupted: {all} expectations judged, of which {failed} did not hold");
            return format!(
                "\n{}",
                page.wrap("", &format!("{told}, with {judged} of {seeds} seeds a scenario. {took}"))
            );
        }
        let seeds = if seeds == 1 { String::new() } else { format!(" in {seeds} seeds") };
        if self.failed == 0 {
            #[expect(clippy::cast_precision_loss, reason = "a number of expectations")]
            let hold = plural(all as f64, "expectation holds", "expectations hold");
            return format!("\n{} {took}\n", paint(Tone::Fine, &format!("All {hold}{seeds}.")));
        }
        let told = format!("{} of {all} expectations did not hold{seeds}: {}.", self.failed, self.wrong.join(", "));
        format!("\n{}", paint_lines(Tone::Loss, &page.wrap("", &format!("{told} {took}"))))
    }
}
