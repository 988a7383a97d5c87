//! What can be posted into a bot's group.

mod mention;
mod post;
mod text;

pub use mention::{Mention, OpenId};
pub use post::{Line, Post};
pub use text::Text;

pub(crate) use post::Inline;
pub(crate) use text::Span as TextSpan;

use serde_json::{Value, json};

use crate::card::Card;
use crate::escape;
use crate::shrink::{self, Shrink};

/// One message, with everything in it escaped that came from outside.
///
/// # Examples
/// ```
/// use feishu::{Card, Message, Template, Text};
///
/// let text = Message::from(Text::new("etcd-2 is back"));
/// let card = Message::from(Card::new("etcd-2 is down").template(Template::Red)).with_reference("INC-42");
/// # let _ = (text, card);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub(crate) content: Content,
    pub(crate) reference: Option<String>,
}

/// The four kinds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    Text(Text),
    Post(Post),
    Image(ImageKey),
    Card(Card),
}

/// An image that was uploaded before (`img_v2_...`), by the key that Feishu gave for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageKey(String);

impl ImageKey {
    /// Takes the key as it stands.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// The key as sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// No longer reference is shown whole.
const LONGEST_REFERENCE: usize = 200;

impl Message {
    /// Adds a name that the readers see at its end, such as an incident's: at most 200 bytes of it.
    ///
    /// A double with the same reference is known for what it is, so a message that has one is sent again when its
    /// answer got lost. One without is not.
    #[must_use]
    pub fn with_reference(mut self, reference: impl AsRef<str>) -> Self {
        let reference = escape::one_line(reference.as_ref());
        self.reference = Some(shrink::head(&reference, LONGEST_REFERENCE).to_owned())
            .filter(|reference| !reference.is_empty());
        self
    }

    /// Whether a double can be told: there is a reference, and a place to show it.
    pub(crate) fn is_recognisable(&self) -> bool {
        self.reference.is_some() && !matches!(self.content, Content::Image(_))
    }

    /// The same in the simplest form, which passes where a card does not. An image has none.
    pub(crate) fn to_text(&self) -> Option<Self> {
        let text = match &self.content {
            Content::Card(card) => card.to_text(),
            Content::Post(post) => post.to_text(),
            Content::Text(_) | Content::Image(_) => return None,
        };
        Some(Self { content: Content::Text(text), reference: self.reference.clone() })
    }

    /// The body, before it is signed. The keyword stands at the start of what everybody reads first.
    pub(crate) fn to_json(&self, keyword: Option<&str>) -> Value {
        let reference = self.reference.as_deref();
        match &self.content {
            Content::Text(text) => {
                json!({ "msg_type": "text", "content": { "text": text.content(keyword, reference) } })
            }
            Content::Post(post) => {
                json!({ "msg_type": "post", "content": { "post": { "zh_cn": post.to_json(keyword, reference) } } })
            }
            Content::Image(key) => {
                json!({ "msg_type": "image", "content": { "image_key": key.as_str() } })
            }
            Content::Card(card) => {
                json!({ "msg_type": "interactive", "card": card.to_json(keyword, reference) })
            }
        }
    }
}

/// `title` with the keyword before it, unless it begins with it.
pub(crate) fn with_keyword(keyword: Option<&str>, title: String) -> String {
    match keyword {
        Some(keyword) if !title.starts_with(keyword) => format!("{keyword} {title}").trim_end().to_owned(),
        _ => title,
    }
}

impl Shrink for Message {
    fn longest(&self) -> usize {
        match &self.content {
            Content::Text(text) => text.longest(),
            Content::Post(post) => post.longest(),
            Content::Card(card) => card.longest(),
            Content::Image(_) => 0,
        }
    }

    fn parts(&self) -> usize {
        match &self.content {
            Content::Text(text) => text.parts(),
            Content::Post(post) => post.parts(),
            Content::Card(card) => card.parts(),
            Content::Image(_) => 0,
        }
    }

    fn most_parts(&self) -> usize {
        match &self.content {
            Content::Card(card) => card.most_parts(),
            Content::Text(_) | Content::Post(_) | Content::Image(_) => self.parts(),
        }
    }

    fn shrunk(&self, longest: usize, parts: usize) -> Self {
        let content = match &self.content {
            Content::Text(text) => Content::Text(text.shrunk(longest, parts)),
            Content::Post(post) => Content::Post(post.shrunk(longest, parts)),
            Content::Card(card) => Content::Card(card.shrunk(longest, parts)),
            Content::Image(key) => Content::Image(key.clone()),
        };
        Self { content, reference: self.reference.clone() }
    }
}

impl From<Text> for Message {
    fn from(text: Text) -> Self {
        Self { content: Content::Text(text), reference: None }
    }
}

impl From<Post> for Message {
    fn from(post: Post) -> Self {
        Self { content: Content::Post(post), reference: None }
    }
}

impl From<ImageKey> for Message {
    fn from(key: ImageKey) -> Self {
        Self { content: Content::Image(key), reference: None }
    }
}

impl From<Card> for Message {
    fn from(card: Card) -> Self {
        Self { content: Content::Card(card), reference: None }
    }
}
