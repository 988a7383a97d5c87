//! Lines of styled text: wrapped, padded, painted.

use unicode_width::UnicodeWidthChar;

use super::{Paint, header_colors};
use crate::card::Template;

/// How a piece of text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Bold,
    Dim,
    Code,
    Link,
    Mention,
}

/// One line, or text that is still to be broken into lines.
pub(super) type Row = Vec<(String, Style)>;

/// Breaks text into lines of at most `width` columns, at spaces where there are any. Empty lines at the end go.
pub(super) fn wrap(spans: &[(String, Style)], width: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut row: Vec<(char, Style)> = Vec::new();
    for (c, style) in spans.iter().flat_map(|(text, style)| text.chars().map(|c| (c, *style))) {
        if c == '\n' {
            // A block begins on a new line, not after an empty one.
            if !row.is_empty() || rows.last().is_some_and(|row: &Row| !row.is_empty()) {
                rows.push(join(&row));
            }
            row.clear();
            continue;
        }
        if columns(&row) + c.width().unwrap_or(0) > width {
            // A wide character needs no space to break before it.
            let space = row.iter().rposition(|(c, _)| *c == ' ').filter(|_| c != ' ' && c.width() != Some(2));
            let rest = space.map_or_else(Vec::new, |space| row.split_off(space + 1));
            rows.push(join(&row));
            row = rest;
            if c == ' ' {
                continue;
            }
        }
        row.push((c, style));
    }
    rows.push(join(&row));
    while rows.last().is_some_and(Vec::is_empty) {
        rows.pop();
    }
    rows
}

fn columns(row: &[(char, Style)]) -> usize {
    row.iter().map(|(c, _)| c.width().unwrap_or(0)).sum()
}

/// Characters to pieces, without the spaces at the end.
fn join(row: &[(char, Style)]) -> Row {
    let end = row.iter().rposition(|(c, _)| *c != ' ').map_or(0, |last| last + 1);
    let mut joined = Row::new();
    for (c, style) in &row[..end] {
        match joined.last_mut() {
            Some((text, last)) if last == style => text.push(*c),
            _ => joined.push((c.to_string(), *style)),
        }
    }
    joined
}

/// The line with spaces up to `width` columns.
pub(super) fn pad(row: &[(String, Style)], width: usize) -> Row {
    let used: usize =
        row.iter().map(|(text, _)| text.chars().map(|c| c.width().unwrap_or(0)).sum::<usize>()).sum();
    let mut row = row.to_vec();
    row.push((" ".repeat(width.saturating_sub(used)), Style::Plain));
    row
}

pub(super) fn paint(row: &[(String, Style)], paint: Paint) -> String {
    let mut out = String::new();
    for (text, style) in row {
        let code = match (paint, style) {
            (Paint::Plain, _) | (_, Style::Plain) => "",
            (Paint::Ansi, Style::Bold | Style::Mention) => "\u{1b}[1m",
            (Paint::Ansi, Style::Dim) => "\u{1b}[2m",
            (Paint::Ansi, Style::Code | Style::Link) => "\u{1b}[36m",
        };
        out.extend([code, text, if code.is_empty() { "" } else { "\u{1b}[0m" }]);
    }
    out
}

/// A line of the header, one column wider on either side.
pub(super) fn paint_header(row: &[(String, Style)], template: Option<Template>, paint: Paint) -> String {
    let text: String = row.iter().map(|(text, _)| text.as_str()).collect();
    match (paint, template) {
        (Paint::Ansi, Some(template)) => {
            let (foreground, background) = header_colors(template);
            format!("\u{1b}[1;{foreground};{background}m {text} \u{1b}[0m")
        }
        (Paint::Ansi, None) => format!("\u{1b}[1m {text} \u{1b}[0m"),
        (Paint::Plain, _) => format!(" {text} "),
    }
}
