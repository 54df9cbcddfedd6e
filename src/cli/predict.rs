//! `whatcart run --predict`: the question comes before the result.

use std::io::{BufRead, IsTerminal, Write};

use whatcart::faces::table::header;
use whatcart::faces::text::{Page, Tone, clean, paint, width};
use whatcart::results::Report;
use whatcart::results::expectations::Observed;
use whatcart::results::prose::Prose;
use whatcart::results::statistics::Summary;
use whatcart::scenario::{Loaded, Predict};

use super::screen::Screen;
use super::{Failure, usage};

/// How many attempts the user has to name one of the choices.
const TRIES: usize = 3;

/// A prediction that somebody made before seeing the result.
pub struct Prediction {
    predict: Predict,
    /// The choice; `None` if the user preferred to see the result.
    said: Option<String>,
}

/// Asks the scenario's question on a terminal.
///
/// # Errors
///
/// The scenario has no question, or was changed, so that the answer may be a different one; or there is no terminal.
pub fn ask(loaded: &Loaded, seed: Option<u64>, screen: &Screen) -> Result<Prediction, Failure> {
    let predict = question(loaded)?.clone();
    if loaded.patched {
        let help = "leave out --set, --vary and --warm-up, or --predict";
        return Err(usage("--predict knows the answer only for the unchanged scenario, and this run changes it", help));
    }
    if !(std::io::stdin().is_terminal() && std::io::stdout().is_terminal()) {
        let help = format!(
            "run it in a terminal, or leave --predict out to see the result; `whatcart show {} --no-spoilers` has the \
             question",
            loaded.name
        );
        return Err(usage("--predict asks a question, and this is not a terminal: there is nobody to ask", help));
    }
    let seed = seed.unwrap_or(loaded.base.seed.get());
    let title = header::title(&loaded.name, &loaded.base.title, screen.page);
    screen.print(&format!("{title}\n{}", choices(&predict, seed, screen.page)))?;
    let choices = predict.offered(seed);
    let said = answer(&mut std::io::stdin().lock(), &mut std::io::stdout(), choices.len())?;
    let said = said.and_then(|at| choices.get(at)).map(|choice| (*choice).to_owned());
    Ok(Prediction { predict, said })
}

/// The scenario's question; an error if it has none.
pub fn question(loaded: &Loaded) -> Result<&Predict, Failure> {
    loaded.base.predict.as_ref().ok_or_else(|| {
        let help = "give it a table `[predict]` with `ask`, `choices`, `answer` and `why`";
        usage(format!("`{}` has no question to predict", loaded.name), help)
    })
}

/// The question, and the choices by number, in the order that this seed gives them.
pub fn choices(predict: &Predict, seed: u64, page: Page) -> String {
    let mut text = page.wrap("", &clean(&predict.ask.replace('\n', " ")));
    for (number, choice) in (1..).zip(predict.offered(seed)) {
        text += &page.wrap(&format!("   {number}  "), &clean(choice));
    }
    text
}

/// Reads the number of a choice. An empty line, the end of input or too many invalid answers count as no answer.
fn answer(input: &mut impl BufRead, output: &mut impl Write, choices: usize) -> anyhow::Result<Option<usize>> {
    for _ in 0..TRIES {
        write!(output, "What do you think? 1 to {choices}, or Enter to see the answer: ")?;
        output.flush()?;
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            writeln!(output)?;
            return Ok(None);
        }
        if line.trim().is_empty() {
            return Ok(None);
        }
        match line.trim().parse::<usize>() {
            Ok(number) if (1..=choices).contains(&number) => return Ok(Some(number - 1)),
            _ => writeln!(output, "   `{}` is not one of the choices.", clean(line.trim()))?,
        }
    }
    Ok(None)
}

impl Prediction {
    /// For a class that was asked by its teacher; none if the scenario has no question, or was changed.
    pub fn unsaid(loaded: &Loaded) -> Option<Prediction> {
        let predict = loaded.base.predict.clone().filter(|_| !loaded.patched)?;
        Some(Prediction { predict, said: None })
    }

    /// The question, its choices and the verdict.
    pub fn with_question(&self, report: &Report, page: Page) -> String {
        format!("{}\n{}", choices(&self.predict, report.seed, page), self.verdict(report, page))
    }

