//! Points in time as programs write them.

const ZONES: [&[u8]; 10] = [b"UTC", b"GMT", b"CST", b"CET", b"CEST", b"EST", b"EDT", b"PST", b"PDT", b"Z"];
/// The longest run of digits and signs that is one point in time.
const LONGEST: usize = 40;

/// What was found at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time {
    /// Where it ends.
    pub(crate) end: usize,
    /// Whether it was written as syslog does (`Jun 14 15:16:01`), after which a host's name follows.
    pub(crate) syslog: bool,
    /// Whether it is nothing but seconds since 1970, which only its place tells from another number.
    pub(crate) epoch: bool,
}

/// The point in time that begins at `at`, with its date, its fraction and its zone.
pub(crate) fn at(text: &[u8], at: usize) -> Option<Time> {
    let mut place = at;
    let mut syslog = false;
    let letters = text.get(at)?.is_ascii_uppercase();
    match text.get(at)? {
        b'0'..=b'9' => place = after_day(text, at).unwrap_or(at),
        b'A'..=b'Z' => {
            syslog = true;
            if let Some(after) = named(text, place, is_day) {
                (place, syslog) = (after, false);
            }
            place = named(text, place, is_month)?;
            let day = digits(text, place);
            if day == 0 || day > 2 {
                return None;
            }
            place = blanks(text, place + day);
            let time = digits(text, place);
            // `Jun 14 2005 15:16:01`
            if time == 4 && text.get(place + 4) == Some(&b' ') {
                place += 5;
            }
        }
        _ => return None,
    }
    let mut end = numeric(text, place)?;
    // A date and a clock with a blank between them; a year or a zone after them.
    let next = blanks(text, end);
    if next > end && next <= end + 2 {
        if let Some(second) = numeric(text, next).filter(|_| !is_epoch(&text[place..end])) {
            end = second;
        } else if letters && digits(text, next) == 4 && !is_digit(text, next + 4) {
            end = next + 4;
        }
        end = zone_end(text, end);
    }
    Some(Time { end, syslog, epoch: is_epoch(&text[at..end]) })
}

/// Where the year of `02 Jan 2026 ` or `02-Jan-2026 ` begins.
fn after_day(text: &[u8], at: usize) -> Option<usize> {
    let month = at + digits(text, at) + 1;
    let year = month + 4;
    let sign = *text.get(month - 1)?;
    let is_sign = matches!(sign, b' ' | b'-') && text.get(year - 1) == Some(&sign);
    let known = is_month(text.get(month..month + 3)?);
    (month <= at + 3 && is_sign && known && digits(text, year) == 4 && text.get(year + 4) == Some(&b' '))
        .then_some(year + 5)
}

/// `AM`, `UTC`, `+0800` after a blank.
fn zone_end(text: &[u8], end: usize) -> usize {
    let Some((b' ', rest)) =
        text.get(end..).and_then(|rest| rest.split_first()).map(|(first, rest)| (*first, rest))
    else {
        return end;
    };
    let word =
        rest.iter().take(6).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-')).count();
    let zone = &rest[..word];
    let offset = matches!(zone, [b'+' | b'-', digits @ ..] if digits.len() == 4 && digits.iter().all(u8::is_ascii_digit));
    if offset || ZONES.contains(&zone) || zone == b"AM" || zone == b"PM" { end + 1 + word } else { end }
}

/// The end of a run of digits and the signs that join them in dates and clocks, if there are enough of both, or if it
/// is seconds since 1970.
fn numeric(text: &[u8], from: usize) -> Option<usize> {
    let mut end = from;
    let mut count = 0;
    let mut signs = 0;
    let mut last = 0;
    while end < text.len() && end - from < LONGEST {
        match text[end] {
            b'0'..=b'9' => count += 1,
            b':' | b'/' | b'.' | b',' | b'+' | b'-'
                if end > from && text[end - 1].is_ascii_alphanumeric() =>
            {
                signs += 1;
            }
            b'T' | b'_' if count >= 8 && is_digit(text, end + 1) => {}
            // `10/Oct/2000:13:55:36`
            b'A'..=b'Z' if last == b'/' && text.get(end..end + 3).is_some_and(is_month) => end += 2,
            b'Z' => {
                end += 1;
                break;
            }
            _ => break,
        }
        last = text[end];
        end += 1;
    }
    while end > from && matches!(text[end - 1], b':' | b'/' | b'.' | b',' | b'+' | b'-') {
        end -= 1;
        signs -= 1;
    }
    if text.get(end).is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_') || is_micro(text, end) {
        return None;
    }
    let run = &text[from..end];
    let clock = count >= 4 && signs >= 2 && has_clock(run);
    let date = (4..=8).contains(&count) && (1..=2).contains(&signs) && is_date(run);
    let packed = matches!(count, 6 | 8 | 14) && signs == 0 && packed_follows(text, end, count);
    (clock || date || packed || is_epoch(run)).then_some(end)
}

