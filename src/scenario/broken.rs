//! Text that is not TOML: the parser's message, and what to write instead for the most common mistakes.

/// Keys that hold a list of tables, each written with two brackets.
pub(super) const LISTS_OF_TABLES: [&str; 4] = ["faults", "random_faults", "expect", "variants"];

/// What is wrong, and what to write instead.
pub(super) type Said = (String, Option<String>);

/// The parser's error in words.
pub(super) fn said(error: &toml::de::Error, text: &str) -> Said {
    let span = error.span().unwrap_or(0..0);
    let found = text.get(span.clone()).unwrap_or_default().trim();
    let line = line_at(text, span.start);
    duplicate(error, found, line)
        .or_else(|| unquoted(error, found))
        .or_else(|| between(error, line, found))
        .unwrap_or_else(|| (format!("broken TOML: {}", error.message()), None))
}

/// The line that contains a byte.
fn line_at(text: &str, at: usize) -> &str {
    let start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default().trim()
}

fn duplicate(error: &toml::de::Error, found: &str, line: &str) -> Option<Said> {
    if !error.message().contains("duplicate key") {
        return None;
    }
    let message = |what: &str| format!("`{what}` is there twice");
    Some(match line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
        Some(table) if LISTS_OF_TABLES.contains(&table.trim()) => {
            (message(line), Some(format!("write each of them as `[[{}]]`, with two brackets", table.trim())))
        }
        Some(_) => (message(line), Some("put all its keys into the first one".into())),
        None => (message(found), Some("keep one of them".into())),
    })
}

/// A text without quotes, or a number or flag in another spelling.
fn unquoted(error: &toml::de::Error, found: &str) -> Option<Said> {
    let says_value = ["must be quoted", "invalid float", "invalid boolean"].iter().any(|s| error.message().contains(s));
    if !says_value {
        return None;
    }
    let is_short = !found.is_empty() && found.len() <= 40 && !found.contains(['"', '\'', '\n', '=', '[', '{']);
    if !is_short {
        let message = "broken TOML: a value is missing here, or a text has no quotes".to_owned();
        return error.message().contains("must be quoted").then_some((message, None));
    }
    let digits = found.replace([' ', '\'', '’'], "");
    let help = match found.to_lowercase() {
        flag if flag == "true" || flag == "false" => format!("write {flag}"),
        _ if digits.len() > 3 && digits.bytes().all(|b| b.is_ascii_digit()) => {
            format!("write {}_{}", &digits[..digits.len() - 3], &digits[digits.len() - 3..])
        }
        _ => format!("write a text in quotes: \"{found}\""),
    };
    Some((format!("`{found}` is not a TOML value"), Some(help)))
}

/// A mark that TOML wants elsewhere.
fn between(error: &toml::de::Error, line: &str, found: &str) -> Option<Said> {
    let said = error.message();
    let help = if said.contains("expected newline") {
        let value = line.split_once('=').map_or(line, |(_, value)| value.trim());
        let point = value.replacen(',', ".", 1);
        if value.contains(',') && point.parse::<f64>().is_ok() {
            format!("with a decimal point: {point}")
        } else {
            "one `key = value` a line".into()
        }
    } else if said.contains("key with no value") && (line.contains(':') || found.contains(':')) {
        "write `key = value`, with an equals sign".into()
    } else if said.contains("invalid basic string") || said.contains("invalid literal string") {
        "close the text with its quote on the same line; a longer text is in three quotes: \"\"\"".into()
    } else {
        return None;
    };
    Some((format!("broken TOML: {said}"), Some(help)))
}
