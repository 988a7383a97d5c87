//! Watches a text for many words at once, whatever their case.
//!
//! A word is watched for by three of its letters that stand together, those that are rarest in logs: one
//! look into a
//! table of 32 KiB for each byte of the text, and a comparison where three letters are met. An automaton over
//! all words needs ten times that table, and waits for memory at every byte.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::rules::Target;

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
        let (mut rarest, mut first, mut inner) = (Table::new(), Table::new(), Table::new());
        for (index, (spelled, targets)) in self.spelled.iter().zip(&self.targets).enumerate() {
            let word = index as Word;
            let offset = rarest_offset(spelled);
            self.furthest = self.furthest.max(offset);
            for key in keys_of(&spelled[offset..]) {
                rarest.entry(key).or_default().push(Entry { word, offset: offset as u8 });
            }
            if spelled.len() >= TRIPLE && targets.iter().any(|target| target.may_be_cut()) {
                first.entry(key_of(spelled)).or_default().push(Entry { word, offset: 0 });
                inner.extend(spelled.windows(TRIPLE).map(|letters| (key_of(letters), Vec::new())));
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
        let mut from = range.start;
        while let Some((place, key)) = self.rarest.next(text, from, to) {
            from = place + 1;
            for entry in self.rarest.at(key) {
                let Some(start) = place.checked_sub(usize::from(entry.offset)) else { continue };
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

    /// Whether a word begins at the end of `line` and goes on at the start of `next`.
    pub(crate) fn is_cut(&self, line: &[u8], next: &[u8]) -> bool {
        // One look tells for most breaks that no word has the letters around it.
        let letter = |text: &[u8], place: usize| text.get(place).copied().unwrap_or_default();
        let last = letter(line, line.len().wrapping_sub(1));
        let seam = [letter(line, line.len().wrapping_sub(2)), last, letter(next, 0)];
        let one = [last, letter(next, 0), letter(next, 1)];
        if !self.inner.has(key_of(&seam)) && !self.first.has(key_of(&one)) {
            return false;
        }
        let line = &line[line.len().saturating_sub(self.longest)..];
        (0..line.len()).any(|start| {
            let here = line.len() - start;
            let letters = [0, 1, 2].map(|ahead| match line.get(start + ahead) {
                Some(byte) => *byte,
                None => letter(next, start + ahead - line.len()),
            });
            let key = key_of(&letters);
            self.first.has(key)
                && self.first.at(key).iter().any(|entry| {
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

const TRIPLE: usize = 3;
const CLASS_BITS: u32 = 6;
const KEYS: usize = 1 << (3 * CLASS_BITS);

/// Three letters, as a number.
type Key = usize;
type Table = BTreeMap<Key, Vec<Entry>>;

/// A word that three letters are of, and where in the word they stand.
#[derive(Debug, Clone, Copy)]
struct Entry {
    word: Word,
    offset: u8,
}

/// Which words three letters are of.
#[derive(Debug)]
struct Triples {
    /// A bit for each triple that is of any word.
    bits: Box<[u64; KEYS / 64]>,
    /// How many bits are set before each 64 of them.
    ranks: Vec<u32>,
    /// For each bit that is set, where its entries begin; and where the last one's end.
    begins: Vec<u32>,
    entries: Vec<Entry>,
}

impl Default for Triples {
    fn default() -> Self {
        Self::new(Table::new())
    }
}

impl Triples {
    fn new(table: Table) -> Self {
        let mut bits = Box::new([0_u64; KEYS / 64]);
        let (mut begins, mut entries) = (vec![0], Vec::new());
        for (key, of_key) in table {
            bits[key / 64] |= 1 << (key % 64);
            entries.extend(of_key);
            begins.push(entries.len() as u32);
        }
        let ranks = bits.iter().scan(0, |before, bits| {
            let rank = *before;
            *before += bits.count_ones();
            Some(rank)
        });
        Self { ranks: ranks.collect(), bits, begins, entries }
    }

    /// The first place from `from` on whose three letters are of any word. A loop of its own, so that all it
    /// needs stays in
    /// registers.
    #[inline(never)]
    fn next(&self, text: &[u8], from: usize, to: usize) -> Option<(usize, Key)> {
        const AHEAD: usize = TRIPLE - 1;
        let begin = text.get(from..from + AHEAD).unwrap_or_default();
        let mut key = key_of(begin);
        let third = text.get(from + AHEAD..text.len().min(to + AHEAD)).unwrap_or_default();
        for (ahead, byte) in third.iter().enumerate() {
            key = after(key, *byte);
            if self.has(key) {
                return Some((from + ahead, key));
            }
        }
        // The last letters of a text have none after them.
        (from + third.len()..to).find_map(|place| {
            let letters = [0, 1, 2].map(|ahead| text.get(place + ahead).copied().unwrap_or_default());
            let key = key_of(&letters);
            self.has(key).then_some((place, key))
        })
    }

    fn has(&self, key: Key) -> bool {
        self.bits[(key / 64) % (KEYS / 64)] >> (key % 64) & 1 == 1
    }

    /// The words of a triple that is of any.
    fn at(&self, key: Key) -> &[Entry] {
        let before = self.bits[key / 64] & ((1 << (key % 64)) - 1);
        let rank = (self.ranks[key / 64] + before.count_ones()) as usize;
        &self.entries[self.begins[rank] as usize..self.begins[rank + 1] as usize]
    }
}

fn key_of(letters: &[u8]) -> Key {
    letters.iter().take(TRIPLE).fold(0, |key, byte| after(key, *byte))
}

/// The key of the last two letters of a key and another one.
fn after(key: Key, byte: u8) -> Key {
    (key << CLASS_BITS | usize::from(CLASSES[usize::from(byte)])) % KEYS
}

/// The keys that a word begins with: more than one if it is shorter than three letters.
fn keys_of(word: &[u8]) -> Vec<Key> {
    let known = word.len().min(TRIPLE);
    let missing = (TRIPLE - known) as u32 * CLASS_BITS;
    let begin = key_of(&word[..known]) << missing;
    (begin..begin + (1 << missing)).collect()
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

/// Where the three letters of a word begin that are met least in logs.
fn rarest_offset(word: &[u8]) -> usize {
    // The more frequent first.
    const LETTERS: &[u8] = b"e0t1aoinsr2 dl3c:/.mpu-f45678=9gh_bywkvxjqz";
    let rank = |byte: &u8| LETTERS.iter().position(|letter| letter == byte).unwrap_or(LETTERS.len()) + 1;
    let rarity = |letters: &[u8]| letters.iter().map(rank).product::<usize>();
    let places = word.windows(TRIPLE).enumerate();
    places
        .max_by_key(|(place, letters)| (rarity(letters), std::cmp::Reverse(*place)))
        .map_or(0, |(place, _)| place)
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
        let spelled = ["@", "::", ".1", "token", "api_key", "密码", "-----begin ", "sk-"];
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
        let words = words(&["token", "github_pat_", "@"]);
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
