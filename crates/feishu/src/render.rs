//! What a message looks like when it is sent, for whoever wants to see it before.

use serde_json::Value;

use crate::preview::{self, Paint};
use crate::shrink::{self, CAP, Fitted};
use crate::{Error, Message, Operation};

/// A message in the form in which it fits the cap.
#[derive(Debug, Clone)]
pub struct Rendered {
    fitted: Fitted<Message>,
    keyword: Option<String>,
}

impl Message {
    /// The message as it would be sent by a bot with this keyword, unsigned.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it does not fit into 20 KB, however it is shortened.
    ///
    /// # Examples
    /// ```
    /// use feishu::{Card, Message, Paint};
    ///
    /// let message = Message::from(Card::new("etcd-2 is down").markdown("no leader"));
    /// let rendered = message.render(Some("ops"))?;
    /// assert_eq!(rendered.body()["card"]["header"]["title"]["content"], "ops etcd-2 is down");
    /// println!("{}", rendered.preview(60, Paint::Plain));
    /// # Ok::<(), feishu::Error>(())
    /// ```
    pub fn render(&self, keyword: Option<&str>) -> Result<Rendered, Error> {
        Rendered::new(self, keyword, CAP).ok_or_else(|| Error::Invalid {
            operation: Operation::Send,
            what: "the message does not fit into 20 KB, however it is shortened".to_owned(),
        })
    }
}

impl Rendered {
    /// The form that fits into `cap` bytes, if there is one.
    pub(crate) fn new(message: &Message, keyword: Option<&str>, cap: usize) -> Option<Self> {
        let fitted = shrink::fit(message, cap, |form| form.to_json(keyword))?;
        Some(Self { fitted, keyword: keyword.map(str::to_owned) })
    }

    /// The body, without a signature.
    pub fn body(&self) -> &Value {
        &self.fitted.body
    }

    /// The length of the body.
    pub fn bytes(&self) -> usize {
        self.fitted.bytes
    }

    /// Something was cut or left out to make it fit.
    pub fn shortened(&self) -> bool {
        self.fitted.shortened
    }

    /// A drawing for a terminal with this many columns, 20 at least and 1,000 at most. Nothing in it can move the cursor or change a colour but the
    /// drawing itself.
    pub fn preview(&self, width: usize, paint: Paint) -> String {
        preview::draw(&self.fitted.message, self.keyword.as_deref(), width, paint)
    }
}
