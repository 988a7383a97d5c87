//! What only looks drawn: letters of both cases and digits that nobody writes, 32 or more of them.
//!
//! Comes in: a run of letters, digits and signs. Goes out: which parts of it are a secret. Base64 has slashes as paths
//! have; what is between them tells which it is.

use std::ops::Range;

use crate::drawn;
use crate::public;
use crate::scan::{Candidate, Scan};
use crate::verify::pem;

/// Fewer letters may be a name.
const SHORTEST: usize = 32;
/// A longer run is data: a picture, a compressed file.
const LONGEST: usize = 1024;
/// Most have letters of one case.
const FEWEST_CAPITALS: usize = 3;

impl Scan<'_> {
    /// Looks at a run.
    pub(crate) fn random(&mut self, start: usize, end: usize) {
        let Some(class) = self.rules.random else { return };
        let run = &self.text[start..end];
        let capitals = run.iter().filter(|byte| byte.is_ascii_uppercase()).count();
        if run.len() < SHORTEST || capitals < FEWEST_CAPITALS {
            return;
        }
        for part in drawn_parts(&self.text[..start], run) {
            let (from, to) = (start + part.start, start + part.end);
            if is_token(&self.text[from..to])
                && !public::is_known(self.text, from, to)
                && !public::is_named(self.text, start)
            {
                self.find(class, (from, to));
            }
        }
    }

    /// What only looks drawn and is not public, without what else was found in it.
    pub(crate) fn apart(&self, mut weak: Vec<Candidate>) -> Vec<Candidate> {
        if weak.is_empty() {
            return weak;
        }
        let public = pem::public_bodies(self.text);
        weak.retain(|candidate| {
            let before = public.partition_point(|body| body.start <= candidate.start);
            before == 0 || candidate.start >= public[before - 1].end
        });
        let mut known: Vec<(usize, usize)> =
            self.found.iter().map(|found| (found.start, found.end)).collect();
        known.sort_unstable();
        let rests = |candidate: Candidate| self.rests(&known, &candidate).unwrap_or_else(|| vec![candidate]);
        weak.into_iter().flat_map(rests).collect()
    }

    /// The parts of a candidate that look drawn too, if something else was found in it and the others are words.
    fn rests(&self, known: &[(usize, usize)], candidate: &Candidate) -> Option<Vec<Candidate>> {
        let from = known.partition_point(|found| found.0 < candidate.start);
        let to = known.partition_point(|found| found.0 < candidate.end);
        let mut inside = known[from..to].iter().filter(|found| found.1 <= candidate.end).peekable();
        inside.peek().filter(|_| self.is_spelled_plainly(candidate))?;
        let mut begin = candidate.start;
        let mut rests = Vec::new();
        for (start, end) in inside.copied().chain([(candidate.end, candidate.end)]) {
            let rest = trimmed(self.text, begin, start);
            let letters = &self.text[rest.clone()];
            if is_token(letters) {
                let class = candidate.class;
                rests.push(Candidate { start: rest.start, end: rest.end, class, decoded: None });
            } else if drawn::is_hardly_a_name(letters) {
                return None;
            }
            begin = begin.max(end);
        }
        Some(rests)
    }

    fn is_spelled_plainly(&self, candidate: &Candidate) -> bool {
        let spelled = &self.text[candidate.start..candidate.end];
        candidate.decoded.as_ref().is_none_or(|plain| plain == spelled)
    }
}

/// What a part between slashes is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A name, a number, nothing.
    Word,
    /// Too short to tell: it belongs to what looks drawn on both sides of it.
    Scrap,
    Drawn,
}

/// The parts of a run that may be one secret each: all of it, or what is between the words of a path.
fn drawn_parts(before: &[u8], run: &[u8]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    if !run.contains(&b'/') || !is_path(before, run) {
        found.push(0..run.len());
        return found;
    }
    let (mut at, mut is_joined) = (0, false);
    for part in run.split(|byte| *byte == b'/') {
        let end = at + part.len();
        match kind_in_a_path(part) {
            Kind::Word => is_joined = false,
            Kind::Scrap => {}
            Kind::Drawn => {
                match found.last_mut().filter(|_| is_joined) {
                    Some(open) => open.end = end,
                    None => found.push(at..end),
                }
                is_joined = true;
            }
        }
        at = end + 1;
    }
    found
}

