//! [`HttpCustomBot`]: from a message to a request that Feishu takes.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use tracing::{Instrument, debug, warn};

use crate::builder::HttpBuilder;
use crate::channel::{Channel, Deadline, Exchange};
use crate::message::Content;
use crate::render::Rendered;
use crate::retry::{self, Jitter, MAX_TRIES};
use crate::shrink::CAP;
use crate::{BotWebhook, Class, CustomBot, Delivery, Error, Message, Operation, WallClock, sign};

/// What a signature adds to a body: `,"timestamp":"1763600000","sign":"..."` with 44 characters, and room for a later
/// century's seconds.
const SIGNATURE_BYTES: usize = 96;
/// Smaller than this, "too large" cannot be what Feishu means.
const SMALLEST: usize = 1024;

/// A custom bot over HTTP: signed, under its rates and its cap, every wait with an end.
///
/// It waits on tokio's clock only and takes no randomness but its seed, so that it runs unchanged in a paused runtime
/// over a simulated [`Transport`](crate::Transport).
pub struct HttpCustomBot {
    pub(crate) channel: Channel,
    pub(crate) secret: Option<SecretString>,
    pub(crate) keyword: Option<String>,
    pub(crate) clock: Arc<dyn WallClock>,
    /// Feishu's clock minus ours, once it had to be learnt.
    pub(crate) clock_offset: Mutex<Option<SignedDuration>>,
    pub(crate) deadline: Duration,
    pub(crate) jitter: Jitter,
}

/// What to do after a failure.
enum Next {
    /// Nothing could be sent again for so long.
    GiveUp {
        pause: Duration,
    },
    Again {
        after: Duration,
    },
    SignAgain,
    Smaller,
}

/// However long one waits.
const GIVE_UP: Next = Next::GiveUp { pause: Duration::ZERO };

/// One message on its way.
struct Sending {
    rendered: Rendered,
    as_text: bool,
    halved: bool,
    tries: u32,
    /// Of the tries, those that count against [`MAX_TRIES`].
    failures: u32,
    resynced: bool,
    maybe_doubled: bool,
}

impl HttpCustomBot {
    /// Starts a client for one bot.
    pub fn builder(webhook: BotWebhook) -> HttpBuilder<BotWebhook> {
        HttpBuilder::new(webhook)
    }

