//! The webhooks. Whoever knows one can post: they are secrets, and printed by nothing here.

use std::fmt;
use std::str::FromStr;

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use url::Url;

use crate::Error;

const BOT_PATH: &str = "/open-apis/bot/v2/hook/";
const FLOW_PATH: &str = "/flow/api/trigger-webhook/";

/// A URL that no `Debug` prints.
#[derive(Clone)]
pub struct SecretUrl {
    url: SecretString,
    /// `https://open.feishu.cn`, which may be shown.
    origin: String,
    /// The path's last segment, which must not.
    token: SecretString,
    fingerprint: String,
}

impl SecretUrl {
    /// The whole URL. Keep it out of logs.
    pub fn expose(&self) -> &str {
        self.url.expose_secret()
    }

    /// Scheme, host and port, which are no secret.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// 16 hex digits of a hash: two webhooks with the same fingerprint are the same one, however they are written, and
    /// nothing can be read back from it.
    pub fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }

    /// The start of `text`, of at least `most` characters if it has them, without the URL or its token, which a server
    /// may echo. What follows is not looked at, however long it is.
    pub(crate) fn redact_start(&self, text: &str, most: usize) -> String {
        let secrets = [(self.expose(), "[webhook]"), (self.token.expose_secret(), "[token]")];
        let mut out = String::new();
        let mut rest = text;
        let mut taken = 0;
        while taken < most
            && let Some(first) = rest.chars().next()
        {
            let secret = secrets
                .iter()
                .find_map(|(secret, name)| rest.strip_prefix(secret).map(|after| (after, *name)));
            if let Some((after, name)) = secret {
                out.push_str(name);
                taken += name.len();
                rest = after;
            } else {
                out.push(first);
                taken += 1;
                rest = &rest[first.len_utf8()..];
            }
        }
        out
    }

    fn parse(text: &str, path: &str) -> Result<Self, Error> {
        let invalid = |what: &str| Error::Config { what: what.to_owned(), source: None };
        let url = Url::parse(text.trim()).map_err(|_| invalid("the webhook is no URL"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return Err(invalid("the webhook is no http or https URL"));
        }
        let token = url.path().rsplit_once(path).map(|(_, token)| token.trim_end_matches('/'));
        let Some(token) = token.filter(|token| !token.is_empty() && !token.contains('/')) else {
            return Err(invalid(match path {
                BOT_PATH if url.path().contains(FLOW_PATH) => {
                    "the webhook triggers a flow and belongs to no bot"
                }
                FLOW_PATH if url.path().contains(BOT_PATH) => {
                    "the webhook belongs to a bot and triggers no flow"
                }
                BOT_PATH => "a bot's webhook ends in /open-apis/bot/v2/hook/TOKEN",
                _ => "a flow's webhook ends in /flow/api/trigger-webhook/TOKEN",
            }));
        };
        let origin = url.origin().ascii_serialization();
        // Not of the whole URL: a slash or a query behind the token does not make another bot.
        let hash = Sha256::digest(format!("{origin}{path}{token}"));
        let fingerprint = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let token = SecretString::from(token);
        Ok(Self { url: SecretString::from(String::from(url)), origin, token, fingerprint })
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/…", self.origin)
    }
}

/// The webhook of a custom bot: `https://open.feishu.cn/open-apis/bot/v2/hook/TOKEN`, or the same at
/// `open.larksuite.com`.
///
/// # Examples
/// ```
/// use feishu::BotWebhook;
///
/// let webhook: BotWebhook = "https://open.feishu.cn/open-apis/bot/v2/hook/EXAMPLE-TOKEN".parse()?;
/// assert_eq!(format!("{webhook:?}"), "BotWebhook(https://open.feishu.cn/…)");
/// # Ok::<(), feishu::Error>(())
/// ```
#[derive(Clone)]
pub struct BotWebhook(pub(crate) SecretUrl);

/// The webhook that triggers a flow: `https://www.feishu.cn/flow/api/trigger-webhook/TOKEN`. Another product than the
/// custom bot: what it is sent is up to the flow.
#[derive(Clone)]
pub struct FlowWebhook(pub(crate) SecretUrl);

impl BotWebhook {
    /// The URL behind it.
    pub fn url(&self) -> &SecretUrl {
        &self.0
    }
}

impl FlowWebhook {
    /// The URL behind it.
    pub fn url(&self) -> &SecretUrl {
        &self.0
    }
}

