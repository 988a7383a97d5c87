//! Names of keys that everyday logs have too: they name a secret only if their value looks like one.

use crate::alphabet::Alphabet;
use crate::drawn;

/// With anything before them: `DEEPSEEK_KEY`, `wx.encodingAesKey`.
const NAMES: [&[u8]; 15] = [
    b"deepseekkey",
    b"dashscopekey",
    b"llmkey",
    b"modelkey",
    b"adminkey",
    b"servicerolekey",
    b"storagekey",
    b"mchkey",
    b"apiv3key",
    b"encryptkey",
    b"aeskey",
    b"signkey",
    b"unsealkey",
    b"redisauth",
    b"connectsid",
];
const CODES: [&[u8]; 2] = [b"recoverycode", b"securitycode"];
/// The two halves of an access key, if that is the whole name.
const SHORT: [&[u8]; 2] = [b"sk", b"ak"];

/// Whether what stands here is the end of a word such as `task=`, and not `sk=`.
pub(super) fn is_inside_a_word(text: &[u8], at: usize, after: usize) -> bool {
    let is_short = matches!(text[at..after], [b's' | b'S' | b'a' | b'A', b'k' | b'K', _]);
    is_short && text[..at].last().is_some_and(u8::is_ascii_alphanumeric)
}

pub(super) fn is_short(name: &[u8]) -> bool {
    SHORT.contains(&name)
}

/// Whether the value under this name is no secret.
pub(super) fn is_something_else(name: &[u8], value: &[u8]) -> bool {
    let ends = |names: &[&[u8]]| names.iter().any(|known| name.ends_with(known));
    if ends(&CODES) {
        return !value.iter().any(u8::is_ascii_digit);
    }
    (is_short(name) || ends(&NAMES)) && !is_drawn(value)
}

/// Whether letters and digits follow each other as nobody writes them, or are those of a long number in hex or of a key in
/// letters of one case.
fn is_drawn(value: &[u8]) -> bool {
    const SHORTEST: usize = 8;
    const SHORTEST_OF_ONE_CASE: usize = 16;
    let any = |is: fn(&u8) -> bool| value.iter().any(is);
    let is_of_one_case = value.len() >= SHORTEST_OF_ONE_CASE
        && value.iter().all(u8::is_ascii_alphanumeric)
        && any(u8::is_ascii_digit)
        && any(u8::is_ascii_alphabetic);
    let is_known = value.iter().all(|byte| Alphabet::TOKEN68.has(*byte) || *byte == b'%');
    value.len() >= SHORTEST && is_known && (is_of_one_case || drawn::is_hardly_a_name(value))
}

/// The versions of a package that is named as a secret is, as lock files have them: `"cookie": "^0.4.0"`.
pub(super) fn is_a_version(name: &[u8], value: &[u8]) -> bool {
    const PACKAGES: [&[u8]; 4] = [b"cookie", b"cookies", b"signature", b"token"];
    const LONGEST: usize = 24;
    let signs = value.iter().take_while(|byte| b"^~<>=v ".contains(byte)).count();
    let mut parts = value[signs..].split(|byte| *byte == b'.');
    let mut is_number = || {
        let part = parts.next().unwrap_or_default();
        (1..=4).contains(&part.len()) && part.iter().all(u8::is_ascii_digit)
    };
    let is_version = value.len() <= LONGEST && is_number() && is_number();
    is_version && PACKAGES.iter().any(|package| name.ends_with(package))
}

/// What a prompt asks for after another: `New password: Retype new password:`.
pub(super) fn is_a_prompt(value: &[u8], rest: &[u8]) -> bool {
    const VERBS: [&[u8]; 6] = [b"retype", b"re-enter", b"reenter", b"repeat", b"confirm", b"verify"];
    const NEXT: [&[u8]; 4] = [b" password:", b" new password:", b" the password:", b" your password:"];
    VERBS.iter().any(|verb| value.eq_ignore_ascii_case(verb))
        && NEXT.iter().any(|next| rest.get(..next.len()).is_some_and(|rest| rest.eq_ignore_ascii_case(next)))
}

/// The declaration of a function instead of a signature: `fn(a: i32) -> bool`.
pub(super) fn is_a_declaration(name: &[u8], value: &[u8]) -> bool {
    name.ends_with(b"signature") && value.contains(&b'(')
}
