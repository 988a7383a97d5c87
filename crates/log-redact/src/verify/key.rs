//! Values by the name of their key.

mod pass;
mod told;

use crate::class::{Code, Values};
use crate::key_value::{self, Pair, Tie};
use crate::scan::Scan;
use crate::verify::header;
pub(crate) use pass::OWNERS;

/// Looks at the key around the word at `at..after`.
pub(crate) fn look(scan: &mut Scan<'_>, at: usize, after: usize) {
    if at < scan.done.keys || told::is_inside_a_word(scan.text, at, after) {
        return;
    }
    let Some(pair) = key_value::pair_around(scan.text, at, after) else { return };
    let mut letters = [0; 160];
    let name = plain_name(&scan.text[pair.key.0..pair.key.1], &mut letters);
    let value = &scan.text[pair.value.0..pair.value.1];
    if told::is_a_version(name, value) {
        return;
    }
    if name.ends_with(b"authorization") {
        header::authorization(scan, &pair);
        return;
    }
    if name.ends_with(b"cookie") || name.ends_with(b"cookies") {
        header::cookie(scan, &pair);
        return;
    }
    if told::is_something_else(name, value)
        || told::is_a_declaration(name, value)
        || !pair.quoted && told::is_a_prompt(value, &scan.text[pair.value.1..])
    {
        return;
    }
    if told::is_short(name) {
        scan.rules.secret.into_iter().for_each(|class| scan.find(class, pair.value));
        return;
    }
    // The `auth` of a registry in Docker's configuration, and npm's `_auth`.
    if name == b"auth" {
        let class = scan.code(Code::BasicAuth).filter(|_| header::is_user_and_password(value));
        class.into_iter().for_each(|class| scan.find(class, pair.value));
        return;
    }
    if name.ends_with(b"pass") && !pass::is_a_password(&scan.text[pair.key.0..pair.key.1], value, &pair) {
        return;
    }
    if name.ends_with(b"pwd") && is_a_folder(value) || is_of_a_vocabulary(scan.text, &pair, value) {
        return;
    }
    if (name.ends_with(b"otp") || name.ends_with("验证码".as_bytes()) || name.ends_with("驗證碼".as_bytes()))
        && !is_a_code(value)
    {
        return;
    }
    if name == b"passwd" && is_of_the_program(scan.text, &pair, value)
        || name == b"secret" && is_a_name(value)
    {
        return;
    }
    if name.ends_with(b"passwords") && value.iter().all(u8::is_ascii_digit) {
        return;
    }
    let rules = scan.rules;
    let class = rules
        .classes_of_key(name)
        .find(|class| fits(rules.classes[usize::from(*class)].values, value, &pair));
    if let Some(class) = class {
        scan.find(class, pair.value);
        scan.done.keys = pair.value.1;
        for value in key_value::more_values(scan.text, &pair) {
            if !key_value::is_harmless(&scan.text[value.0..value.1], true) {
                scan.find(class, value);
            }
            scan.done.keys = value.1;
        }
        if let Some(value) = key_value::changed_to(scan.text, &pair) {
            scan.find(class, value);
            scan.done.keys = value.1;
        }
    }
    if pair.open {
        scan.goes_on_at(pair.value.1);
    }
}

/// Whether this is what is sent to a telephone: a few digits.
fn is_a_code(value: &[u8]) -> bool {
    (4..=8).contains(&value.len()) && value.iter().all(u8::is_ascii_digit)
}

/// What the program `passwd` says: `passwd: password updated successfully`.
fn is_of_the_program(text: &[u8], pair: &Pair, value: &[u8]) -> bool {
    let goes_on = matches!(text.get(pair.value.1..), Some([b' ', next, ..]) if next.is_ascii_alphabetic());
    pair.tie == Tie::Colon && !pair.quoted && goes_on && value.iter().all(u8::is_ascii_lowercase)
}

/// The name of a Secret, as Kubernetes writes names: `web-tls-cert`, `db-credentials-v2`.
fn is_a_name(value: &[u8]) -> bool {
    let is_word = |word: &[u8]| {
        let digits = word.strip_prefix(b"v").is_some_and(|version| version.iter().all(u8::is_ascii_digit));
        word.len() >= 2 && (digits || word.iter().all(u8::is_ascii_lowercase))
    };
    value.contains(&b'-') && value.split(|byte| *byte == b'-').all(is_word)
}

