//! Lessons, answers and summaries: texts whose words rest on figures, said as far as a run bears them out.
//!
//! `{a third: carts.lost / carts.opened of "sticky"}` is a quantity. It is said in these words if they fit the run, or
//! else as the run has it. `{more than the crash: carts.lost > 50 of "sticky"}` is a condition. A sentence whose
//! condition does not hold, or whose figure is absent, is left out. A sentence without a claim stands or falls with the
//! one before it; those at the beginning, with the first that has one.

mod quantity;

use self::quantity::Quantity;
use super::Expectation;
use super::expectations::{self, Claim, ClaimError, Known, Observed, Problem};
use crate::base::words::count;
use crate::scenario::Loaded;
use crate::scenario::prose::{Part, parts};

/// A text, sentence by sentence.
#[derive(Clone, Debug)]
pub struct Prose {
    sentences: Vec<Vec<Piece>>,
}

#[derive(Clone, Debug)]
enum Piece {
    Plain(String),
    Said(Box<Said>),
}

/// Words, and what they rest on.
#[derive(Clone, Debug)]
struct Said {
    words: String,
    /// The expression as written.
    expression: String,
    claim: Claim,
    /// The design of figures that name none.
    about: Option<String>,
    /// The quantity that the words name, unless something is compared.
    quantity: Option<Quantity>,
}

/// What a text is in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The sentences that stand.
    pub text: String,
    /// Whether something was left out.
    pub partly: bool,
}

impl Prose {
    /// Reads a text.
    ///
    /// # Errors
    ///
    /// A claim cannot be parsed, or is no comparison and its words are no quantity.
    pub fn read(text: &str) -> Result<Prose, ClaimError> {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut sentences = vec![Vec::new()];
        for part in parts(&text).unwrap_or_else(|| vec![Part::Plain(&text)]) {
            match part {
                Part::Claim { words, rests_on } => {
                    let said = Piece::Said(Box::new(Said::read(words, rests_on)?));
                    if let Some(sentence) = sentences.last_mut() {
                        sentence.push(said);
                    }
                }
                Part::Plain(words) => add(&mut sentences, words),
            }
        }
        sentences.retain(|sentence| !sentence.is_empty());
        Ok(Prose { sentences })
    }

    /// What is left of it in a run of these designs. A text without any claim is told only if the run is the scenario
    /// as written.
    #[must_use]
    pub fn told(&self, ran: &[Observed], as_written: bool) -> Told {
        let sentences: Vec<Option<String>> = self.sentences.iter().map(|sentence| said(sentence, ran)).collect();
        let claims = |at: usize| self.sentences[at].iter().any(|piece| matches!(piece, Piece::Said(_)));
        let first = (0..sentences.len()).find(|at| claims(*at));
        let mut stands = first.map_or(as_written, |first| sentences[first].is_some());
        let mut told = Vec::new();
        for (at, sentence) in sentences.iter().enumerate() {
            stands = if claims(at) { sentence.is_some() } else { stands };
            told.extend(sentence.as_deref().filter(|_| stands));
        }
        Told { text: told.join(" "), partly: told.len() < self.sentences.len() }
    }

    /// The verdict on each claim. A quantity passes if its words fit.
    #[must_use]
    pub fn verdicts(&self, ran: &[Observed]) -> Vec<Expectation> {
        let pieces = self.sentences.iter().flatten();
        pieces.filter_map(|piece| if let Piece::Said(said) = piece { Some(said.verdict(ran)) } else { None }).collect()
    }
}

/// Adds words that claim nothing, and begins a sentence after each full stop.
fn add(sentences: &mut Vec<Vec<Piece>>, words: &str) {
    for part in words.split_inclusive([' ']) {
        let Some(sentence) = sentences.last_mut() else { return };
        match sentence.last_mut() {
            Some(Piece::Plain(text)) => *text += part,
            _ => sentence.push(Piece::Plain(part.into())),
        }
        if part.trim_end().ends_with(['.', '?', '!']) {
            sentences.push(Vec::new());
        }
    }
}

/// The sentence in this run; `None` if it does not stand.
fn said(sentence: &[Piece], ran: &[Observed]) -> Option<String> {
    let piece = |piece: &Piece| match piece {
        Piece::Plain(words) => Some(words.clone()),
        Piece::Said(said) => said.in_run(ran),
    };
    let text: Option<String> = sentence.iter().map(piece).collect();
    text.map(|text| text.trim_end().into())
}

