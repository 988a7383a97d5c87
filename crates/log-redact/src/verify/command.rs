//! Passwords that only a program's command line gives away: `mysql -psecret`, `curl -u user:secret`.
//!
//! Comes in: the place of a program's name. Goes out: what its flags, as `programs.rs` lists them, say is secret. The
//! command is read as a shell reads it, or as a list of quoted words, up to the end of the line or to the next program.

mod programs;

use crate::alphabet::Alphabet;
use crate::key_value::{self, Tie};
use crate::placeholder;
use crate::scan::Scan;
use crate::shape;
use programs::{Flag, PROGRAMS, Program};

pub(crate) use programs::WATCHED;

const LONGEST_NAME: usize = 32;
/// A command is not looked at further than so many words, or so many bytes.
const MOST_WORDS: usize = 64;
const LONGEST: usize = 4096;

/// Looks at a program's name that begins at `at`.
pub(crate) fn look(scan: &mut Scan<'_>, at: usize) {
    let Some(class) = scan.rules.password else { return };
    let Some((program, end)) = program_at(scan.text, at) else { return };
    let mut words = Words::new(scan.text, end);
    let mut command = Command { program, is_told: program.after.is_empty(), waits: None, place: 0 };
    while let Some(word) = words.next() {
        if is_program(scan.text, &word) {
            break;
        }
        let Some((start, end)) = command.secret(scan.text, &word) else { continue };
        let value = &scan.text[start..end];
        if !is_harmless(value, word.is_quoted) && placeholder::end_at(scan.text, start).is_none() {
            scan.find(class, (start, end));
        }
    }
}

/// The program whose name begins at `at`, and where the name ends.
fn program_at(text: &[u8], at: usize) -> Option<(&'static Program, usize)> {
    let before = at.checked_sub(1).and_then(|before| text.get(before));
    if !shape::begins_a_word(text, at) || matches!(before, Some(b'-' | b'_' | b'.')) {
        return None;
    }
    let name_end = Alphabet::URL64.end_of_run(text, at, LONGEST_NAME);
    let program = PROGRAMS.iter().find(|program| {
        program.names.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(&text[at..name_end]))
    })?;
    let rest = &text[name_end..];
    let end = if rest.starts_with(b".exe") { name_end + 4 } else { name_end };
    matches!(text.get(end), Some(b' ' | b'\t' | b'"' | b'\'' | b'\\')).then_some((program, end))
}

fn is_program(text: &[u8], word: &Word) -> bool {
    let path = &text[word.start..word.end];
    let name = path.iter().rposition(|byte| !Alphabet::URL64.has(*byte)).map_or(0, |last| last + 1);
    program_at(text, word.start + name).is_some_and(|(_, end)| end == word.end)
}

/// A variable of a shell, or what is harmless everywhere.
fn is_harmless(value: &[u8], is_quoted: bool) -> bool {
    let name = |name: &[u8]| Alphabet::WORD.end_of_run(name, 0, name.len()) == name.len();
    let variable = match value {
        [b'$', rest @ ..] => name(rest),
        [b'%', inner @ .., b'%'] => name(inner),
        _ => false,
    };
    variable || key_value::is_harmless(value, is_quoted)
}

/// A program's command line, as far as it was read.
struct Command {
    program: &'static Program,
    /// Whether the word was met without which the flags mean something else.
    is_told: bool,
    /// The flag whose value the next word is.
    waits: Option<&'static Flag>,
    /// How many words stand after the one that places are counted from.
    place: usize,
}

impl Command {
    /// The secret in the next word, if there is one.
    fn secret(&mut self, text: &[u8], word: &Word) -> Option<(usize, usize)> {
        let spelled = &text[word.start..word.end];
        if let Some(flag) = self.waits.take().filter(|_| word.is_quoted || !spelled.starts_with(b"-")) {
            return flag.part.of(text, (word.start, word.end));
        }
        if !self.is_told {
            self.is_told = self.program.after.iter().any(|word| spelled == word.as_bytes());
            return None;
        }
        if spelled.starts_with(b"-") {
            return self.flag(text, word);
        }
        self.place += 1;
        let place = self.program.place.filter(|place| place.at == self.place)?;
        place.part.of(text, (word.start, word.end))
    }

