//! The head of a line as a row of fields: time, level, process, thread, host, logger.
//!
//! A head exists only where a time or a klog prefix stands near the beginning of the line. From there fields are taken
//! off as long as they look like fields; the first thing that does not is the message.

use super::Stream;
use crate::time::{self, Time};

/// No level is longer.
const LONGEST_LEVEL: usize = 9;
/// After these a time is part of a sentence.
const PREPOSITIONS: [&[u8]; 13] = [
    b"at", b"on", b"in", b"by", b"of", b"to", b"from", b"for", b"since", b"until", b"till", b"before",
    b"after",
];
/// Words between the beginning of a line and its time, or between its time and its level.
const FAR: usize = 6;
/// A field is not longer.
const LONGEST: usize = 128;

/// Where the message begins, if `text` has a head. Within another head only one that begins with its time or level is believed:
/// a message may hold a time of its own.
pub(super) fn message_start(text: &[u8], within: bool) -> Option<usize> {
    if let Some(start) = klog(text).or_else(|| Some(container_runtime(text)?.end)).or_else(|| rfc5424(text)) {
        return Some(start);
    }
    let start = priority_end(text);
    // Within another head a time has to be the first word, or the second after a level.
    let levelled = is_level(&text[start..word_end(text, start)]);
    let words = if within { 1 + usize::from(levelled) } else { FAR };
    // Within another head a bare number is part of the message, even one that could be seconds since 1970.
    let time = first_time(text, start, words).filter(|time| !(time.epoch && within))?;
    let mut head = Head { text, at: time.end, level: false, syslog: time.syslog };
    let start = head.read();
    (start > 0 && start < text.len()).then_some(start)
}

/// `I0102 15:04:05.123456    1234 file.go:123] `
fn klog(text: &[u8]) -> Option<usize> {
    let [b'I' | b'W' | b'E' | b'F', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b' ', ..] = text
    else {
        return None;
    };
    let end = text.iter().take(LONGEST).position(|&b| b == b']')?;
    text[..end].contains(&b':').then_some(end + 1)
}

/// `<34>1 2003-10-11T22:14:15.003Z host su - ID47 [a@1 b="c"] `, by RFC 5424: a priority, a version, five words, and
/// structured data.
fn rfc5424(text: &[u8]) -> Option<usize> {
    if text.first() != Some(&b'<') {
        return None;
    }
    let priority = text.iter().take(5).position(|&b| b == b'>')?;
    if !text[priority + 1..].starts_with(b"1 ") {
        return None;
    }
    let mut at = priority + 3;
    time::at(text, at)?;
    for _ in 0..5 {
        at = word_end(text, at) + 1;
        text.get(at)?;
    }
    while text.get(at) == Some(&b'[') {
        at += text[at..].windows(2).take(1024).position(|pair| matches!(pair, b"] " | b"][" | b"\"]"))? + 1;
        at += usize::from(text.get(at) == Some(&b']'));
    }
    at += usize::from(text.get(at) == Some(&b'-'));
    (at < text.len()).then_some(at)
}

/// Where the priority ends that syslog puts before a line on its way: `<34>`.
fn priority_end(text: &[u8]) -> usize {
    if text.first() != Some(&b'<') {
        return 0;
    }
    let digits = text.iter().skip(1).take(4).take_while(|b| b.is_ascii_digit()).count();
    let known = digits > 0 && text.get(digits + 1) == Some(&b'>');
    if known { digits + 2 } else { 0 }
}

/// What a container runtime puts before a line: `2026-01-02T03:04:05.000000006Z stdout F `.
pub(super) struct Prefix {
    pub(super) end: usize,
    pub(super) stream: Stream,
    /// Whether the tag says that the line was cut.
    pub(super) is_cut: bool,
}

pub(super) fn container_runtime(text: &[u8]) -> Option<Prefix> {
    if !text.first()?.is_ascii_digit() {
        return None;
    }
    let end = text.iter().take(40).position(|&b| b == b' ')?;
    let rest = text[end..].strip_prefix(b" std")?;
    let (stream, rest) = rest
        .strip_prefix(b"out ")
        .map(|rest| (Stream::Output, rest))
        .or_else(|| Some((Stream::Error, rest.strip_prefix(b"err ")?)))?;
    let tag = rest.iter().take(16).position(|&b| b == b' ')?;
    let is_cut = rest.starts_with(b"P");
    let known = is_cut || rest.starts_with(b"F");
    let end = text.len() - rest.len() + tag + 1;
    (known && time::at(text, 0).is_some()).then_some(Prefix { end, stream, is_cut })
}

