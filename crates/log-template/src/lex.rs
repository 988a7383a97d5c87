//! The pieces of a message: words that a programmer wrote, marks between them, and what is a value by its looks.
//!
//! In: the bytes of one message. Out: pieces with their places in it. Everything is decided in one pass over the bytes,
//! by looking a bounded distance ahead; nothing is remembered from one message to the next.

mod chinese;
mod class;
mod piece;
mod value;
mod wide;

use crate::time;
pub(crate) use chinese::is_word as is_chinese_word;
use class::{ALPHA, DIGIT, JOIN, SPACE, WIDE, class};
pub(crate) use piece::{Kind, Piece, VARIABLE};
use piece::{mark, wide_mark, word};
pub(crate) use piece::{mix, piece_hash, word_hash};

/// Of a longer message only so much decides which template it belongs to.
pub(crate) const MOST_BYTES: usize = 8 * 1024;
/// The same, in pieces.
pub(crate) const MOST_PIECES: usize = 320;

/// Cuts `text` into pieces, appended to `pieces`, which is emptied first.
///
/// What lies beyond [`MOST_BYTES`] or [`MOST_PIECES`] becomes one variable at the end.
pub(crate) fn lex(text: &[u8], pieces: &mut Vec<Piece>) {
    pieces.clear();
    let seen = &text[..text.len().min(MOST_BYTES)];
    let mut lexer = Lexer { text: seen, pieces };
    let mut at = 0;
    while at < seen.len() && lexer.pieces.len() < MOST_PIECES {
        at = lexer.step(at);
    }
    if at < text.len() && text[at..].iter().any(|&byte| class(byte) != SPACE) {
        // A word that the limit cuts would be another one wherever values before it are longer.
        if class(text[at]) != SPACE
            && let Some(cut) =
                lexer.pieces.pop_if(|piece| piece.kind == Kind::Word && piece.end as usize == seen.len())
        {
            at = cut.start as usize;
        }
        lexer.variable(at, text.len());
    }
}

struct Lexer<'t, 'p> {
    text: &'t [u8],
    pieces: &'p mut Vec<Piece>,
}

