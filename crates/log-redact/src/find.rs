//! What was found, for whoever asks where.

use std::ops::Range;

use crate::class::{Code, Group};
use crate::placeholder::{Id, Key};
use crate::rules::Rules;
use crate::scan::Candidate;

/// Something that was found. Does not contain the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Find<'r> {
    /// The bytes of the text, or of the whole stream, that are replaced.
    pub range: Range<usize>,
    /// The line that they begin in; the first is 1.
    pub line: u64,
    /// The byte of that line that they begin at; the first is 1.
    pub column: u64,
    /// The name of the class.
    pub class: &'r str,
    /// What the class is about.
    pub group: Group,
    /// Names the secret: the same secret of the same class has the same id under the same key.
    pub id: Id,
    /// A number of JSON becomes a string: so many backslashes stand before each of its quotes.
    pub(crate) quoted: Option<usize>,
}

/// Counts lines along a text.
#[derive(Debug)]
pub(crate) struct Ruler {
    /// How many bytes it has come.
    pub(crate) at: usize,
    line: u64,
    line_start: usize,
}

impl Ruler {
    pub(crate) fn new() -> Self {
        Self { at: 0, line: 1, line_start: 0 }
    }

    /// Comes along `text`, and says of each find in it (in order, by its place in `text`) where in the whole
    /// it is.
    pub(crate) fn measure(&mut self, text: &[u8], finds: &mut [Find<'_>]) {
        let (begin, mut from) = (self.at, 0);
        for find in finds {
            self.advance(&text[from..find.range.start]);
            from = find.range.start;
            (find.line, find.column) = (self.line, (self.at - self.line_start) as u64 + 1);
            find.range = begin + find.range.start..begin + find.range.end;
        }
        self.advance(&text[from..]);
    }

    fn advance(&mut self, text: &[u8]) {
        if let Some(last) = memchr::memrchr(b'\n', text) {
            self.line += memchr::memchr_iter(b'\n', text).count() as u64;
            self.line_start = self.at + last + 1;
        }
        self.at += text.len();
    }
}

/// Makes of overlapping candidates one find each: the widest range, and the class that says most.
pub(crate) fn resolve<'r>(
    rules: &'r Rules,
    key: &Key,
    text: &[u8],
    mut candidates: Vec<Candidate>,
) -> Vec<Find<'r>> {
    // Of two spellings of one secret the most decoded one counts, which is the shortest.
    let spelling = |candidate: &Candidate| candidate.decoded.as_ref().map_or(usize::MAX, Vec::len);
    candidates.sort_by_key(|candidate| {
        (candidate.start, std::cmp::Reverse(candidate.end), candidate.class, spelling(candidate))
    });
    drop_mail_of_urls(rules, &mut candidates);
    let mut finds: Vec<Find<'r>> = Vec::with_capacity(candidates.len());
    let mut best: Option<Candidate> = None;
    for candidate in candidates {
        match &mut best {
            Some(open) if candidate.start < open.end => {
                if candidate.end > open.end {
                    // Neither contains the other: both together, under the class that comes first in the table.
                    open.class = open.class.min(candidate.class);
                    open.end = candidate.end;
                    open.decoded = None;
                }
            }
            _ => finds.extend(best.replace(candidate).map(|done| done.into_find(rules, key, text))),
        }
    }
    finds.extend(best.map(|done| done.into_find(rules, key, text)));
    finds
}

/// The end of a password and the host after it look like an e-mail address in `app:password@db.example.com`.
fn drop_mail_of_urls(rules: &Rules, candidates: &mut Vec<Candidate>) {
    let of_urls = [Code::UrlPassword, Code::DsnPassword].map(|code| rules.code(code));
    let Some(mail) = rules.code(Code::Email) else { return };
    let passwords = candidates.iter().filter(|candidate| of_urls.contains(&Some(candidate.class)));
    let mut ends: Vec<usize> = passwords.map(|password| password.end).collect();
    ends.sort_unstable();
    candidates.retain(|candidate| {
        let end = ends.partition_point(|end| *end <= candidate.start);
        candidate.class != mail || ends.get(end).is_none_or(|end| *end >= candidate.end)
    });
}

impl Candidate {
    fn into_find<'r>(self, rules: &'r Rules, key: &Key, text: &[u8]) -> Find<'r> {
        let class = &rules.classes[usize::from(self.class)];
        let secret = self.decoded.as_deref().unwrap_or(&text[self.start..self.end]);
        Find {
            range: self.start..self.end,
            line: 0,
            column: 0,
            class: &class.name,
            group: class.group,
            id: key.id(&class.name, secret),
            quoted: quotes_of_a_number(text, self.start, self.end),
        }
    }
}

/// The backslashes before the quotes of the key, if what stands at `start..end` is the number that it has in JSON.
fn quotes_of_a_number(text: &[u8], start: usize, end: usize) -> Option<usize> {
    const MOST_BACKSLASHES: usize = 16;
    let is_number = text[start..end].iter().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-'));
    let ends = matches!(text[end..].trim_ascii_start().first(), Some(b',' | b'}' | b']'));
    let key = text[..start].trim_ascii_end().strip_suffix(b":")?.trim_ascii_end().strip_suffix(b"\"")?;
    let backslashes = key.iter().rev().take(MOST_BACKSLASHES).take_while(|byte| **byte == b'\\').count();
    (is_number && ends).then_some(backslashes)
}
