//! Quantities in words: `a third`, `about 50`, `nearly all`, `twice`, `82,000`, `7 s`.

use crate::base::words::{count, percent};

/// A quantity as somebody says it.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity {
    /// The words.
    words: String,
    hedge: Hedge,
    number: f64,
    form: Form,
    /// What follows the number: ` s`, ` times`.
    unit: String,
}

/// How exactly a number is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hedge {
    /// It is the figure, rounded to the digits that are said.
    Exact,
    About,
    /// A little less.
    Nearly,
    /// A little more.
    Over,
    /// Less, or as much.
    AtMost,
}

/// What kind of number it is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    /// A number whose last digit stands for this much.
    Digits(f64),
    /// A share in percent.
    Percent(f64),
    /// A share in words: `a third`.
    Fraction,
    /// `most` of a whole.
    Most,
}

const HEDGES: [(&str, Hedge); 15] = [
    ("about", Hedge::About),
    ("some", Hedge::About),
    ("roughly", Hedge::About),
    ("around", Hedge::About),
    ("nearly", Hedge::Nearly),
    ("almost", Hedge::Nearly),
    ("practically", Hedge::Nearly),
    ("over", Hedge::Over),
    ("more than", Hedge::Over),
    ("at least", Hedge::Over),
    ("less than", Hedge::AtMost),
    ("under", Hedge::AtMost),
    ("up to", Hedge::AtMost),
    ("at most", Hedge::AtMost),
    ("only", Hedge::Exact),
];

const NONE: [&str; 5] = ["none", "nobody", "nothing", "no", "not one"];
const ALL: [&str; 4] = ["all", "everybody", "everything", "every"];

const NUMBERS: [(&str, f64); 13] = [
    ("one", 1.0),
    ("two", 2.0),
    ("three", 3.0),
    ("four", 4.0),
    ("five", 5.0),
    ("six", 6.0),
    ("seven", 7.0),
    ("eight", 8.0),
    ("nine", 9.0),
    ("ten", 10.0),
    ("twelve", 12.0),
    ("once", 1.0),
    ("twice", 2.0),
];

const PARTS: [(&str, f64); 9] = [
    ("half", 2.0),
    ("third", 3.0),
    ("quarter", 4.0),
    ("fifth", 5.0),
    ("sixth", 6.0),
    ("seventh", 7.0),
    ("eighth", 8.0),
    ("ninth", 9.0),
    ("tenth", 10.0),
];

impl Quantity {
    /// The quantity that the words name; `None` if they name none.
    #[must_use]
    pub fn read(words: &str) -> Option<Quantity> {
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        let lower = words.to_lowercase();
        let (hedge, said) = hedged(&lower);
        let share = |number| Some((number, Form::Fraction, String::new()));
        let (number, form, unit) = match said {
            said if NONE.contains(&said) => share(0.0),
            "hardly any" => return Some(Quantity { hedge: Hedge::AtMost, ..Quantity::share(words, 0.03) }),
            said if ALL.contains(&said) => share(1.0),
            "most" => Some((0.5, Form::Most, String::new())),
            said => fraction(said).map_or_else(|| digits(said).or_else(|| spelled(said)), share),
        }?;
        Some(Quantity { words, hedge, number, form, unit })
    }

    fn share(words: String, number: f64) -> Quantity {
        Quantity { words, hedge: Hedge::Exact, number, form: Form::Fraction, unit: String::new() }
    }

    /// Whether the words are right for this value.
    #[must_use]
    pub fn fits(&self, value: f64) -> bool {
        let n = self.number;
        let (least, most) = match (self.hedge, self.form) {
            (_, Form::Most) => return n < value && value < 1.0,
            (Hedge::Exact, Form::Fraction) if n == 0.0 || (n - 1.0).abs() < 1e-9 => (n, n),
            (Hedge::Exact, Form::Fraction) => (0.9 * n, 1.1 * n),
            (Hedge::Exact, Form::Digits(last) | Form::Percent(last)) => (n - 0.5 * last, n + 0.5 * last),
            (Hedge::About, _) => (0.87 * n, 1.13 * n),
            (Hedge::Nearly, _) => (0.85 * n, n),
            (Hedge::Over, _) => (n, 1.25 * n),
            (Hedge::AtMost, _) => (0.0, n),
        };
        (least - 1e-9..=most + 1e-9).contains(&value)
    }

