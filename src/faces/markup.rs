//! Markup: elements of HTML and SVG, and the one place where their text is escaped. What it writes is XML as well.

use std::fmt::Display;

use super::text::clean_lines;

/// An element whose start tag is being written.
#[derive(Clone, Debug)]
pub struct Tag {
    name: &'static str,
    start: String,
}

impl Tag {
    /// An element without attributes.
    #[must_use]
    pub fn new(name: &'static str) -> Tag {
        Tag { name, start: format!("<{name}") }
    }

    /// Sets an attribute, whose value is escaped.
    #[must_use]
    pub fn set(mut self, key: &'static str, value: impl Display) -> Tag {
        self.start += &format!(" {key}=\"{}\"", escaped(&value.to_string()));
        self
    }

    /// The element without content.
    #[must_use]
    pub fn empty(self) -> String {
        self.start + "/>"
    }

    /// The element around markup.
    #[must_use]
    pub fn around(self, markup: &str) -> String {
        format!("{}>{markup}</{}>", self.start, self.name)
    }

    /// The element around a text, which is escaped.
    #[must_use]
    pub fn saying(self, text: &str) -> String {
        let text = escaped(text);
        self.around(&text)
    }
}

/// A text as content or as an attribute's value. Characters that XML forbids, and those that change the direction of
/// text, become `�`.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean_lines(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A coordinate to a tenth, in as few characters as it takes.
#[must_use]
pub fn tenth(x: f64) -> String {
    let text = format!("{x:.1}");
    match text.strip_suffix(".0").unwrap_or(&text) {
        "-0" => "0".into(),
        short => match (short.strip_prefix("0."), short.strip_prefix("-0.")) {
            (Some(part), _) => format!(".{part}"),
            (_, Some(part)) => format!("-.{part}"),
            _ => short.into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_markup() {
        let hostile = "</title><script>alert('x' & \"y\")</script>\u{0}\u{1b}[2J\u{202e}\u{ffff}";
        let tag = Tag::new("p").set("title", hostile).saying(hostile);
        assert_eq!(tag.matches(['<', '>']).count(), 4, "{tag}");
        assert_eq!(tag.matches('"').count(), 2, "{tag}");
        assert!(!tag.contains(char::is_control) && !tag.contains(['\u{202e}', '\u{ffff}']), "{tag}");
        assert_eq!(Tag::new("b").saying("a < b & c"), "<b>a &lt; b &amp; c</b>");
    }

    #[test]
    fn coordinates_are_short() {
        let shown = [0.0, -0.04, 1.0, 1.25, 100.06, -3.96, 0.5, -0.5].map(tenth);
        assert_eq!(shown, ["0", "0", "1", "1.2", "100.1", "-4", ".5", "-.5"]);
    }
}
