//! The plain message.

use super::{Mention, with_keyword};
use crate::escape;
use crate::shrink::{self, Shrink};

/// A message of plain text. It may mention people; nothing else in it is more than text.
///
/// # Examples
/// ```
/// use feishu::{Mention, Text};
///
/// let text = Text::new("node-7 does not answer ").mention(Mention::All);
/// # let _ = text;
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    pub(crate) spans: Vec<Span>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Span {
    Text(String),
    Mention(Mention),
}

impl Text {
    /// A message that begins with this.
    pub fn new(text: impl Into<String>) -> Self {
        Self::default().text(text)
    }

    /// Goes on with this.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        let text = text.into();
        // Two halves of a tag must not meet after each was found harmless.
        if let Some(Span::Text(last)) = self.spans.last_mut() {
            last.push_str(&text);
        } else {
            self.spans.push(Span::Text(text));
        }
        self
    }

    /// Mentions somebody here.
    #[must_use]
    pub fn mention(mut self, mention: Mention) -> Self {
        self.spans.push(Span::Mention(mention));
        self
    }

    /// `content.text`, in which `<at user_id="...">` is the only markup.
    pub(crate) fn content(&self, keyword: Option<&str>, reference: Option<&str>) -> String {
        let mut content = String::new();
        for span in &self.spans {
            match span {
                Span::Text(text) => content.push_str(&escape::defuse(text)),
                Span::Mention(mention) => {
                    content.push_str(&format!("<at user_id=\"{}\"></at>", mention.id()));
                }
            }
        }
        if let Some(reference) = reference {
            content.push('\n');
            content.push_str(&escape::defuse(reference));
        }
        with_keyword(keyword, content)
    }
}

impl Shrink for Text {
    fn longest(&self) -> usize {
        let lengths = self.spans.iter().map(|span| match span {
            Span::Text(text) => text.len(),
            Span::Mention(_) => 0,
        });
        lengths.max().unwrap_or_default()
    }

    fn parts(&self) -> usize {
        self.spans.len()
    }

    fn shrunk(&self, longest: usize, parts: usize) -> Self {
        let spans: Vec<Span> = self
            .spans
            .iter()
            .take(parts)
            .map(|span| match span {
                Span::Text(text) => Span::Text(shrink::cut(text, longest)),
                Span::Mention(mention) => Span::Mention(mention.clone()),
            })
            .collect();
        if let Some(note) = shrink::left_out(self.spans.len(), parts) {
            return Self { spans }.text(format!("\n{note}"));
        }
        Self { spans }
    }
}
