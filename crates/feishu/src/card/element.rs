//! What stands below a card's header.

use serde_json::{Value, json};

use super::{Markdown, header_line, plain_text};
use crate::escape;
use crate::message::Text;
use crate::shrink;

/// One component. What may hold what is a matter of the builders' methods.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Element {
    Markdown(Markdown),
    Rule,
    Panel(CollapsiblePanel),
    Columns(ColumnSet),
}

/// A panel that its reader opens and closes, for what not everybody needs: logs, long lists.
#[derive(Debug, Clone, PartialEq)]
pub struct CollapsiblePanel {
    pub(crate) title: String,
    pub(crate) expanded: bool,
    pub(crate) elements: Vec<Element>,
}

impl CollapsiblePanel {
    /// A closed panel with this title.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), expanded: false, elements: Vec::new() }
    }

    /// Whether it is open at first.
    #[must_use]
    pub fn expanded(mut self, expanded: bool) -> Self {
        self.expanded = expanded;
        self
    }

    /// Adds text. A string is shown as it stands.
    #[must_use]
    pub fn markdown(mut self, markdown: impl Into<Markdown>) -> Self {
        self.elements.push(Element::Markdown(markdown.into()));
        self
    }

    /// Adds a horizontal rule.
    #[must_use]
    pub fn hr(mut self) -> Self {
        self.elements.push(Element::Rule);
        self
    }

    /// Adds columns.
    #[must_use]
    pub fn columns(mut self, columns: ColumnSet) -> Self {
        self.elements.push(Element::Columns(columns));
        self
    }
}

/// Columns beside each other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ColumnSet {
    pub(crate) flex: Flex,
    pub(crate) columns: Vec<Column>,
}

/// What becomes of columns on a narrow screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flex {
    /// They become narrower.
    #[default]
    None,
    /// They stand below each other.
    Stretch,
    /// They go on in the next line.
    Flow,
    /// Two in a line.
    Bisect,
    /// Three in a line.
    Trisect,
}

impl Flex {
    /// As Feishu writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Stretch => "stretch",
            Self::Flow => "flow",
            Self::Bisect => "bisect",
            Self::Trisect => "trisect",
        }
    }
}

impl ColumnSet {
    /// No columns yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What becomes of them on a narrow screen.
    #[must_use]
    pub fn flex(mut self, flex: Flex) -> Self {
        self.flex = flex;
        self
    }

    /// Adds a column.
    #[must_use]
    pub fn column(mut self, column: Column) -> Self {
        self.columns.push(column);
        self
    }
}

/// One column of a [`ColumnSet`].
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub(crate) weight: u8,
    pub(crate) elements: Vec<Element>,
}

impl Column {
    /// A column with this share of the width, 1 to 5.
    pub fn new(weight: u8) -> Self {
        Self { weight: weight.clamp(1, 5), elements: Vec::new() }
    }

    /// Adds text. A string is shown as it stands.
    #[must_use]
    pub fn markdown(mut self, markdown: impl Into<Markdown>) -> Self {
        self.elements.push(Element::Markdown(markdown.into()));
        self
    }

    /// Adds a horizontal rule.
    #[must_use]
    pub fn hr(mut self) -> Self {
        self.elements.push(Element::Rule);
        self
    }
}

impl Element {
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Markdown(markdown) => markdown.to_json(),
            Self::Rule => json!({ "tag": "hr" }),
            Self::Panel(panel) => json!({
                "tag": "collapsible_panel",
                "expanded": panel.expanded,
                "header": {
                    "title": plain_text(header_line(&panel.title)),
                    "vertical_align": "center",
                    "icon": { "tag": "standard_icon", "token": "down-small-ccm_outlined", "size": "16px 16px" },
                    "icon_position": "right",
                    "icon_expanded_angle": -180,
                },
                "border": { "color": "grey", "corner_radius": "5px" },
                "padding": "8px 8px 8px 8px",
                "elements": panel.elements.iter().map(Self::to_json).collect::<Vec<_>>(),
            }),
            Self::Columns(set) => json!({
                "tag": "column_set",
                "flex_mode": set.flex.as_str(),
                "columns": set.columns.iter().map(Column::to_json).collect::<Vec<_>>(),
            }),
        }
    }

    /// As Feishu counts.
    fn components(&self) -> usize {
        match self {
            Self::Markdown(_) | Self::Rule => 1,
            // Its title and its icon are components, too.
            Self::Panel(_) => 3,
            Self::Columns(_) => 1,
        }
    }
}