/// The first time within the first `words` words. A word that ends in a colon ends the head before it, and
/// so does what only a sentence has: a preposition, or two words of nothing but small letters.
fn first_time(text: &[u8], from: usize, words: usize) -> Option<Time> {
    let mut at = from;
    let mut plain = 0;
    for left in (0..words).rev() {
        while matches!(text.get(at)?, b' ' | b'[' | b'(' | b'<' | b'|' | b'\t') {
            at += 1;
        }
        let time = time::at(text, at);
        if time.is_some() || left == 0 {
            return time;
        }
        let end = word_end(text, at);
        let word = &text[at..end];
        plain += usize::from(word.iter().all(u8::is_ascii_lowercase));
        if end - at >= LONGEST || word.ends_with(b":") || PREPOSITIONS.contains(&word) || plain > 1 {
            return None;
        }
        at = end;
    }
    None
}

fn word_end(text: &[u8], at: usize) -> usize {
    at + text[at..].iter().take(LONGEST).take_while(|b| !matches!(b, b' ' | b'\t' | b'|')).count()
}

struct Head<'t> {
    text: &'t [u8],
    at: usize,
    level: bool,
    syslog: bool,
}

impl Head<'_> {
    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(0)
    }

    fn read_time(&mut self) -> Option<()> {
        // After the level a bare number is part of the message, even one that could be seconds since 1970.
        let found = time::at(self.text, self.at).filter(|found| !(found.epoch && self.level))?;
        self.at = found.end;
        self.syslog |= found.syslog;
        Some(())
    }

    /// Takes fields off after the first time and returns where the message begins.
    fn read(&mut self) -> usize {
        self.skip_to_level_or_time();
        let mut last = self.at;
        while self.at < self.text.len() {
            let separated = self.separators();
            if separated == Separator::Final {
                return self.at;
            }
            last = self.at;
            if self.bracket() || self.read_time().is_some() {
                continue;
            }
            let end = word_end(self.text, self.at);
            if self.level_word(end) || self.process_number(end) || self.between_bars(end) {
                continue;
            }
            if self.origin(end) {
                self.separators();
                return self.at;
            }
            if self.logger() {
                continue;
            }
            break;
        }
        // A line of fields only: the last of them is the message.
        if self.at >= self.text.len() { last } else { self.at }
    }

    /// Between the first time and a level or a second time may be anything, as on supercomputers:
    /// `1117838570 2005.06.03 R02-M1-N0 2005-06-03-15.42.50.675872 R02-M1-N0 RAS KERNEL INFO `.
    fn skip_to_level_or_time(&mut self) {
        let mut skipped = Skipped::default();
        let mut at = self.at;
        for _ in 0..FAR {
            while matches!(self.byte(at), b' ' | b'-' | b',' | b'\t' | b']' | b')') {
                at += 1;
            }
            if at >= self.text.len() {
                return;
            }
            let end = self.thread_end(at).unwrap_or_else(|| word_end(self.text, at));
            let word = &self.text[at..end];
            if let Some(found) = time::at(self.text, at).filter(|_| skipped.may_be_before_a_time()) {
                self.syslog = found.syslog;
                self.at = found.end;
                return self.skip_again(found.end);
            }
            if is_level(word) && skipped.may_be_before_the_level(word) {
                self.at = at;
                return;
            }
            let ends = word.ends_with(b":") || self.byte(at) == b'"' || self.byte(at) == b'|';
            if ends || end - at >= LONGEST || !skipped.add(word) {
                return;
            }
            at = end;
        }
    }

    /// Where a thread's name ends that is of several words: `[IPC Server handler 3 on 9000]`.
    fn thread_end(&self, at: usize) -> Option<usize> {
        let inside = self.text[at..].strip_prefix(b"[")?;
        let length = inside.iter().take(LONGEST).position(|&b| b == b']')?;
        is_phrase(&inside[..length]).then_some(at + length + 2)
    }

    /// A second time moves the window once more, and no further: a message may hold any number of times.
    fn skip_again(&mut self, from: usize) {
        let mut at = from;
        for _ in 0..FAR {
            while matches!(self.byte(at), b' ' | b'-' | b',' | b'\t' | b']' | b')') {
                at += 1;
            }
            if at >= self.text.len() {
                return;
            }
            let word = word_end(self.text, at);
            if let Some(found) = time::at(self.text, at) {
                self.syslog = found.syslog;
                self.at = found.end;
            } else if is_level(&self.text[at..word]) {
                self.at = at;
                return;
            } else if self.text[at..word].ends_with(b":") || self.byte(at) == b'"' {
                return;
            }
            at = word.max(self.at);
        }
    }

    fn separators(&mut self) -> Separator {
        let from = self.at;
        while matches!(self.byte(self.at), b' ' | b'\t' | b',' | b'|' | b']' | b')' | b'-' | b':' | b';') {
            // A dash or a bar of its own is a separator; one that a letter follows begins a word.
            if self.byte(self.at) == b'-' && !matches!(self.byte(self.at + 1), b' ' | b'-') {
                break;
            }
            self.at += 1;
        }
        let between = &self.text[from..self.at];
        let dash = between.iter().filter(|&&b| b == b'-').count() == 1;
        if dash && self.level { Separator::Final } else { Separator::Between }
    }

    /// `[main]`, `[notice]`, `[req-1 2 - - -]`, `(main)`: a thread, a level, a request. `[instance: x]` is message.
    fn bracket(&mut self) -> bool {
        let close = match self.byte(self.at) {
            b'[' => b']',
            b'(' => b')',
            _ => return false,
        };
        let open = self.byte(self.at);
        let mut depth = 0_usize;
        for (offset, &byte) in self.text[self.at..].iter().take(2 * LONGEST).enumerate() {
            if byte == open {
                depth += 1;
            } else if byte == close {
                depth -= 1;
            }
            if depth == 0 {
                let inside = self.text[self.at + 1..self.at + offset].trim_ascii_end();
                if is_phrase(inside) && !self.logger_follows(self.at + offset + 1) {
                    return false;
                }
                self.level |=
                    is_level(inside) || inside.len() <= 10 && inside.iter().all(u8::is_ascii_lowercase);
                self.at += offset + 1;
                return true;
            }
        }
        false
    }

    /// Whether a logger's name stands at `at`, after the level: what is in brackets before it is a thread, however
    /// many words it has. `[RMCommunicator Allocator] org.apache.hadoop.mapred.Task: `
    fn logger_follows(&self, at: usize) -> bool {
        let at = at + usize::from(self.byte(at) == b' ');
        let end = word_end(self.text, at);
        let word = &self.text[at..end];
        let name = word.strip_suffix(b":");
        let ends = name.is_some() || self.text[end..].starts_with(b" - ");
        let name = name.unwrap_or(word);
        self.level && ends && is_name(name) && name.iter().filter(|&&b| b == b'.').count() >= 2
    }

    fn level_word(&mut self, end: usize) -> bool {
        let word = &self.text[self.at..end];
        let letter = matches!(word, [b'V' | b'D' | b'I' | b'W' | b'E' | b'F' | b'T']);
        if is_level(word) || letter && !self.level {
            self.level = true;
            self.at = end;
            return true;
        }
        false
    }

    /// The number of a process or thread, before the level only: after it a number is part of the message.
    fn process_number(&mut self, end: usize) -> bool {
        let word = &self.text[self.at..end];
        let follows = self.text[end..].starts_with(b" ---");
        let number = !word.is_empty() && word.len() <= 10 && word.iter().all(u8::is_ascii_digit);
        if number && (!self.level || follows) {
            self.at = end;
            return true;
        }
        false
    }

    /// A field between bars: `20171223-22:15:29:606|Step_LSC|30002312|`.
    fn between_bars(&mut self, end: usize) -> bool {
        if self.at == 0 || self.byte(self.at - 1) != b'|' {
            return false;
        }
        if end > self.at && self.byte(end) == b'|' {
            self.at = end;
            return true;
        }
        false
    }

    /// What wrote the message, and its end: `sshd[24200]:`, `combo su(pam_unix)[1]:`, `dfs.DataNode$PacketResponder:`,
    /// `chrome.exe - `.
    fn origin(&mut self, first_end: usize) -> bool {
        let mut at = self.at;
        let words = if self.syslog { 4 } else { 1 };
        for count in 0..words {
            let end = if count == 0 { first_end } else { word_end(self.text, at) };
            let word = &self.text[at..end];
            if word.is_empty() || end - at >= LONGEST {
                break;
            }
            if word.ends_with(b":") && is_name(&word[..word.len() - 1]) {
                self.at = end;
                return true;
            }
            // `[2026-01-02T03:04:05Z INFO  my_crate::server] `
            if count == 0
                && self.text[0] == b'['
                && word.ends_with(b"]")
                && is_name(&word[..word.len() - 1])
                && !word.contains(&b'[')
            {
                self.at = end;
                return true;
            }
            if count > 0 && !is_name(word) {
                break;
            }
            at = end + self.text[end..].iter().take(4).take_while(|b| **b == b' ').count();
        }
        if self.syslog {
            self.syslog = false;
            self.at = first_end;
            return false;
        }
        self.program_before_dash(first_end)
    }

    fn program_before_dash(&mut self, end: usize) -> bool {
        let mut next = end;
        if self.text[next..].starts_with(b" *") {
            next = word_end(self.text, next + 1);
        }
        if end > self.at && self.text[next..].starts_with(b" - ") && is_name(&self.text[self.at..end]) {
            self.at = next;
            // Python's default has the level after the name, and the message after another dash.
            let after = next + 3;
            let level = word_end(self.text, after);
            if is_level(&self.text[after..level]) {
                self.at = level;
            }
            return true;
        }
        false
    }

    /// A logger's name without a colon: `nova.osapi_compute.wsgi.server`.
    fn logger(&mut self) -> bool {
        let end = word_end(self.text, self.at);
        let word = &self.text[self.at..end];
        let dots = word.iter().filter(|&&b| b == b'.').count();
        let letters = word.iter().all(|b| b.is_ascii_alphabetic() || matches!(b, b'.' | b'_' | b'$'));
        if self.level && dots >= 2 && letters && end < self.text.len() && !word.ends_with(b".") {
            self.at = end;
            return true;
        }
        false
    }
}

