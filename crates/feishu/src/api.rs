//! The traits: what one can ask of the two products.

use async_trait::async_trait;
use serde_json::Value;

use crate::{Error, Message};

/// A custom bot in a group of Feishu or Lark.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait CustomBot: Send + Sync {
    /// Posts a message into the bot's group.
    ///
    /// Waits for room under the webhook's rates, signs, shortens what is over the cap, repeats what may be repeated and
    /// posts a refused card as text; all of it, the last answer included, within the client's deadline.
    ///
    /// # Errors
    /// [`Error::RateLimited`] when there is no room before the deadline: it is not in the group and waits nowhere.
    /// [`Error::Refused`] carries Feishu's word and what it means. After [`Error::Unknown`] the message may stand in
    /// the group.
    async fn send(&self, message: &Message) -> Result<Delivery, Error>;
}

/// A flow of Feishu that a webhook triggers. What it is sent is up to the flow.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait FlowTrigger: Send + Sync {
    /// Triggers the flow with this payload, which is sent as it stands.
    ///
    /// # Errors
    /// As [`CustomBot::send`]; and [`Error::Invalid`] for a payload of more than 20 KB, because nobody but its author
    /// knows what can be left out. After [`Error::Unknown`] the flow may have run: it is never triggered again.
    async fn trigger(&self, payload: &Value) -> Result<(), Error>;
}

/// How a message got into the group.
#[non_exhaustive]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// Requests that left for it.
    pub tries: u32,
    /// Something was cut or left out to fit the cap, and it says so in the place.
    pub shortened: bool,
    /// Feishu refused the card or post, and it was posted as text.
    pub as_text: bool,
    /// An earlier request for it got no answer, so it may stand there twice.
    pub maybe_doubled: bool,
}

impl Delivery {
    /// For mocks: delivered whole at the first try.
    pub fn at_once() -> Self {
        Self { tries: 1, shortened: false, as_text: false, maybe_doubled: false }
    }
}
