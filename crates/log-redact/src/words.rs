//! Watches a text for many words at once, whatever their case.
//!
//! A word is watched for by three of its letters that stand together, those that are rarest in logs: one look into a
//! table of 32 KiB for every second byte of the text, and a comparison where three letters are met. So each word has
//! two such triples, one for each of the two ways that the looks can fall on it. An automaton over all words needs
//! ten times that table, and waits for memory at every byte.

use std::ops::Range;

use crate::marks::{self, WIDTH};
use crate::rules::Target;
use crate::sweep;

/// The place of a word in the list.
type Word = u16;

/// Words to watch for, each once, and what each of them starts.
#[derive(Debug, Default)]
pub(crate) struct Words {
    /// In lower case.
    spelled: Vec<Vec<u8>>,
    targets: Vec<Vec<Target>>,
    rarest: Triples,
    /// Words that may be cut, by the letters that they begin with; and all letters that stand together in them.
    first: Triples,
    inner: Triples,
    longest: usize,
    /// The rarest triple of a word begins so far after the word, at most.
    furthest: usize,
}

impl Words {
    /// The word has at least [`TRIPLE`] letters.
    pub(crate) fn watch(&mut self, word: &str, target: Target) {
        let word = word.to_ascii_lowercase().into_bytes();
        match self.spelled.iter().position(|other| *other == word) {
            Some(at) if self.targets[at].contains(&target) => {}
            Some(at) => self.targets[at].push(target),
            None => {
                self.longest = self.longest.max(word.len());
                self.spelled.push(word);
                self.targets.push(vec![target]);
            }
        }
    }

    pub(crate) fn watch_all(&mut self, words: &[&str], target: Target) {
        words.iter().for_each(|word| self.watch(word, target));
    }

    /// To be called when all words are known.
    pub(crate) fn compile(&mut self) {
        let (mut rarest, mut first, mut inner) = (Vec::new(), Vec::new(), Vec::new());
        for (index, (spelled, targets)) in self.spelled.iter().zip(&self.targets).enumerate() {
            let entry = |offset: usize| Entry::new(spelled, index as Word, offset);
            for offset in (0..EVERY).map(|from| rarest_offset(spelled, from)) {
                self.furthest = self.furthest.max(offset);
                rarest.push(entry(offset));
            }
            if targets.iter().any(|target| target.may_be_cut()) {
                first.push(entry(0));
                inner.extend((0..=spelled.len() - TRIPLE).map(entry));
            }
        }
        self.rarest = Triples::new(rarest);
        self.first = Triples::new(first);
        self.inner = Triples::new(inner);
    }

    pub(crate) fn targets(&self, word: Word) -> &[Target] {
        &self.targets[usize::from(word)]
    }

    /// Calls `meet` with every word that begins in `range`, and where it begins and ends.
    pub(crate) fn each_in(&self, text: &[u8], range: Range<usize>, mut meet: impl FnMut(Word, usize, usize)) {
        let to = text.len().min(range.end + self.furthest);
        for from in (range.start..to).step_by(SPAN) {
            let hits = self.rarest.hits_at(text, from) & sweep::within((to - from).div_ceil(EVERY));
            for place in marks::places(hits).map(|place| from + place * EVERY) {
                for entry in self.rarest.at(Triple::at_start(&text[place..])) {
                    let Some(start) = place.checked_sub(entry.offset) else { continue };
                    let spelled = &self.spelled[usize::from(entry.word)];
                    let end = start + spelled.len();
                    let is_there =
                        || text.get(start..end).is_some_and(|there| there.eq_ignore_ascii_case(spelled));
                    if range.contains(&start) && is_there() {
                        meet(entry.word, start, end);
                    }
                }
            }
        }
    }

