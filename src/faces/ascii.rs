//! Output for terminals, fonts and mail programs that have nothing but ASCII.

use super::text::width;

/// The text in ASCII, as wide as before but for `…`, so that columns still line up. What ASCII has nothing for becomes
/// `?`.
#[must_use]
pub fn ascii(text: &str) -> String {
    // One character would make two, and the space after it would be left over.
    let text = text.replace("± ", "+-");
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_ascii() => plain.push(c),
            '…' => plain.push_str("..."),
            '·' | '├' | '│' => plain.push('|'),
            '–' | '−' | '—' | '─' => plain.push('-'),
            '±' => plain.push('~'),
            '×' => plain.push('x'),
            'µ' => plain.push('u'),
            '‘' | '’' => plain.push('\''),
            '“' | '”' => plain.push('"'),
            '┌' => plain.push('/'),
            '└' => plain.push('\\'),
            '▲' => plain.push('^'),
            '▉'..='▏' => plain.push('#'),
            '▁'..='█' => plain.push(RISING[c as usize - '▁' as usize]),
            c => plain.extend(std::iter::repeat_n('?', width(c.encode_utf8(&mut [0; 4])))),
        }
    }
    plain
}

/// Columns that rise from nearly empty to a full cell.
const RISING: [char; 8] = ['.', ':', '-', '=', '+', '*', '%', '#'];

/// HTML or XML in ASCII that means the same.
#[must_use]
pub fn ascii_markup(markup: &str) -> String {
    let mut plain = String::with_capacity(markup.len());
    for c in markup.chars() {
        if c.is_ascii() { plain.push(c) } else { plain.push_str(&format!("&#{};", u32::from(c))) }
    }
    plain
}

/// A JSON text in ASCII that means the same.
#[must_use]
pub fn ascii_json(json: &str) -> String {
    let mut plain = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            plain.push(c);
        } else {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| plain.push_str(&format!("\\u{unit:04x}")));
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_the_program_prints_has_its_own_replacements() {
        assert_eq!(ascii("49 ± 2 · −3 – ▁▄█ ██▌ ┌ adds └ views"), "49 +-2 | -3 - .=# ### / adds \\ views");
        assert_eq!(ascii("é数\u{1b}[1m"), "???\u{1b}[1m");
    }

    #[test]
    fn json_keeps_its_meaning() {
        let name = "é数🛒";
        let plain = ascii_json(&serde_json::to_string(name).expect("a string"));
        assert!(plain.is_ascii());
        assert_eq!(serde_json::from_str::<String>(&plain).expect("JSON"), name);
    }

    proptest! {
        #[test]
        fn it_is_ascii_and_as_wide(text in "[^…]{0,60}") {
            let plain = ascii(&text);
            prop_assert!(plain.is_ascii());
            prop_assert_eq!(width(&plain), width(&text));
        }
    }
}
