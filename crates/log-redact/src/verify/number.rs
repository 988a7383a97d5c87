//! Numbers of people: identities, telephones, cards, accounts. Every one has a check of its own or a form
//! that other numbers in
//! logs do not have.

use crate::alphabet::Alphabet;
use crate::checks;
use crate::class::Code;
use crate::scan::Scan;
use crate::shape;

/// The most digits that a number of these has, and the most groups.
const MOST_DIGITS: usize = 19;
const MOST_GROUPS: usize = 5;
/// ISO 13616: 15 (Norway) to 34 letters and digits.
const IBAN_LENGTHS: std::ops::RangeInclusive<usize> = 15..=34;

/// Looks at the digits at `start..end`, four at least, that may be one group of a number.
pub(crate) fn look(scan: &mut Scan<'_>, start: usize, end: usize) {
    if end - start > MOST_DIGITS || start < scan.done.numbers {
        return;
    }
    if end - start == 4 {
        spaced_iban(scan, start);
    }
    // Most digits in logs are of times, sizes and small numbers.
    if !may_be_alone(scan.text, start, end) && !is_grouped(scan.text, start, end) {
        scan.done.numbers = end;
        scan.goes_on_in_digits_at(end);
        return;
    }
    let Some(number) = Number::around(scan.text, start, end) else { return };
    if let Some(found) = number.meaning(scan.text)
        && let Some(class) = scan.code(found.code)
    {
        scan.find_as(class, found.range, found.digits.as_slice().to_vec());
    }
    scan.done.numbers = number.end;
    // The end of a line may have cut it.
    scan.goes_on_in_digits_at(number.end);
}

/// Whether the line that begins with `next` may be the rest of a number in groups, which the end of `line` cut: nothing
/// but groups, of an account's number with capitals.
pub(crate) fn may_go_on(line: &[u8], next: &[u8]) -> bool {
    /// An account's number of 34 letters and digits in groups of four.
    const LONGEST: usize = 42;
    let is_part = |byte: &u8| byte.is_ascii_digit() || byte.is_ascii_uppercase();
    let is_cut = line.last().is_some_and(is_part) && next.first().is_some_and(is_part);
    let spelled = || next.iter().take_while(|byte| is_part(byte) || matches!(byte, b' ' | b'-'));
    is_cut && matches!(next.get(spelled().take(LONGEST).count()), None | Some(b'\n' | b'\r' | b'\\'))
}

/// Whether so many digits without separators may be a number: of a mobile telephone, of a card or of an identity, or of
/// a telephone after a plus sign.
fn may_be_alone(text: &[u8], start: usize, end: usize) -> bool {
    match end - start {
        11 | 13..=MOST_DIGITS => true,
        8..=12 => text[..start].ends_with(b"+"),
        _ => false,
    }
}

/// Whether there are digits on the other side of a separator.
fn is_grouped(text: &[u8], start: usize, end: usize) -> bool {
    let separator = |byte: u8| matches!(byte, b' ' | b'-');
    let before =
        matches!(text[..start], [.., digit, between] if separator(between) && digit.is_ascii_digit());
    let after = matches!(text[end..], [between, digit, ..] if separator(between) && digit.is_ascii_digit());
    before || after
}

/// Digits in groups with one kind of separator.
struct Number {
    start: usize,
    end: usize,
    /// How many digits each has.
    groups: [usize; MOST_GROUPS],
    group_count: usize,
    length: usize,
}

