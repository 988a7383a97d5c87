//! Taking a nanosecond apart that holds more entries than the largest page.
//!
//! A full page of the nanosecond is a sample: it shows in what its entries differ. LogQL stages are made of it that each
//! find some of them, never the same, and together all, also those that are not in the sample: what stands at one position
//! of the line (or of a label or a structured metadata value) lies in one of several ranges of characters, or there is
//! nothing at that position.

use std::collections::{BTreeMap, BTreeSet};

use crate::Entry;
use crate::logql::{is_name, quote};

/// Into about so many ranges.
const WAYS: usize = 4;
/// Positions that are looked at for the best one. Where all values agree that far, the first difference is taken.
const POSITIONS: usize = 256;
/// The largest repetition that Go's regular expressions take.
const REPEAT: usize = 1000;

/// Stages that, appended to the query, each find a part of what it finds, and all of it together. `None` when the sample
/// shows no difference that a query could see.
pub(crate) fn stages(sample: &[Entry]) -> Option<Vec<String>> {
    let line = Subject::Line;
    let names: BTreeSet<_> = sample.iter().flat_map(names).filter(|name| is_name(name)).collect();
    let subjects = std::iter::once(line).chain(names.into_iter().map(Subject::Label));
    let cuts = subjects.filter_map(|subject| {
        let values: Vec<_> = sample.iter().map(|entry| subject.value(entry)).collect();
        cut(&values).map(|cut| (subject, cut))
    });
    let (subject, cut) = cuts.min_by_key(|(_, cut)| cut.largest)?;
    let ranges = cut.ranges.iter().map(|range| subject.in_range(cut.position, *range));
    Some(ranges.chain([subject.shorter_than(cut.position + 1)]).collect())
}

fn names(entry: &Entry) -> impl Iterator<Item = &str> {
    let all = entry.labels.iter().chain(entry.metadata.iter()).chain(entry.parsed.iter());
    // Loki's own, such as `__error__`, come and go with the query.
    all.map(|(name, _)| name).filter(|name| !name.starts_with("__"))
}

/// What of an entry is looked at.
#[derive(Debug, Clone, Copy)]
enum Subject<'a> {
    Line,
    Label(&'a str),
}

impl<'a> Subject<'a> {
    /// A label that an entry has not got is empty to Loki.
    fn value(self, entry: &'a Entry) -> &'a str {
        match self {
            Self::Line => &entry.line,
            Self::Label(name) => [&entry.labels, &entry.metadata, &entry.parsed]
                .into_iter()
                .find_map(|labels| labels.get(name))
                .unwrap_or_default(),
        }
    }

    /// Finds what has a character of the range at the position.
    fn in_range(self, position: usize, (low, high): (char, char)) -> String {
        let class = format!("[\\x{{{:x}}}-\\x{{{:x}}}]", u32::from(low), u32::from(high));
        let pattern = format!("{}{class}", anything(position));
        match self {
            Self::Line => format!("|~ {}", quote(&format!("^(?s:{pattern})"))),
            Self::Label(name) => format!("| {name} =~ {}", quote(&format!("(?s:{pattern}.*)"))),
        }
    }

    /// Finds what has fewer characters.
    fn shorter_than(self, length: usize) -> String {
        let pattern = anything(length);
        match self {
            Self::Line => format!("!~ {}", quote(&format!("^(?s:{pattern})"))),
            Self::Label(name) => format!("| {name} !~ {}", quote(&format!("(?s:{pattern}.*)"))),
        }
    }
}

/// A pattern for so many characters.
fn anything(length: usize) -> String {
    let mut pattern = ".{1000}".repeat(length / REPEAT);
    match length % REPEAT {
        0 => {}
        rest => pattern.push_str(&format!(".{{{rest}}}")),
    }
    pattern
}

/// A way to take values apart.
struct Cut {
    position: usize,
    /// All characters, in ranges.
    ranges: Vec<(char, char)>,
    /// Of the parts that the values fall into, the size of the largest.
    largest: usize,
}

/// The best cut of the values, if they differ.
fn cut(values: &[&str]) -> Option<Cut> {
    let mut counts: Vec<BTreeMap<char, usize>> = Vec::new();
    for value in values {
        for (position, c) in value.chars().take(POSITIONS).enumerate() {
            if counts.len() == position {
                counts.push(BTreeMap::new());
            }
            *counts[position].entry(c).or_default() += 1;
        }
    }
    let near = counts.iter().enumerate().filter_map(|(position, counts)| at(position, counts, values.len()));
    near.min_by_key(|cut| cut.largest).or_else(|| far(values))
}

/// A cut at the first difference, however far it is.
fn far(values: &[&str]) -> Option<Cut> {
    let (first, rest) = values.split_first()?;
    let common =
        |value: &&str| first.chars().zip(value.chars()).take_while(|(one, other)| one == other).count();
    let position = rest.iter().map(common).min()?;
    let mut counts = BTreeMap::new();
    for c in values.iter().filter_map(|value| value.chars().nth(position)) {
        *counts.entry(c).or_default() += 1;
    }
    at(position, &counts, values.len())
}

/// The cut at one position, where so many of `total` values have each character.
fn at(position: usize, counts: &BTreeMap<char, usize>, total: usize) -> Option<Cut> {
    let there: usize = counts.values().sum();
    let enough = there.div_ceil(WAYS);
    let mut largest = total - there;
    let mut ranges = Vec::new();
    let (mut low, mut inside) = ('\0', 0);
    for (&c, &count) in counts {
        if inside > 0 && inside + count > enough {
            ranges.push((low, before(c)));
            largest = largest.max(inside);
            (low, inside) = (c, 0);
        }
        inside += count;
    }
    ranges.push((low, char::MAX));
    largest = largest.max(inside);
    (largest < total).then_some(Cut { position, ranges, largest })
}

/// The character before one that is not the first.
fn before(c: char) -> char {
    // Between U+D7FF and U+E000 there are no characters.
    char::from_u32(u32::from(c).saturating_sub(1)).unwrap_or('\u{d7ff}')
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Labels, Nanos};

