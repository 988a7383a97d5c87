//! Puts together what line breaks cut in two, and decides what of it is one secret.

use crate::alphabet::Alphabet;
use crate::class::{Code, Group};
use crate::join::{self, Joined, Reach};
use crate::rules::{Active, ClassId};
use crate::scan::{Candidate, Scan};
use crate::wrap;

/// So many of the last things that were put together are asked whether they reach over the next break too.
const RECENT: usize = 64;

impl Scan<'_> {
    /// What goes on over line breaks.
    pub(crate) fn joined(&mut self) {
        const REACHES: [Reach; 3] = [Reach::Words(1), Reach::Words(2), Reach::Column];
        let mut breaks = std::mem::take(&mut self.breaks);
        breaks.sort_unstable();
        breaks.dedup();
        let known = Known::new(&self.found);
        let mut covered = 0;
        for line_break in breaks {
            // Text wrapped at a column goes on over many breaks, and is looked at once.
            if line_break < covered || !join::may_be_one(self.text, line_break) {
                continue;
            }
            let mut seams = 0;
            for reach in REACHES {
                let joined = Joined::new(self.text, line_break, reach);
                if reach == Reach::Column {
                    covered = joined.last_line;
                }
                if joined.seams.len() > seams {
                    seams = joined.seams.len();
                    self.look_over(&joined, &known);
                }
            }
        }
    }

    fn look_over(&mut self, joined: &Joined, known: &Known) {
        let mut found = self.look_at(&joined.view);
        found.retain(|candidate| {
            let seam = joined.seams.iter().rfind(|seam| candidate.start < **seam && **seam < candidate.end);
            !self.is_weak(candidate)
                && seam.is_some_and(|seam| self.is_continued(joined, known, *seam, candidate))
        });
        self.take(&joined.view, found);
    }

    /// Whether what follows the line break belongs to the secret. What is whole on its line ends there, unless a sign
    /// says that the line goes on, or the rest is of a kind that no line of its own is.
    fn is_continued(&self, joined: &Joined, known: &Known, seam: usize, candidate: &Candidate) -> bool {
        let Some((start, _)) = joined.view.outer(candidate.start..candidate.end) else { return false };
        let Some((next_line, _)) = joined.view.outer(seam..candidate.end) else { return false };
        let recent = &self.found[known.count.max(self.found.len().saturating_sub(RECENT))..];
        let whole_before =
            known.is_inside(start) || recent.iter().any(|other| (other.start..other.end).contains(&start));
        let class_after = known
            .class_at(next_line)
            .or_else(|| recent.iter().find(|other| other.start == next_line).map(|other| other.class));
        // What is whole on a line between the first and the last is no part of more.
        let mut inner = joined.seams.iter().filter(|inner| candidate.start < **inner && **inner < seam);
        let is_whole_at = |line: (usize, usize)| known.class_at(line.0) == Some(candidate.class);
        if !joined.is_continued
            && inner.any(|inner| joined.view.outer(*inner..candidate.end).is_some_and(is_whole_at))
        {
            return false;
        }
        if let Some(class) = class_after
            && !joined.is_continued
            && (whole_before || class == candidate.class && joined.begins_with_a_word(candidate.start, seam))
        {
            return false;
        }
        let class = &self.rules.classes[usize::from(candidate.class)];
        // A form of its own says more than the name of the key that it is the value of.
        let is_named = known.class_at(start).is_some_and(|other| other != candidate.class);
        let whole_before = whole_before && (is_closed(class) || class.is_open || !is_named);
        self.is_more(joined, seam, candidate, whole_before)
    }

    /// The same, once it is known whether there is a secret without what follows.
    fn is_more(&self, joined: &Joined, seam: usize, candidate: &Candidate, whole_before: bool) -> bool {
        let class = &self.rules.classes[usize::from(candidate.class)];
        let range = candidate.start..candidate.end;
        if whole_before && is_closed(class) && class.length.is_made_whole_by(&joined.lines(&range)) {
            return true;
        }
        let rest = std::str::from_utf8(&joined.view.text[seam..candidate.end]).unwrap_or_default();
        if class.group == Group::Network && rest.parse::<std::net::IpAddr>().is_ok() {
            return false;
        }
        if !whole_before && self.is_rest_of_a_number(joined, rest.as_bytes(), candidate) {
            return true;
        }
        // Two versions, one below the other, are an address as often.
        let is_cut_at_a_dot =
            joined.view.text[candidate.start..seam].ends_with(b".") || rest.starts_with('.');
        if self.is_address(candidate) && !joined.is_continued && !is_cut_at_a_dot && rest.contains('.') {
            return false;
        }
        // Base64 that is text on both sides of a break is one text.
        let is_base64 = joined.view.text[range.clone()].iter().all(|byte| Alphabet::TOKEN68.has(*byte));
        if candidate.decoded.is_some() && is_base64 {
            let may_belong = joined.may_belong(candidate.start, seam, candidate.end);
            return if whole_before { joined.is_full_line(&range) } else { may_belong };
        }
        // The check digits of an account or a card say that it is one, wherever it was cut.
        let is_checked =
            [Code::Iban, Code::Card].iter().any(|code| self.code(*code) == Some(candidate.class));
        if !whole_before && is_checked && !joined.is_column() {
            return true;
        }
        if whole_before && is_closed(class) && !joined.is_continued {
            return false;
        }
        if joined.is_continued || !whole_before && !class.is_open {
            return joined.belongs(candidate.start, seam, candidate.end, whole_before);
        }
        joined.may_belong(candidate.start, seam, candidate.end)
            && !joined.goes_on(candidate.end)
            && (joined.is_quoted(&range)
                || class.length.is_completed_by(&joined.lines(&range))
                || joined.is_deeper && wrap::are_scraps(&joined.lines(&range)[1..]))
    }

    fn is_address(&self, candidate: &Candidate) -> bool {
        [Code::Ip, Code::IpPrivate].iter().any(|code| self.code(*code) == Some(candidate.class))
    }

    /// Whether what was put together has groups that few other numbers have, and ends its line.
    fn is_rest_of_a_number(&self, joined: &Joined, rest: &[u8], candidate: &Candidate) -> bool {
        let is = |code| self.code(code) == Some(candidate.class);
        joined.is_rest_of_a_sentence(candidate.end)
            && (is(Code::ChineseMobile)
                || is(Code::SocialSecurity) && !begins_a_date(rest)
                || self.is_address(candidate) && is_rest_of_an_address(joined, candidate))
    }
}