impl Number {
    fn around(text: &[u8], start: usize, end: usize) -> Option<Self> {
        let separator = |at: usize| text.get(at).copied().filter(|byte| matches!(byte, b' ' | b'-'));
        let is_digit = |at: usize| text.get(at).is_some_and(u8::is_ascii_digit);
        // Back to the first group.
        let mut first = start;
        let before = start.checked_sub(1).and_then(separator);
        for _ in 1..MOST_GROUPS {
            let Some(at) =
                first.checked_sub(2).filter(|_| before.is_some() && separator(first - 1) == before)
            else {
                break;
            };
            if !is_digit(at) {
                break;
            }
            first = Alphabet::DIGITS.start_of_run(text, at + 1, 8);
        }
        let mut number = Self { start: first, end, groups: [0; MOST_GROUPS], group_count: 0, length: 0 };
        let mut at = first;
        let between = before.or_else(|| separator(end));
        loop {
            number.end = Alphabet::DIGITS.end_of_run(text, at, MOST_DIGITS + 1);
            number.length += number.end - at;
            *number.groups.get_mut(number.group_count)? = number.end - at;
            number.group_count += 1;
            if number.length > MOST_DIGITS {
                return None;
            }
            if between.is_none() || separator(number.end) != between || !is_digit(number.end + 1) {
                break;
            }
            if number.group_count == MOST_GROUPS {
                return None;
            }
            at = number.end + 1;
        }
        Some(number)
    }

    fn digits(&self, text: &[u8]) -> Digits {
        let mut digits = Digits { all: [0; MOST_DIGITS], length: self.length };
        let spelled = text[self.start..self.end].iter().filter(|byte| byte.is_ascii_digit());
        digits.all.iter_mut().zip(spelled).for_each(|(digit, spelled)| *digit = *spelled);
        digits
    }

    /// Whether it is only a part of what stands before it.
    fn is_glued(&self, text: &[u8]) -> bool {
        let before = self.start.checked_sub(1).map(|at| text[at]);
        let second = self.start.checked_sub(2).map(|at| text[at]);
        !shape::begins_a_word(text, self.start)
            // The plus sign of `2.4+20151223` joins two parts of a version.
            || before == Some(b'+') && !shape::begins_a_word(text, self.start - 1)
            || matches!(before, Some(b'.' | b'_'))
            || before == Some(b'-') && second.is_some_and(|byte| Alphabet::WORD.has(byte))
    }

    /// What this is the number of.
    fn meaning(&self, text: &[u8]) -> Option<Meaning> {
        let before = self.start.checked_sub(1).map(|at| text[at]);
        let after = text.get(self.end).copied();
        let plus = before == Some(b'+');
        let groups = &self.groups[..self.group_count];
        if !is_form(groups) && !plus || self.is_glued(text) {
            return None;
        }
        let goes_on = after.is_some_and(|byte| Alphabet::WORD.has(byte))
            || matches!(after, Some(b'.' | b':' | b'-'))
                && text.get(self.end + 1).is_some_and(u8::is_ascii_digit);
        let all = self.digits(text);
        let digits = all.as_slice();
        if goes_on {
            return self.identity_with_x(text, digits);
        }
        let begin = self.start - usize::from(plus);
        let country = digits.starts_with(b"86") && digits.len() == 13 && (plus || groups.len() > 1);
        let local = if country { all.without_country() } else { all };
        let means = |code, begin, digits| Some(Meaning { code, range: (begin, self.end), digits });
        match groups {
            [18] | [6, 8, 4] if checks::chinese_identity(digits) => {
                means(Code::ChineseIdentity, self.start, all)
            }
            [11] | [13] | [3, 4, 4] | [2, 11] | [2, 3, 4, 4]
                if is_mobile(local.as_slice())
                    && (country || !plus)
                    && (plus || !is_measured(text, self.start, self.end)) =>
            {
                means(Code::ChineseMobile, begin, local)
            }
            [14..=19] | [4, 4, 4, 4] | [4, 4, 4, 4, 3] | [4, 6, 5] | [4, 6, 4] if is_card(digits) => {
                means(Code::Card, self.start, all)
            }
            [3, 2, 4]
                if before != Some(b'-')
                    && after != Some(b'-')
                    && is_social_security(digits, text[self.start + 3]) =>
            {
                means(Code::SocialSecurity, self.start, all)
            }
            _ if plus && (8..=15).contains(&digits.len()) && !is_counted(text, self.end) => {
                means(Code::Phone, begin, all)
            }
            _ => None,
        }
    }

