//! Columns that line up and fit a page: heads wrap, then names and words, then the least important columns go, and where
//! even that is not enough the table becomes a block of lines for each row.

use super::text::{Block, Page, Side, Tone, beside, left, lines, paint, paint_lines, width};

/// A table before it is laid out.
#[derive(Clone, Debug, Default)]
pub struct Grid {
    /// The header above the names.
    pub heading: &'static str,
    /// What each row is called: a number, which may be empty, and a name.
    pub names: Vec<[String; 2]>,
    /// What stands below the name of a row, as a warning; may be empty, or absent.
    pub notes: Vec<String>,
    /// Names are not wrapped to less than this.
    pub name_at_least: usize,
    /// The columns, from left to right.
    pub columns: Vec<Column>,
}

/// A column of a table.
#[derive(Clone, Debug, Default)]
pub struct Column {
    /// The header, in the lines that it has where there is room.
    pub head: Vec<String>,
    /// A cell for each row.
    pub cells: Vec<Cell>,
    /// Where heads and cells stand.
    pub side: Side,
    /// Whether cells are words, which may be wrapped.
    pub words: bool,
    /// Drop priority: where room is short the highest goes first. Without one it stays.
    pub rank: Option<u8>,
}

/// A cell of one line, where there is room; blanks around it line it up with others.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// The text.
    pub text: String,
    /// Its colour.
    pub tone: Tone,
}

/// A table that fits.
#[derive(Clone, Debug, Default)]
pub struct Drawn {
    /// The header, with a final newline; empty if each row is a block.
    pub head: String,
    /// The rows, each with a final newline.
    pub rows: Vec<String>,
    /// The headers of columns for which there was no room.
    pub left_out: Vec<String>,
}

impl Drawn {
    /// Header and rows.
    #[must_use]
    pub fn text(&self) -> String {
        self.head.clone() + &self.rows.concat()
    }
}

/// A way to lay a table out.
#[derive(Clone, Copy)]
struct Layout {
    /// Blanks before a column.
    gap: usize,
    /// Lines of a header, at most.
    head_lines: usize,
    /// How far names may be wrapped.
    names: Names,
    /// Whether words in cells may be wrapped.
    wraps_words: bool,
}

impl Layout {
    /// Whether it is read less easily than a table with fewer columns.
    fn is_last_resort(self) -> bool {
        matches!(self.names, Names::Lines(3..))
    }
}

/// How far names may be wrapped.
#[derive(Clone, Copy)]
enum Names {
    /// Not at all.
    Whole,
    /// To the least width that is good to read.
    Wrapped,
    /// To this many lines, however narrow that is.
    Lines(usize),
}

/// The layouts that are tried, from the most readable to the narrowest.
const LAYOUTS: [Layout; 10] = {
    const fn layout(gap: usize, head_lines: usize, names: Names, wraps_words: bool) -> Layout {
        Layout { gap, head_lines, names, wraps_words }
    }
    [
        layout(3, AS_WRITTEN, Names::Whole, false),
        layout(2, AS_WRITTEN, Names::Whole, false),
        layout(2, 3, Names::Whole, false),
        layout(2, AS_WRITTEN, Names::Wrapped, false),
        layout(2, 3, Names::Wrapped, false),
        layout(2, 4, Names::Wrapped, false),
        layout(2, 3, Names::Wrapped, true),
        layout(2, 4, Names::Wrapped, true),
        layout(2, 4, Names::Lines(2), true),
        layout(2, 4, Names::Lines(3), true),
    ]
};

/// Lines of most headers.
const AS_WRITTEN: usize = 2;
/// Longer names are wrapped, however much room there is.
const NAME: usize = 38;
/// Columns are dropped while there are more than this.
const FEW: usize = 3;
/// Lines of a cell that is wrapped, at most.
const CELL_LINES: usize = 2;
/// Blanks between a number and its name, and before names that have no number.
const AFTER_NUMBER: usize = 2;
const INDENT: usize = 3;

impl Grid {
    /// The table, in lines that fit the page.
    #[must_use]
    pub fn draw(&self, page: Page) -> Drawn {
        let mut columns: Vec<&Column> = self.columns.iter().collect();
        let mut left_out = Vec::new();
        loop {
            let last_resort = columns.len() <= FEW;
            let fits = |layout: &&Layout| {
                (last_resort || !layout.is_last_resort()) && self.needed(&columns, **layout) <= page.columns()
            };
            if let Some(layout) = LAYOUTS.iter().find(fits) {
                left_out.reverse();
                let (head, rows) = self.table(&columns, *layout, page);
                return Drawn { head, rows, left_out };
            }
            let ranked = columns.iter().enumerate().filter_map(|(at, column)| Some((column.rank?, at)));
            match ranked.max().filter(|_| columns.len() > FEW) {
                Some((_, at)) => left_out.push(columns.remove(at).head.join(" ").trim().to_owned()),
                None => return Drawn { rows: self.blocks(page), ..Drawn::default() },
            }
        }
    }

    /// Columns before the names.
    fn before_names(&self) -> usize {
        let numbers = self.names.iter().map(|[number, _]| width(number)).max().unwrap_or(0);
        if numbers == 0 { INDENT } else { numbers + AFTER_NUMBER }
    }

    fn name_width(&self) -> usize {
        let names = self.names.iter().map(|[_, name]| name).chain(&self.notes).map(|text| width(text));
        names.max().unwrap_or(0).max(width(self.heading)).min(NAME)
    }

    /// The width at which every name takes at most this many lines.
    fn narrowest_name(&self, most_lines: usize) -> usize {
        let names = self.names.iter().map(|[_, name]| narrowest(name, most_lines));
        names.max().unwrap_or(0).max(width(self.heading))
    }

