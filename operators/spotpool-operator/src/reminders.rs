//! What was told of late. Comes in: a sentence about an object, and the time. Goes out: whether it is time to tell it,
//! for the first time or again: an Event is kept for an hour as a rule, and what it says may be true for longer.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::ports::{Event, Regarding};

/// What is still so is told again after this time: twice in the life of an Event.
pub(crate) const AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(30);
/// So many are remembered at most; forgetting means at worst telling something twice.
const REMEMBERED: usize = 10_000;

/// When each sentence was told last.
#[derive(Default)]
pub(crate) struct Reminders {
    told: BTreeMap<(Regarding, String), Timestamp>,
}

impl Reminders {
    /// Whether this is to be told now; if so, it counts as told.
    pub(crate) fn is_due(&mut self, event: &Event, now: Timestamp) -> bool {
        // A wall clock may be set back, and what was told in its future would never be told again.
        let of_late = |at: &Timestamp| now.duration_since(*at).abs() < AGAIN_AFTER;
        let key = (event.regarding.clone(), event.note.clone());
        if self.told.get(&key).is_some_and(of_late) {
            return false;
        }
        self.told.retain(|_, at| of_late(at));
        if self.told.len() >= REMEMBERED {
            self.told.clear();
        }
        self.told.insert(key, now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(name: &str, note: &str) -> Event {
        let regarding = Regarding {
            api_version: "v1".to_owned(),
            kind: "Secret".to_owned(),
            namespace: "models".to_owned(),
            name: name.to_owned(),
            uid: None,
        };
        Event::warning(regarding, "Reason", "Look", note)
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_781_000_000 + minutes * 60).unwrap()
    }

    #[test]
    fn what_is_still_so_is_told_every_half_hour() {
        let mut reminders = Reminders::default();
        let told: Vec<i64> = (0..95).filter(|&now| reminders.is_due(&about("a", "so"), at(now))).collect();
        assert_eq!(told, [0, 30, 60, 90]);
    }

    #[test]
    fn another_object_and_another_sentence_are_told_at_once() {
        let mut reminders = Reminders::default();
        assert!(reminders.is_due(&about("a", "so"), at(0)));
        assert!(reminders.is_due(&about("b", "so"), at(0)));
        assert!(reminders.is_due(&about("a", "otherwise"), at(0)));
        assert!(!reminders.is_due(&about("a", "so"), at(0)));
    }

    #[test]
    fn a_clock_that_is_set_back_silences_nothing() {
        let mut reminders = Reminders::default();
        assert!(reminders.is_due(&about("a", "so"), at(0)));
        assert!(!reminders.is_due(&about("a", "so"), at(-1)));
        assert!(reminders.is_due(&about("a", "so"), at(-600)));
    }

    #[test]
    fn only_what_was_told_of_late_is_remembered() {
        let mut reminders = Reminders::default();
        for name in 0..100 {
            assert!(reminders.is_due(&about(&name.to_string(), "so"), at(0)));
        }
        assert!(reminders.is_due(&about("new", "so"), at(30)));
        assert_eq!(reminders.told.len(), 1);
        for name in 0..=REMEMBERED {
            assert!(reminders.is_due(&about(&name.to_string(), "so"), at(31)));
        }
        assert!(reminders.told.len() <= REMEMBERED);
    }
}
