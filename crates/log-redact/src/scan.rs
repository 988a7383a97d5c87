//! Looks for everything in one text: once over its bytes for the watched words, once for what has none, and
//! once more over whatever in it is a text of its own (decoded).

use std::ops::Range;

use memchr::{memchr, memchr_iter};

use crate::class::Code;
use crate::join;
use crate::rules::{ClassId, Rules, Target};
use crate::verify::{self, number};
use crate::view::{self, View};

/// How deep texts inside texts are followed.
const DEEPEST: u8 = 3;
const WORD_BEFORE: usize = 2048;
const WORD_AFTER: usize = 8192;
const ESCAPED_BEFORE: usize = 4096;
const ESCAPED_AFTER: usize = 32 * 1024;

/// Something that was found, in the text it was found in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) class: ClassId,
    /// The secret itself, when it is not spelled plainly in `start..end`.
    pub(crate) decoded: Option<Vec<u8>>,
}

/// One look over one text.
pub(crate) struct Scan<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) text: &'a [u8],
    depth: u8,
    pub(crate) found: Vec<Candidate>,
    /// What only looks drawn: it says nothing about what is beside it, and joins no lines.
    weak: Vec<Candidate>,
    /// Line breaks over which a secret may go on.
    pub(crate) breaks: Vec<usize>,
    /// How far each kind of thing has been looked at, so that no byte is looked at again by the next hit.
    pub(crate) done: Done,
}

/// How far each kind of thing has been looked at.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) keys: usize,
    pub(crate) addresses: usize,
    pub(crate) hosts: usize,
    pub(crate) headers: usize,
    pub(crate) keys_of_pem: usize,
    pub(crate) macs: usize,
    pub(crate) mails: usize,
    pub(crate) manifests: usize,
    pub(crate) numbers: usize,
    pub(crate) objects: usize,
    pub(crate) wide_addresses: usize,
}

/// Everything in `text` that begins in `accept`; bytes before and after are looked at as surroundings.
pub(crate) fn scan(rules: &Rules, text: &[u8], accept: Range<usize>) -> Vec<Candidate> {
    scan_at(rules, text, accept, 0)
}

fn scan_at(rules: &Rules, text: &[u8], accept: Range<usize>, depth: u8) -> Vec<Candidate> {
    let mut scan = Scan {
        rules,
        text,
        depth,
        found: Vec::new(),
        weak: Vec::new(),
        breaks: Vec::new(),
        done: Done::default(),
    };
    scan.words(&accept);
    scan.sweep(&accept);
    scan.extra(&accept);
    if depth < DEEPEST {
        scan.percent(&accept);
        scan.escapes(&accept);
        scan.line_breaks(&accept);
        scan.joined();
    }
    let weak = std::mem::take(&mut scan.weak);
    let mut weak = scan.apart(weak);
    scan.found.append(&mut weak);
    scan.found
}

