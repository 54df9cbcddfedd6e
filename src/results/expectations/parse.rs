//! Parses the text of a claim.

use super::{Claim, ClaimError, Comparison, Figure, Operator, Sum};
use crate::results::path;

/// Deeper nesting of parentheses and signs is refused, because the parser is recursive.
const DEEPEST: usize = 50;

/// Parses a claim.
///
/// # Errors
///
/// If it is not one comparison, or a chain of two in the same direction. The error has the column at which it goes
/// wrong.
pub fn parse(text: &str) -> Result<Claim, ClaimError> {
    let claim = expression(text)?;
    if claim.rest.is_empty() {
        return Err(ClaimError {
            help: Some("write for example `carts.lost == 0` or `40 < lost_by.wiped < 60`".into()),
            ..wrong(text.chars().count() + 1, "a comparison is missing")
        });
    }
    Ok(claim)
}

/// Parses a claim, or a sum that is compared with nothing.
///
/// # Errors
///
/// As for [`parse`].
pub fn expression(text: &str) -> Result<Claim, ClaimError> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, end: text.chars().count() + 1 };
    let first = parser.sum(0)?;
    let mut rest: Vec<(Comparison, Sum)> = Vec::new();
    while let Some((Token::Compare(comparison), column)) = parser.peek() {
        parser.next += 1;
        match rest.last() {
            Some(_) if rest.len() == 2 => return Err(wrong(column, "too many comparisons: at most `a < b < c`")),
            Some((before, _)) if !before.chains_with(comparison) => {
                return Err(wrong(column, format!("`{before}` and `{comparison}` cannot stand in one chain")));
            }
            _ => rest.push((comparison, parser.sum(0)?)),
        }
    }
    match parser.peek() {
        Some((token, column)) => Err(wrong(column, format!("{} is not expected here", token.name()))),
        None => Ok(Claim { first, rest }),
    }
}

fn wrong(column: usize, message: impl Into<String>) -> ClaimError {
    ClaimError { column, message: message.into(), help: None }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(f64),
    Path(String),
    Operator(Operator),
    Compare(Comparison),
    Open,
    Close,
    /// `["the name of a variant"]`
    Of(String),
}

impl Token {
    fn name(&self) -> String {
        match self {
            Token::Number(number) => format!("`{number}`"),
            Token::Path(path) => format!("`{path}`"),
            Token::Operator(Operator::Add) => "`+`".into(),
            Token::Operator(Operator::Subtract) => "`-`".into(),
            Token::Operator(Operator::Multiply) => "`*`".into(),
            Token::Operator(Operator::Divide) => "`/`".into(),
            Token::Compare(comparison) => format!("`{comparison}`"),
            Token::Open => "`(`".into(),
            Token::Close => "`)`".into(),
            Token::Of(name) => format!("`[\"{name}\"]`"),
        }
    }
}

/// The tokens of a text, each with its column, counted from 1.
fn tokens(text: &str) -> Result<Vec<(Token, usize)>, ClaimError> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let column = at + 1;
        let run = |part: fn(char) -> bool| chars[at..].iter().take_while(|c| part(**c)).collect::<String>();
        let (token, length) = match c {
            c if c.is_whitespace() => {
                at += 1;
                continue;
            }
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '+' => (Token::Operator(Operator::Add), 1),
            '-' => (Token::Operator(Operator::Subtract), 1),
            '*' => (Token::Operator(Operator::Multiply), 1),
            '/' => (Token::Operator(Operator::Divide), 1),
            '<' | '>' | '=' | '!' => comparison(c, chars.get(at + 1) == Some(&'='), column)?,
            '[' => of_variant(&chars[at..], column)?,
            c if c.is_ascii_digit() => {
                let digits = run(|c| c.is_ascii_digit() || c == '.' || c == '_');
                let number = digits
                    .replace('_', "")
                    .parse()
                    .map_err(|_| wrong(column, format!("`{digits}` is not a number")))?;
                (Token::Number(number), digits.len())
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let (parts, length) = path::read(&chars[at..]).map_err(|path::Endless| ClaimError {
                    help: Some("a fault's name stands in quotes: faults.\"the crash\".lost_of_open".into()),
                    ..wrong(column, "a name in quotes does not end")
                })?;
                (Token::Path(path::join(parts)), length)
            }
            c => return Err(wrong(column, format!("`{}` is not expected here", c.escape_debug()))),
        };
        tokens.push((token, column));
        at += length;
    }
    Ok(tokens)
}