    /// Whether a word begins at the end of `line` and goes on at the start of `next`.
    pub(crate) fn is_cut(&self, line: &[u8], next: &[u8]) -> bool {
        // One look tells for most breaks that no word has the letters around it.
        let letter = |text: &[u8], place: usize| text.get(place).copied().unwrap_or_default();
        let last = letter(line, line.len().wrapping_sub(1));
        let seam = Triple::of(letter(line, line.len().wrapping_sub(2)), last, letter(next, 0));
        let one = Triple::of(last, letter(next, 0), letter(next, 1));
        if !self.inner.has(seam) && !self.first.has(one) {
            return false;
        }
        let line = &line[line.len().saturating_sub(self.longest)..];
        (0..line.len()).any(|start| {
            let here = line.len() - start;
            let [first, second, third] = [0, 1, 2].map(|ahead| match line.get(start + ahead) {
                Some(byte) => *byte,
                None => letter(next, start + ahead - line.len()),
            });
            self.first.at(Triple::of(first, second, third)).any(|entry| {
                let spelled = &self.spelled[usize::from(entry.word)];
                spelled.len() > here
                    && line[start..].eq_ignore_ascii_case(&spelled[..here])
                    && next
                        .get(..spelled.len() - here)
                        .is_some_and(|rest| rest.eq_ignore_ascii_case(&spelled[here..]))
            })
        })
    }
}

pub(crate) const TRIPLE: usize = 3;
/// Only every second byte is looked at.
const EVERY: usize = 2;
/// So many bytes are looked at together.
const SPAN: usize = EVERY * WIDTH;
const CLASS_BITS: u32 = 6;
const PAIRS: usize = 1 << (2 * CLASS_BITS);

/// A word that two letters are of.
#[derive(Debug, Clone, Copy)]
struct Entry {
    pair: usize,
    /// A bit for each letter that may follow them.
    thirds: u64,
    word: Word,
    /// Where in the word they stand.
    offset: usize,
}

impl Entry {
    /// Any letter may follow if the word has none at that place.
    fn new(spelled: &[u8], word: Word, offset: usize) -> Self {
        let letters = &spelled[offset..];
        let Triple { pair, third } = Triple::at_start(letters);
        let thirds = if letters.len() < TRIPLE { u64::MAX } else { 1 << third };
        Self { pair, thirds, word, offset }
    }
}

/// Which words three letters are of.
#[derive(Debug)]
struct Triples {
    /// For each two letters a bit for each third one: whether they are of any word.
    bits: Box<[u64; PAIRS]>,
    /// Where the entries of each two letters begin; and where the last one's end.
    begins: Box<[u16; PAIRS + 1]>,
    entries: Vec<Entry>,
}

impl Default for Triples {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Triples {
    fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_by_key(|entry| entry.pair);
        let mut bits = Box::new([0_u64; PAIRS]);
        let mut begins = Box::new([0; PAIRS + 1]);
        for entry in &entries {
            bits[entry.pair] |= entry.thirds;
            begins[entry.pair + 1] += 1;
        }
        for pair in 0..PAIRS {
            begins[pair + 1] += begins[pair];
        }
        Self { bits, begins, entries }
    }

    /// A bit for every second of the [`SPAN`] bytes from `from` on: whether it and the two after it are of any word.
    fn hits_at(&self, text: &[u8], from: usize) -> u64 {
        let rest = text.get(from..).unwrap_or_default();
        match rest.first_chunk() {
            Some(whole) => self.hits(whole),
            None => self.hits(&marks::padded(rest)),
        }
    }

    /// A loop of its own without a branch, so that the looks into the table overlap.
    #[inline(never)]
    fn hits(&self, bytes: &[u8; SPAN + 1]) -> u64 {
        let mut hits = 0;
        for part in 0..WIDTH / 8 {
            let mut of_part = 0;
            for look in 0..8 {
                let place = (part * 8 + look) * EVERY;
                let Triple { pair, third } = Triple::of(bytes[place], bytes[place + 1], bytes[place + 2]);
                of_part |= (self.bits[pair] >> third & 1) << look;
            }
            hits |= of_part << (part * 8);
        }
        hits
    }

    fn has(&self, letters: Triple) -> bool {
        self.bits[letters.pair] >> letters.third & 1 == 1
    }

    /// The words that these letters are of.
    fn at(&self, letters: Triple) -> impl Iterator<Item = &Entry> {
        let begin = usize::from(self.begins[letters.pair]);
        let end = usize::from(self.begins[letters.pair + 1]);
        self.entries[begin..end].iter().filter(move |entry| entry.thirds >> letters.third & 1 == 1)
    }
}