impl Said {
    fn read(words: &str, rests_on: &str) -> Result<Said, ClaimError> {
        let (expression, about) = design(rests_on);
        let claim = expectations::expression(expression)?;
        let quantity = Quantity::read(words).filter(|_| !claim.compares());
        if quantity.is_none() && !claim.compares() {
            return Err(ClaimError {
                column: 1,
                message: format!("`{words}` is no quantity, and `{expression}` is no comparison"),
                help: Some("say a third, about 50, 97 %, none, all, most, twice or 7 s; or compare the figure".into()),
            });
        }
        Ok(Said { words: words.into(), expression: rests_on.into(), claim, about, quantity })
    }

    /// The words in this run; `None` if what they rest on is absent or false.
    fn in_run(&self, ran: &[Observed]) -> Option<String> {
        let value = |figure: &expectations::Figure| self.figure(figure, ran);
        match &self.quantity {
            Some(quantity) => quantity.said(self.claim.value(&value)?),
            None => self.claim.holds(&value).then(|| self.words.clone()),
        }
    }

    fn figure(&self, figure: &expectations::Figure, ran: &[Observed]) -> Option<f64> {
        let of = match (figure.of.as_ref().or(self.about.as_ref()), ran) {
            (Some(name), _) => ran.iter().find(|ran| ran.variant == name)?,
            (None, [only]) => only,
            (None, _) => return None,
        };
        of.figures.get(&figure.path).copied()
    }

    fn verdict(&self, ran: &[Observed]) -> Expectation {
        let value = |figure: &expectations::Figure| self.figure(figure, ran);
        let sum = self.claim.value(&value);
        let passed = match &self.quantity {
            Some(quantity) => sum.is_some_and(|sum| quantity.fits(sum)),
            None => self.claim.holds(&value),
        };
        let mut observed: Vec<String> = Vec::new();
        for figure in self.claim.figures() {
            let is = value(figure).map_or("is absent".into(), |value| format!("= {}", count(value)));
            let told = format!("{figure} {is}");
            if !observed.contains(&told) {
                observed.push(told);
            }
        }
        if let (Some(sum), true) = (sum, observed.len() > 1) {
            observed.insert(0, format!("it is {}", count(sum)));
        }
        let what = format!("\"{}\": {}", self.words, self.expression);
        Expectation { variant: self.about.clone().unwrap_or_default(), what, observed: observed.join(", "), passed }
    }
}

/// An expression, and the design named after it: `carts.lost of "sticky"`.
fn design(text: &str) -> (&str, Option<String>) {
    let named = |quote: char| {
        let (expression, name) = text.strip_suffix(quote)?.rsplit_once(&format!(" of {quote}"))?;
        Some((expression, Some(name.to_owned())))
    };
    named('"').or_else(|| named('\'')).unwrap_or((text, None))
}

/// The texts of a scenario that may claim something, by their place.
fn texts(loaded: &Loaded) -> Vec<(&'static str, &str)> {
    let mut texts = vec![("lesson", &*loaded.base.lesson), ("summary", &*loaded.base.summary)];
    if let Some(predict) = &loaded.base.predict {
        texts.extend([("predict.answer", &*predict.answer), ("predict.why", &*predict.why)]);
    }
    texts
}

/// Checks the claims of a scenario's texts before anything runs, as far as possible.
#[must_use]
pub fn validate(loaded: &Loaded) -> Vec<Problem> {
    let known = Known::all(loaded);
    let mut problems = Vec::new();
    for (place, text) in texts(loaded) {
        let errors = claims(text).into_iter().flat_map(|said| match said {
            Err(error) => vec![error],
            Ok(_) if loaded.patched => Vec::new(),
            Ok(said) => said.problems(&known),
        });
        problems.extend(errors.map(|error| Problem { place: place.into(), message: error.message, help: error.help }));
    }
    problems
}

/// Everything that a text claims, as far as it can be read.
fn claims(text: &str) -> Vec<Result<Said, ClaimError>> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let claims = parts(&text).into_iter().flatten().filter_map(|part| match part {
        Part::Claim { words, rests_on } => Some(Said::read(words, rests_on)),
        Part::Plain(_) => None,
    });
    claims.collect()
}

