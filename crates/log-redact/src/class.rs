//! Classes of secrets and personal data: what is found, and whose document says what it looks like.

use std::fmt;

use crate::shape::Shape;
use crate::wrap::Length;

/// What a class is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Group {
    /// Keys of cloud providers.
    Cloud,
    /// Tokens of code forges and of tools around code.
    Forge,
    /// Tokens of package and image registries.
    Registry,
    /// Chat: bots and webhooks.
    Chat,
    /// Sending of mail and short messages.
    Messaging,
    /// Payment providers and shops.
    Payment,
    /// Providers of language models.
    Model,
    /// Hosting, edge and network providers.
    Hosting,
    /// Monitoring, logging, error tracking.
    Observability,
    /// Stores of secrets and configuration.
    SecretStore,
    /// What no single issuer owns: passwords, keys, cookies, tokens in their usual surroundings.
    Generic,
    /// Personal data.
    Personal,
    /// Addresses of machines.
    Network,
    /// Patterns of your own configuration.
    Extra,
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cloud => "cloud",
            Self::Forge => "forge",
            Self::Registry => "registry",
            Self::Chat => "chat",
            Self::Messaging => "messaging",
            Self::Payment => "payment",
            Self::Model => "model",
            Self::Hosting => "hosting",
            Self::Observability => "observability",
            Self::SecretStore => "secret-store",
            Self::Generic => "generic",
            Self::Personal => "personal",
            Self::Network => "network",
            Self::Extra => "extra",
        })
    }
}

/// A class of secrets or personal data.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Class {
    /// The name in placeholders and reports: lower-case letters, digits and `-`.
    pub name: &'static str,
    /// What it is about.
    pub group: Group,
    /// What it is, in a few words.
    pub title: &'static str,
    /// The document that says what it looks like: the issuer's own wherever there is one.
    pub source: &'static str,
    /// Whether it is looked for unless it is switched off.
    pub by_default: bool,
    pub(crate) rule: Rule,
    /// How long a whole value is, to tell whether a line break cut it.
    pub(crate) length: Length,
    pub(crate) values: Values,
}

impl Class {
    pub(crate) const fn new(
        name: &'static str,
        group: Group,
        title: &'static str,
        source: &'static str,
        rule: Rule,
    ) -> Self {
        Self {
            name,
            group,
            title,
            source,
            by_default: true,
            rule,
            length: Length::Any,
            values: Values::Tokens,
        }
    }

    pub(crate) const fn length(mut self, length: Length) -> Self {
        self.length = length;
        self
    }

    pub(crate) const fn values(mut self, values: Values) -> Self {
        self.values = values;
        self
    }

    /// Whether nothing but its end says where a value ends: the value of a key, and what stands in a header.
    pub(crate) fn is_open(&self) -> bool {
        match self.rule {
            Rule::Keys(_) => true,
            Rule::Code(code) => {
                matches!(code, Code::Bearer | Code::BasicAuth | Code::Authorization | Code::Cookie)
            }
            Rule::Shapes(_) | Rule::ShapesAndKeys(..) => false,
        }
    }

    pub(crate) const fn on_request(mut self) -> Self {
        self.by_default = false;
        self
    }
}

/// What the value of a key may be that names something of a class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    /// No short numbers and no words of a sentence.
    Tokens,
    /// The same, and nothing that says how long or how much one takes.
    CountedTokens,
    /// The same as tokens, but no names of objects of Kubernetes.
    Secrets,
    /// The same as tokens, but no small hexadecimal numbers.
    SessionIds,
    /// Whatever people choose.
    Passwords,
}

/// How a class is found.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rule {
    /// By the shape of the token itself.
    Shapes(&'static [Shape]),
    /// By the name of the key that it is the value of.
    Keys(&'static [KeyName]),
    /// By both.
    ShapesAndKeys(&'static [Shape], &'static [KeyName]),
    /// By code of its own.
    Code(Code),
}

/// The name of a key, lower case and without separators: `dbpassword` stands for `DB_PASSWORD`,
/// `db.password` and `dbPassword`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyName {
    /// The key's name ends with this.
    pub(crate) suffix: &'static str,
    /// And contains this; nothing in most cases.
    pub(crate) with: &'static str,
}

/// Classes whose rule is no shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Code {
    PrivateKey,
    Jwt,
    KubernetesToken,
    UrlPassword,
    SentryDsn,
    DsnPassword,
    BasicAuth,
    Bearer,
    Authorization,
    Cookie,
    RandomToken,
    Email,
    ChineseIdentity,
    ChineseMobile,
    Phone,
    SocialSecurity,
    Card,
    Iban,
    Ip,
    IpPrivate,
    Mac,
    Host,
}