    /// The right answer, the prediction, and the reason; or that this run is an exception.
    pub fn verdict(&self, report: &Report, page: Page) -> String {
        let ran = Observed::all(report, &Summary::all(&report.variants));
        let holds = |text: &str| Prose::read(text).map(|prose| prose.told(&ran, true).text);
        let head = format!("{}  ", paint(Tone::Strong, "Answer"));
        let answer = self.predict.answer();
        if holds(&self.predict.answer).is_ok_and(|told| told.is_empty()) {
            return page.wrap(&head, &clean(&format!("{answer}, as a rule. This run is an exception: see the table.")));
        }
        let told = match &self.said {
            None => format!("{answer}."),
            Some(said) if *said == answer => format!("{answer}: as you said."),
            Some(said) => format!("{answer}. You said: {said}."),
        };
        let why = holds(&self.predict.why).unwrap_or_else(|_| self.predict.why.replace('\n', " "));
        let indent = " ".repeat(width(&head));
        format!("{}{}", page.wrap(&head, &clean(&told)), page.wrap(&indent, &clean(&why)))
    }
}

#[cfg(test)]
mod tests {
    use whatcart::results::VariantReport;

    use super::*;

    fn said(typed: &str) -> (Option<usize>, String) {
        let mut output = Vec::new();
        let said = answer(&mut typed.as_bytes(), &mut output, 3).expect("memory takes it");
        (said, String::from_utf8(output).expect("text"))
    }

    #[test]
    fn a_number_is_an_answer_and_anything_else_is_asked_again() {
        assert_eq!(said("2\n").0, Some(1));
        assert_eq!(said("0\n7\nmany\n").0, None, "three misses are enough");
        let (answer, told) = said("four\n3\n");
        assert_eq!(answer, Some(2));
        assert!(told.contains("`four` is not one of the choices"), "{told}");
        assert_eq!(said("\n").0, None);
        let (answer, told) = said("");
        assert_eq!(answer, None);
        assert!(told.ends_with("answer: \n"), "what follows begins on a line of its own: {told:?}");
    }

    #[test]
    fn the_verdict_says_what_came_and_why() {
        let predict = Predict {
            ask: "How many?".into(),
            choices: vec!["none".into(), "about 50".into()],
            answer: "{about 50: 40 < carts.lost < 60 of 'a'}".into(),
            why: "A third of 150.".into(),
        };
        let report = |lost: u64| {
            let entry = whatcart::scenario::library::find("what-cart").expect("it comes with the program");
            let scenario = whatcart::scenario::load(entry.name, entry.name, entry.text, &[], &[]).expect("sound").base;
            let carts = whatcart::results::Carts { lost, ..Default::default() };
            let figures = whatcart::results::Figures { carts, ..Default::default() };
            let run = whatcart::results::RunReport { figures, ..Default::default() };
            let variant = VariantReport {
                number: whatcart::scenario::DesignNumber::of(1),
                name: "a".into(),
                scenario: scenario.clone(),
                runs: vec![run],
                cut_short: Vec::new(),
            };
            Report {
                name: "t".into(),
                scenario,
                written: 0,
                engine: "sim",
                seed: 1,
                runs: 1,
                interrupted: false,
                variants: vec![variant],
                left_out: Vec::new(),
                expectations: Vec::new(),
                agreement: None,
            }
        };
        let verdict = |said: Option<&str>, lost| {
            let prediction = Prediction { predict: predict.clone(), said: said.map(Into::into) };
            anstream::adapter::strip_str(&prediction.verdict(&report(lost), Page::FILE)).to_string()
        };
        assert_eq!(verdict(Some("about 50"), 49), "Answer  about 50: as you said.\n        A third of 150.\n");
        assert_eq!(verdict(Some("none"), 49), "Answer  about 50. You said: none.\n        A third of 150.\n");
        assert_eq!(verdict(None, 49), "Answer  about 50.\n        A third of 150.\n");
        assert_eq!(verdict(Some("none"), 3), "Answer  about 50, as a rule. This run is an exception: see the table.\n");
    }
}