/// `µ` or the Greek letter: what Go and Rust print before the `s` of microseconds.
fn is_micro(text: &[u8], at: usize) -> bool {
    matches!(text.get(at..), Some([0xc2, 0xb5, ..] | [0xce, 0xbc, ..]))
}

/// `15:16:01`, or `15:16` after a date, or `20171224-0:5:12:3`: only after a date are zeros left out. The colons of
/// addresses (`10.0.0.1:80`, `::1`) tell no time.
fn has_clock(run: &[u8]) -> bool {
    let Some(colon) = run.iter().position(|&b| b == b':') else { return false };
    // Minutes follow hours; in `10/Oct/2000:13:55:36` a day stands before them.
    let from =
        if colon >= 4 && run[..colon].iter().rev().take(4).all(u8::is_ascii_digit) { colon + 1 } else { 0 };
    let Some(colon) = run[from..].iter().position(|&b| b == b':').map(|place| from + place) else {
        return false;
    };
    let hours = run[from..colon].iter().rev().take_while(|b| b.is_ascii_digit()).count();
    let minutes = digits(run, colon + 1);
    let after = colon + 1 + minutes;
    let seconds = if run.get(after) == Some(&b':') { digits(run, after + 1) } else { 0 };
    let date = &run[..colon - hours];
    let dated = date.iter().filter(|b| matches!(b, b'-' | b'/')).count() >= 2 || is_packed_date(date);
    let clock = match minutes {
        1 => dated && seconds > 0,
        2 => dated || seconds >= 2,
        _ => false,
    };
    matches!(hours, 1 | 2) && clock
}

/// `20171223-`, `20171223T`
fn is_packed_date(run: &[u8]) -> bool {
    matches!(run, [date @ .., b'-' | b'T' | b'_'] if date.len() == 8 && date.iter().all(u8::is_ascii_digit))
}

/// `2005-06-03`, `17/06/09`, `03-17`, `10.30`: only in front of a clock is a short one a date.
fn is_date(run: &[u8]) -> bool {
    let mut parts = run.split(|b| !b.is_ascii_digit());
    parts.all(|part| matches!(part.len(), 2 | 4)) && !run.contains(&b':') && !run.contains(&b'+')
}

/// `081109 203615`: a date of six digits and a clock of six.
fn packed_follows(text: &[u8], end: usize, count: usize) -> bool {
    let clock = blanks(text, end);
    match count {
        6 => clock == end + 1 && digits(text, clock) == 6 || is_clock_before(text, end),
        8 => clock == end + 1 && text.get(clock + 2) == Some(&b':'),
        _ => text[end - count..].starts_with(b"20") || text[end - count..].starts_with(b"19"),
    }
}

/// Whether the six digits that end at `end` follow six others.
fn is_clock_before(text: &[u8], end: usize) -> bool {
    end >= 13 && text[end - 7] == b' ' && text[end - 13..end - 7].iter().all(u8::is_ascii_digit)
}

/// Seconds, milli-, micro- or nanoseconds since 1970, between 2001 and 2033.
fn is_epoch(run: &[u8]) -> bool {
    let whole = run.split(|&b| b == b'.').next().unwrap_or_default();
    matches!(whole.len(), 10 | 13 | 16 | 19)
        && whole[0] == b'1'
        && run.iter().all(|b| b.is_ascii_digit() || *b == b'.')
        && run.len() - whole.len() <= 10
}

fn named(text: &[u8], at: usize, is_known: impl Fn(&[u8]) -> bool) -> Option<usize> {
    // A blank after three letters is rarer than a capital.
    let [name @ .., blank @ (b' ' | b',')] = text.get(at..at + 4)? else { return None };
    is_known(name).then(|| blanks(text, at + 3 + usize::from(*blank == b',')))
}

fn is_month(name: &[u8]) -> bool {
    matches!(
        name,
        b"Jan"
            | b"Feb"
            | b"Mar"
            | b"Apr"
            | b"May"
            | b"Jun"
            | b"Jul"
            | b"Aug"
            | b"Sep"
            | b"Oct"
            | b"Nov"
            | b"Dec"
    )
}

fn is_day(name: &[u8]) -> bool {
    matches!(name, b"Mon" | b"Tue" | b"Wed" | b"Thu" | b"Fri" | b"Sat" | b"Sun")
}

fn blanks(text: &[u8], from: usize) -> usize {
    from + text.get(from..).unwrap_or_default().iter().take(8).take_while(|b| **b == b' ').count()
}

fn digits(text: &[u8], from: usize) -> usize {
    text.get(from..).unwrap_or_default().iter().take(20).take_while(|b| b.is_ascii_digit()).count()
}

fn is_digit(text: &[u8], at: usize) -> bool {
    text.get(at).is_some_and(u8::is_ascii_digit)
}
