//! `--set key=value` and `--vary key=value,value`: patches from the command line.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::patch::changes_the_run;
use super::tree::{Node, Origin, Problem, Sources, Value, value};

/// One value of a `--set` or `--vary`, as a patch.
pub(super) struct Choice {
    /// The last part of its key: `count`.
    pub key: String,
    /// The parts of the whole key: `users`, `count`.
    pub keys: Vec<String>,
    /// The value as the user wrote it.
    pub shown: String,
    /// Where the value is.
    pub at: Origin,
    pub patch: Node,
}

impl Choice {
    /// The whole key: `users.count`.
    pub fn whole_key(&self) -> String {
        self.keys.join(".")
    }
}

/// The patch of one `--set`.
pub(super) fn set(sources: &mut Sources, text: &str) -> Result<Choice, Problem> {
    let argument = Argument::read(sources, "--set", text)?;
    argument.choice(0..argument.values.len())
}

/// The patches of one `--vary`, in order.
pub(super) fn vary(sources: &mut Sources, text: &str) -> Result<Vec<Choice>, Problem> {
    let argument = Argument::read(sources, "--vary", text)?;
    at_commas(argument.values).into_iter().map(|range| argument.choice(range)).collect()
}

/// No `--vary` may vary what a `--set` or another `--vary` sets: one of the two would be without effect.
pub(super) fn conflict(set: &[Choice], axes: &[Vec<Choice>]) -> Option<Problem> {
    let firsts: Vec<&Choice> = axes.iter().filter_map(|axis| axis.first()).collect();
    let within = |a: &Choice, b: &Choice| a.keys.starts_with(&b.keys) || b.keys.starts_with(&a.keys);
    for (i, vary) in firsts.iter().enumerate() {
        let help = |what: &str| Some(format!("keep one of them: {what}"));
        if let Some(set) = set.iter().find(|set| within(set, vary)) {
            let message = format!("--vary replaces what --set gives `{}`", set.whole_key());
            return Some(Problem::new(vary.at, message, help("a value that is varied needs no other")));
        }
        if firsts[..i].iter().any(|other| within(other, vary)) {
            let message = format!("`{}` is varied twice", vary.whole_key());
            return Some(Problem::new(vary.at, message, help("one --vary lists all values")));
        }
    }
    None
}

/// An argument, split into its key and its values.
struct Argument<'a> {
    flag: &'static str,
    source: usize,
    keys: Vec<(String, Origin)>,
    values: &'a str,
    /// Where the values begin.
    offset: usize,
}

impl<'a> Argument<'a> {
    fn read(sources: &mut Sources, flag: &'static str, text: &'a str) -> Result<Argument<'a>, Problem> {
        let source = sources.add(flag, text);
        let whole = Origin { source, start: 0, end: text.len() };
        let example = if flag == "--set" { "users.count=50" } else { "users.count=50,100" };
        let help = || Some(format!("write it as {flag} {example}"));
        let Some(equals) = top_level(text, '=').next() else {
            return Err(Problem::new(whole, format!("{flag} needs a key, `=` and a value"), help()));
        };
        let keys = keys(&text[..equals], source).ok_or_else(|| {
            let at = Origin { end: equals, ..whole };
            Problem::new(at, format!("`{}` is not a key", text[..equals].trim()), help())
        })?;
        Ok(Argument { flag, source, keys, values: &text[equals + 1..], offset: equals + 1 })
    }

    fn origin(&self, range: &Range<usize>) -> Origin {
        Origin { source: self.source, start: self.offset + range.start, end: self.offset + range.end }
    }

    /// The value in this range of the values, as a choice.
    fn choice(&self, range: Range<usize>) -> Result<Choice, Problem> {
        let patch = self.patch(range.clone())?;
        let shown = self.values[range.clone()].trim();
        let shown = shown.trim_matches(|c| c == '"' || c == '\'').to_owned();
        let keys: Vec<String> = self.keys.iter().map(|(part, _)| part.clone()).collect();
        let key = keys.last().cloned().unwrap_or_default();
        Ok(Choice { key, keys, shown, at: self.origin(&range), patch })
    }

    /// The patch that sets the key to the value in this range of the values.
    fn patch(&self, range: Range<usize>) -> Result<Node, Problem> {
        let raw = &self.values[range.clone()];
        let text = raw.trim();
        let start = range.start + (raw.len() - raw.trim_start().len());
        let origin = self.origin(&(start..start + text.len()));
        if text.is_empty() {
            return Err(Problem::new(origin, format!("{} needs a value here", self.flag), None));
        }
        let node = match value(self.source, text, origin.start) {
            Ok(node) => node,
            Err(problem) if text.starts_with(['{', '[', '"', '\'']) => return Err(problem),
            Err(_) => Node { value: Value::Text(text.to_owned()), origin },
        };
        let patch = node.nested(self.keys.clone());
        changes_the_run(&patch, self.flag)?;
        Ok(patch)
    }
}

