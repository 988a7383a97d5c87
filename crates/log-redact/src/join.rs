//! What a line break cuts in two: the lines around it as one text, and whether what follows belongs to what
//! was before.

use std::ops::Range;

use crate::drawn;
use crate::key_value;
use crate::view::{self, View};
use crate::wrap;

/// So much of the first line is joined.
const BEFORE: usize = 2048;
/// And so much of the word that the next line begins with.
const LONGEST_WORD: usize = 4096;
const MOST_LINES: usize = 64;
/// So much of what follows the last word is there to be seen.
const AFTER: usize = 64;
/// A word that the rest of its line follows belongs to the line before it only if it is at least so long.
const LONG: usize = 16;

/// How many lines are joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// So many words of lines after the break, whatever their length.
    Words(usize),
    /// All lines of one word and one length, and the shorter one after them, as text is wrapped at a column.
    Column,
}

/// The text around a line break, as if the break and the blanks after it were not there.
#[derive(Debug)]
pub(crate) struct Joined {
    pub(crate) view: View,
    /// Where in the view the breaks were.
    pub(crate) seams: Vec<usize>,
    /// A backslash before each break says that the line goes on.
    pub(crate) is_continued: bool,
    /// Each line that was joined is indented more than the first one.
    pub(crate) is_deeper: bool,
    /// Where the text of the last line begins that was joined.
    pub(crate) last_line: usize,
    /// The last line has nothing but the word that was joined.
    alone: bool,
    /// Where in the view that word ends.
    end: usize,
    /// All lines are numbers: a column of them.
    numbers: bool,
    /// The first line is nothing but numbers.
    begins_in_numbers: bool,
}

impl Joined {
    pub(crate) fn new(text: &[u8], line_break: usize, reach: Reach) -> Self {
        let mut view = View::default();
        let stop = view::line_stop(text, line_break);
        let line_start = memchr::memrchr(b'\n', &text[..line_break])
            .map_or(0, |at| at + 1)
            .max(line_break.saturating_sub(BEFORE));
        view.push_all(text, line_start.min(stop)..stop);
        let indent = view::after_indent(text, line_start) - line_start;
        let numbers = is_number(text.get(line_start..stop).unwrap_or_default());
        let end = view.text.len();
        let mut joined = Self {
            view,
            seams: Vec::new(),
            is_continued: true,
            is_deeper: true,
            last_line: line_break + 1,
            alone: false,
            end,
            numbers,
            begins_in_numbers: numbers,
        };
        let mut width = line_width(text, line_start, stop);
        let most = match reach {
            Reach::Words(most) => most,
            Reach::Column => MOST_LINES,
        };
        let mut at = line_break + 1;
        while joined.seams.len() < most {
            let line = Line::at(text, at);
            if reach == Reach::Column && !joined.seams.is_empty() && !(line.alone && line.word.len() <= width)
            {
                break;
            }
            let shorter = line.word.len() < width;
            width = line.word.len();
            joined.is_continued &= text[..at - 1].trim_ascii_end().ends_with(b"\\");
            joined.is_deeper &= line.word.start - at > indent;
            joined.append(text, &line);
            if !line.alone || (reach == Reach::Column && shorter && joined.seams.len() > 1) {
                break;
            }
            at = line.next;
        }
        joined.end(text);
        joined
    }

    fn append(&mut self, text: &[u8], line: &Line) {
        self.seams.push(self.view.text.len());
        self.view.push_all(text, line.word.clone());
        self.last_line = line.word.start;
        self.alone = line.alone;
        self.end = self.view.text.len();
        self.numbers &= line.alone && is_number(&text[line.word.clone()]);
    }

    /// What follows the last word, so that a word that goes on is seen to go on.
    fn end(&mut self, text: &[u8]) {
        let Some((_, end)) = self.view.outer(0..self.view.text.len()) else { return };
        let rest = text[end..].iter().take(AFTER).take_while(|byte| **byte != b'\n').count();
        self.view.push_all(text, end..end + rest.max(usize::from(end < text.len())));
    }

    /// Whether what is before the break at `seam` may be a word of its own, such as the name of what follows.
    pub(crate) fn begins_with_a_word(&self, start: usize, seam: usize) -> bool {
        let word = &self.view.text[start..seam];
        word.iter().all(u8::is_ascii_alphabetic) && !drawn::is_unspeakable(word)
    }

