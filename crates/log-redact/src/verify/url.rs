//! Passwords in addresses: `scheme://user:password@host` (RFC 3986, 3.2.1), in connection strings of
//! databases too.

use crate::alphabet::Alphabet;
use crate::class::Code;
use crate::placeholder;
use crate::scan::Scan;

const LONGEST_AUTHORITY: usize = 1024;

/// Looks at `://`.
pub(crate) fn look(scan: &mut Scan<'_>, at: usize, after: usize) {
    let text = scan.text;
    if at == 0 || !Alphabet::ALNUM.has(text[at - 1]) {
        return;
    }
    let rest = &text[after..text.len().min(after + LONGEST_AUTHORITY)];
    // A slash in a password should be written %2F, but often is not: the last @ of the word counts.
    let ends = |byte: &u8| {
        byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'`' | b'\\' | b',')
    };
    let word = &rest[..rest.iter().position(ends).unwrap_or(rest.len())];
    let authority = word.iter().position(|byte| matches!(byte, b'/' | b'?' | b'#')).unwrap_or(word.len());
    let at_sign = word[..authority].iter().rposition(|byte| *byte == b'@');
    let Some(host) = at_sign.or_else(|| host_after_a_slash(word, authority)) else {
        if authority == word.len() {
            scan.goes_on_at(after + word.len());
        }
        return;
    };
    let user_info = &word[..host];
    let Some(colon) = user_info.iter().position(|byte| *byte == b':') else {
        let of_sentry = user_info.len() == 32 && memchr::memmem::find(&word[host..], b"sentry").is_some();
        if let Some(class) = scan.code(Code::SentryDsn).filter(|_| of_sentry) {
            scan.find(class, (after, after + host));
        }
        return;
    };
    let (start, end) = (after + colon + 1, after + host);
    let password = &text[start..end];
    let harmless = password.is_empty()
        || password.iter().all(|byte| matches!(byte, b'*' | b'x' | b'X'))
        || placeholder::end_at(text, start).is_some()
        || matches!(password, [b'$', b'{' | b'(', ..] | [b'{', ..]);
    if let Some(class) = scan.code(Code::UrlPassword).filter(|_| !harmless) {
        scan.find(class, (start, end));
    }
}

/// Where the @ stands of `app:pa/ss@db:5432/app`, whose password has a slash in it. What stands before the slash must
/// be no port, and what follows the @ a host.
fn host_after_a_slash(word: &[u8], authority: usize) -> Option<usize> {
    let colon = word[..authority].iter().position(|byte| *byte == b':')?;
    let before = &word[colon + 1..authority];
    let host = word.iter().rposition(|byte| *byte == b'@').filter(|host| *host > authority)?;
    let name = Alphabet::HOST.end_of_run(word, host + 1, LONGEST_AUTHORITY);
    let is_host = word.get(host + 1).is_some_and(u8::is_ascii_alphabetic)
        && matches!(word.get(name), Some(b'/' | b':'));
    let is_port = before.iter().all(u8::is_ascii_digit) || word[..authority].contains(&b'[');
    (is_host && !is_port).then_some(host)
}

/// Looks at `@tcp(` of Go's MySQL driver, `user:password@tcp(host)/db`, or at `jdbc:oracle:`,
/// `jdbc:oracle:thin:user/password@host`, or at `:5432:` of `.pgpass`, `host:5432:db:user:password`.
pub(crate) fn dsn(scan: &mut Scan<'_>, at: usize, after: usize) {
    let Some(class) = scan.code(Code::DsnPassword) else { return };
    let text = scan.text;
    let breaks = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>');
    let password = if text[at] == b':' {
        of_pgpass(text, at, after)
    } else if text[at] == b'@' {
        let from = at.saturating_sub(LONGEST_AUTHORITY);
        let start = text[from..at].iter().rposition(breaks).map_or(from, |place| from + place + 1);
        text[start..at].iter().position(|byte| *byte == b':').map(|colon| (start + colon + 1, at))
    } else {
        let rest = &text[after..text.len().min(after + LONGEST_AUTHORITY)];
        let word = &rest[..rest.iter().position(breaks).unwrap_or(rest.len())];
        let slash = word.iter().position(|byte| *byte == b'/');
        let host = word.iter().rposition(|byte| *byte == b'@');
        slash.zip(host).map(|(slash, host)| (after + slash + 1, after + host))
    };
    if let Some((start, end)) =
        password.filter(|(start, end)| start < end && placeholder::end_at(text, *start).is_none())
    {
        scan.find(class, (start, end));
    }
}

/// The last field of a line of PostgreSQL's `.pgpass` (<https://www.postgresql.org/docs/current/libpq-pgpass.html>), on
/// which a port stands at `at..after`.
fn of_pgpass(text: &[u8], at: usize, after: usize) -> Option<(usize, usize)> {
    let host = Alphabet::HOST.start_of_run(text, at, LONGEST_AUTHORITY);
    let rest = &text[after..text.len().min(after + LONGEST_AUTHORITY)];
    let line = &rest[..rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len())];
    let mut colons = memchr::memchr_iter(b':', line);
    let (database, user) = (colons.next()?, colons.next()?);
    let begins = host < at && host.checked_sub(1).is_none_or(|before| text[before] == b'\n');
    let ends = matches!(rest.get(line.len()), None | Some(b'\n' | b'\r'));
    (begins && ends && database > 0 && user > database + 1).then_some((after + user + 1, after + line.len()))
}