    /// An identity's number may end with an X.
    fn identity_with_x(&self, text: &[u8], digits: &[u8]) -> Option<Meaning> {
        let ends = matches!(text.get(self.end), Some(b'x' | b'X'))
            && !text.get(self.end + 1).is_some_and(|byte| Alphabet::WORD.has(*byte));
        if digits.len() != 17 || !ends {
            return None;
        }
        let mut letters = Digits { all: [b'X'; MOST_DIGITS], length: 18 };
        letters.all[..17].copy_from_slice(digits);
        let range = (self.start, self.end + 1);
        checks::chinese_identity(letters.as_slice()).then_some(Meaning {
            code: Code::ChineseIdentity,
            range,
            digits: letters,
        })
    }
}

/// The digits of a number without what they are grouped with.
#[derive(Clone, Copy)]
struct Digits {
    all: [u8; MOST_DIGITS],
    length: usize,
}

impl Digits {
    fn as_slice(&self) -> &[u8] {
        &self.all[..self.length]
    }

    /// Without the first two, which are China's.
    fn without_country(mut self) -> Self {
        self.all.copy_within(2.., 0);
        self.length -= 2;
        self
    }
}

/// What a number is.
struct Meaning {
    code: Code,
    range: (usize, usize),
    /// One number has one placeholder however it is grouped.
    digits: Digits,
}

/// Whether numbers of a known kind are grouped so, whatever their digits: that tells most of them apart from others.
fn is_form(groups: &[usize]) -> bool {
    matches!(
        groups,
        [11 | 13..=19]
            | [2, 11]
            | [3, 2, 4]
            | [3, 4, 4]
            | [4, 6, 4 | 5]
            | [6, 8, 4]
            | [2, 3, 4, 4]
            | [4, 4, 4, 4]
            | [4, 4, 4, 4, 3]
    )
}

/// YD/T of the ministry for industry: eleven digits, the second of which is 3 to 9.
fn is_mobile(digits: &[u8]) -> bool {
    digits.len() == 11 && digits[0] == b'1' && matches!(digits[1], b'3'..=b'9')
}

/// Whether the words around say that this is a size, a time or a count.
fn is_measured(text: &[u8], start: usize, end: usize) -> bool {
    const BEFORE: [&[u8]; 25] = [
        b"size",
        b"bytes",
        b"length",
        b"len",
        b"limit",
        b"offset",
        b"used",
        b"total",
        b"free",
        b"count",
        b"memory",
        b"time",
        b"timestamp",
        b"ns",
        b"duration",
        b"capacity",
        b"available",
        b"max",
        b"build",
        b"heap",
        b"rss",
        b"pid",
        b"revision",
        b"version",
        b"sequence",
    ];
    let tied = text[..start].trim_ascii_end();
    let tied = tied.strip_suffix(b"=").or_else(|| tied.strip_suffix(b":")).unwrap_or(tied);
    let tied = tied.strip_suffix(b"\"").unwrap_or(tied).trim_ascii_end();
    let word = last_word(tied);
    BEFORE.iter().any(|name| word.eq_ignore_ascii_case(name)) || is_counted(text, end)
}

/// Whether what follows a number says what it is a number of.
fn is_counted(text: &[u8], end: usize) -> bool {
    const UNITS: [&[u8]; 24] = [
        b"bytes",
        b"byte",
        b"B",
        b"ms",
        b"ns",
        b"us",
        b"s",
        b"records",
        b"rows",
        b"lines",
        b"files",
        b"tokens",
        b"characters",
        b"items",
        b"entries",
        b"events",
        b"messages",
        b"requests",
        b"pages",
        b"blocks",
        b"used",
        b"free",
        b"total",
        b"insertions",
    ];
    let rest = text[end..].strip_prefix(b" ").unwrap_or(&text[end..]);
    UNITS.contains(&&rest[..Alphabet::LETTERS.end_of_run(rest, 0, 16)])
}

