//! HTML in which only this file writes a tag.

/// What a client makes of a piece of text other than showing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Link,
    Mention,
    Image,
    Emoji,
    /// Any other tag.
    Tag,
    Bold,
    Italic,
    Strike,
    Code,
    Block,
    Heading,
    List,
    Quote,
    Table,
    Rule,
}

impl Act {
    fn word(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Mention => "mention",
            Self::Image => "image",
            Self::Emoji => "emoji",
            Self::Tag => "tag",
            Self::Bold => "bold",
            Self::Italic => "italic",
            Self::Strike => "strike",
            Self::Code => "code",
            Self::Block => "block",
            Self::Heading => "heading",
            Self::List => "list",
            Self::Quote => "quote",
            Self::Table => "table",
            Self::Rule => "rule",
        }
    }

    fn element(self) -> &'static str {
        match self {
            Self::Link | Self::Mention | Self::Image | Self::Emoji | Self::Tag => "span",
            Self::Bold => "strong",
            Self::Italic => "em",
            Self::Strike => "s",
            Self::Code => "code",
            Self::Block => "pre",
            Self::Heading => "h4",
            Self::List => "ul",
            Self::Quote => "blockquote",
            Self::Table => "table",
            Self::Rule => "hr",
        }
    }
}

/// A page in the making.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    /// Something of our own: never with text from outside.
    pub(super) fn raw(&mut self, html: &'static str) {
        self.0.push_str(html);
    }

    /// An element with classes of which the last comes from outside.
    pub(super) fn open(&mut self, element: &'static str, classes: &'static str, last: &str) {
        self.0.push('<');
        self.0.push_str(element);
        self.0.push_str(" class=\"");
        self.0.push_str(classes);
        if !last.is_empty() {
            self.0.push(' ');
            self.text(last);
        }
        self.0.push_str("\">");
    }

    pub(super) fn close(&mut self, element: &'static str) {
        self.0.push_str("</");
        self.0.push_str(element);
        self.0.push('>');
    }

    /// Begins something that is more than text. `target` is where a link leads, whom a mention calls.
    pub(super) fn act(&mut self, act: Act, target: &str) {
        self.0.push('<');
        self.0.push_str(act.element());
        self.0.push_str(" data-acts=\"");
        self.0.push_str(act.word());
        self.0.push_str("\" title=\"");
        self.text(target);
        self.0.push_str("\">");
    }

    pub(super) fn end(&mut self, act: Act) {
        if act != Act::Rule {
            self.close(act.element());
        }
    }

    /// Text, whatever is in it.
    pub(super) fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                c => self.0.push(c),
            }
        }
    }

    pub(super) fn finish(self) -> String {
        self.0
    }
}