    /// The words, if they are right for this value; or else the value in the same form. `None` if that would no longer
    /// be the same statement: nothing in place of something, or something in place of nothing.
    #[must_use]
    pub fn said(&self, value: f64) -> Option<String> {
        if self.fits(value) {
            return Some(self.words.clone());
        }
        if !value.is_finite() || (value == 0.0) != (self.number == 0.0) {
            return None;
        }
        Some(match self.form {
            Form::Fraction | Form::Percent(_) | Form::Most => percent(value, 1.0),
            Form::Digits(_) => format!("{}{}", count(value), self.unit),
        })
    }
}

fn hedged(words: &str) -> (Hedge, &str) {
    let of = |(word, hedge): (&str, Hedge)| Some((hedge, words.strip_prefix(word)?.strip_prefix(' ')?));
    HEDGES.into_iter().find_map(of).unwrap_or((Hedge::Exact, words))
}

/// `a third`, `two thirds`, `half`.
fn fraction(said: &str) -> Option<f64> {
    let (number, part) = said.rsplit_once(' ').unwrap_or(("a", said));
    let part = PARTS.iter().find(|(name, _)| part == *name || part.strip_suffix('s') == Some(name))?.1;
    let number = if matches!(number, "a" | "an" | "one") { 1.0 } else { spelled(number)?.0 };
    Some(number / part)
}

/// `82,000`, `0.62`, `97 %`, `7 s`.
fn digits(said: &str) -> Option<(f64, Form, String)> {
    let length = said.find(|c: char| !(c.is_ascii_digit() || c == ',' || c == '.')).unwrap_or(said.len());
    let (number, unit) = said.split_at(length);
    let value: f64 = number.replace(',', "").parse().ok()?;
    let decimals = number.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let last = 10f64.powi(-i32::try_from(decimals).ok()?);
    Some(match unit.trim() {
        "%" => (value / 100.0, Form::Percent(last / 100.0), String::new()),
        _ => (value, Form::Digits(last), unit.into()),
    })
}

/// `three times`, `twice`.
fn spelled(said: &str) -> Option<(f64, Form, String)> {
    let (word, unit) = said.split_once(' ').map_or((said, String::new()), |(word, unit)| (word, format!(" {unit}")));
    let number = NUMBERS.iter().find(|(name, _)| *name == word)?.1;
    let unit = if matches!(word, "once" | "twice") { " times".into() } else { unit };
    Some((number, Form::Digits(1.0), unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_right_for_some_values_and_others_are_said_in_the_same_form() {
        for (words, value, said) in [
            ("a third", 0.348, "a third"),
            ("a third", 0.2, "20 %"),
            ("nearly a third", 0.348, "35 %"),
            ("about half", 0.56, "about half"),
            ("two thirds", 0.66, "two thirds"),
            ("seven eighths", 0.89, "seven eighths"),
            ("more than half", 0.6, "more than half"),
            ("nearly all", 0.99, "nearly all"),
            ("all", 0.999, ">99 %"),
            ("most", 0.7, "most"),
            ("97 %", 0.966, "97 %"),
            ("97 %", 0.5, "50 %"),
            ("49", 49.0, "49"),
            ("49", 61.0, "61"),
            ("82,367", 82_367.4, "82,367"),
            ("about 80,000", 82_367.4, "about 80,000"),
            ("0.62", 0.623, "0.62"),
            ("7 s", 25.1, "25.1 s"),
            ("three times", 3.2, "three times"),
            ("Twice", 4.0, "4 times"),
            ("nobody", 0.0, "nobody"),
            ("hardly any", 0.01, "hardly any"),
        ] {
            let quantity = Quantity::read(words).expect(words);
            assert_eq!(quantity.said(value).as_deref(), Some(said), "{words} of {value}");
            assert_eq!(quantity.fits(value), words == said, "{words} of {value}");
        }
    }

    #[test]
    fn something_is_not_said_in_place_of_nothing() {
        for (words, value) in [("a third", 0.0), ("none", 0.2), ("49", 0.0), ("nobody", 3.0), ("half", f64::NAN)] {
            assert_eq!(Quantity::read(words).expect(words).said(value), None, "{words} of {value}");
        }
        for words in ["many", "a lot", "the third", "half of it", ""] {
            assert_eq!(Quantity::read(words), None, "{words}");
        }
    }
}