impl Scan<'_> {
    pub(crate) fn find(&mut self, class: ClassId, (start, end): (usize, usize)) {
        self.push(Candidate { start, end, class, decoded: None });
    }

    /// The same for a secret that may be written in several ways, of which one is `plain`.
    pub(crate) fn find_as(&mut self, class: ClassId, (start, end): (usize, usize), plain: Vec<u8>) {
        self.push(Candidate { start, end, class, decoded: Some(plain) });
    }

    fn push(&mut self, candidate: Candidate) {
        let list = if self.is_weak(&candidate) { &mut self.weak } else { &mut self.found };
        list.push(candidate);
    }

    pub(crate) fn is_weak(&self, candidate: &Candidate) -> bool {
        Some(candidate.class) == self.rules.random
    }

    /// Watches for the rules' words.
    fn words(&mut self, accept: &Range<usize>) {
        let words = &self.rules.words;
        words.each_in(self.text, accept.clone(), |word, at, after| self.meet(words.targets(word), at, after));
    }

    /// Notes the line breaks that cut a word in two, or that a line of one word follows: few lines are one
    /// word, and one
    /// that is may be the rest of what the line before it ends with.
    fn line_breaks(&mut self, accept: &Range<usize>) {
        let mut line_start = accept.start;
        for length in memchr_iter(b'\n', &self.text[accept.clone()]) {
            let line_end = accept.start + length;
            let line = &self.text[line_start..view::line_stop(self.text, line_end).max(line_start)];
            let next = view::after_indent(self.text, line_end + 1);
            let rest = &self.text[next..];
            if join::is_one_word(self.text, line_end + 1)
                || self.rules.words.is_cut(line, rest)
                || self.rules.numbers && number::may_go_on(line, rest)
            {
                self.breaks.push(line_end);
            }
            line_start = line_end + 1;
        }
    }

    fn meet(&mut self, targets: &[Target], at: usize, after: usize) {
        for target in targets {
            match *target {
                Target::Shape(class, shape) => {
                    if !shape.literals.iter().any(|literal| self.text[at..after] == *literal.as_bytes()) {
                        continue;
                    }
                    let matched = shape.matches(self.text, at, after);
                    match matched.token {
                        Some(token) => self.find(class, token),
                        None if shape.before.is_some() => self.began_before(at),
                        None => {}
                    }
                    self.goes_on_at(matched.reached);
                }
                Target::Key => verify::key::look(self, at, after),
                Target::PrivateKey => verify::pem::look(self, at),
                Target::Jwt => verify::jwt::look(self, at),
                Target::Url => verify::url::look(self, at, after),
                Target::Scheme => verify::header::scheme(self, at, after),
                Target::HostSuffix => verify::address::host(self, at, after),
                Target::Manifest => verify::manifest::look(self, at, after),
                Target::Command => verify::command::look(self, at),
                Target::Auth => verify::auth::look(self, at),
                Target::Dsn => verify::url::dsn(self, at, after),
            }
        }
    }

    /// Notes that something may go on over the line break at `at`, if there is one.
    pub(crate) fn goes_on_at(&mut self, at: usize) {
        let rest = self.text.get(at..).unwrap_or_default();
        let skipped = match rest {
            [b'\n', ..] => 0,
            [b'\\' | b'\r', b'\n', ..] => 1,
            [b'\\', b'\r', b'\n', ..] => 2,
            _ => return,
        };
        self.goes_on_over(at + skipped);
    }

    fn goes_on_over(&mut self, line_break: usize) {
        if self.depth < DEEPEST {
            self.breaks.push(line_break);
        }
    }

    /// Notes that something may have begun before the line that the word at `at` begins, if it begins one.
    pub(crate) fn began_before(&mut self, at: usize) {
        let from = at.saturating_sub(WORD_BEFORE);
        let Some(line_break) = memchr::memrchr(b'\n', &self.text[from..at]) else { return };
        let before = self.text[from + line_break..at].trim_ascii_start();
        if !before.iter().any(u8::is_ascii_whitespace) {
            self.goes_on_over(from + line_break);
        }
    }

    /// The same for digits: only if the next line begins with more of them, and with no point in time.
    pub(crate) fn goes_on_in_digits_at(&mut self, at: usize) {
        let rest = self.text.get(at..).unwrap_or_default();
        let Some(next) = rest.strip_prefix(b"\r").unwrap_or(rest).strip_prefix(b"\n") else { return };
        let next = next.trim_ascii_start();
        let digits = next
            .iter()
            .take(20)
            .take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'X' | b'x'))
            .count();
        let time = matches!(next.get(digits), Some(b' ' | b':' | b'/' | b'.' | b'-' | b'\t'))
            && next.get(digits + 1).is_some_and(u8::is_ascii_digit);
        // Groups of an account or a card go on behind a blank, and are told by their check digits.
        let grouped = (1..4).contains(&digits) && {
            let group = next[digits..].strip_prefix(b" ").unwrap_or_default();
            group.len() >= 4 && group[..4].iter().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'Z'))
        };
        if digits > 0 && (!time || grouped) {
            self.goes_on_at(at);
        }
    }

    /// Base64 of a text with something in it, at `start..end`; whether it was base64 of a text.
    /// What only looks drawn in a public one says nothing.
    pub(crate) fn base64(&mut self, start: usize, end: usize, is_public: bool) -> bool {
        if self.depth >= DEEPEST {
            return false;
        }
        let Some(text) = view::base64_text(&self.text[start..end]) else { return false };
        let mut found = scan_at(self.rules, &text, 0..text.len(), self.depth + 1);
        found.retain(|other| !is_public || !self.is_weak(other));
        let first = found.into_iter().min_by_key(|other| (self.is_weak(other), other.start, other.class));
        if let Some(first) = first {
            let secret = first.decoded.unwrap_or_else(|| text[first.start..first.end].to_vec());
            self.push(Candidate { start, end, class: first.class, decoded: Some(secret) });
        }
        true
    }

    fn extra(&mut self, accept: &Range<usize>) {
        for (pattern, class) in &self.rules.extra {
            for found in pattern.find_iter(&self.text[accept.start..]) {
                let (start, end) = (accept.start + found.start(), accept.start + found.end());
                if start >= accept.end {
                    break;
                }
                if start < end {
                    self.push(Candidate { start, end, class: *class, decoded: None });
                }
            }
        }
    }

    /// Words with `%41` in them, decoded.
    fn percent(&mut self, accept: &Range<usize>) {
        let mut at = accept.start;
        while let Some(length) = memchr(b'%', &self.text[at.min(accept.end)..accept.end]) {
            at += length;
            if view::percent_at(self.text, at).is_none() {
                at += 1;
                continue;
            }
            let word = view::word_around(self.text, at, WORD_BEFORE, WORD_AFTER);
            at = word.end;
            self.look_into(&View::percent(self.text, word));
        }
    }

    /// Lines with `\"` or `\n` in them, decoded.
    fn escapes(&mut self, accept: &Range<usize>) {
        let mut at = accept.start;
        while let Some(length) = memchr(b'\\', &self.text[at.min(accept.end)..accept.end]) {
            at += length;
            if !self.text.get(at + 1).is_some_and(|byte| view::is_escape(*byte)) {
                at += 1;
                continue;
            }
            let from = at.saturating_sub(ESCAPED_BEFORE);
            let start = memchr::memrchr(b'\n', &self.text[from..at]).map_or(from, |place| from + place + 1);
            let to = self.text.len().min(at + ESCAPED_AFTER);
            let end = memchr(b'\n', &self.text[at..to]).map_or(to, |length| at + length);
            at = end;
            self.look_into(&View::unescaped(self.text, start..end));
        }
    }

    fn look_into(&mut self, view: &View) {
        let found = self.look_at(view);
        self.take(view, found);
    }

    /// Everything in a text inside this one, by its place in that.
    pub(crate) fn look_at(&self, view: &View) -> Vec<Candidate> {
        scan_at(self.rules, &view.text, 0..view.text.len(), self.depth + 1)
    }

    /// Takes what was found in a text inside this one.
    pub(crate) fn take(&mut self, view: &View, found: Vec<Candidate>) {
        for candidate in found {
            let Some((start, end)) = view.outer(candidate.start..candidate.end) else { continue };
            let plain = &view.text[candidate.start..candidate.end];
            let decoded = candidate.decoded.unwrap_or_else(|| plain.to_vec());
            self.push(Candidate { start, end, class: candidate.class, decoded: Some(decoded) });
        }
    }

    pub(crate) fn code(&self, code: Code) -> Option<ClassId> {
        self.rules.code(code)
    }
}