impl FromStr for BotWebhook {
    type Err = Error;

    /// # Errors
    /// [`Error::Config`] for anything else than the URL of a custom bot; the text is not repeated.
    fn from_str(text: &str) -> Result<Self, Error> {
        SecretUrl::parse(text, BOT_PATH).map(Self)
    }
}

impl FromStr for FlowWebhook {
    type Err = Error;

    /// # Errors
    /// [`Error::Config`] for anything else than the URL of a flow's trigger; the text is not repeated.
    fn from_str(text: &str) -> Result<Self, Error> {
        SecretUrl::parse(text, FLOW_PATH).map(Self)
    }
}

impl fmt::Debug for BotWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BotWebhook").field(&self.0).finish()
    }
}

impl fmt::Debug for FlowWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FlowWebhook").field(&self.0).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_products_are_told_apart() {
        let bot = "https://open.feishu.cn/open-apis/bot/v2/hook/EXAMPLE";
        let flow = "https://www.feishu.cn/flow/api/trigger-webhook/EXAMPLE";
        assert!(bot.parse::<BotWebhook>().is_ok());
        assert!(flow.parse::<FlowWebhook>().is_ok());
        let error = flow.parse::<BotWebhook>().expect_err("a flow");
        assert!(error.to_string().contains("triggers a flow"), "{error}");
        let error = bot.parse::<FlowWebhook>().expect_err("a bot");
        assert!(error.to_string().contains("belongs to a bot"), "{error}");
    }

    #[test]
    fn a_text_that_is_no_webhook_is_not_repeated() {
        for text in [
            "",
            "EXAMPLE",
            "ftp://h/open-apis/bot/v2/hook/EXAMPLE",
            "https://h/EXAMPLE",
            "https://h/open-apis/bot/v2/hook/",
            "https://h/open-apis/bot/v2/hook/EXAMPLE/x",
        ] {
            let error = text.parse::<BotWebhook>().expect_err(text);
            assert!(!format!("{error} {error:?}").contains("EXAMPLE"), "{error:?}");
        }
    }

    #[test]
    fn one_bot_has_one_fingerprint_however_its_webhook_is_written() {
        let bot = |url: &str| url.parse::<BotWebhook>().expect(url).url().fingerprint();
        let one = bot("https://h/open-apis/bot/v2/hook/EXAMPLE");
        for same in [
            " https://h/open-apis/bot/v2/hook/EXAMPLE/",
            "https://H:443/open-apis/bot/v2/hook/EXAMPLE?from=alarm",
            "https://h/open-apis/bot/v2/hook/EXAMPLE/?#x",
            "https://h/proxied/open-apis/bot/v2/hook/EXAMPLE",
        ] {
            assert_eq!(bot(same), one, "{same}");
        }
        for other in [
            "https://h/open-apis/bot/v2/hook/EXAMPLE2",
            "https://h:1/open-apis/bot/v2/hook/EXAMPLE",
            "http://h/open-apis/bot/v2/hook/EXAMPLE",
        ] {
            assert_ne!(bot(other), one, "{other}");
        }
        let flow: FlowWebhook = "https://h/flow/api/trigger-webhook/EXAMPLE".parse().expect("a flow");
        assert_ne!(flow.url().fingerprint(), one);
    }

    #[test]
    fn an_echo_is_redacted() {
        let webhook: BotWebhook = "http://h:1/open-apis/bot/v2/hook/EXAMPLE".parse().expect("a webhook");
        assert_eq!(
            webhook.0.redact_start("no EXAMPLE at http://h:1/open-apis/bot/v2/hook/EXAMPLE", 1000),
            "no [token] at [webhook]"
        );
    }

    #[test]
    fn the_start_of_a_long_echo_ends_behind_a_secret_or_before_it() {
        let webhook: BotWebhook = "http://h:1/open-apis/bot/v2/hook/EXAMPLE".parse().expect("a webhook");
        for before in 0..40 {
            for secret in ["EXAMPLE", "http://h:1/open-apis/bot/v2/hook/EXAMPLE"] {
                let echo = format!("{}{secret} {secret}{secret}", "-".repeat(before));
                let start = webhook.0.redact_start(&echo, 40);
                assert!(start.chars().count() >= 40.min(before + "[token] [token]".len()), "{start}");
                assert!(!start.contains(['E', '/']), "{start}");
            }
        }
    }
}
