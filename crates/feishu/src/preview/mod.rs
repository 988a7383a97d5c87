//! Draws a message in a terminal.

mod row;

use row::{Row, Style, pad, wrap};

use crate::card::{Card, Element, Span, Template};
use crate::escape::{one_line, visible};
use crate::message::{Content, Inline, Message, Post, Text, TextSpan, with_keyword};

/// How a drawing is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Paint {
    /// Not at all: for files.
    Plain,
    /// With the control sequences of a terminal.
    Ansi,
}

/// Less is no drawing any more.
const NARROWEST: usize = 20;
/// No terminal has more, and every row is filled up to it.
const WIDEST: usize = 1000;
/// Columns narrower than this stand below each other.
const NARROWEST_COLUMN: usize = 8;
const BETWEEN_COLUMNS: usize = 2;

pub(crate) fn draw(message: &Message, keyword: Option<&str>, width: usize, paint: Paint) -> String {
    let inner = width.clamp(NARROWEST, WIDEST) - 4;
    let reference = message.reference.as_ref().map(|reference| styled(reference, Style::Dim));
    let (header, template, mut body) = match &message.content {
        Content::Card(card) => {
            (card_header(card, keyword), Some(card.template), elements(&card.elements, inner))
        }
        Content::Post(post) => (vec![heading(keyword, post.title())], None, wrap(&post_spans(post), inner)),
        Content::Text(text) => (Vec::new(), None, wrap(&text_spans(text, keyword), inner)),
        Content::Image(key) => {
            (Vec::new(), None, wrap(&[styled(&format!("[image {}]", key.as_str()), Style::Dim)], inner))
        }
    };
    body.extend(reference.iter().flat_map(|reference| wrap(std::slice::from_ref(reference), inner)));
    let header = wrap(&header, inner);

    let rule = "─".repeat(inner + 2);
    let mut out = format!("╭{rule}╮\n");
    for row in &header {
        out.push_str(&format!("│{}│\n", row::paint_header(&pad(row, inner), template, paint)));
    }
    if !header.is_empty() {
        out.push_str(&format!("├{rule}┤\n"));
    }
    for row in &body {
        out.push_str(&format!("│ {} │\n", row::paint(&pad(row, inner), paint)));
    }
    out.push_str(&format!("╰{rule}╯\n"));
    out
}

fn styled(text: &str, style: Style) -> (String, Style) {
    (visible(text), style)
}

fn heading(keyword: Option<&str>, title: &str) -> (String, Style) {
    styled(&with_keyword(keyword, one_line(title)), Style::Bold)
}

fn card_header(card: &Card, keyword: Option<&str>) -> Row {
    let mut header = vec![heading(keyword, &card.title)];
    header.extend(card.tags.iter().map(|(tag, _)| styled(&format!("  [{}]", one_line(tag)), Style::Plain)));
    header.extend(
        card.subtitle.iter().map(|subtitle| styled(&format!("\n{}", one_line(subtitle)), Style::Plain)),
    );
    header
}

fn elements(elements: &[Element], width: usize) -> Vec<Row> {
    let mut rows = Vec::new();
    for element in elements {
        match element {
            Element::Markdown(markdown) => {
                let mut spans: Row = markdown.spans.iter().map(markdown_span).collect();
                if markdown.small {
                    spans.iter_mut().for_each(|(_, style)| *style = Style::Dim);
                }
                rows.extend(wrap(&spans, width));
            }
            Element::Rule => rows.push(vec![("─".repeat(width), Style::Dim)]),
            Element::Panel(panel) => {
                let sign = if panel.expanded { "▾" } else { "▸" };
                rows.extend(wrap(
                    &[styled(&format!("{sign} {}", one_line(&panel.title)), Style::Bold)],
                    width,
                ));
                for mut row in self::elements(&panel.elements, width.saturating_sub(2)) {
                    row.insert(0, ("│ ".to_owned(), Style::Dim));
                    rows.push(row);
                }
            }
            Element::Columns(set) => rows.extend(columns(&set.columns, width)),
        }
    }
    rows
}

fn columns(columns: &[crate::card::Column], width: usize) -> Vec<Row> {
    let weights: usize = columns.iter().map(|column| usize::from(column.weight)).sum();
    let room = width.saturating_sub(BETWEEN_COLUMNS * columns.len().saturating_sub(1));
    let widths: Vec<usize> =
        columns.iter().map(|column| room * usize::from(column.weight) / weights.max(1)).collect();
    if widths.iter().any(|width| *width < NARROWEST_COLUMN) {
        return columns.iter().flat_map(|column| elements(&column.elements, width)).collect();
    }
    let drawn: Vec<Vec<Row>> =
        columns.iter().zip(&widths).map(|(column, width)| elements(&column.elements, *width)).collect();
    let height = drawn.iter().map(Vec::len).max().unwrap_or_default();
    (0..height)
        .map(|line| {
            let mut row = Row::new();
            for (column, width) in drawn.iter().zip(&widths) {
                row.extend(pad(column.get(line).map_or(&[], Vec::as_slice), *width));
                row.push((" ".repeat(BETWEEN_COLUMNS), Style::Plain));
            }
            row.pop();
            row
        })
        .collect()
}