    /// The width of the whole table.
    fn needed(&self, columns: &[&Column], layout: Layout) -> usize {
        let name = self.name_width();
        let name = match layout.names {
            Names::Whole => name,
            Names::Wrapped => name.min(self.name_at_least.max(width(self.heading))),
            Names::Lines(most) => self.narrowest_name(most),
        };
        self.before_names() + name + columns.iter().map(|column| layout.gap + column.width(layout)).sum::<usize>()
    }

    fn table(&self, columns: &[&Column], layout: Layout, page: Page) -> (String, Vec<String>) {
        let needed = columns.iter().map(|column| layout.gap + column.width(layout)).sum::<usize>();
        let before = self.before_names();
        let name = page.columns().saturating_sub(before + needed).min(self.name_width());
        let row = |number: &str, name_lines: Vec<String>, cells: Vec<Vec<String>>| {
            let number = Block::new(0, before - AFTER_NUMBER, Side::Right, vec![number.into()]);
            let names = Block::new(AFTER_NUMBER, name, Side::Left, name_lines);
            let cells = columns.iter().zip(cells);
            let cells = cells.map(|(column, lines)| Block::new(layout.gap, column.width(layout), column.side, lines));
            beside(&[number, names].into_iter().chain(cells).collect::<Vec<_>>())
        };
        let heads: Vec<Vec<String>> = columns.iter().map(|column| column.wrapped_head(layout)).collect();
        let height = heads.iter().map(Vec::len).max().unwrap_or(1);
        let bottom = |lines: Vec<String>| [vec![String::new(); height.saturating_sub(lines.len())], lines].concat();
        let heading = bottom(vec![paint(Tone::Strong, self.heading)]);
        let head = row("", heading, heads.into_iter().map(bottom).collect());
        let rows = self.names.iter().enumerate().map(|(at, [number, called])| {
            let cells = columns.iter().map(|column| column.cells[at].wrapped(column.width(layout)));
            let warned = self.note(at, name).into_iter().map(|line| paint(Tone::Loss, &line));
            row(number, lines(called, name).into_iter().chain(warned).collect(), cells.collect())
        });
        (head, rows.collect())
    }

    /// The lines of a row's note.
    fn note(&self, at: usize, columns: usize) -> Vec<String> {
        self.notes.get(at).filter(|note| !note.is_empty()).map_or_else(Vec::new, |note| lines(note, columns))
    }

    /// A block for each row: its name, and a line for each column.
    fn blocks(&self, page: Page) -> Vec<String> {
        let labels = self.columns.iter().map(|column| width(column.head.join(" ").trim())).max().unwrap_or(0);
        let indent = " ".repeat(self.before_names() + AFTER_NUMBER);
        let room = page.columns() - width(&indent) - AFTER_NUMBER;
        let labels = labels.min(room / 2);
        let block = |(at, [number, name]): (usize, &[String; 2])| {
            let head = left(number, self.before_names());
            let name = if number.is_empty() { format!("{} {name}", self.heading) } else { name.clone() };
            let title = page.wrap(&head, name.trim());
            let line = |column: &Column| {
                let label = lines(&column.head.join(" "), labels);
                let cell = Cell { text: column.cells[at].text.trim().into(), tone: column.cells[at].tone };
                let cell = cell.wrapped(room - labels);
                beside(&[
                    Block::new(width(&indent), labels, Side::Left, label),
                    Block::new(AFTER_NUMBER, room - labels, Side::Left, cell),
                ])
            };
            let note = self.notes.get(at).filter(|note| !note.is_empty());
            let title = note.map_or(title.clone(), |note| title + &paint_lines(Tone::Loss, &page.wrap(&indent, note)));
            title + &self.columns.iter().map(line).collect::<String>()
        };
        self.names.iter().enumerate().map(block).collect()
    }
}

impl Column {
    /// The width of its head and cells in this layout.
    fn width(&self, layout: Layout) -> usize {
        let widest = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
        let cells = if self.words && layout.wraps_words {
            widest(&mut self.cells.iter().map(|cell| narrowest(cell.text.trim(), CELL_LINES)))
        } else {
            widest(&mut self.cells.iter().map(|cell| width(&cell.text)))
        };
        let head = if layout.head_lines <= self.head.len().max(AS_WRITTEN) {
            widest(&mut self.head.iter().map(|line| width(line)))
        } else {
            narrowest(&self.head.join(" "), layout.head_lines)
        };
        cells.max(head)
    }

    fn wrapped_head(&self, layout: Layout) -> Vec<String> {
        let columns = self.width(layout);
        if self.head.iter().all(|line| width(line) <= columns) {
            return self.head.clone();
        }
        lines(&self.head.join(" "), columns)
    }
}

impl Cell {
    /// Its lines, with colour.
    fn wrapped(&self, columns: usize) -> Vec<String> {
        if width(&self.text) > columns {
            return lines(&self.text, columns).iter().map(|line| paint(self.tone, line)).collect();
        }
        let text = self.text.trim();
        let (before, after) = self.text.split_once(text).unwrap_or_default();
        vec![format!("{before}{}{after}", paint(self.tone, text))]
    }
}

/// The narrowest width at which a text takes at most this many lines, without breaking a word.
fn narrowest(text: &str, most_lines: usize) -> usize {
    let word = text.split_whitespace().map(width).max().unwrap_or(0);
    (word.max(1)..=width(text).max(1)).find(|columns| lines(text, *columns).len() <= most_lines).unwrap_or(word)
}
