//! "Did you mean …?"

/// The longest word for which a suggestion is attempted.
const LONGEST: usize = 64;

/// The candidate that a misspelt word most likely stands for, if one is close enough.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = plain(word);
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    let mut longer = None;
    for candidate in candidates {
        let known = plain(candidate);
        if known.len() > LONGEST {
            continue;
        }
        let distance = edits(&word, &known);
        let allowed = (word.len().max(known.len()) / 3).max(1);
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
        let within = |a: &[char], b: &[char]| a.len() >= 3 && b.windows(a.len()).any(|part| part == a);
        if within(&word, &known) || known.len() >= 3 && word.starts_with(&known) {
            longer = longer.or(Some(candidate));
        }
    }
    best.map(|(_, candidate)| candidate).or(longer)
}

/// Help for an unknown word: the nearest known one, or else all of them.
#[must_use]
pub fn suggest<'a>(word: &str, what: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> Option<String> {
    if let Some(near) = nearest(word, known.clone()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let listed = listed(what, known);
    (!listed.ends_with(": ")).then_some(listed)
}

/// All words, each in backquotes, after what they are.
pub(super) fn listed<'a>(what: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let listed: Vec<_> = known.into_iter().take(30).map(|name| format!("`{name}`")).collect();
    format!("{what}: {}", listed.join(", "))
}

/// Ignores case, spaces, dashes and underscores.
fn plain(word: &str) -> Vec<char> {
    word.chars().filter(|c| !matches!(c, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}

/// The edit distance: insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).
fn edits(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(above[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let known = ["servers", "duration", "round-robin", "server-2", "at", "for", "sticky-crash"];
        for (word, meant) in [
            ("servrs", Some("servers")),
            ("Servers", Some("servers")),
            ("round_robin", Some("round-robin")),
            ("roudn-robin", Some("round-robin")),
            ("dur", Some("duration")),
            ("sticky", Some("sticky-crash")),
            ("ta", Some("at")),
            ("sevrer-2", Some("server-2")),
            ("weather", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), meant, "{word}");
        }
    }

    #[test]
    fn lists_what_there_is_when_nothing_is_near() {
        assert_eq!(suggest("weather", "the keys are", ["at", "for"]).as_deref(), Some("the keys are: `at`, `for`"));
        assert_eq!(suggest("weather", "the keys are", []), None);
    }
}
