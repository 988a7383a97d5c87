//! Who is called by name.

use std::str::FromStr;

use crate::Error;

/// Somebody to notify. The only way to mention: a mention in a text from outside stays text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mention {
    /// Everybody in the group. The group's settings must permit it.
    All,
    /// One person.
    User(OpenId),
}

impl Mention {
    /// As Feishu writes it.
    pub(crate) fn id(&self) -> &str {
        match self {
            Self::All => "all",
            Self::User(id) => id.as_str(),
        }
    }
}

/// A person's `open_id`, `ou_` and letters, digits, `_` or `-`. Custom bots know no other kind of id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenId(String);

impl OpenId {
    /// The id as sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OpenId {
    type Err = Error;

    /// # Errors
    /// [`Error::Config`] for anything that is no `open_id`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let is_valid = text.len() <= 64
            && text.strip_prefix("ou_").is_some_and(|rest| {
                !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
            });
        if is_valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(Error::Config { what: "an open_id is `ou_` and letters and digits".to_owned(), source: None })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_id_cannot_carry_markup() {
        assert_eq!("ou_4d7a".parse::<OpenId>().expect("an id").as_str(), "ou_4d7a");
        for text in ["", "all", "ou_", "ou_a b", "ou_a\"></at>", "on_4d7a"] {
            assert!(text.parse::<OpenId>().is_err(), "{text}");
        }
    }
}