impl Lexer<'_, '_> {
    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(b' ')
    }

    fn class(&self, at: usize) -> u8 {
        class(self.byte(at))
    }

    /// Whether a value that begins at `at` stands free: nothing but a blank or an opening mark before it.
    fn is_open(&self, at: usize) -> bool {
        at == 0 || self.class(at - 1) == SPACE
    }

    /// Reads what begins at `at` and returns where the next thing begins.
    fn step(&mut self, at: usize) -> usize {
        match self.class(at) {
            SPACE => {
                if self.byte(at) == 0x1b && self.byte(at + 1) == b'[' {
                    return self.escape_end(at + 2);
                }
                at + 1
            }
            ALPHA | DIGIT | JOIN => self.unit(at),
            WIDE => self.wide(at),
            _ => self.punctuation(at),
        }
    }

    /// The end of a terminal's colour sequence. A long or broken one is text.
    fn escape_end(&self, from: usize) -> usize {
        let body = (from..from + 16).find(|&at| !matches!(self.byte(at), b'0'..=b'9' | b';'));
        body.map_or(from, |at| at + 1).min(self.text.len())
    }

    fn punctuation(&mut self, at: usize) -> usize {
        let byte = self.byte(at);
        match byte {
            b'/' if self.is_target(at) => {
                let end = value::address_end(self.text, at);
                self.variable(at, end);
                return end;
            }
            b'/' => {
                let after_word =
                    self.pieces.last().is_some_and(|p| p.kind == Kind::Word && p.end as usize == at);
                if !after_word && at.checked_sub(1).is_none_or(|before| self.byte(before) != b'<') {
                    let end = self.path_end(at);
                    if self.text[at..end].iter().any(|&b| matches!(class(b), ALPHA | DIGIT)) {
                        self.variable(at, end);
                        return end;
                    }
                }
            }
            b'<' | b'>' if self.is_open(at) && self.class(at + 1) == DIGIT => {
                let (end, _) = self.unit_end(at + 1);
                return self.quantity(at, end);
            }
            b'"' => {
                if let Some(end) = value::product_end(self.text, at) {
                    self.pieces.push(mark(byte, at, at + 1));
                    self.variable(at + 1, end);
                    return end;
                }
                if self.is_open(at) && self.byte(at + 1) == b'"' {
                    return self.empty(at);
                }
            }
            b'(' | b'[' if self.is_open(at) && self.byte(at + 1) == closing(byte) => {
                return self.empty(at);
            }
            _ => {}
        }
        self.marks(at)
    }

    /// Whether what begins at `at` is what a request of HTTP asks for: behind its method, whatever signs are in it.
    fn is_target(&self, at: usize) -> bool {
        self.pieces.last().is_some_and(|before| {
            before.kind == Kind::Word
                && before.end as usize + 1 == at
                && value::is_method(&self.text[before.start as usize..before.end as usize])
        })
    }

    /// Whether the dash at `at` stands for a number that a web server has not: `"GET /a HTTP/1.1" 304 -`.
    fn is_no_size(&self, at: usize) -> bool {
        let [.., quote, status] = self.pieces.as_slice() else { return false };
        quote.is_mark(b'"')
            && quote.end + 1 == status.start
            && status.end as usize + 1 == at
            && status.end == status.start + 3
            && self.text[status.start as usize..status.end as usize].iter().all(u8::is_ascii_digit)
            && self.class(at + 1) == SPACE
    }

    /// Where words are written without blanks, a number ends a word, and so does a change between letters and signs, and
    /// a word that is known.
    fn wide(&mut self, start: usize) -> usize {
        let (end, is_sign) = wide::run(self.text, start);
        if is_sign {
            self.pieces.push(wide_mark(self.text, start, end));
            return end;
        }
        let mut at = start;
        while at < end && self.pieces.len() < MOST_PIECES {
            let next = at + chinese::word_end(&self.text[at..end]);
            self.pieces.push(word(self.text, at, next));
            at = next;
        }
        at
    }

    /// An empty value: `from 10.0.0.1 ()` is the same statement as `from 10.0.0.1 (a.example)`.
    fn empty(&mut self, at: usize) -> usize {
        let inside = at as u32 + 1;
        self.pieces.push(mark(self.byte(at), at, at + 1));
        self.pieces.push(Piece { kind: Kind::Variable, start: inside, end: inside, hash: VARIABLE });
        self.pieces.push(mark(closing(self.byte(at)), at + 1, at + 2));
        at + 2
    }

    /// A run of one mark, however long, is one piece: leaders of dots and rulers vary in length.
    fn marks(&mut self, at: usize) -> usize {
        let byte = self.byte(at);
        let end = at + self.text[at..].iter().take_while(|&&b| b == byte).count();
        self.pieces.push(mark(byte, at, end));
        end
    }

    /// Where a run of letters, digits and joiners ends, and of which classes it is. Two dots are a leader, not part of a
    /// name.
    fn unit_end(&self, from: usize) -> (usize, Seen) {
        let mut at = from;
        let mut seen = Seen::default();
        while let Some(&byte) = self.text.get(at) {
            let class = class(byte);
            if !matches!(class, ALPHA | DIGIT | JOIN) || byte == b'.' && self.byte(at + 1) == b'.' {
                break;
            }
            seen.add(class);
            at += 1;
        }
        (at, seen)
    }

    /// Where a path ends, with the query that may follow it.
    fn path_end(&self, from: usize) -> usize {
        let run = self.text[from..].iter().take_while(|&&b| b == b'/' || value::is_unit(b)).count();
        let mut end = from + run;
        if self.byte(end) == b'?' && value::is_unit(self.byte(end + 1)) {
            return value::address_end(self.text, end);
        }
        while end > from && matches!(self.text[end - 1], b'.' | b'-') {
            end -= 1;
        }
        end
    }

    fn unit(&mut self, start: usize) -> usize {
        let (run_end, seen) = self.unit_end(start);
        let mut end = run_end;
        while end > start && class(self.text[end - 1]) == JOIN {
            end -= 1;
        }
        if end == start {
            let relative = matches!(&self.text[start..run_end], b"." | b".." | b"~");
            if relative && self.byte(run_end) == b'/' && value::is_unit(self.byte(run_end + 1)) {
                let end = self.path_end(start);
                self.variable(start, end);
                return end;
            }
            if self.byte(start) == b'-' && self.is_no_size(start) {
                self.variable(start, start + 1);
                return start + 1;
            }
            return self.marks(start);
        }
        if end == start + 3
            && self.byte(end) == b' '
            && self.byte(start).is_ascii_uppercase()
            && let Some(time) = time::at(self.text, start)
        {
            self.variable(start, time.end);
            return time.end;
        }
        if let Some(end) = self.long_value(start, run_end) {
            self.variable(start, end);
            return end;
        }
        if seen.has(DIGIT) {
            return self.quantity(start, end);
        }
        let lead = self.text[start..end].iter().take_while(|&&b| class(b) == JOIN).count();
        if lead > 0 {
            self.marks(start);
            // Marks of several kinds in a row are rare; all of them stand for the first.
        }
        self.bare_word(start + lead, end, seen.has(JOIN))
    }

    /// Addresses and paths that begin with this unit and go on beyond it.
    fn long_value(&self, start: usize, run_end: usize) -> Option<usize> {
        match self.byte(run_end) {
            b':' if self.text[run_end..].starts_with(b"://") => {
                Some(value::address_end(self.text, run_end + 3))
            }
            b':' if run_end == start + 1 && self.byte(run_end + 1) == b'\\' => {
                Some(value::windows_path_end(self.text, run_end + 1))
            }
            b':' => value::colon_hex_end(self.text, start),
            b'/' if value::is_unit(self.byte(run_end + 1)) => {
                let end = self.path_end(start);
                let path = &self.text[start..end];
                let slashes = path.iter().filter(|&&b| b == b'/').count();
                let known = slashes > 1 || path.iter().any(u8::is_ascii_digit) || value::is_pod(path);
                known.then(|| value::tag_end(self.text, end))
            }
            _ => None,
        }
    }

    fn bare_word(&mut self, start: usize, end: usize, may_have_joint: bool) -> usize {
        let unit = &self.text[start..end];
        // `verbose: no, colour: yes`, but `failed: no space left`.
        let is_last = end == self.text.len() || self.byte(end) != b' ';
        let after_sign = self.pieces.last().is_some_and(|p| p.is_mark(b'=') || p.is_mark(b':') && is_last);
        if self.is_quoted_value(start, end)
            || may_have_joint && (value::is_mail(unit) || value::is_host(unit))
            || may_have_joint && value::is_pod(unit)
            || may_have_joint && value::is_host_before_port(unit, &self.text[end..])
            || value::is_opaque(unit)
            || value::is_literal(unit, after_sign)
            || (value::is_short_hex(unit) && self.goes_on_with_colon(start))
        {
            self.variable(start, end);
        } else {
            self.pieces.push(word(self.text, start, end));
        }
        end
    }

    /// Whether `start..end` is all of a value in quotes: `comm="sshd"`, `{"pool": "a"}`. What is not quoted may be a word
    /// of the statement as well as a value, and evidence decides.
    fn is_quoted_value(&self, start: usize, end: usize) -> bool {
        let [.., sign, quote] = self.pieces.as_slice() else { return false };
        let is_quoted = (quote.is_mark(b'"') || quote.is_mark(b'\''))
            && quote.end as usize == start
            && self.byte(end) == self.byte(start - 1);
        is_quoted && (sign.is_mark(b'=') && sign.end == quote.start || self.is_field_of_a_tail())
    }

    /// Whether the quote that was read last opens the value of a quoted name, in an object behind something else. What a
    /// line that is nothing but an object says may be in any of its values.
    fn is_field_of_a_tail(&self) -> bool {
        let [.., closed, colon, opened] = self.pieces.as_slice() else { return false };
        let is_field = closed.is_mark(b'"')
            && colon.is_mark(b':')
            && closed.end == colon.start
            && opened.is_mark(b'"')
            && opened.start <= colon.end + 1;
        is_field && self.pieces.iter().position(|piece| piece.is_mark(b'{')).is_some_and(|at| at > 0)
    }

    /// Whether a variable and a colon stand directly before `start`, as within a hardware address.
    fn goes_on_with_colon(&self, start: usize) -> bool {
        let [.., variable, colon] = self.pieces.as_slice() else { return false };
        variable.kind == Kind::Variable
            && colon.is_mark(b':')
            && colon.end as usize == start
            && variable.end == colon.start
    }

    /// A value with a digit, and the unit of measure and the paraphrase that may follow a number:
    /// `1301 bytes (1.27 KB)`.
    fn quantity(&mut self, start: usize, end: usize) -> usize {
        let mut reach = end;
        if value::is_number(&self.text[start..end]) {
            reach = value::measure_end(self.text, end);
            if let Some(closed) = value::paraphrase_end(self.text, reach) {
                reach = closed;
            }
        }
        self.variable(start, reach);
        reach
    }

    /// Adds a variable, as part of the one before it when only a joint is between them: `10.0.0.1:80`, `3,4`, and `3, 4`,
    /// because lists differ in length from line to line.
    fn variable(&mut self, start: usize, end: usize) {
        let piece = Piece { kind: Kind::Variable, start: start as u32, end: end as u32, hash: VARIABLE };
        if let [.., last] = self.pieces.as_mut_slice()
            && last.kind == Kind::Variable
            && last.end == piece.start
        {
            last.end = piece.end;
            return;
        }
        if let [.., before, joint] = self.pieces.as_mut_slice()
            && before.kind == Kind::Variable
            && joint.is_joint()
            && before.end == joint.start
            && (joint.end == piece.start || joint.is_mark(b',') && joint.end + 1 == piece.start)
        {
            before.end = piece.end;
            self.pieces.pop();
            return;
        }
        self.pieces.push(piece);
    }
}

/// Of which classes some bytes are.
#[derive(Debug, Clone, Copy, Default)]
struct Seen(u8);

impl Seen {
    fn add(&mut self, class: u8) {
        self.0 |= 1 << class;
    }

    fn has(self, class: u8) -> bool {
        self.0 >> class & 1 == 1
    }
}

fn closing(byte: u8) -> u8 {
    match byte {
        b'(' => b')',
        b'[' => b']',
        other => other,
    }
}