fn markdown_span(span: &Span) -> (String, Style) {
    match span {
        Span::Text(text) | Span::Trusted(text) => styled(text, Style::Plain),
        Span::Bold(text) => styled(&one_line(text), Style::Bold),
        Span::CodeBlock(text) => styled(&format!("\n{}\n", text.trim_end_matches('\n')), Style::Code),
        Span::Link { label, url } => styled(&format!("{} ({url})", one_line(label)), Style::Link),
        Span::Mention(mention) => styled(&format!("@{}", mention.id()), Style::Mention),
    }
}

fn text_spans(text: &Text, keyword: Option<&str>) -> Row {
    let mut spans: Row = text
        .spans
        .iter()
        .map(|span| match span {
            TextSpan::Text(text) => styled(text, Style::Plain),
            TextSpan::Mention(mention) => styled(&format!("@{}", mention.id()), Style::Mention),
        })
        .collect();
    if let Some((first, _)) = spans.first_mut() {
        *first = with_keyword(keyword, std::mem::take(first));
    }
    spans
}

fn post_spans(post: &Post) -> Row {
    let mut spans = Row::new();
    for (number, line) in post.lines().iter().enumerate() {
        if number > 0 {
            spans.push(("\n".to_owned(), Style::Plain));
        }
        spans.extend(line.spans.iter().map(|span| match span {
            Inline::Text(text) => styled(text, Style::Plain),
            Inline::Link { label, url } => styled(&format!("{} ({url})", one_line(label)), Style::Link),
            Inline::Mention(mention) => styled(&format!("@{}", mention.id()), Style::Mention),
            Inline::Image(key) => styled(&format!("[image {}]", key.as_str()), Style::Dim),
        }));
    }
    spans
}

/// What colours of a terminal come near the header's: foreground and background.
pub(crate) fn header_colors(template: Template) -> (u8, u8) {
    match template {
        Template::Blue | Template::Indigo => (97, 44),
        Template::Wathet | Template::Turquoise => (30, 46),
        Template::Green => (30, 42),
        Template::Yellow | Template::Orange => (30, 43),
        Template::Red | Template::Carmine => (97, 41),
        Template::Violet | Template::Purple => (97, 45),
        Template::Grey => (97, 100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CollapsiblePanel, Column, ColumnSet, Markdown, TagColor};

    fn plain(message: impl Into<Message>, width: usize) -> String {
        message.into().render(None).expect("it fits").preview(width, Paint::Plain)
    }

    #[test]
    fn a_card_is_drawn_with_its_columns_and_panels() {
        let card = Card::new("节点失联 node-7")
            .template(Template::Red)
            .tag("P1", TagColor::Red)
            .subtitle("prod")
            .columns(
                ColumnSet::new()
                    .column(Column::new(1).markdown("pod\ndb-0"))
                    .column(Column::new(1).markdown("since 12:30")),
            )
            .hr()
            .panel(CollapsiblePanel::new("log").markdown(Markdown::default().code_block("panic: no\nroute")));
        assert_eq!(
            plain(card, 40),
            "\
╭──────────────────────────────────────╮
│ 节点失联 node-7  [P1]                │
│ prod                                 │
├──────────────────────────────────────┤
│ pod                since 12:30       │
│ db-0                                 │
│ ──────────────────────────────────── │
│ ▸ log                                │
│ │ panic: no                          │
│ │ route                              │
╰──────────────────────────────────────╯
"
        );
    }

    #[test]
    fn no_terminal_is_too_narrow_or_too_wide() {
        let columns = |width| plain(Text::new("a"), width).lines().next().map(|row| row.chars().count());
        assert_eq!([0, 20, 1000, usize::MAX].map(columns), [20, 20, 1000, 1000].map(Some));
    }

    #[test]
    fn words_wrap_and_long_ones_break() {
        assert_eq!(
            plain(Text::new("one two three four aaaaaaaaaaaaaaaaaaaa 一二三四五六七八九"), 20),
            "\
╭──────────────────╮
│ one two three    │
│ four             │
│ aaaaaaaaaaaaaaaa │
│ aaaa 一二三四五  │
│ 六七八九         │
╰──────────────────╯
"
        );
    }

    #[test]
    fn no_text_reaches_the_terminal_as_a_control_sequence() {
        let hostile = "a\u{1b}[2Jb\u{9b}31mc\u{202e}d\u{7}";
        let card = Card::new(hostile)
            .markdown(Markdown::new(hostile).bold(hostile).code_block(hostile).trusted(hostile));
        let drawn = Message::from(card)
            .with_reference(hostile)
            .render(None)
            .expect("it fits")
            .preview(60, Paint::Ansi);
        let ours = ["\u{1b}[0m", "\u{1b}[1m", "\u{1b}[2m", "\u{1b}[36m", "\u{1b}[97;44m", "\u{1b}[1;97;44m"];
        let rest = ours.iter().fold(drawn, |drawn, sequence| drawn.replace(sequence, ""));
        assert!(!rest.contains(|c: char| c.is_control() && c != '\n'), "{rest:?}");
        assert!(!rest.contains('\u{202e}'));
    }

    #[test]
    fn every_row_has_the_same_width() {
        let card = Card::new("一".repeat(50)).markdown("word ".repeat(50)).columns(
            ColumnSet::new()
                .column(Column::new(1).markdown("一二三四五"))
                .column(Column::new(5).markdown("x".repeat(70))),
        );
        for width in 20..90 {
            let drawn = plain(card.clone(), width);
            for line in drawn.lines() {
                assert_eq!(unicode_width::UnicodeWidthStr::width(line), width, "{width}: {line}");
            }
        }
    }
}
