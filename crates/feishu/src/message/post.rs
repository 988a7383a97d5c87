//! The rich text of before the cards: a title and lines.

use serde_json::{Value, json};
use url::Url;

use super::{ImageKey, Mention, Text, with_keyword};
use crate::escape;
use crate::shrink::{self, Shrink};

/// A title and lines of text, links, mentions and images.
///
/// # Examples
/// ```
/// use feishu::{Line, Post};
///
/// let runbook = "https://example.com/runbook".parse()?;
/// let post = Post::new("etcd-2 is down").line(Line::new().text("see ").link("the runbook", &runbook));
/// # let _ = post;
/// # Ok::<(), url::ParseError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Post {
    title: String,
    lines: Vec<Line>,
}

/// One line of a [`Post`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    pub(crate) spans: Vec<Inline>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Inline {
    Text(String),
    Link { label: String, url: Url },
    Mention(Mention),
    Image(ImageKey),
}

impl Post {
    /// A post with this title and no lines yet.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), lines: Vec::new() }
    }

    /// Adds a line.
    #[must_use]
    pub fn line(mut self, line: Line) -> Self {
        self.lines.push(line);
        self
    }

    pub(crate) fn title(&self) -> &str {
        &self.title
    }

    pub(crate) fn lines(&self) -> &[Line] {
        &self.lines
    }

    pub(crate) fn to_json(&self, keyword: Option<&str>, reference: Option<&str>) -> Value {
        let reference = reference.map(|reference| Line::new().text(reference));
        let lines: Vec<Value> = self.lines.iter().chain(&reference).map(Line::to_json).collect();
        json!({ "title": with_keyword(keyword, escape::defuse(&escape::one_line(&self.title))), "content": lines })
    }

    pub(crate) fn to_text(&self) -> Text {
        let mut text = Text::new(escape::one_line(&self.title));
        for line in &self.lines {
            text = text.text("\n");
            for span in &line.spans {
                text = match span {
                    Inline::Text(more) => text.text(more),
                    Inline::Link { label, url } => text.text(format!("{label} ({url})")),
                    Inline::Mention(mention) => text.mention(mention.clone()),
                    Inline::Image(_) => text.text("[image]"),
                };
            }
        }
        text
    }
}

impl Line {
    /// An empty line.
    pub fn new() -> Self {
        Self::default()
    }

    /// Goes on with this.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        let text = text.into();
        // Two halves of an address must not meet after each was found harmless.
        if let Some(Inline::Text(last)) = self.spans.last_mut() {
            last.push_str(&text);
        } else {
            self.spans.push(Inline::Text(text));
        }
        self
    }

    /// A link. With another scheme than http or https it stays text.
    #[must_use]
    pub fn link(mut self, label: impl Into<String>, url: &Url) -> Self {
        let label = label.into();
        if !matches!(url.scheme(), "http" | "https") {
            return self.text(format!("{label} ({url})"));
        }
        self.spans.push(Inline::Link { label, url: url.clone() });
        self
    }

    /// Mentions somebody here.
    #[must_use]
    pub fn mention(mut self, mention: Mention) -> Self {
        self.spans.push(Inline::Mention(mention));
        self
    }

    /// An image, which Feishu wants in a line of its own.
    #[must_use]
    pub fn image(mut self, key: ImageKey) -> Self {
        self.spans.push(Inline::Image(key));
        self
    }

    fn to_json(&self) -> Value {
        self.spans
            .iter()
            .map(|span| match span {
                Inline::Text(text) => json!({ "tag": "text", "text": escape::defuse(text) }),
                Inline::Link { label, url } => {
                    json!({ "tag": "a", "text": escape::defuse(label), "href": url.as_str() })
                }
                Inline::Mention(mention) => json!({ "tag": "at", "user_id": mention.id() }),
                Inline::Image(key) => json!({ "tag": "img", "image_key": key.as_str() }),
            })
            .collect()
    }
}

impl Shrink for Post {
    fn longest(&self) -> usize {
        let lengths = self.lines.iter().flat_map(|line| &line.spans).map(|span| match span {
            Inline::Text(text) => text.len(),
            Inline::Link { label, url } => label.len().max(url.as_str().len()),
            Inline::Mention(_) | Inline::Image(_) => 0,
        });
        lengths.max().unwrap_or_default().max(self.title.len())
    }

    fn parts(&self) -> usize {
        self.lines.iter().map(|line| line.spans.len()).sum()
    }

    fn shrunk(&self, longest: usize, parts: usize) -> Self {
        let mut left = parts;
        let mut lines = Vec::new();
        for line in &self.lines {
            if left == 0 {
                break;
            }
            let kept = line.spans.iter().take(left).map(|span| match span {
                Inline::Text(text) => Inline::Text(shrink::cut(text, longest)),
                // Half a URL leads nowhere.
                Inline::Link { label, url } if url.as_str().len() > longest => {
                    Inline::Text(shrink::cut(label, longest))
                }
                Inline::Link { label, url } => {
                    Inline::Link { label: shrink::cut(label, longest), url: url.clone() }
                }
                Inline::Mention(_) | Inline::Image(_) => span.clone(),
            });
            let spans: Vec<Inline> = kept.collect();
            left -= spans.len();
            lines.push(Line { spans });
        }
        if let Some(note) = shrink::left_out(self.parts(), parts) {
            lines.push(Line::new().text(note));
        }
        Self { title: shrink::cut(&self.title, longest), lines }
    }
}