    /// The parts of `range` of the view that were lines.
    pub(crate) fn lines(&self, range: &Range<usize>) -> Vec<&[u8]> {
        let seams = self.seams.iter().copied().filter(|at| range.start < *at && *at < range.end);
        let mut lines = Vec::new();
        let mut start = range.start;
        for end in seams.chain([range.end]) {
            lines.push(&self.view.text[start..end]);
            start = end;
        }
        lines
    }

    /// Whether this stands in a quote that opens before it and closes where it ends.
    pub(crate) fn is_quoted(&self, range: &Range<usize>) -> bool {
        let text = &self.view.text;
        let before = range.start.checked_sub(1).map(|at| text[at]);
        before.is_some_and(|byte| matches!(byte, b'"' | b'\'' | b'`'))
            && text.get(range.end).copied() == before
    }

    /// Whether all lines are numbers.
    pub(crate) fn is_column(&self) -> bool {
        self.numbers
    }

    /// Whether what ends at `end` is all that the last line has, and the first says more than numbers.
    pub(crate) fn is_rest_of_a_sentence(&self, end: usize) -> bool {
        !self.begins_in_numbers && self.view.text[end..].trim_ascii().is_empty()
    }

    /// Whether the word that was joined goes on behind `end`: then what ends there is a part of another thing.
    pub(crate) fn goes_on(&self, end: usize) -> bool {
        let is_of_a_word =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'/' | b':');
        end < self.end && self.view.text.get(end).is_some_and(is_of_a_word)
    }

    /// Whether these are lines that base64 is wrapped at, and the last no word.
    pub(crate) fn is_full_line(&self, range: &Range<usize>) -> bool {
        let lines = self.lines(range);
        matches!(lines.first().map(|line| line.len()), Some(64 | 76))
            && lines.last().is_some_and(|last| wrap::ends_base64(last))
    }

    /// Whether what was found at `start..end` of the view, over the break at `seam`, can be one thing.
    pub(crate) fn may_belong(&self, start: usize, seam: usize, end: usize) -> bool {
        let more = &self.view.text[seam..end];
        // Of a line with more than the word that was joined, only that word can belong to what is before it.
        // A bracket before it begins a time or a level.
        if self.numbers || !self.alone && !self.is_continued && (end > self.end || more.starts_with(b"[")) {
            return false;
        }
        let mut lines = self.seams.iter().filter(|at| start < **at && **at <= seam);
        !lines.any(|at| says_something_else(&self.view.text[*at..self.end.max(end)]))
    }

    /// Whether it is. `whole` says that it is a secret without what follows the break; then that must look like more of
    /// the same.
    pub(crate) fn belongs(&self, start: usize, seam: usize, end: usize, whole: bool) -> bool {
        let more = &self.view.text[seam..end];
        if !self.may_belong(start, seam, end) {
            return false;
        }
        if self.is_continued || !whole && more.starts_with(b".") {
            return more.iter().any(|byte| byte.is_ascii_alphanumeric() || *byte == b'=');
        }
        if !whole {
            return start < seam && !key_value::is_whole(&self.view.text[start..seam]);
        }
        if more.iter().all(|byte| *byte == b'=') {
            return true;
        }
        let any = |is: fn(&u8) -> bool| more.iter().any(is);
        let digit = any(u8::is_ascii_digit);
        let mixed = any(u8::is_ascii_lowercase) && any(u8::is_ascii_uppercase);
        if self.alone && end >= self.end {
            let drawn = self.is_continued
                || digit
                || mixed
                || key_value::looks_drawn(more)
                || more.len() > LONG
                || is_scrap(more);
            return drawn && any(u8::is_ascii_alphanumeric);
        }
        match self.view.text.get(end) {
            Some(b' ' | b'\t') => more.len() >= LONG && digit && mixed,
            Some(b':') => false,
            _ => more.len() >= 4 && key_value::looks_drawn(more),
        }
    }
}

/// Whether these few letters are a rest of something rather than a line of a script.
fn is_scrap(line: &[u8]) -> bool {
    const WORDS: [&[u8]; 8] = [b"fi", b"do", b"end", b"EOF", b"eof", b"OK", b"ok", b"yes"];
    line.len() <= 3 && line.iter().all(u8::is_ascii_alphanumeric) && !WORDS.contains(&line)
}