/// Three letters that stand together.
#[derive(Debug, Clone, Copy)]
struct Triple {
    /// The first two, below [`PAIRS`].
    pair: usize,
    /// Below 64.
    third: u8,
}

impl Triple {
    fn of(first: u8, second: u8, third: u8) -> Self {
        let class = |letter: u8| CLASSES[usize::from(letter)];
        let pair = usize::from(class(first)) << CLASS_BITS | usize::from(class(second));
        Self { pair: pair % PAIRS, third: class(third) % 64 }
    }

    /// The first three letters. Beyond the end of a text there is nothing.
    fn at_start(letters: &[u8]) -> Self {
        let letter = |place: usize| letters.get(place).copied().unwrap_or_default();
        Self::of(letter(0), letter(1), letter(2))
    }
}

/// Letters that mean the same here have the same number, and there are 64 numbers.
const CLASSES: [u8; 256] = classes();
const MARKS: &[u8; 11] = b"-_.:/@$= ~<";

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            letter @ b'a'..=b'z' => 1 + letter - b'a',
            letter @ b'A'..=b'Z' => 1 + letter - b'A',
            digit @ b'0'..=b'9' => 27 + digit - b'0',
            high @ 0x80.. => 48 + high % 16,
            _ => 0,
        };
        byte += 1;
    }
    let mut mark = 0;
    while mark < MARKS.len() {
        classes[MARKS[mark] as usize] = 37 + mark as u8;
        mark += 1;
    }
    classes
}

/// Where the three letters of a word begin that are met least in logs, of every second place from `first` on. A word of
/// three letters has only two from its second on.
fn rarest_offset(word: &[u8], first: usize) -> usize {
    // The more frequent first.
    const LETTERS: &[u8] = b"e0t1aoinsr2 dl3c:/.mpu-f45678=9gh_bywkvxjqz";
    let rank = |byte: &u8| LETTERS.iter().position(|letter| letter == byte).unwrap_or(LETTERS.len()) + 1;
    let rarity = |letters: &[u8]| letters.iter().map(rank).product::<usize>();
    let places = word.windows(TRIPLE).enumerate().skip(first).step_by(EVERY);
    places
        .max_by_key(|(place, letters)| (rarity(letters), std::cmp::Reverse(*place)))
        .map_or(first, |(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(spelled: &[&str]) -> Words {
        let mut words = Words::default();
        words.watch_all(spelled, Target::Key);
        words.compile();
        words
    }

    fn met(words: &Words, text: &str, range: Range<usize>) -> Vec<(usize, usize)> {
        let mut met = Vec::new();
        words.each_in(text.as_bytes(), range, |_, start, end| met.push((start, end)));
        met
    }

    #[test]
    fn every_word_is_met_whatever_its_case_and_length() {
        let spelled = ["token", "api_key", "密码", "-----begin ", "sk-", "://"];
        let words = words(&spelled);
        for word in spelled {
            for text in [word.to_owned(), format!("xy{word}"), format!("{word}yz"), word.to_uppercase()] {
                let at = text.to_lowercase().find(word).unwrap();
                assert!(
                    met(&words, &text, 0..text.len()).contains(&(at, at + word.len())),
                    "{word} in {text:?}"
                );
            }
        }
    }

    #[test]
    fn only_words_that_begin_in_the_range_are_met() {
        let words = words(&["token"]);
        let text = "token token token";
        assert_eq!(met(&words, text, 1..12), [(6, 11)]);
        assert_eq!(met(&words, text, 1..13), [(6, 11), (12, 17)]);
        assert_eq!(met(&words, "tokem oken", 0..10), []);
    }

    #[test]
    fn a_word_cut_anywhere_is_seen() {
        let words = words(&["token", "github_pat_"]);
        for cut in 1..5 {
            assert!(words.is_cut(format!("a {}", &"tOken"[..cut]).as_bytes(), &b"token=x"[cut..]), "{cut}");
        }
        for cut in 1..11 {
            assert!(words.is_cut(&b"github_pat_"[..cut], &b"github_pat_"[cut..]), "{cut}");
        }
        assert!(
            !words.is_cut(b"a token", b"=x") && !words.is_cut(b"tok", b"em") && !words.is_cut(b"", b"token")
        );
    }
}