    fn entry(line: &str, metadata: &[(&str, &str)]) -> Entry {
        Entry {
            timestamp: Nanos::new(1),
            line: line.into(),
            labels: Arc::new(Labels::from_iter([("app", "web")])),
            metadata: metadata.iter().copied().collect(),
            parsed: Labels::default(),
        }
    }

    #[test]
    fn lines_are_taken_apart_where_they_differ_most() {
        let sample: Vec<_> = (0..100).map(|n| entry(&format!("line {n:03}"), &[])).collect();
        let stages = stages(&sample).unwrap();
        assert_eq!(stages.last().unwrap(), r#"!~ "^(?s:.{7})""#);
        assert_eq!(stages[0], r#"|~ "^(?s:.{6}[\\x{0}-\\x{31}])""#);
        assert!(stages.len() >= 4, "{stages:?}");
    }

    #[test]
    fn equal_lines_are_taken_apart_by_what_is_attached() {
        let sample = [entry("same", &[("trace_id", "a")]), entry("same", &[])];
        assert_eq!(
            stages(&sample).unwrap(),
            [r#"| trace_id =~ "(?s:[\\x{0}-\\x{10ffff}].*)""#, r#"| trace_id !~ "(?s:.{1}.*)""#]
        );
    }

    #[test]
    fn a_rare_character_does_not_keep_the_rest_together() {
        let one_of_each = [("b", 4999), ("a", 1)].map(|(line, count)| vec![entry(line, &[]); count]).concat();
        assert_eq!(stages(&one_of_each).unwrap().len(), 3);
    }

    #[test]
    fn what_no_query_can_tell_apart_is_not_taken_apart() {
        assert_eq!(stages(&[entry("same", &[]), entry("same", &[])]), None);
        let odd = [entry("same", &[("odd-name", "a")]), entry("same", &[("odd-name", "b")])];
        assert_eq!(stages(&odd), None);
    }

    #[test]
    fn a_difference_far_into_the_line_is_found() {
        let long = "x".repeat(2345);
        let sample = [entry(&format!("{long}a"), &[]), entry(&format!("{long}b"), &[])];
        let stages = stages(&sample).unwrap();
        assert_eq!(stages[0], r#"|~ "^(?s:.{1000}.{1000}.{345}[\\x{0}-\\x{61}])""#);
    }
}
