//! Renders errors for a terminal, with the source line they point at.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::error::ScenarioError;

impl ScenarioError {
    /// The error with its source line, carets and help, in the style of a compiler; without a final newline.
    #[must_use]
    pub fn draw(&self, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() }.term_width(100);
        let error = Group::with_title(Level::ERROR.primary_title(&*self.message));
        let help = self.help.as_deref();
        if let Some(place) = &self.place {
            let annotation = AnnotationKind::Primary.span(place.range.clone()).label(self.label.as_deref());
            let snippet = Snippet::source(&*place.source_text).path(&*place.source_name).annotation(annotation);
            let notes = self.note.as_deref().map(|note| Level::NOTE.message(note));
            let help = help.map(|help| Level::HELP.message(help));
            return renderer.render(&[error.element(snippet).elements(notes).elements(help)]);
        }
        let help = help.map(|help| renderer.render(&[Group::with_title(Level::HELP.secondary_title(help))]));
        [Some(renderer.render(&[error])), help].into_iter().flatten().collect::<Vec<_>>().join("\n")
    }
}