impl Column {
    fn to_json(&self) -> Value {
        json!({
            "tag": "column",
            "width": "weighted",
            "weight": self.weight,
            "vertical_align": "top",
            "elements": self.elements.iter().map(Element::to_json).collect::<Vec<_>>(),
        })
    }
}

/// Goes on with the same in a plain message, each component on a line of its own.
pub(crate) fn to_text(elements: &[Element], mut text: Text) -> Text {
    for element in elements {
        text = match element {
            Element::Markdown(markdown) => markdown.to_text(text.text("\n")),
            Element::Rule => text.text("\n---"),
            Element::Panel(panel) => {
                to_text(&panel.elements, text.text("\n").text(escape::one_line(&panel.title)))
            }
            Element::Columns(set) => {
                set.columns.iter().fold(text, |text, column| to_text(&column.elements, text))
            }
        };
    }
    text
}

pub(crate) fn longest(elements: &[Element]) -> usize {
    let lengths = elements.iter().map(|element| match element {
        Element::Markdown(markdown) => markdown.longest(),
        Element::Rule => 0,
        Element::Panel(panel) => panel.title.len().max(longest(&panel.elements)),
        Element::Columns(set) => {
            set.columns.iter().map(|column| longest(&column.elements)).max().unwrap_or_default()
        }
    });
    lengths.max().unwrap_or_default()
}

/// Pieces of text and containers, each of which can be left out.
pub(crate) fn parts(elements: &[Element]) -> usize {
    elements.iter().map(parts_of).sum()
}

fn parts_of(element: &Element) -> usize {
    match element {
        Element::Markdown(markdown) => markdown.spans.len().max(1),
        Element::Rule => 1,
        Element::Panel(panel) => 1 + parts(&panel.elements),
        Element::Columns(set) => {
            1 + set.columns.iter().map(|column| 1 + parts(&column.elements)).sum::<usize>()
        }
    }
}

/// How many parts come before there are more than `most` components.
pub(crate) fn parts_within(elements: &[Element], most: usize) -> usize {
    walk(elements, &mut { most }).0
}

/// The parts that fit, and whether all did.
fn walk(elements: &[Element], left: &mut usize) -> (usize, bool) {
    let mut taken = 0;
    for element in elements {
        let components = element.components();
        if components > *left {
            return (taken, false);
        }
        *left -= components;
        taken += 1;
        let inside = match element {
            Element::Markdown(markdown) => (markdown.spans.len().saturating_sub(1), true),
            Element::Rule => (0, true),
            Element::Panel(panel) => walk(&panel.elements, left),
            Element::Columns(set) => walk_columns(&set.columns, left),
        };
        taken += inside.0;
        if !inside.1 {
            return (taken, false);
        }
    }
    (taken, true)
}

fn walk_columns(columns: &[Column], left: &mut usize) -> (usize, bool) {
    let mut taken = 0;
    for column in columns {
        if *left == 0 {
            return (taken, false);
        }
        *left -= 1;
        let (inside, all) = walk(&column.elements, left);
        taken += 1 + inside;
        if !all {
            return (taken, false);
        }
    }
    (taken, true)
}

/// The first `left` parts, with no text longer than `longest`.
pub(crate) fn shrunk(elements: &[Element], longest: usize, left: &mut usize) -> Vec<Element> {
    let mut kept = Vec::new();
    for element in elements {
        if *left == 0 {
            break;
        }
        kept.push(match element {
            Element::Markdown(markdown) => {
                let parts = markdown.spans.len().max(1).min(*left);
                *left -= parts;
                Element::Markdown(markdown.shrunk(longest, parts))
            }
            Element::Rule => {
                *left -= 1;
                Element::Rule
            }
            Element::Panel(panel) => {
                *left -= 1;
                Element::Panel(CollapsiblePanel {
                    title: shrink::cut(&panel.title, longest),
                    expanded: panel.expanded,
                    elements: shrunk(&panel.elements, longest, left),
                })
            }
            Element::Columns(set) => {
                *left -= 1;
                Element::Columns(ColumnSet {
                    flex: set.flex,
                    columns: shrunk_columns(&set.columns, longest, left),
                })
            }
        });
    }
    kept
}

fn shrunk_columns(columns: &[Column], longest: usize, left: &mut usize) -> Vec<Column> {
    let mut kept = Vec::new();
    for column in columns {
        if *left == 0 {
            break;
        }
        *left -= 1;
        kept.push(Column { weight: column.weight, elements: shrunk(&column.elements, longest, left) });
    }
    kept
}