/// Whether this is the folder that a shell calls `PWD`: an absolute path that begins with a word.
fn is_a_folder(value: &[u8]) -> bool {
    let Some(path) = value.strip_prefix(b"/") else { return false };
    let first = path.split(|byte| *byte == b'/').next().unwrap_or_default();
    let rest = first.get(1..).unwrap_or_default();
    first.first().is_none_or(u8::is_ascii_alphabetic) && rest.iter().all(u8::is_ascii_lowercase)
}

/// Whether this is the number of a token that a language model knows, as llama.cpp prints it: `EOS token = 151645`.
fn is_of_a_vocabulary(text: &[u8], pair: &Pair, value: &[u8]) -> bool {
    const NAMES: [&[u8]; 13] = [
        b"BOS ", b"EOS ", b"EOT ", b"EOM ", b"EOG ", b"UNK ", b"SEP ", b"PAD ", b"CLS ", b"LF ", b"PRE ",
        b"SUF ", b"MID ",
    ];
    let (before, key) = (&text[..pair.key.0], &text[pair.key.0..pair.key.1]);
    value.iter().all(u8::is_ascii_digit) && key == b"token" && NAMES.iter().any(|name| before.ends_with(name))
}

/// The letters and digits of a key's name in lower case, without the numbers at its end; a name that is not
/// ASCII as it is.
fn plain_name<'b>(name: &[u8], letters: &'b mut [u8; 160]) -> &'b [u8] {
    let mut length = 0;
    for byte in name.iter().filter(|byte| byte.is_ascii_alphanumeric() || !byte.is_ascii()) {
        if let Some(place) = letters.get_mut(length) {
            *place = byte.to_ascii_lowercase();
            length += 1;
        }
    }
    let name = &letters[..length];
    let digits = name.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    &name[..length - digits]
}

/// Whether this can be the value of a key that names such values.
fn fits(values: Values, value: &[u8], pair: &Pair) -> bool {
    if key_value::is_harmless(value, pair.quoted) {
        return false;
    }
    let is_something_else = match values {
        // "password: incorrect" in a sentence; a password that is a word stands behind an equals sign or in
        // quotes.
        Values::Passwords => return pair.tie != Tie::Prose || key_value::looks_drawn(value),
        Values::Secrets => is_of_kubernetes(value),
        Values::CountedTokens => key_value::is_a_measure(value),
        Values::SessionIds => is_small_hexadecimal(value),
        Values::Tokens => false,
    };
    if is_something_else {
        return false;
    }
    let number = value.iter().all(u8::is_ascii_digit);
    let word = value.iter().all(u8::is_ascii_alphabetic);
    let written = word
        && !pair.quoted
        && value.len() < 16
        && (pair.tie != Tie::Equals || value.iter().all(u8::is_ascii_lowercase));
    value.len() >= 4
        && !(number && value.len() < 6)
        && !written
        && (pair.tie != Tie::Prose || key_value::looks_drawn(value))
}

/// The name of a Secret behind its namespace, as controllers log it: `kube-system/web-tls`.
fn is_of_kubernetes(value: &[u8]) -> bool {
    let word = |text: &[u8], more: fn(&u8) -> bool| {
        text.first().is_some_and(u8::is_ascii_lowercase)
            && text.iter().all(|byte| byte.is_ascii_lowercase() || more(byte))
    };
    let name = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    value
        .iter()
        .position(|byte| *byte == b'/')
        .is_some_and(|slash| word(&value[..slash], |byte| *byte == b'-') && word(&value[slash + 1..], name))
}

/// A number of at most 64 bits, as ZooKeeper numbers its sessions: it counts them and opens nothing.
fn is_small_hexadecimal(value: &[u8]) -> bool {
    value
        .strip_prefix(b"0x")
        .is_some_and(|digits| digits.len() <= 16 && digits.iter().all(u8::is_ascii_hexdigit))
}