    /// Feishu's clock minus this machine's, learnt from the `Date` header after Feishu refused a signature. `None` as
    /// long as it never did.
    pub fn clock_offset(&self) -> Option<SignedDuration> {
        *self.clock_offset.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn deliver(&self, message: &Message) -> Result<Delivery, Error> {
        let deadline = Deadline::after(self.deadline);
        if self.keyword.is_some() && matches!(message.content, Content::Image(_)) {
            return Err(invalid("an image has no room for the bot's keyword"));
        }
        self.channel.foresee(deadline)?;
        let mut sending = Sending {
            rendered: self.render(message, CAP)?,
            as_text: false,
            halved: false,
            tries: 0,
            failures: 0,
            resynced: false,
            maybe_doubled: false,
        };
        // Of the tries that are behind us and may be all there is to tell.
        let mut worst: Option<Error> = None;
        loop {
            let Exchange { outcome, date } =
                match self.channel.exchange(deadline, || self.signed(&sending.rendered)).await {
                    Ok(exchange) => exchange,
                    // That there was no room for another try says nothing about the one before.
                    Err(no_room) => {
                        let wait = no_room.retry_after().unwrap_or_default();
                        return Err(worst.map_or(no_room, |error| error.with_wait(wait)));
                    }
                };
            sending.tries += 1;
            let Err(error) = outcome else {
                return Ok(Delivery {
                    tries: sending.tries,
                    shortened: sending.rendered.shortened(),
                    as_text: sending.as_text,
                    maybe_doubled: sending.maybe_doubled,
                });
            };
            let after = match self.after(message, &error, date, &mut sending, deadline) {
                Next::Again { after } => {
                    debug!(tries = sending.tries, pause = ?after, %error, "trying again");
                    worst = Some(further(worst, error));
                    after
                }
                // What has been put right is no reason any more.
                Next::SignAgain => Duration::ZERO,
                Next::Smaller if self.make_smaller(message, &mut sending)? => {
                    warn!(code = error.code(), %error, "refused as it was; sending it in a simpler form");
                    Duration::ZERO
                }
                Next::GiveUp { pause } => return Err(further(worst, error.with_wait(pause))),
                Next::Smaller => return Err(further(worst, error)),
            };
            sleep(after).await;
        }
    }

    /// Draws the lessons of a failure and decides whether to go on.
    fn after(
        &self,
        message: &Message,
        error: &Error,
        date: Option<Timestamp>,
        sending: &mut Sending,
        deadline: Deadline,
    ) -> Next {
        let may_repeat = match error {
            Error::NotSent { .. } | Error::RateLimited { .. } => true,
            Error::Unknown { .. } => {
                sending.maybe_doubled = true;
                message.is_recognisable()
            }
            Error::Refused { class, .. } => match class {
                Class::Throttled | Class::Internal => true,
                Class::Signature => return self.after_bad_signature(date, sending),
                Class::Card | Class::Format => return Next::Smaller,
                _ => false,
            },
            _ => false,
        };
        sending.failures += 1;
        let pause = retry::pause(sending.failures, error.retry_after(), self.jitter.draw());
        if error.is_throttled() {
            // Whoever else sends through this webhook waits, too.
            self.channel.limiter.throttled(pause);
        }
        if may_repeat && sending.failures < MAX_TRIES && Instant::now() + pause <= deadline.send_by {
            Next::Again { after: pause }
        } else {
            Next::GiveUp { pause }
        }
    }

    /// A clock that is wrong by an hour is put right by the answer, once. Any other bad signature stays bad.
    fn after_bad_signature(&self, date: Option<Timestamp>, sending: &mut Sending) -> Next {
        let (Some(date), Some(_)) = (date, &self.secret) else { return GIVE_UP };
        if std::mem::replace(&mut sending.resynced, true) {
            return GIVE_UP;
        }
        // The header is cut to the second and a moment old. With an hour's tolerance neither matters.
        let offset = date.duration_since(self.clock.now());
        warn!(?offset, "Feishu refused our clock; signing with its own from now on");
        *self.clock_offset.lock().unwrap_or_else(PoisonError::into_inner) = Some(offset);
        Next::SignAgain
    }

    /// A refused card or post becomes text, and a refused text half as long. `false` when there is nothing smaller.
    fn make_smaller(&self, message: &Message, sending: &mut Sending) -> Result<bool, Error> {
        if !sending.as_text
            && let Some(text) = message.to_text()
        {
            sending.as_text = true;
            sending.rendered = self.render(&text, CAP)?;
            return Ok(true);
        }
        let half = sending.rendered.bytes() / 2;
        if half < SMALLEST || matches!(message.content, Content::Image(_)) || sending.halved {
            return Ok(false);
        }
        sending.halved = true;
        let text = if sending.as_text { message.to_text() } else { None };
        sending.rendered = self.render(text.as_ref().unwrap_or(message), half)?;
        Ok(true)
    }

    fn render(&self, message: &Message, cap: usize) -> Result<Rendered, Error> {
        let cap = cap - self.secret.as_ref().map_or(0, |_| SIGNATURE_BYTES);
        Rendered::new(message, self.keyword.as_deref(), cap)
            .ok_or_else(|| invalid("the message does not fit into 20 KB, however it is shortened"))
    }

    /// The body as it goes over the wire, signed with the present.
    fn signed(&self, rendered: &Rendered) -> Bytes {
        let mut body = rendered.body().clone();
        if let (Some(secret), Value::Object(fields)) = (&self.secret, &mut body) {
            let now = self.feishu_now();
            fields.insert("timestamp".to_owned(), json!(now.as_second().to_string()));
            fields.insert("sign".to_owned(), json!(sign::signature(now, secret.expose_secret())));
        }
        Bytes::from(body.to_string())
    }

    /// Feishu's time, as far as it is known.
    fn feishu_now(&self) -> Timestamp {
        let now = self.clock.now();
        self.clock_offset().and_then(|offset| now.checked_add(offset).ok()).unwrap_or(now)
    }
}

fn invalid(what: &str) -> Error {
    Error::Invalid { operation: Operation::Send, what: what.to_owned() }
}

/// Of two failures, the one that got further: a message that may stand in the group may do so whatever came of later
/// tries, and that the last one did not leave says nothing about those before it.
fn further(earlier: Option<Error>, last: Error) -> Error {
    match earlier {
        Some(earlier @ Error::Unknown { .. }) => earlier,
        Some(earlier) if matches!(last, Error::NotSent { .. } | Error::Tls { .. }) => earlier,
        _ => last,
    }
}

#[async_trait]
impl CustomBot for HttpCustomBot {
    async fn send(&self, message: &Message) -> Result<Delivery, Error> {
        let span =
            tracing::info_span!("feishu", operation = "send", webhook = %self.channel.webhook.fingerprint());
        self.deliver(message).instrument(span).await
    }
}

impl fmt::Debug for HttpCustomBot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpCustomBot")
            .field("webhook", &self.channel.webhook)
            .field("signs", &self.secret.is_some())
            .field("keyword", &self.keyword)
            .field("timeout", &self.channel.timeout)
            .field("deadline", &self.deadline)
            .field("clock_offset", &self.clock_offset())
            .finish_non_exhaustive()
    }
}