/// Whether one of the groups of digits that are on one line has three of them: versions rarely have such.
fn is_rest_of_an_address(joined: &Joined, candidate: &Candidate) -> bool {
    let lines = joined.lines(&(candidate.start..candidate.end));
    let [before, rest] = lines.as_slice() else { return false };
    let whole = [&before[..before.iter().rposition(|byte| *byte == b'.').unwrap_or(0)], {
        let first = rest.iter().position(|byte| *byte == b'.').unwrap_or(rest.len());
        &rest[first..]
    }];
    whole.iter().any(|groups| groups.split(|byte| *byte == b'.').any(|group| group.len() == 3))
}

/// Whether these two groups of digits that begin a number may be of a date.
fn begins_a_date(number: &[u8]) -> bool {
    let mut groups = number.split(|byte| *byte == b'-').filter(|group| group.len() == 2);
    let (Some(first), Some(second)) = (groups.next(), groups.next()) else { return false };
    first.min(second) <= &b"12"[..] && first.max(second) <= &b"31"[..]
}

/// Whether what is of the class ends by its form.
fn is_closed(class: &Active) -> bool {
    matches!(class.group, Group::Personal | Group::Network | Group::Extra)
}

/// What was found on single lines, to be asked for by place.
struct Known {
    /// Where each begins, in order, and its class.
    begins: Vec<(usize, ClassId)>,
    /// How far each and all before it reach.
    reach: Vec<usize>,
    /// How many there are.
    count: usize,
}

impl Known {
    fn new(found: &[Candidate]) -> Self {
        let mut sorted: Vec<_> = found.iter().map(|other| (other.start, other.end, other.class)).collect();
        sorted.sort_unstable();
        let reach = sorted.iter().scan(0, |reach, (_, end, _)| {
            *reach = *end.max(reach);
            Some(*reach)
        });
        Self {
            reach: reach.collect(),
            begins: sorted.iter().map(|(start, _, class)| (*start, *class)).collect(),
            count: found.len(),
        }
    }

    /// Whether this place is part of something.
    fn is_inside(&self, at: usize) -> bool {
        let before = self.begins.partition_point(|(start, _)| *start <= at);
        before.checked_sub(1).is_some_and(|last| self.reach[last] > at)
    }

    /// The class of what begins here.
    fn class_at(&self, at: usize) -> Option<ClassId> {
        let first = self.begins.partition_point(|(start, _)| *start < at);
        self.begins.get(first).filter(|(start, _)| *start == at).map(|(_, class)| *class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_found_by_its_place() {
        let find = |start, end, class| Candidate { start, end, class, decoded: None };
        let known = Known::new(&[find(20, 25, 3), find(2, 12, 1), find(5, 8, 2)]);
        assert_eq!(
            [1, 2, 9, 11, 12, 20, 25].map(|at| known.is_inside(at)),
            [false, true, true, true, false, true, false]
        );
        assert_eq!([2, 5, 6, 20, 99].map(|at| known.class_at(at)), [Some(1), Some(2), None, Some(3), None]);
    }
}
