//! What a redactor looks for: classes, extra patterns, allowed values, the key.

use std::collections::HashSet;

use regex::bytes::RegexBuilder;

use crate::class::Class;
use crate::classes::{self, classes};
use crate::error::BuildError;
use crate::placeholder::{Key, LONGEST_NAME};
use crate::redactor::Redactor;
use crate::rules::Rules;

/// Builds a [`Redactor`].
#[derive(Debug, Default)]
pub struct RedactorBuilder {
    key: Option<Key>,
    switches: Vec<(bool, String)>,
    extra: Vec<(String, String)>,
    allowed: HashSet<Vec<u8>>,
}

/// A longer extra pattern is refused, in bytes of its text.
pub const LONGEST_PATTERN: usize = 4096;
/// An extra pattern that takes more memory when compiled is refused, in bytes.
pub const BIGGEST_PATTERN: usize = 256 * 1024;
/// More extra patterns are refused.
pub const MOST_PATTERNS: usize = 64;

impl RedactorBuilder {
    /// The key that ties secrets to placeholders. Without one a random key is made.
    #[must_use]
    pub fn key(mut self, key: Key) -> Self {
        self.key = Some(key);
        self
    }

    /// Switches on a class, a group, or `all`.
    #[must_use]
    pub fn enable(mut self, name: &str) -> Self {
        self.switches.push((true, name.to_owned()));
        self
    }

    /// Switches off a class, a group, or `all`.
    #[must_use]
    pub fn disable(mut self, name: &str) -> Self {
        self.switches.push((false, name.to_owned()));
        self
    }

    /// Looks for a regular expression (of the `regex` crate) too; what it matches is replaced by `<name:ID>`.
    ///
    /// It is refused by [`build`](Self::build) above [`LONGEST_PATTERN`] or [`BIGGEST_PATTERN`].
    #[must_use]
    pub fn pattern(mut self, name: &str, pattern: &str) -> Self {
        self.extra.push((name.to_owned(), pattern.to_owned()));
        self
    }

    /// A value that is known to be harmless, and is left alone wherever it stands.
    #[must_use]
    pub fn allow(mut self, value: impl Into<Vec<u8>>) -> Self {
        self.allowed.insert(value.into());
        self
    }

    /// Builds the redactor.
    ///
    /// # Errors
    /// Names that nothing has, patterns that are none or too big, no randomness for a key.
    pub fn build(self) -> Result<Redactor, BuildError> {
        let chosen = choose(&self.switches)?;
        if self.extra.len() > MOST_PATTERNS {
            return Err(BuildError::TooManyPatterns { limit: MOST_PATTERNS });
        }
        let mut extra: Vec<(String, regex::bytes::Regex)> = Vec::with_capacity(self.extra.len());
        for (name, pattern) in self.extra {
            check_name(&name, &extra)?;
            let compiled = compile(&name, &pattern)?;
            extra.push((name, compiled));
        }
        let key = match self.key {
            Some(key) => key,
            None => Key::random()?,
        };
        Ok(Redactor { rules: Rules::compile(&chosen, extra), key, allowed: self.allowed })
    }
}

fn choose(switches: &[(bool, String)]) -> Result<Vec<&'static Class>, BuildError> {
    let mut on: Vec<bool> = classes().map(|class| class.by_default).collect();
    for (switch, name) in switches {
        let mut known = false;
        for (place, class) in classes().enumerate() {
            if name == "all" || class.name == name || class.group.to_string() == *name {
                on[place] = *switch;
                known = true;
            }
        }
        if !known {
            return Err(BuildError::UnknownClass { name: name.clone() });
        }
    }
    Ok(classes().zip(on).filter_map(|(class, on)| on.then_some(class)).collect())
}

fn check_name(name: &str, others: &[(String, regex::bytes::Regex)]) -> Result<(), BuildError> {
    let bad = |why| Err(BuildError::BadName { name: name.to_owned(), why });
    if name.is_empty() || name.len() > LONGEST_NAME {
        return bad("it must have 1 to 48 letters");
    }
    if !name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
        return bad("it must be of lower-case letters, digits and -");
    }
    if classes::by_name(name).is_some() || others.iter().any(|(other, _)| other == name) {
        return bad("there is one already");
    }
    Ok(())
}

fn compile(name: &str, pattern: &str) -> Result<regex::bytes::Regex, BuildError> {
    let too_big = |what, limit| BuildError::PatternTooBig { name: name.to_owned(), what, limit };
    if pattern.len() > LONGEST_PATTERN {
        return Err(too_big("its text", LONGEST_PATTERN));
    }
    let bad = |source: Box<dyn std::error::Error + Send + Sync>| BuildError::BadPattern {
        name: name.to_owned(),
        source,
    };
    let compiled = RegexBuilder::new(pattern)
        .size_limit(BIGGEST_PATTERN)
        .dfa_size_limit(2 * BIGGEST_PATTERN)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => too_big("compiled, it", BIGGEST_PATTERN),
            other => bad(Box::new(other)),
        })?;
    if compiled.is_match(b"") {
        return Err(bad("it matches the empty text, so it would match everywhere".into()));
    }
    Ok(compiled)
}
