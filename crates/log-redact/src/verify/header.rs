//! Credentials in HTTP headers (RFC 9110, 11; RFC 6265): `Authorization`, `Cookie`, and their schemes
//! wherever they stand.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memchr;

use crate::alphabet::Alphabet;
use crate::class::Code;
use crate::drawn;
use crate::key_value::{self, Pair, Tie};
use crate::placeholder;
use crate::scan::Scan;
use crate::shape;

const LONGEST_TOKEN: usize = 16 * 1024;
/// A token of so many letters may be told by how they follow each other; of so many it is one in any case.
const LONG_TOKEN: usize = 24;
const VERY_LONG_TOKEN: usize = 40;

/// The value of a key called authorization: a scheme and credentials, to the end of the quotes or the line.
pub(crate) fn authorization(scan: &mut Scan<'_>, pair: &Pair) {
    let text = scan.text;
    let (start, mut end) = pair.value;
    if !pair.quoted {
        end = header_end(scan, start);
    }
    let value = &text[start..end];
    let scheme = value.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'-').count();
    let rest = &value[scheme..];
    let blanks = rest.iter().take_while(|byte| **byte == b' ').count();
    let (code, begin) = match &value[..scheme] {
        name if blanks > 0 && name.eq_ignore_ascii_case(b"basic") => (Code::BasicAuth, scheme + blanks),
        name if blanks > 0 && name.eq_ignore_ascii_case(b"bearer") => (Code::Bearer, scheme + blanks),
        _ if blanks > 0 => (Code::Authorization, scheme + blanks),
        _ => (Code::Authorization, 0),
    };
    let credentials = &value[begin..];
    if credentials.len() < 4 || placeholder::end_at(credentials, 0).is_some() {
        return;
    }
    // The bare word after a scheme; schemes with parameters take the whole line.
    let token = match code {
        Code::Authorization => credentials.len(),
        _ => credentials
            .iter()
            .position(|byte| matches!(byte, b' ' | b',' | b';'))
            .unwrap_or(credentials.len()),
    };
    let whole = Pair { value: (start + begin, start + begin + token), ..*pair };
    if key_value::is_harmless(&credentials[..token], pair.quoted)
        || (pair.tie == Tie::Prose && !key_value::looks_drawn(&credentials[..token]))
    {
        return;
    }
    if let Some(class) = scan.code(code) {
        scan.find(class, whole.value);
    }
    scan.done.keys = whole.value.1;
    scan.goes_on_at(whole.value.1);
}

/// The value of a key called cookie.
pub(crate) fn cookie(scan: &mut Scan<'_>, pair: &Pair) {
    let Some(class) = scan.code(Code::Cookie) else { return };
    let text = scan.text;
    let (start, mut end) = pair.value;
    if !pair.quoted && pair.tie == Tie::Colon {
        end = header_end(scan, start);
    }
    if text[pair.key.0..pair.key.1].to_ascii_lowercase().ends_with(b"set-cookie") {
        end = memchr(b';', &text[start..end]).map_or(end, |length| start + length);
    }
    let value = &text[start..end];
    const ATTRIBUTE: &[u8] = b"samesite=";
    let is_attribute = value.get(..ATTRIBUTE.len()).is_some_and(|name| name.eq_ignore_ascii_case(ATTRIBUTE));
    if value.len() < 4
        || is_attribute
        || key_value::is_harmless(value, pair.quoted)
        || !(memchr(b'=', value).is_some() || key_value::looks_drawn(value))
    {
        return;
    }
    scan.find(class, (start, end));
    scan.done.keys = end;
    scan.goes_on_at(end);
}

/// `Basic` or `Bearer` and a blank, wherever they stand.
pub(crate) fn scheme(scan: &mut Scan<'_>, at: usize, after: usize) {
    let text = scan.text;
    if !shape::begins_a_word(text, at) {
        return;
    }
    let start = after + text[after..].iter().take(8).take_while(|byte| **byte == b' ').count();
    let end = Alphabet::TOKEN68.end_of_run(text, start, LONGEST_TOKEN);
    scan.goes_on_at(end);
    let token = &text[start..end];
    let (code, is_one) = if text[at..after].eq_ignore_ascii_case(b"basic ") {
        (Code::BasicAuth, is_user_and_password(token))
    } else {
        let is_drawn = token.len() >= 16 && key_value::looks_drawn(token)
            || token.len() >= LONG_TOKEN && drawn::is_no_name(token);
        (Code::Bearer, is_drawn || token.len() >= VERY_LONG_TOKEN)
    };
    if let Some(class) = scan.code(code).filter(|_| is_one) {
        scan.find(class, (start, end));
    }
}

/// Whether this is `user:password` in base64.
pub(crate) fn is_user_and_password(token: &[u8]) -> bool {
    token.len() >= 4
        && STANDARD
            .decode(token)
            .is_ok_and(|text| text.contains(&b':') && text.iter().all(|byte| *byte >= b' '))
}

/// Where a header's value ends: at the end of the line, or of what the line was put into. Of several on a
/// line all end at one
/// place, which is looked for once.
fn header_end(scan: &mut Scan<'_>, start: usize) -> usize {
    if start >= scan.done.headers {
        scan.done.headers = line_or_quote_end(scan.text, start);
    }
    scan.done.headers
}

fn line_or_quote_end(text: &[u8], start: usize) -> usize {
    let rest = &text[start..text.len().min(start + LONGEST_TOKEN)];
    let end =
        rest.iter().position(|byte| matches!(byte, b'\n' | b'\r' | b'\'' | b'\\')).unwrap_or(rest.len());
    // A quote ends it unless it is a parameter's own, as in Digest realm="..".
    let mut at = 0;
    while let Some(length) = memchr(b'"', &rest[at..end]) {
        let quote = at + length;
        if quote == 0 || rest[quote - 1] != b'=' {
            return start + quote;
        }
        at = quote + 1 + memchr(b'"', &rest[quote + 1..end]).map_or(end - quote - 1, |length| length + 1);
    }
    start + end
}