/// Reads a variant's name in quotes and brackets, at the start of `chars`.
fn of_variant(chars: &[char], column: usize) -> Result<(Token, usize), ClaimError> {
    let lacking = |what| ClaimError {
        help: Some("a variant's name stands in quotes: carts.lost[\"round robin\"]".into()),
        ..wrong(column, what)
    };
    let blank = |from: usize| chars[from..].iter().take_while(|c| c.is_whitespace()).count();
    let opens = 1 + blank(1);
    let quote = chars.get(opens).filter(|c| matches!(c, '"' | '\''));
    let quote = quote.ok_or_else(|| lacking("no name follows `[`"))?;
    let name: String = chars[opens + 1..].iter().take_while(|c| *c != quote).collect();
    let closes = opens + 1 + name.chars().count();
    if closes >= chars.len() {
        return Err(lacking("the name after `[` does not end"));
    }
    let ends = closes + 1 + blank(closes + 1);
    if chars.get(ends) != Some(&']') {
        return Err(lacking("`]` is missing after the name"));
    }
    Ok((Token::Of(name), ends + 1))
}

fn comparison(first: char, equal_follows: bool, column: usize) -> Result<(Token, usize), ClaimError> {
    let found = match (first, equal_follows) {
        ('<', false) => Comparison::Less,
        ('<', true) => Comparison::AtMost,
        ('>', false) => Comparison::More,
        ('>', true) => Comparison::AtLeast,
        ('=', true) => Comparison::Equal,
        ('!', true) => Comparison::Unequal,
        _ => return Err(wrong(column, format!("`{first}` is not a comparison: write `{first}=`"))),
    };
    Ok((Token::Compare(found), 1 + usize::from(equal_follows)))
}

struct Parser {
    tokens: Vec<(Token, usize)>,
    next: usize,
    /// One column past the end of the text.
    end: usize,
}

impl Parser {
    fn peek(&self) -> Option<(Token, usize)> {
        self.tokens.get(self.next).cloned()
    }

    /// Takes the next token if it is one of these operators.
    fn operator(&mut self, wanted: [Operator; 2]) -> Option<Operator> {
        match self.tokens.get(self.next) {
            Some((Token::Operator(operator), _)) if wanted.contains(operator) => {
                self.next += 1;
                Some(*operator)
            }
            _ => None,
        }
    }

    /// Takes the next token if it names a variant.
    fn of(&mut self) -> Option<String> {
        let Some((Token::Of(name), _)) = self.tokens.get(self.next) else { return None };
        self.next += 1;
        Some(name.clone())
    }

    fn sum(&mut self, depth: usize) -> Result<Sum, ClaimError> {
        let mut left = self.product(depth)?;
        while let Some(operator) = self.operator([Operator::Add, Operator::Subtract]) {
            left = Sum::Of(Box::new(left), operator, Box::new(self.product(depth)?));
        }
        Ok(left)
    }

    fn product(&mut self, depth: usize) -> Result<Sum, ClaimError> {
        let mut left = self.factor(depth)?;
        while let Some(operator) = self.operator([Operator::Multiply, Operator::Divide]) {
            left = Sum::Of(Box::new(left), operator, Box::new(self.factor(depth)?));
        }
        Ok(left)
    }