/// Whether a run is the path of a file or of an address.
fn is_path(before: &[u8], run: &[u8]) -> bool {
    const LONGEST_DOMAIN: usize = 6;
    let first = run.split(|byte| *byte == b'/').next().unwrap_or_default();
    let is_domain =
        before.ends_with(b".") && first.len() <= LONGEST_DOMAIN && first.iter().all(u8::is_ascii_lowercase);
    let is_port = before.ends_with(b":") && first.iter().all(u8::is_ascii_digit);
    first.is_empty() || is_domain || is_port || run.split(|byte| *byte == b'/').any(is_word)
}

/// Whether a part is made of words and numbers, as few drawn ones are: `documents`, `my-bucket`, `v1`, a UUID.
fn is_word(part: &[u8]) -> bool {
    const SHORTEST_WORD: usize = 4;
    const SHORTEST_OF_ONE_CASE: usize = 12;
    let any = |is: fn(&u8) -> bool| part.iter().any(is);
    let is_of_one_case = !any(u8::is_ascii_uppercase) || !any(u8::is_ascii_lowercase);
    part.len() >= SHORTEST_OF_ONE_CASE && is_of_one_case || part.len() >= SHORTEST_WORD && is_named(part)
}

fn is_named(part: &[u8]) -> bool {
    part.split(|byte| !byte.is_ascii_alphanumeric()).all(drawn::is_plain)
}

fn kind_in_a_path(part: &[u8]) -> Kind {
    const LONGEST_SCRAP: usize = 11;
    const LONGEST_PLAIN_SCRAP: usize = 2;
    match part.len() {
        0 => Kind::Word,
        _ if drawn::is_hardly_a_name(part) || is_random(part) => Kind::Drawn,
        length if length <= LONGEST_PLAIN_SCRAP || length <= LONGEST_SCRAP && !is_named(part) => Kind::Scrap,
        _ => Kind::Word,
    }
}

/// `start..end` of a text without slashes at its ends.
fn trimmed(text: &[u8], start: usize, end: usize) -> Range<usize> {
    let Some(part) = text.get(start..end) else { return start..start };
    let before = part.iter().take_while(|byte| **byte == b'/').count();
    let after = part[before..].iter().rev().take_while(|byte| **byte == b'/').count();
    start + before..end - after
}

/// Whether this looks drawn and has the length of a token.
fn is_token(part: &[u8]) -> bool {
    (SHORTEST..=LONGEST).contains(&part.len()) && is_random(part)
}
/// Whether letters of both cases and digits follow each other as they do when they are drawn: in names of
/// programs and
/// in paths most follow one of their own kind, and hashes have one case.
fn is_random(letters: &[u8]) -> bool {
    let kind = |byte: &u8| match byte {
        b'0'..=b'9' => 0,
        b'a'..=b'z' => 1,
        b'A'..=b'Z' => 2,
        _ => 3,
    };
    if letters.iter().filter(|byte| byte.is_ascii_uppercase()).count() < FEWEST_CAPITALS {
        return false;
    }
    // Four counts in one number: a run is far shorter than 65,536.
    let (mut sum, mut changes) = (0_u64, 0);
    let mut last = letters.first().map_or(0, kind);
    for kind in letters.iter().map(kind) {
        sum += 1 << (16 * kind);
        changes += usize::from(kind != last);
        last = kind;
    }
    let counts = [0, 16, 32, 48].map(|shift| (sum >> shift) as usize & 0xffff);
    counts[..3].iter().all(|count| *count >= 3)
        && counts[3] * 8 <= letters.len()
        && (changes * 9 >= letters.len() * 4
            || changes * 14 >= letters.len() * 5 && counts[0] * 10 >= letters.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawn_letters_are_told_from_names_hashes_and_paths() {
        assert!(is_random(b"k3Jq9XvB2mZt7RwY5cLp8NdHs4GfQa6E"));
        for text in [
            "org-apache-hadoop-hdfs-server-datanode-DataNode2",
            "0123456789abcdef0123456789abcdef01234567",
            "0123456789ABCDEF0123456789ABCDEF01234567",
            "blk_1608999687919862906_1234567890_ABC",
            "AbstractSingletonProxyFactoryBean2Impl3Test4",
            "usr/lib/x86_64-linux-gnu/libX11_so_6_4_0",
            "550e8400-e29b-41d4-a716-446655440000-A1B",
        ] {
            assert!(!is_random(text.as_bytes()), "{text}");
        }
    }
}
