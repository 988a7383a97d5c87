//! Who is asking: tenant and credentials, which nothing prints.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use secrecy::{ExposeSecret, SecretString};

use crate::{Error, html};

/// Names the tenant.
const TENANT: HeaderName = HeaderName::from_static("x-scope-orgid");
/// Loki refuses longer tenants.
const LONGEST_TENANT: usize = 150;
/// A secret shorter than this is not looked for in texts: it would redact half of every message.
const SHORTEST_SECRET: usize = 4;
const REDACTED: &str = "[redacted]";
/// Of a server's words, in characters.
const LONGEST_MESSAGE: usize = 300;
/// Of a server's text, in characters: nobody writes that many to say what is wrong.
pub(crate) const LONGEST_TEXT: usize = 64 * 1024;

/// How the client proves who it is.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// `Authorization: Basic`, as Grafana Cloud and most gateways take it.
    Basic {
        /// The user, which is not treated as a secret.
        user: String,
        /// The password.
        password: SecretString,
    },
    /// `Authorization: Bearer`, as OpenShift's gateway takes it.
    Bearer(SecretString),
    /// A header of the gateway's own, such as `X-Api-Key`.
    Header {
        /// Its name.
        name: HeaderName,
        /// Its value.
        value: SecretString,
    },
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Basic { user, .. } => write!(f, "Basic {{ user: {user:?}, password: … }}"),
            Self::Bearer(_) => f.write_str("Bearer(…)"),
            Self::Header { name, .. } => write!(f, "Header {{ name: {name}, value: … }}"),
        }
    }
}

/// What every request carries, and what no text may show.
pub(crate) struct Identity {
    pub(crate) headers: HeaderMap,
    secrets: Vec<SecretString>,
}

impl Identity {
    /// # Errors
    /// When a tenant or a credential cannot stand in a header.
    pub(crate) fn new(auth: &Auth, tenants: &[String]) -> Result<Self, Error> {
        let mut headers = HeaderMap::new();
        let mut secrets = Vec::new();
        let mut authorization = |value: String| {
            let header = secret_header(&value)?;
            headers.insert(header::AUTHORIZATION, header);
            Ok::<(), Error>(())
        };
        match auth {
            Auth::None => {}
            Auth::Basic { user, password } => {
                if user.contains(':') {
                    return Err(invalid("a user of basic authentication has no colon"));
                }
                let pair = STANDARD.encode(format!("{user}:{}", password.expose_secret()));
                authorization(format!("Basic {pair}"))?;
                secrets.extend([password.clone(), SecretString::from(pair)]);
            }
            Auth::Bearer(token) => {
                authorization(format!("Bearer {}", token.expose_secret()))?;
                secrets.push(token.clone());
            }
            Auth::Header { name, value } => {
                headers.insert(name.clone(), secret_header(value.expose_secret())?);
                secrets.push(value.clone());
            }
        }
        if let Some(tenants) = tenant_header(tenants)? {
            headers.insert(TENANT, tenants);
        }
        secrets.retain(|secret| secret.expose_secret().len() >= SHORTEST_SECRET);
        Ok(Self { headers, secrets })
    }

    /// A server's text on one line, without our secrets, capped; of a page of HTML what a person would read on it.
    pub(crate) fn words(&self, text: &str) -> String {
        // Redacted before it is cut short, lest half a secret is left at the end.
        let (start, is_cut) = match text.char_indices().nth(LONGEST_TEXT) {
            Some((end, _)) => (&text[..end], true),
            None => (text, false),
        };
        let redact = |text: &str| if is_cut { self.redact_cut(text) } else { self.redact(text) };
        let mut text = redact(start);
        let is_page = html::is_page(&text);
        if is_page {
            // Again: a secret may stand there with `&amp;` for `&`.
            text = redact(&html::text(&text));
        }
        let mut words = String::new();
        for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty())
        {
            if !words.is_empty() {
                words.push(' ');
            }
            words.push_str(word);
            if words.chars().nth(LONGEST_MESSAGE).is_some() {
                return words.chars().take(LONGEST_MESSAGE).chain(['…']).collect();
            }
        }
        match (words.is_empty(), is_page) {
            (false, _) => words,
            (true, false) => "(no words)".to_owned(),
            (true, true) => "(a page without words)".to_owned(),
        }
    }

    /// The text without any secret of this client.
    fn redact(&self, text: &str) -> String {
        self.secrets
            .iter()
            .fold(text.to_owned(), |text, secret| text.replace(secret.expose_secret(), REDACTED))
    }

    /// The same for the start of a longer text, where the cut may have gone through a secret: as much is left out at the
    /// end as half of one could be.
    fn redact_cut(&self, start: &str) -> String {
        let mut text = self.redact(start);
        let halves =
            self.secrets.iter().map(|secret| secret.expose_secret().chars().count().saturating_sub(1));
        let kept = text.chars().count().saturating_sub(halves.max().unwrap_or_default());
        if let Some((end, _)) = text.char_indices().nth(kept) {
            text.truncate(end);
        }
        text
    }
}

fn tenant_header(tenants: &[String]) -> Result<Option<HeaderValue>, Error> {
    for tenant in tenants {
        // https://grafana.com/docs/loki/latest/operations/multi-tenancy/
        let fits = |c: char| c.is_ascii_alphanumeric() || "!-_.*'()".contains(c);
        let dots = matches!(tenant.as_str(), "" | "." | "..");
        if dots || tenant.len() > LONGEST_TENANT || !tenant.chars().all(fits) {
            return Err(invalid(&format!(
                "{:?} is no tenant: 1 to {LONGEST_TENANT} letters, digits and !-_.*'()",
                tenant.chars().take(40).collect::<String>()
            )));
        }
    }
    match tenants {
        [] => Ok(None),
        some => {
            HeaderValue::from_str(&some.join("|")).map(Some).map_err(|_| invalid("the tenants are no header"))
        }
    }
}

/// A header value that no `Debug` prints.
fn secret_header(value: &str) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        invalid("the credentials have characters that cannot stand in a header, such as a line break")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn invalid(what: &str) -> Error {
    Error::Config { what: what.to_owned(), source: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_that_loki_would_refuse_are_refused_first() {
        for wrong in ["", ".", "..", "a b", "a|b", "ä", &"x".repeat(151)] {
            assert!(tenant_header(&[wrong.to_owned()]).is_err(), "{wrong}");
        }
        let two = tenant_header(&["team-a".to_owned(), "team_b".to_owned()]).unwrap();
        assert_eq!(two.unwrap(), "team-a|team_b");
    }

    #[test]
    fn a_credential_that_is_no_header_is_an_error_that_does_not_show_it() {
        let auth = Auth::Bearer("EXAMPLE-token\n".to_owned().into());
        let error = Identity::new(&auth, &[]).err().unwrap();
        assert!(!format!("{error} {error:?}").contains("EXAMPLE"), "{error:?}");
    }
}