    fn flag(&mut self, text: &[u8], word: &Word) -> Option<(usize, usize)> {
        let spelled = &text[word.start..word.end];
        for flag in self.program.flags {
            let Some(name_end) = flag.end_in(spelled) else { continue };
            let value = match word.tail {
                Some(tail) => Some(tail).filter(|_| name_end == spelled.len()),
                None => Some((word.start + name_end, word.end)).filter(|(start, end)| start < end),
            };
            match value {
                Some(value) if flag.is_glued => return flag.part.of(text, value),
                None if flag.is_apart => self.waits = Some(flag),
                _ => {}
            }
        }
        None
    }
}

/// One word of a command, without its quotes.
struct Word {
    start: usize,
    end: usize,
    is_quoted: bool,
    /// What follows it in quotes, without a blank between them: `-p"secret"`.
    tail: Option<(usize, usize)>,
}

/// The words of a command.
struct Words<'t> {
    text: &'t [u8],
    at: usize,
    from: usize,
    left: usize,
    /// Whether each word is in quotes, with commas between them: `["curl", "-u", "user:secret"]`.
    is_list: bool,
}

impl<'t> Words<'t> {
    /// The words after a program's name, which ends at `from`.
    fn new(text: &'t [u8], from: usize) -> Self {
        let is_list = matches!(text.get(from), Some(b'"' | b'\'')) && text.get(from + 1) == Some(&b',');
        let at = from + usize::from(is_list);
        Self { text, at, from, left: MOST_WORDS, is_list }
    }

    fn next(&mut self) -> Option<Word> {
        self.left = self.left.checked_sub(1)?;
        self.skip_blanks();
        let first = *self.text.get(self.at).filter(|_| self.at - self.from < LONGEST)?;
        if matches!(first, b'"' | b'\'') {
            let (start, end) = self.quoted()?;
            return Some(Word { start, end, is_quoted: true, tail: None });
        }
        let start = self.at;
        let end = self.bare_end(start);
        if self.is_list || end == start {
            return None;
        }
        self.at = end;
        let is_flag = first == b'-';
        let tail = match self.text.get(end) {
            Some(b'"' | b'\'') if is_flag => self.quoted(),
            // What the command itself is quoted with.
            Some(b'"' | b'\'') => {
                self.left = 0;
                None
            }
            _ => None,
        };
        Some(Word { start, end, is_quoted: false, tail })
    }

    /// Where a word without quotes ends: commas and semicolons inside it are its own.
    fn bare_end(&self, start: usize) -> usize {
        let mut end = key_value::bare_end(self.text, start, Tie::Equals);
        while let Some([b',' | b';' | b'&', next]) = self.text.get(end..end + 2) {
            if next.is_ascii_whitespace() || end - start > LONGEST {
                break;
            }
            end = key_value::bare_end(self.text, end + 1, Tie::Equals);
        }
        end
    }

    /// What is in the quotes that open here. Quotes that nothing closes on the line are those around the command.
    fn quoted(&mut self) -> Option<(usize, usize)> {
        let quote = &self.text[self.at..=self.at];
        let begin = self.at + 1;
        let (end, is_closed) = key_value::quoted_end(self.text, begin, quote, 0);
        if !is_closed {
            self.left = 0;
            return None;
        }
        self.at = end + 1;
        Some((begin, end))
    }

    /// Past blanks, and past line breaks behind a backslash.
    fn skip_blanks(&mut self) {
        loop {
            self.at += match self.text.get(self.at..).unwrap_or_default() {
                [b' ' | b'\t', ..] => 1,
                [b',', ..] if self.is_list => 1,
                [b'\\', b'\n', ..] => 2,
                [b'\\', b'\r', b'\n', ..] => 3,
                _ => return,
            };
        }
    }
}
