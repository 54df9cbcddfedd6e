//! Numbers, times and lists as people read them.

use super::time::Span;

/// Digits in groups of three: `1,000,000`.
#[must_use]
pub fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number with about three significant digits and its thousands apart: `2,333`, `18.4`, `0.63`, `0.012`.
#[must_use]
pub fn real(x: f64) -> String {
    if !x.is_finite() {
        return "–".into();
    }
    let size = x.abs();
    let decimals = match size {
        s if s >= 99.95 => 0,
        s if s >= 9.995 => 1,
        s if s >= 0.095 || s == 0.0 => 2,
        _ => 3,
    };
    // Halves go up, as people round them: 0.625 is 0.63.
    let shift = 10f64.powi(i32::try_from(decimals).unwrap_or(0));
    grouped(&format!("{:.decimals$}", (x * shift).round() / shift))
}

/// A count: whole numbers as they are, means with about three significant digits.
#[must_use]
pub fn count(x: f64) -> String {
    if x.fract() == 0.0 { grouped(&format!("{x:.0}")) } else { real(x) }
}

/// Puts thousands of a printed number apart.
fn grouped(number: &str) -> String {
    let (sign, digits) = number.strip_prefix('-').map_or(("", number), |rest| ("−", rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = whole.parse().map_or_else(|_| whole.into(), thousands);
    match fraction {
        "" => format!("{sign}{whole}"),
        fraction => format!("{sign}{whole}.{fraction}"),
    }
}

/// A share in whole percent that never rounds something to nothing nor not-quite-all to all; empty for nothing.
#[must_use]
pub fn percent(part: f64, whole: f64) -> String {
    if part <= 0.0 || whole <= 0.0 {
        return String::new();
    }
    match 100.0 * part / whole {
        share if share < 0.5 => "<1 %".into(),
        share if share >= 99.5 && part < whole => ">99 %".into(),
        share => format!("{:.0} %", share.round()),
    }
}

/// A time since the start as `0:30`, `1:02:03`, or `0:30.5` when it is not a whole second.
#[must_use]
pub fn clock(span: Span) -> String {
    let tenths = span.as_nanos() / 100_000_000;
    let text = clock_tenths(span);
    if tenths.is_multiple_of(10) { text[..text.len() - 2].into() } else { text }
}

/// A time since the start to a tenth of a second: `0:24.7`.
#[must_use]
pub fn clock_tenths(span: Span) -> String {
    let tenths = span.as_nanos() / 100_000_000;
    let (hours, minutes) = (tenths / 36_000, tenths / 600 % 60);
    let (seconds, tenth) = (tenths / 10 % 60, tenths % 10);
    match hours {
        0 => format!("{minutes}:{seconds:02}.{tenth}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}.{tenth}"),
    }
}

/// A span of time in words: `2 min`, `1 min 30 s`, `20 ms`.
#[must_use]
pub fn span(span: Span) -> String {
    let text = span.to_string();
    let mut words = String::with_capacity(text.len() + 8);
    let mut before = ' ';
    for c in text.chars().filter(|c| *c != ' ') {
        let number = |c: char| c.is_ascii_digit() || c == '.';
        if number(before) != number(c) && before != ' ' {
            words.push(' ');
        }
        words.push(c);
        before = c;
    }
    let words: Vec<&str> = words.split(' ').map(|word| if word == "m" { "min" } else { word }).collect();
    words.join(" ")
}

/// `1`, `1 and 2`, `1, 2 and 3`.
#[must_use]
pub fn listed<T: AsRef<str>>(parts: &[T]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.as_ref().into(),
        [some @ .., last] => {
            let some: Vec<&str> = some.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", some.join(", "), last.as_ref())
        }
    }
}

/// Names in backticks, so that a comma in one does not look like the end of it.
#[must_use]
pub fn quoted<T: AsRef<str>>(names: &[T]) -> Vec<String> {
    names.iter().map(|name| format!("`{}`", name.as_ref())).collect()
}

/// `1 cart`, `2 carts`.
#[must_use]
pub fn plural(n: f64, one: &str, many: &str) -> String {
    #[expect(clippy::float_cmp, reason = "exactly one")]
    let word = if n == 1.0 { one } else { many };
    format!("{} {word}", count(n))
}

/// `server` for one, `servers` for any other number.
#[must_use]
pub fn noun(count: u64, one: &str) -> String {
    if count == 1 { one.into() } else { format!("{one}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_read_them() {
        let printed: Vec<String> =
            [0.0, 0.0123, 0.625, 0.375, 1.0, 9.999, 18.44, 99.96, 210.4, 2333.0, -1234.5].map(real).into();
        insta::assert_snapshot!(printed.join(" "), @"0.00 0.012 0.63 0.38 1.00 10.0 18.4 100 210 2,333 −1,235");
        let printed: Vec<String> = [0.0, 3.0, 3.5, 48.3, 2333.0, 1e7].map(count).into();
        insta::assert_snapshot!(printed.join(" "), @"0 3 3.50 48.3 2,333 10,000,000");
    }

    #[test]
    fn shares_do_not_round_to_all_or_nothing() {
        let shares = [(0, 10), (1, 1000), (5, 1000), (49, 148), (999, 1000), (1000, 1000), (3, 0)];
        let printed = shares.map(|(part, whole)| percent(f64::from(part), f64::from(whole)));
        insta::assert_snapshot!(printed.join("|"), @"|<1 %|1 %|33 %|>99 %|100 %|");
    }

    #[test]
    fn times() {
        let clocks = ["30s", "30.5s", "1h2m3s", "59.99s", "0s"].map(|text| clock(text.parse().expect(text)));
        insta::assert_snapshot!(clocks.join(" "), @"0:30 0:30.5 1:02:03 0:59.9 0:00");
        let spans = ["2m", "1m30s", "20ms", "0s", "1.5s", "1h"].map(|text| span(text.parse().expect(text)));
        insta::assert_snapshot!(spans.join(", "), @"2 min, 1 min 30 s, 20 ms, 0 s, 1 s 500 ms, 1 h");
    }

    #[test]
    fn lists_end_in_and() {
        assert_eq!(listed(&["1", "2", "3"]), "1, 2 and 3");
        assert_eq!(listed::<&str>(&[]), "");
        assert_eq!(listed(&quoted(&["a, b", "c"])), "`a, b` and `c`");
    }
}
