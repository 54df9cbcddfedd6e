//! Errors drawn for a terminal, with the source line they point at.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::error::ScenarioError;

impl ScenarioError {
    /// The error with its source line, carets and help, as compilers show it; ends without a newline.
    #[must_use]
    pub fn draw(&self, colour: bool) -> String {
        let title = Level::ERROR.primary_title(&*self.message);
        let mut group = Group::with_title(title);
        if let Some(place) = &self.place {
            let annotation = AnnotationKind::Primary.span(place.range.clone()).label(self.label.as_deref());
            group = group.element(
                Snippet::source(&*place.source_text).path(&*place.source_name).annotation(annotation).fold(true),
            );
        }
        group = group.elements(self.note.as_deref().map(|note| Level::NOTE.message(note)));
        group = group.elements(self.help.as_deref().map(|help| Level::HELP.message(help)));
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        renderer.term_width(100).render(&[group])
    }
}
