//! Cards, in Feishu's card JSON 2.0.
//!
//! Version 2.0 refuses a card with a property that it does not know, so this builder has methods for what it does know
//! and no others: a header, Markdown, rules, collapsible panels and columns, with the properties that the pages
//! `card-json-v2-structure` and `card-json-v2-components` list. Their nesting (a card holds panels, a panel holds
//! columns, a column holds text) stays below the five levels that Feishu takes.
//!
//! Clients older than 7.20 show the title of such a card and nothing else: put the verdict there.

mod color;
mod element;
mod markdown;

pub use color::{TagColor, Template};
pub use element::{CollapsiblePanel, Column, ColumnSet, Flex};
pub use markdown::Markdown;

pub(crate) use element::Element;
pub(crate) use markdown::Span;

use serde_json::{Value, json};

use crate::escape;
use crate::message::{Text, with_keyword};
use crate::shrink::{self, Shrink};

/// Feishu shows no more.
const MOST_TAGS: usize = 3;
/// Feishu takes 200 components in a card. Some are the header's, and the notes at the end need two.
const MOST_COMPONENTS: usize = 190;

/// A card: a coloured header, and below it text, panels and columns.
///
/// # Examples
/// ```
/// use feishu::{Card, CollapsiblePanel, Column, ColumnSet, Markdown, TagColor, Template};
///
/// let card = Card::new("etcd-2 is down")
///     .template(Template::Red)
///     .tag("P1", TagColor::Red)
///     .markdown(Markdown::new("no leader since ").bold("12:30:45"))
///     .columns(ColumnSet::new().column(Column::new(1).markdown("pod")).column(Column::new(2).markdown("etcd-2")))
///     .hr()
///     .panel(CollapsiblePanel::new("log").markdown(Markdown::default().code_block("raft: lost leader 8e9e05c52164694d")));
/// # let _ = card;
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    pub(crate) title: String,
    pub(crate) subtitle: Option<String>,
    pub(crate) template: Template,
    pub(crate) tags: Vec<(String, TagColor)>,
    pub(crate) elements: Vec<Element>,
}

impl Card {
    /// A card with this title, in blue, with nothing below it yet.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            subtitle: None,
            template: Template::Blue,
            tags: Vec::new(),
            elements: Vec::new(),
        }
    }

    /// The colour of the header.
    #[must_use]
    pub fn template(mut self, template: Template) -> Self {
        self.template = template;
        self
    }

    /// A second line in the header.
    #[must_use]
    pub fn subtitle(mut self, subtitle: impl Into<String>) -> Self {
        self.subtitle = Some(subtitle.into());
        self
    }

    /// A tag behind the title. Feishu shows three; more are not sent.
    #[must_use]
    pub fn tag(mut self, text: impl Into<String>, color: TagColor) -> Self {
        if self.tags.len() < MOST_TAGS {
            self.tags.push((text.into(), color));
        }
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

    /// Adds a panel that its reader can open.
    #[must_use]
    pub fn panel(mut self, panel: CollapsiblePanel) -> Self {
        self.elements.push(Element::Panel(panel));
        self
    }

    /// Adds columns.
    #[must_use]
    pub fn columns(mut self, columns: ColumnSet) -> Self {
        self.elements.push(Element::Columns(columns));
        self
    }

    pub(crate) fn to_json(&self, keyword: Option<&str>, reference: Option<&str>) -> Value {
        let reference = reference.map(|reference| Element::Markdown(Markdown::new(reference).small()));
        let elements: Vec<Value> = self.elements.iter().chain(&reference).map(Element::to_json).collect();
        let mut header = json!({
            "template": self.template.as_str(),
            "title": plain_text(with_keyword(keyword, header_line(&self.title))),
        });
        if let Some(subtitle) = &self.subtitle {
            header["subtitle"] = plain_text(header_line(subtitle));
        }
        if !self.tags.is_empty() {
            header["text_tag_list"] = self
                .tags
                .iter()
                .map(|(text, color)| {
                    json!({ "tag": "text_tag", "text": plain_text(header_line(text)), "color": color.as_str() })
                })
                .collect();
        }
        json!({
            "schema": "2.0",
            "config": { "update_multi": true },
            "header": header,
            "body": { "elements": elements },
        })
    }

    pub(crate) fn to_text(&self) -> Text {
        let mut text = Text::new(escape::one_line(&self.title));
        for (tag, _) in &self.tags {
            text = text.text(format!(" [{}]", escape::one_line(tag)));
        }
        if let Some(subtitle) = &self.subtitle {
            text = text.text("\n").text(escape::one_line(subtitle));
        }
        element::to_text(&self.elements, text)
    }
}

/// Plain text has no markup, but who knows what a client makes of an address in it.
fn header_line(text: &str) -> String {
    escape::defuse(&escape::one_line(text))
}

fn plain_text(content: impl Into<String>) -> Value {
    json!({ "tag": "plain_text", "content": content.into() })
}

impl Shrink for Card {
    fn longest(&self) -> usize {
        let header = self.tags.iter().map(|(text, _)| text).chain(&self.subtitle).chain([&self.title]);
        let header = header.map(String::len).max().unwrap_or_default();
        header.max(element::longest(&self.elements))
    }

    fn parts(&self) -> usize {
        element::parts(&self.elements)
    }

    fn most_parts(&self) -> usize {
        element::parts_within(&self.elements, MOST_COMPONENTS)
    }

    fn shrunk(&self, longest: usize, parts: usize) -> Self {
        let mut elements = element::shrunk(&self.elements, longest, &mut { parts });
        if let Some(note) = shrink::left_out(self.parts(), parts) {
            elements.push(Element::Markdown(Markdown::new(note)));
        }
        Self {
            title: shrink::cut(&self.title, longest),
            subtitle: self.subtitle.as_ref().map(|subtitle| shrink::cut(subtitle, longest)),
            template: self.template,
            tags: self.tags.iter().map(|(text, color)| (shrink::cut(text, longest), *color)).collect(),
            elements,
        }
    }
}