/// The parts of a dotted key, quoted or not; `None` if it is not a TOML key.
pub(super) fn keys(text: &str, source: usize) -> Option<Vec<(String, Origin)>> {
    if text.chars().any(char::is_control) {
        return None;
    }
    let line = format!("{text}=0");
    let document = DeTable::parse(&line).ok()?;
    let mut keys = Vec::new();
    let mut table = document.get_ref();
    loop {
        let (key, value) = table.iter().next()?;
        let span = key.span();
        keys.push((key.get_ref().to_string(), Origin { source, start: span.start, end: span.end }));
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => return Some(keys),
        }
    }
}

/// The positions of a character outside quotes and brackets.
fn top_level(text: &str, mark: char) -> impl Iterator<Item = usize> + '_ {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    text.char_indices().filter_map(move |(at, c)| {
        if let Some(open) = quote {
            if c == open && !escaped {
                quote = None;
            }
            escaped = open == '"' && c == '\\' && !escaped;
            return None;
        }
        match c {
            '"' | '\'' => quote = Some(c),
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        (c == mark && depth == 0).then_some(at)
    })
}

fn at_commas(text: &str) -> Vec<Range<usize>> {
    let mut start = 0;
    let mut ranges = Vec::new();
    for comma in top_level(text, ',') {
        ranges.push(start..comma);
        start = comma + 1;
    }
    ranges.push(start..text.len());
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_split_only_at_the_top() {
        let text = r#"a, "b,c" ,{ d = 1, e = [2, 3] }, 'x,\',y"#;
        let parts: Vec<_> = at_commas(text).into_iter().map(|range| text[range].trim()).collect();
        assert_eq!(parts, ["a", "\"b,c\"", "{ d = 1, e = [2, 3] }", r"'x,\'", "y"]);
    }

    #[test]
    fn a_key_may_be_quoted() {
        let names = |text| keys(text, 0).map(|keys| keys.into_iter().map(|(key, _)| key).collect::<Vec<_>>());
        assert_eq!(names("a.b").unwrap(), ["a", "b"]);
        assert_eq!(names(r#"faults."the crash".at"#).unwrap(), ["faults", "the crash", "at"]);
        for bad in ["", " ", "a..b", "[a]", "#", "a b", "a\n", "\"a"] {
            assert_eq!(names(bad), None, "{bad}");
        }
    }

    #[test]
    fn values_are_toml_or_else_bare_texts() {
        let mut sources = Sources::new();
        let mut leaf = |text| {
            let mut node = set(&mut sources, text).unwrap().patch;
            while let Value::Table(table) = node.value {
                node = table.into_values().next().unwrap().node;
            }
            format!("{:?}", node.value)
        };
        assert_eq!(leaf("balancer.policy=random"), r#"Text("random")"#);
        assert_eq!(leaf("duration = 30s "), r#"Text("30s")"#);
        assert_eq!(leaf("users.count=50"), "Integer(50)");
        assert_eq!(leaf(r#"a="x y""#), r#"Text("x y")"#);
        assert_eq!(leaf("a=1.5"), "Float(1.5)");
    }
}