impl Said {
    fn problems(&self, known: &[Known]) -> Vec<ClaimError> {
        let named = |design: &String| known.iter().any(|known| known.variant == design);
        let unknown = self.about.as_ref().filter(|design| !named(design));
        if let Some(design) = unknown {
            let names = known.iter().map(|known| known.variant);
            let help = crate::scenario::nearest::suggest(design, "the designs are", names);
            return vec![ClaimError { column: 1, message: format!("there is no design `{design}`"), help }];
        }
        let nameless = self.claim.figures().into_iter().find(|figure| figure.of.is_none());
        if let (Some(figure), None, true) = (nameless, &self.about, known.len() > 1) {
            let help = Some(format!("write `{} of \"…\"` with the name of a design", self.expression));
            return vec![ClaimError { column: 1, message: format!("of which design is `{}`?", figure.path), help }];
        }
        expectations::check(&self.claim, self.about.as_deref(), known, false)
    }
}

/// The verdicts on everything that a scenario's texts claim about this run.
///
/// # Errors
///
/// If a claim cannot be parsed; [`validate`] finds those before a run.
pub fn verdicts(loaded: &Loaded, ran: &[Observed]) -> Result<Vec<Expectation>, ClaimError> {
    let mut verdicts = Vec::new();
    for (_, text) in texts(loaded) {
        verdicts.extend(Prose::read(text)?.verdicts(ran));
    }
    Ok(verdicts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran(variant: &'static str, figures: &[(&str, f64)]) -> Observed<'static> {
        Observed { variant, figures: figures.iter().map(|(path, value)| ((*path).into(), *value)).collect() }
    }

    const LESSON: &str = r#"Sticky is no cure. A crash takes {a third: carts.lost / carts.opened of "sticky"} of the
        carts. That is a lot. {Scattered carts: carts.lost["robin"] > carts.lost["sticky"]} fare worse. {Nobody:
        carts.lost of "store"} suffers with a store. It has a price."#;

    #[test]
    fn a_sentence_is_told_while_it_is_true() {
        let prose = Prose::read(LESSON).expect("claims");
        let told = |sticky: f64, robin: f64, store: f64| {
            let designs = [
                ran("sticky", &[("carts.lost", sticky), ("carts.opened", 141.0)]),
                ran("robin", &[("carts.lost", robin)]),
                ran("store", &[("carts.lost", store)]),
            ];
            prose.told(&designs, false).text
        };
        insta::assert_snapshot!(told(49.0, 70.0, 0.0), @"Sticky is no cure. A crash takes a third of the carts. That is a lot. Scattered carts fare worse. Nobody suffers with a store. It has a price.");
        insta::assert_snapshot!(told(28.0, 27.0, 0.0), @"Sticky is no cure. A crash takes 20 % of the carts. That is a lot. Nobody suffers with a store. It has a price.");
        insta::assert_snapshot!(told(0.0, 70.0, 5.0), @"Scattered carts fare worse.");
        assert_eq!(prose.told(&[], false), Told { text: String::new(), partly: true });
    }

    #[test]
    fn words_without_claims_are_told_of_the_scenario_as_written() {
        let prose = Prose::read("It is so. And so.").expect("no claims");
        assert_eq!(prose.told(&[], true), Told { text: "It is so. And so.".into(), partly: false });
        assert_eq!(prose.told(&[], false), Told { text: String::new(), partly: true });
    }

    #[test]
    fn words_that_do_not_fit_fail() {
        let prose = Prose::read("{A third: carts.lost / carts.opened of 'a'}, {more: carts.lost > 3 of 'a'}.");
        let designs = [ran("a", &[("carts.lost", 20.0), ("carts.opened", 100.0)])];
        let told: Vec<String> = prose
            .expect("claims")
            .verdicts(&designs)
            .iter()
            .map(|e| format!("{} {}: {} | {}", e.passed, e.variant, e.what, e.observed))
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r#"
        false a: "A third": carts.lost / carts.opened of 'a' | it is 0.20, carts.lost = 20, carts.opened = 100
        true a: "more": carts.lost > 3 of 'a' | carts.lost = 20
        "#);
    }

    #[test]
    fn what_is_neither_a_quantity_nor_a_comparison_is_refused() {
        let error = Prose::read("{Many: carts.lost of 'a'}").expect_err("no quantity");
        assert_eq!(error.message, "`Many` is no quantity, and `carts.lost` is no comparison");
    }
}
