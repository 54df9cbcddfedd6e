//! Colours that stand out from white and from black alike. Each only repeats what a number, a shape or a word says.

use crate::scenario::DesignNumber;

/// Losses, and nothing else.
pub const LOSS: &str = "#cc4411";

/// Okabe and Ito's hues, stepped in lightness; the last is for all further designs.
const DESIGNS: [&str; 7] = ["#1c7fb8", "#ab6b00", "#a8569a", "#00805a", "#5470c4", "#7d7000", "#777a80"];

/// The colour of a design.
#[must_use]
pub fn of_design(number: DesignNumber) -> &'static str {
    DESIGNS[number.design.saturating_sub(1).min(DESIGNS.len() - 1)]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The relative luminance of WCAG.
    fn luminance(colour: &str) -> f64 {
        let channel = |at: usize| {
            let value = f64::from(u8::from_str_radix(&colour[at..at + 2], 16).expect("hexadecimal")) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { libm::pow((value + 0.055) / 1.055, 2.4) }
        };
        0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5)
    }

    #[test]
    fn every_colour_stands_out_from_a_light_and_from_a_dark_page() {
        for colour in DESIGNS.iter().chain([&LOSS]) {
            for page in ["#ffffff", "#121212"] {
                let (a, b) = (luminance(colour), luminance(page));
                let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(contrast >= 3.0, "{colour} on {page}: {contrast:.2}");
            }
        }
    }
}
