//! E-mail addresses (RFC 5322, 3.4.1), as far as they occur in practice: no quotes, no comments, a domain
//! with a dot.

use crate::alphabet::Alphabet;
use crate::class::Code;
use crate::placeholder;
use crate::scan::Scan;
use crate::view;

/// RFC 5321, 4.5.3.1.
const LONGEST_LOCAL: usize = 64;
const LONGEST_DOMAIN: usize = 255;
/// What systemd's units end with, of which one may serve several: `user@1000.service`.
const UNITS: [&[u8]; 11] = [
    b"service",
    b"socket",
    b"timer",
    b"mount",
    b"automount",
    b"slice",
    b"scope",
    b"target",
    b"device",
    b"swap",
    b"path",
];

/// Looks at `@`.
pub(crate) fn look(scan: &mut Scan<'_>, at: usize) {
    let Some(class) = scan.code(Code::Email) else { return };
    let text = scan.text;
    let mut start = Alphabet::MAIL_LOCAL.start_of_run(text, at, LONGEST_LOCAL).max(scan.done.mails);
    // A key, a path or a parameter before the address is none of it.
    if let Some(other) = text[start.min(at)..at]
        .iter()
        .rposition(|byte| matches!(byte, b'=' | b'/' | b'&' | b'#' | b'%' | b'!' | b'$' | b'*'))
    {
        start = view::past_escape(text, start + other + 1);
    }
    while start < at && matches!(text[start], b'.' | b'-' | b'+') {
        start += 1;
    }
    if start >= at || text[at - 1] == b'.' || placeholder::end_at(text, at + 1).is_some() {
        return;
    }
    let mut end = Alphabet::HOST.end_of_run(text, at + 1, LONGEST_DOMAIN);
    while end > at + 1 && matches!(text[end - 1], b'.' | b'-') {
        end -= 1;
    }
    let domain = &text[at + 1..end];
    let Some(dot) = domain.iter().rposition(|byte| *byte == b'.') else {
        scan.goes_on_at(end);
        return;
    };
    let top = &domain[dot + 1..];
    let named = top.len() >= 2 && top.iter().all(u8::is_ascii_alphabetic) || top.starts_with(b"xn--");
    let named = named && !UNITS.contains(&top);
    let labels = domain.split(|byte| *byte == b'.').all(|label| !label.is_empty() && label[0] != b'-');
    if named && labels && !is_of_a_url(text, start) && !is_of_a_copy(&text[start..at], &text[end..]) {
        scan.find(class, (start, end));
        scan.done.mails = end;
    }
}

/// Whether what begins at `start` is a password in an address, as in `postgres://app:xxxxx@db.example.com`, and whether
/// it is a secret was told there.
fn is_of_a_url(text: &[u8], start: usize) -> bool {
    let Some(before) = text[..start].strip_suffix(b":") else { return false };
    let user = Alphabet::URL64_DOT_TILDE.start_of_run(before, before.len(), LONGEST_LOCAL);
    before[..user].ends_with(b"://")
}

/// The account and the machine of a repository or of a file: `git@host:group/shop.git`, `root@host:/srv`.
fn is_of_a_copy(user: &[u8], rest: &[u8]) -> bool {
    const ACCOUNTS: [&[u8]; 4] = [b"git", b"hg", b"gitea", b"gerrit"];
    match rest {
        [b':', b'/' | b'~', ..] => true,
        [b'/', ..] => ACCOUNTS.contains(&user),
        // Or what was found in the path.
        [b':', path @ ..] => {
            let is_path = path.first().is_some_and(|first| Alphabet::IDENTIFIER.has(*first));
            ACCOUNTS.contains(&user) && (is_path || placeholder::end_at(path, 0).is_some())
        }
        _ => false,
    }
}