    fn factor(&mut self, depth: usize) -> Result<Sum, ClaimError> {
        let Some((token, column)) = self.peek() else {
            return Err(wrong(self.end, "a number or a figure is missing"));
        };
        if depth == DEEPEST {
            return Err(wrong(column, "too deep"));
        }
        self.next += 1;
        match token {
            Token::Number(number) => Ok(Sum::Number(number)),
            Token::Path(path) => Ok(Sum::Figure(Figure { path, of: self.of(), column })),
            Token::Operator(Operator::Subtract) => Ok(Sum::Minus(Box::new(self.factor(depth + 1)?))),
            Token::Open => {
                let sum = self.sum(depth + 1)?;
                match self.peek() {
                    Some((Token::Close, _)) => self.next += 1,
                    Some((_, column)) => return Err(wrong(column, "`)` is missing")),
                    None => return Err(wrong(self.end, "`)` is missing")),
                }
                Ok(sum)
            }
            other => Err(wrong(column, format!("{} is not expected here: write a number or a figure", other.name()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn says_where_and_what() {
        for (claim, message) in [
            ("", "at character 1: a number or a figure is missing"),
            ("carts.lost", "at character 11: a comparison is missing"),
            ("carts.lost = 0", "at character 12: `=` is not a comparison: write `==`"),
            ("carts.lost > ", "at character 14: a number or a figure is missing"),
            ("1 < 2 > 1", "at character 7: `<` and `>` cannot stand in one chain"),
            ("1 == 2 == 1", "at character 8: `==` and `==` cannot stand in one chain"),
            ("1 < 2 < 3 < 4", "at character 11: too many comparisons: at most `a < b < c`"),
            ("(1 + 2 < 3", "at character 8: `)` is missing"),
            ("1 2 < 3", "at character 3: `2` is not expected here"),
            ("1.2.3 < 3", "at character 1: `1.2.3` is not a number"),
            ("* 2 < 3", "at character 1: `*` is not expected here: write a number or a figure"),
            ("faults.\"the crash", "at character 1: a name in quotes does not end"),
            ("0 < faults.'a'b", "at character 15: `b` is not expected here"),
            ("carts.lost < carts.lost[sticky]", "at character 24: no name follows `[`"),
            ("carts.lost < carts.lost[", "at character 24: no name follows `[`"),
            ("carts.lost < carts.lost['sticky", "at character 24: the name after `[` does not end"),
            ("carts.lost < carts.lost['sticky' 2", "at character 24: `]` is missing after the name"),
            ("carts.lost < 5['sticky']", "at character 15: `[\"sticky\"]` is not expected here"),
            ("carts.lost < 5 %", "at character 16: `%` is not expected here"),
        ] {
            assert_eq!(parse(claim).expect_err(claim).to_string(), message, "{claim}");
        }
    }

    #[test]
    fn depth_is_limited() {
        let deep = format!("{}1 < 2", "-".repeat(100_000));
        assert!(parse(&deep).expect_err("too deep").to_string().ends_with("too deep"));
    }

    /// A product of small numbers and differences in parentheses, and its value.
    fn product() -> impl Strategy<Value = (String, i64)> {
        let number = (0i64..10).prop_map(|number| (number.to_string(), number));
        let brackets = (0i64..10, 0i64..10).prop_map(|(a, b)| (format!("({a} - {b})"), a - b));
        prop::collection::vec(prop_oneof![number, brackets], 1..4).prop_map(|factors| {
            let text = factors.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join(" * ");
            (text, factors.iter().map(|(_, value)| value).product())
        })
    }

    proptest! {
        /// Multiplication before addition, left to right, parentheses first.
        #[test]
        fn sums_are_read_as_people_read_them(sum in prop::collection::vec((any::<bool>(), product()), 1..5)) {
            let mut text = String::from("0");
            let mut value = 0;
            for (plus, (product, is)) in sum {
                text += &format!(" {} {product}", if plus { '+' } else { '-' });
                value += if plus { is } else { -is };
            }
            let holds = |claim: String| parse(&claim).map(|claim| claim.holds(&|_| None));
            prop_assert_eq!(holds(format!("{text} == {value}")), Ok(true), "{} is {}", text, value);
            prop_assert_eq!(holds(format!("{text} != {value}")), Ok(false), "{} is {}", text, value);
            prop_assert_eq!(holds(format!("{value} - 1 < {text} < {value} + 1")), Ok(true), "{} is {}", text, value);
        }

        /// An invalid claim is refused with a column within it, and a valid one contains a comparison.
        #[test]
        fn nonsense_is_refused_where_it_stands(text in "[a-z0-9.()<>=!+*/'\\[\\] -]{0,40}|.{0,20}") {
            match parse(&text) {
                Ok(_) => prop_assert!(text.contains(['<', '>', '=']), "{:?}", text),
                Err(ClaimError { column, message, .. }) => {
                    prop_assert!((1..=text.chars().count() + 1).contains(&column), "{column} of {text:?}: {message}");
                    prop_assert!(!message.is_empty());
                }
            }
        }
    }
}
