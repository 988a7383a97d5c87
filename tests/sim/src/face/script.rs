//! What comes next: plays that a test or a person wrote ahead.

use serde::{Deserialize, Serialize};

/// One line of a script.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule<T> {
    /// What happens: a fault, an answer; each stand-in has its own.
    pub play: T,
    /// Only to requests of this: a model, a webhook. All when absent.
    #[serde(default)]
    pub on: Option<String>,
    /// This many requests go by first.
    #[serde(default)]
    pub skip: u32,
    /// And then it happens to this many; to all when absent.
    #[serde(default)]
    pub count: Option<u32>,
}

impl<T> Rule<T> {
    /// Happens to every request.
    pub fn always(play: T) -> Self {
        Self { play, on: None, skip: 0, count: None }
    }

    /// Happens to the next request only.
    pub fn once(play: T) -> Self {
        Self { count: Some(1), ..Self::always(play) }
    }

    /// Only to requests of `subject`.
    #[must_use]
    pub fn on(self, subject: impl Into<String>) -> Self {
        Self { on: Some(subject.into()), ..self }
    }
}

/// A rule, and what has become of it.
#[derive(Debug, Clone, Serialize)]
struct Entry<T> {
    id: u64,
    #[serde(flatten)]
    rule: Rule<T>,
    played: u32,
}

/// Rules in the order they were given. The first that has something for a request plays, and the request does not
/// reach those behind it: three rules that play once each make three answers in a row.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct Script<T> {
    entries: Vec<Entry<T>>,
    #[serde(skip)]
    last: u64,
}

impl<T> Default for Script<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), last: 0 }
    }
}

impl<T: Clone> Script<T> {
    /// Adds a rule behind the others; returns its number.
    pub fn add(&mut self, rule: Rule<T>) -> u64 {
        self.last += 1;
        self.entries.push(Entry { id: self.last, rule, played: 0 });
        self.last
    }

    /// Takes a rule away; false when there is none of this number.
    pub fn remove(&mut self, id: u64) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.id != id);
        self.entries.len() < before
    }

    /// Takes all rules away.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// What happens to this request to `subject`, if a rule has something for it.
    pub fn next(&mut self, subject: &str) -> Option<T> {
        for entry in &mut self.entries {
            let Rule { on, skip, count, .. } = &mut entry.rule;
            if on.as_deref().is_some_and(|on| on != subject)
                || count.is_some_and(|count| entry.played >= count)
            {
                continue;
            }
            if *skip > 0 {
                *skip -= 1;
                continue;
            }
            entry.played += 1;
            return Some(entry.rule.play.clone());
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_play_in_order_and_then_are_spent() {
        let mut script = Script::default();
        script.add(Rule::once("first"));
        script.add(Rule::once("second"));
        let played: Vec<_> = (0..3).map(|_| script.next("m")).collect();
        assert_eq!(played, [Some("first"), Some("second"), None]);
    }

    #[test]
    fn a_rule_waits_for_its_subject_and_lets_requests_go_by() {
        let mut script = Script::default();
        script.add(Rule { skip: 1, ..Rule::always("late").on("a") });
        let played: Vec<_> = ["b", "a", "b", "a", "a"].map(|subject| script.next(subject)).into();
        assert_eq!(played, [None, None, None, Some("late"), Some("late")]);
    }

    #[test]
    fn a_removed_rule_plays_no_more() {
        let mut script = Script::default();
        let id = script.add(Rule::always("x"));
        assert!(script.remove(id));
        assert!(!script.remove(id));
        assert_eq!(script.next("m"), None);
    }
}