fn is_number(line: &[u8]) -> bool {
    line.iter()
        .all(|byte| byte.is_ascii_digit() || matches!(byte, b' ' | b'\t' | b'\r' | b'.' | b',' | b'-' | b'+'))
}

/// How base64 of pictures, documents and archives begins, and sums of files that say how they were made.
const OTHER_THINGS: [&[u8]; 10] = [
    b"iVBORw0KGgo",
    b"/9j/",
    b"R0lGOD",
    b"UklGR",
    b"JVBERi0",
    b"UEsDB",
    b"H4sIA",
    b"sha256-",
    b"sha384-",
    b"sha512-",
];

/// Whether a word begins a thing of its own: a key and its value, a time, or what a file holds.
fn says_something_else(word: &[u8]) -> bool {
    let word = &word[..word.iter().position(u8::is_ascii_whitespace).unwrap_or(word.len())];
    let day = |separator: u8| {
        let mut parts = word.splitn(3, |byte| *byte == separator);
        let mut part = || parts.next().unwrap_or_default();
        let (first, second, third) = (part(), part(), part());
        let digits = |part: &[u8]| part.iter().all(u8::is_ascii_digit);
        matches!(first.len(), 2 | 4)
            && second.len() == 2
            && third.len() >= 2
            && digits(first)
            && digits(second)
            && digits(&third[..2])
            && !third
                .get(2)
                .is_some_and(|next| next.is_ascii_alphanumeric() && !matches!(next, b'T' | b'0'..=b'9'))
    };
    let is_other = OTHER_THINGS.iter().any(|begin| word.starts_with(begin));
    is_other || is_a_pair(word) || day(b'-') || day(b'/') || day(b':')
}

/// Whether a word is a key and its value. What ends with a sign may be base64.
fn is_a_pair(word: &[u8]) -> bool {
    let key = name_length(word);
    match &word[key..] {
        [b'='] | [b'=', b'='] => false,
        [b'=' | b':', ..] => word[..key].iter().any(u8::is_ascii_alphabetic),
        _ => false,
    }
}

fn name_length(word: &[u8]) -> usize {
    let is_of_a_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    word.iter().take_while(is_of_a_name).count()
}

/// Whether what is on both sides of a break may be one thing: not if a line is nothing but the name of a key, or ends with
/// a colon, or another key and its value begin on the next one. This is asked of every break first, so that keys on lines
/// cost no more.
pub(crate) fn may_be_one(text: &[u8], line_break: usize) -> bool {
    let line_start = memchr::memrchr(b'\n', &text[..line_break]).map_or(0, |at| at + 1);
    let stop = view::line_stop(text, line_break).max(line_start);
    let line = text[line_start..stop].trim_ascii_start();
    let is_continued = text[stop..line_break].starts_with(b"\\");
    let next = &text[Line::at(text, line_break + 1).word];
    let named =
        line.strip_suffix(b":").and_then(|label| label.last()).is_some_and(|last| !last.is_ascii_digit());
    let is_label = named && !next.starts_with(b"//") || matches!(&line[name_length(line)..], b"=");
    is_continued || !is_label && !is_a_pair(next)
}

/// Whether the line that begins at `at` is one word.
pub(crate) fn is_one_word(text: &[u8], at: usize) -> bool {
    Line::at(text, at).alone
}

/// The first word of a line.
struct Line {
    word: std::ops::Range<usize>,
    /// It is all that the line has.
    alone: bool,
    /// Where the next line begins.
    next: usize,
}

impl Line {
    fn at(text: &[u8], at: usize) -> Self {
        let start = view::after_indent(text, at);
        let rest = text.get(start..).unwrap_or_default();
        let length = rest.iter().take(LONGEST_WORD).take_while(|byte| !byte.is_ascii_whitespace()).count();
        let line_break = start + length + usize::from(rest.get(length) == Some(&b'\r'));
        let alone = length > 0 && text.get(line_break).is_none_or(|byte| *byte == b'\n');
        let end =
            if alone { view::line_stop(text, line_break.min(text.len())).max(start) } else { start + length };
        Self { word: start..end, alone: alone && line_break < text.len(), next: line_break + 1 }
    }
}

/// The length of a line that is one word, or the most if it is more.
fn line_width(text: &[u8], start: usize, stop: usize) -> usize {
    let line = text.get(start..stop).unwrap_or_default().trim_ascii_start();
    if line.iter().any(u8::is_ascii_whitespace) { LONGEST_WORD } else { line.len() }
}
