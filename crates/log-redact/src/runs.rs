//! Long runs of letters and digits, and numbers: what may be in them.

use crate::alphabet::Alphabet;
use crate::scan::Scan;
use crate::shape;
use crate::verify::number;

/// The shortest thing that is looked for in a run: an address in base64.
pub(crate) const SHORTEST_RUN: usize = 12;
/// A longer run is cut.
const LONGEST_RUN: usize = 48 * 1024;
/// Lines of base64 of at least this length may go on in the next.
const FULL_LINE: usize = 48;
/// Fewer letters may be a name.
const SHORTEST_RANDOM: usize = 32;
/// A longer run is data: a picture, a compressed file.
const LONGEST_RANDOM: usize = 1024;
/// A path has so many parts at most that are tried as a beginning.
const MOST_PARTS: usize = 12;

/// The groups of digits that numbers of cards, telephones and identities are written in.
pub(crate) const SHORTEST_GROUP: usize = 4;

impl Scan<'_> {
    /// A run of letters and digits, and its length if it is known. What is left of one that is too long counts as
    /// a run if it begins before `limit`.
    pub(crate) fn long_run(&mut self, start: usize, length: Option<usize>, limit: usize) {
        if let Some(length) = length {
            return self.piece(start, start + length);
        }
        let mut begin = start;
        while begin < limit {
            let end = Alphabet::ANY64.end_of_run(self.text, begin, LONGEST_RUN);
            if end - begin < SHORTEST_RUN {
                break;
            }
            self.piece(begin, end);
            begin = end;
        }
    }

    fn piece(&mut self, start: usize, end: usize) {
        let start = start + after_colour(self.text, start, end);
        let run = &self.text[start..end];
        let padding = self.text[end..].iter().take(2).take_while(|byte| **byte == b'=').count();
        if run.len() >= FULL_LINE {
            self.goes_on_at(end + padding);
        }
        let parts = run.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(place, _)| place + 1);
        let mut is_base64 = false;
        let is_public = is_public(self.text, start, end);
        if !is_public {
            self.random(start, end);
        }
        for part in std::iter::once(0).chain(parts).take(MOST_PARTS) {
            let begin = start + part;
            if end - begin < SHORTEST_RUN {
                break;
            }
            let rules = self.rules;
            for (class, shape, literal) in rules.shapes_of_run(&self.text[begin..end]) {
                if let Some(token) = shape.matches(self.text, begin, begin + literal).token {
                    self.find(class, token);
                }
            }
            number::iban(self, begin);
            let part = &self.text[begin..end];
            let part = &part[..part.iter().position(|byte| *byte == b'/').unwrap_or(part.len())];
            if part.len() < run.len() && !is_public {
                self.random(begin, begin + part.len());
            }
            if !is_base64 {
                is_base64 = self.base64(begin, end + padding, is_public);
            }
        }
    }

    fn random(&mut self, start: usize, end: usize) {
        if (SHORTEST_RANDOM..=LONGEST_RANDOM).contains(&(end - start))
            && let Some(class) = self.rules.random
            && is_random(&self.text[start..end])
            && !is_a_digest(&self.text[..end], start)
        {
            self.find(class, (start, end));
        }
    }

    /// A group of digits, and its length if it is known.
    pub(crate) fn digits(&mut self, start: usize, length: Option<usize>) {
        let end = match length {
            Some(length) => start + length,
            None => Alphabet::DIGITS.end_of_run(self.text, start, LONGEST_RUN),
        };
        number::look(self, start, end);
    }
}

/// Whether what begins at `start` is named a hash: the fingerprint of a public key of SSH (`SHA256:...`), or what a page or
/// a package must be (`sha512-...`).
fn is_a_digest(text: &[u8], start: usize) -> bool {
    let fingerprint = text[..start].ends_with(b"SHA256:");
    // And what Go's go.sum has of a module.
    fingerprint
        || text[..start].ends_with(b"h1:")
        || [&b"sha256-"[..], b"sha384-", b"sha512-"].iter().any(|name| text[start..].starts_with(name))
}

/// Whether a run that only looks drawn is known to be public: keys of SSH, certificates, names of functions as compilers
/// write them, ids of requests.
fn is_public(text: &[u8], start: usize, end: usize) -> bool {
    const BEGINS: [&[u8]; 12] = [
        b"AAAAB3NzaC1",
        b"AAAAC3NzaC1",
        b"AAAAE2VjZHNh",
        b"AAAAGnNrLXNz",
        b"AAAAInNrLWVj",
        b"_ZN",
        b"_ZSt",
        b"_R",
        b"chatcmpl-",
        b"cmpl-",
        b"resp_",
        CERTIFICATE,
    ];
    const HEADER: &[u8] = b"amz-id-2";
    let head = &text[start.saturating_sub(HEADER.len() + 4)..start];
    BEGINS.iter().any(|begin| text[start..end].starts_with(begin))
        || head.windows(HEADER.len()).any(|window| window.eq_ignore_ascii_case(HEADER))
}

/// `-----BEGIN CERT` in base64.
const CERTIFICATE: &[u8] = b"LS0tLS1CRUdJTiBDRVJU";

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
    // Most have letters of one case.
    if letters.iter().filter(|byte| byte.is_ascii_uppercase()).count() < 3 {
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

/// The length of the end of a terminal's colour code that a run begins with: `31m` of `ESC [ 1 ; 31 m`.
fn after_colour(text: &[u8], start: usize, end: usize) -> usize {
    const LONGEST: usize = 4;
    let head = &text[start..end.min(start + LONGEST)];
    let length = head.iter().position(|byte| *byte == b'm').map_or(0, |place| place + 1);
    if length > 0 && shape::ends_colour(text, start + length - 1) { length } else { 0 }
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