/// What stands between a time and a level or a second time: words of a head, or of a sentence.
#[derive(Default)]
struct Skipped {
    words: usize,
    /// Those of nothing but small letters.
    plain: usize,
}

impl Skipped {
    /// Adds a word; `false` when only a sentence has it.
    fn add(&mut self, word: &[u8]) -> bool {
        self.words += 1;
        self.plain += usize::from(word.iter().all(u8::is_ascii_lowercase));
        !PREPOSITIONS.contains(&word)
    }

    fn may_be_before_a_time(&self) -> bool {
        self.plain < 2
    }

    /// `Config` and `Log` are words of sentences as well.
    fn may_be_before_the_level(&self, level: &[u8]) -> bool {
        self.words == 0 || self.plain < 3 && !level.iter().any(u8::is_ascii_lowercase)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Separator {
    /// More fields may follow.
    Between,
    /// The message follows: a dash of its own after the level.
    Final,
}

pub(crate) fn is_level(word: &[u8]) -> bool {
    let word = word.strip_suffix(b":").or_else(|| word.strip_suffix(b",")).unwrap_or(word);
    if !(3..=LONGEST_LEVEL).contains(&word.len()) || !word[0].is_ascii_uppercase() {
        return false;
    }
    let mut letters = [0; LONGEST_LEVEL];
    let upper = &mut letters[..word.len()];
    upper.copy_from_slice(word);
    upper.make_ascii_uppercase();
    matches!(
        &*upper,
        b"TRACE"
            | b"DEBUG"
            | b"INFO"
            | b"NOTICE"
            | b"WARN"
            | b"WARNING"
            | b"ERROR"
            | b"ERR"
            | b"CRIT"
            | b"CRITICAL"
            | b"FATAL"
            | b"ALERT"
            | b"EMERG"
            | b"SEVERE"
            | b"FAILURE"
            | b"PANIC"
            | b"FINE"
            | b"FINER"
            | b"FINEST"
            | b"CONFIG"
            | b"VERBOSE"
            | b"LOG"
            | b"STATEMENT"
            | b"DETAIL"
    )
}

/// A name of a program, logger or host: no blanks, and letters in it.
fn is_name(word: &[u8]) -> bool {
    word.first().is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'/'))
        && word.iter().any(u8::is_ascii_alphabetic) && word.iter().enumerate().all(|(at, b)| {
        let module = *b == b':' && (word.get(at + 1) == Some(b) || at > 0 && word[at - 1] == *b);
        let sign =
            matches!(b, b'#' | b'$' | b'('..=b'+' | b'-'..=b'/' | b'<' | b'>' | b'@' | b'[' | b']' | b'_');
        b.is_ascii_alphanumeric() || sign || module
    })
}

/// `instance: 5bc8`, `client 10.0.0.1`: words, and not one name.
fn is_phrase(inside: &[u8]) -> bool {
    let word = inside.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    word > 0 && (inside[word..].starts_with(b": ") || inside[word..].starts_with(b" "))
}