/// The last word of a name: `size` of `block_size` and of `blockSize`.
pub(super) fn last_word(text: &[u8]) -> &[u8] {
    let start = Alphabet::LETTERS.start_of_run(text, text.len(), 32);
    let word = &text[start..];
    let capital =
        word.windows(2).rposition(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
    capital.map_or(word, |place| &word[place + 1..])
}

/// The ranges that the schemes give out, and the check digit.
fn is_card(digits: &[u8]) -> bool {
    let number = |length: usize| {
        digits[..length].iter().fold(0_u32, |number, digit| number * 10 + u32::from(digit - b'0'))
    };
    let (two, three, four) = (number(2), number(3), number(4));
    let scheme = match digits.len() {
        14 => matches!(two, 36 | 38 | 39) || (300..=305).contains(&three),
        15 => matches!(two, 34 | 37),
        16 => {
            digits[0] == b'4'
                || (51..=55).contains(&two)
                || (2221..=2720).contains(&four)
                || (3528..=3589).contains(&four)
                || four == 6011
                || two == 65
                || (644..=649).contains(&three)
                || two == 62
        }
        17 | 18 => two == 62,
        19 => two == 62 || digits[0] == b'4',
        _ => false,
    };
    scheme && !digits.iter().all(|digit| *digit == digits[0]) && checks::luhn(digits)
}

/// Numbers that the administration never gives out are none.
fn is_social_security(digits: &[u8], separator: u8) -> bool {
    let (area, group, serial) = (&digits[..3], &digits[3..5], &digits[5..]);
    separator == b'-'
        && area != b"000"
        && area != b"666"
        && area[0] != b'9'
        && group != b"00"
        && serial != b"0000"
}

/// An account number in groups of four, of which the digits at `at` are the second or third.
fn spaced_iban(scan: &mut Scan<'_>, at: usize) {
    let Some(class) = scan.code(Code::Iban) else { return };
    let text = scan.text;
    for back in [5, 10] {
        let Some(start) = at.checked_sub(back) else { return };
        if text[start + 4] != b' ' || !begins_iban(text, start) {
            continue;
        }
        let mut letters = Vec::with_capacity(*IBAN_LENGTHS.end());
        let mut place = start;
        let (mut end, mut length) = (start, 0);
        while letters.len() < *IBAN_LENGTHS.end() {
            let stop = Alphabet::UPPER_DIGITS.end_of_run(text, place, 5);
            if !(1..=4).contains(&(stop - place)) {
                break;
            }
            letters.extend_from_slice(&text[place..stop]);
            // What follows may be another word: the longest beginning that passes is the number.
            if IBAN_LENGTHS.contains(&letters.len()) && checks::iban(&letters) {
                (end, length) = (stop, letters.len());
            }
            if stop - place < 4 || text.get(stop) != Some(&b' ') {
                break;
            }
            place = stop + 1;
        }
        if end > start {
            letters.truncate(length);
            scan.find_as(class, (start, end), letters);
            scan.done.numbers = end;
            return;
        }
    }
}

/// An account number without blanks that begins at `start`.
pub(crate) fn iban(scan: &mut Scan<'_>, start: usize) {
    if !begins_iban(scan.text, start) {
        return;
    }
    let Some(class) = scan.code(Code::Iban) else { return };
    let end = Alphabet::UPPER_DIGITS.end_of_run(scan.text, start, *IBAN_LENGTHS.end() + 1);
    let glued = scan.text.get(end).is_some_and(|byte| Alphabet::WORD.has(*byte));
    if !glued && IBAN_LENGTHS.contains(&(end - start)) && checks::iban(&scan.text[start..end]) {
        scan.find(class, (start, end));
    }
}

fn begins_iban(text: &[u8], start: usize) -> bool {
    let head = text.get(start..start + 4);
    matches!(head, Some([b'A'..=b'Z', b'A'..=b'Z', b'0'..=b'9', b'0'..=b'9']))
        && shape::begins_a_word(text, start)
}
