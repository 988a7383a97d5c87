//! The text of a card.

use serde_json::{Value, json};
use url::Url;

use crate::escape::{self, JOINER};
use crate::message::{Mention, Text};
use crate::shrink;

/// Text with markup: a `markdown` component. Whatever is given to it as text is shown as it stands; markup comes from
/// the methods only.
///
/// # Examples
/// ```
/// use feishu::Markdown;
///
/// let runbook = "https://example.com/runbook".parse()?;
/// let text = Markdown::new("last line: ")
///     .code_block("panic: <at id=all></at> [x](http://evil.example)")
///     .link("runbook", &runbook);
/// # let _ = text;
/// # Ok::<(), url::ParseError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Markdown {
    pub(crate) spans: Vec<Span>,
    pub(crate) small: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Span {
    Text(String),
    Bold(String),
    CodeBlock(String),
    Link { label: String, url: Url },
    Mention(Mention),
    Trusted(String),
}

impl Markdown {
    /// Text that begins with this, which is shown as it stands.
    pub fn new(text: impl Into<String>) -> Self {
        Self::default().text(text)
    }

    /// Goes on with this, which is shown as it stands. A line feed begins a new line.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        let text = text.into();
        // Two halves of an address must not meet after each was found harmless.
        if let Some(Span::Text(last)) = self.spans.last_mut() {
            last.push_str(&text);
        } else if !text.is_empty() {
            self.spans.push(Span::Text(text));
        }
        self
    }

    /// Goes on with this in bold, on one line.
    #[must_use]
    pub fn bold(mut self, text: impl Into<String>) -> Self {
        self.spans.push(Span::Bold(text.into()));
        self
    }

    /// A block of lines in a typewriter's letters.
    #[must_use]
    pub fn code_block(mut self, text: impl Into<String>) -> Self {
        self.spans.push(Span::CodeBlock(text.into()));
        self
    }

    /// A link. With another scheme than http or https it stays text.
    #[must_use]
    pub fn link(mut self, label: impl Into<String>, url: &Url) -> Self {
        let label = label.into();
        if !matches!(url.scheme(), "http" | "https") {
            return self.text(format!("{label} ({url})"));
        }
        self.spans.push(Span::Link { label, url: url.clone() });
        self
    }

    /// Mentions somebody here.
    #[must_use]
    pub fn mention(mut self, mention: Mention) -> Self {
        self.spans.push(Span::Mention(mention));
        self
    }

    /// Goes on with Markdown as Feishu reads it, tags included. **Nothing in it is escaped**: never pass what comes
    /// from outside. When the message must be shortened, it is kept whole or left out.
    #[must_use]
    pub fn trusted(mut self, markdown: impl Into<String>) -> Self {
        self.spans.push(Span::Trusted(markdown.into()));
        self
    }

    /// The whole of it in small letters.
    #[must_use]
    pub fn small(mut self) -> Self {
        self.small = true;
        self
    }

    pub(crate) fn to_json(&self) -> Value {
        let content = self.content();
        if self.small {
            json!({ "tag": "markdown", "content": content, "text_size": "notation" })
        } else {
            json!({ "tag": "markdown", "content": content })
        }
    }

    fn content(&self) -> String {
        let mut out = String::new();
        for span in &self.spans {
            match span {
                Span::Text(text) => out.push_str(&escape::markdown(text)),
                Span::Bold(text) => {
                    // Beside a punctuation mark, asterisks would not count as the begin or end of bold; the joiner is
                    // none.
                    let text = escape::markdown(&escape::one_line(text));
                    out.extend([
                        "**",
                        JOINER.encode_utf8(&mut [0; 4]),
                        &text,
                        JOINER.encode_utf8(&mut [0; 4]),
                        "**",
                    ]);
                }
                Span::CodeBlock(text) => {
                    if !out.is_empty() && !out.ends_with('\n') {
                        out.push('\n');
                    }
                    out.extend(["```\n", &escape::code(text.trim_end_matches('\n')), "\n```\n"]);
                }
                Span::Link { label, url } => {
                    let label = escape::markdown(&escape::one_line(label));
                    let url = url.as_str().replace('(', "%28").replace(')', "%29");
                    out.extend(["[", &label, "](", &url, ")"]);
                }
                Span::Mention(mention) => out.extend(["<at id=", mention.id(), "></at>"]),
                Span::Trusted(markdown) => out.push_str(markdown),
            }
        }
        out
    }

    /// Goes on with the same in a plain message.
    pub(crate) fn to_text(&self, mut out: Text) -> Text {
        for span in &self.spans {
            out = match span {
                Span::Text(text) | Span::Bold(text) | Span::Trusted(text) => out.text(text),
                Span::CodeBlock(text) => out.text(format!("\n{}\n", text.trim_end_matches('\n'))),
                Span::Link { label, url } => out.text(format!("{label} ({url})")),
                Span::Mention(mention) => out.mention(mention.clone()),
            };
        }
        out
    }

    pub(crate) fn longest(&self) -> usize {
        let lengths = self.spans.iter().map(|span| match span {
            Span::Text(text) | Span::Bold(text) | Span::CodeBlock(text) | Span::Trusted(text) => text.len(),
            Span::Link { label, url } => label.len().max(url.as_str().len()),
            Span::Mention(_) => 0,
        });
        lengths.max().unwrap_or_default()
    }

    /// The first `parts` spans, none of them longer than `longest`.
    pub(crate) fn shrunk(&self, longest: usize, parts: usize) -> Self {
        let spans = self
            .spans
            .iter()
            .take(parts)
            .map(|span| match span {
                Span::Text(text) => Span::Text(shrink::cut(text, longest)),
                Span::Bold(text) => Span::Bold(shrink::cut(text, longest)),
                Span::CodeBlock(text) => Span::CodeBlock(shrink::cut(text, longest)),
                // Half of either means something else.
                Span::Trusted(markdown) if markdown.len() > longest => Span::Text(shrink::cut(markdown, 0)),
                Span::Link { label, url } if url.as_str().len() > longest => {
                    Span::Text(shrink::cut(label, longest))
                }
                Span::Link { label, url } => {
                    Span::Link { label: shrink::cut(label, longest), url: url.clone() }
                }
                Span::Mention(_) | Span::Trusted(_) => span.clone(),
            })
            .collect();
        Self { spans, small: self.small }
    }
}

impl<T: Into<String>> From<T> for Markdown {
    /// The text is shown as it stands.
    fn from(text: T) -> Self {
        Self::new(text)
    }
}
