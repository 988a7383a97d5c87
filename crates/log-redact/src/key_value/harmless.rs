//! What stands where a value would and tells nothing: words of a program's own, variables, masks, measures.

/// Words of a program's own that stand where a value would.
const WORDS: [&str; 60] = [
    "true",
    "false",
    "null",
    "none",
    "nil",
    "undefined",
    "yes",
    "no",
    "on",
    "off",
    "empty",
    "required",
    "requires",
    "optional",
    "invalid",
    "incorrect",
    "wrong",
    "bad",
    "expired",
    "missing",
    "failed",
    "failure",
    "accepted",
    "rejected",
    "denied",
    "changed",
    "updated",
    "reset",
    "unknown",
    "not",
    "is",
    "was",
    "the",
    "for",
    "and",
    "or",
    "to",
    "from",
    "of",
    "a",
    "an",
    "in",
    "must",
    "cannot",
    "should",
    "string",
    "redacted",
    "hidden",
    "masked",
    "filtered",
    "removed",
    "nan",
    "default",
    "unset",
    "enabled",
    "disabled",
    "provided",
    "unchanged",
    "absent",
    "configured",
];

/// Values that tell nothing: words of a program's own, variables, masks.
pub(crate) fn is_harmless(value: &[u8], quoted: bool) -> bool {
    let word = value.trim_ascii();
    let variable = matches!(word, [b'$', b'{' | b'(', ..] | [b'{', b'{', ..] | [b'%', b's' | b'v' | b'd'])
        || is_bracketed(word, quoted)
        || (word.starts_with(b"$")
            && word.len() > 1
            && word[1..].iter().all(|b| matches!(b, b'A'..=b'Z' | b'_')));
    is_word(word)
        || is_masked(word)
        || variable
        || is_a_parameter(word)
        || is_a_path(word)
        || is_a_complaint(word)
}

/// What SQL has in place of a value that comes later: `?`, `:pw`, `@p1`, `$1`, `%(pw)s`.
fn is_a_parameter(word: &[u8]) -> bool {
    let name = |name: &[u8]| {
        let digits = name.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let letters = &name[..name.len() - digits];
        !letters.is_empty()
            && digits <= 2
            && letters.iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'_')
    };
    match word {
        [b'?'] => true,
        [b':' | b'@', rest @ ..] => name(rest),
        [b'$', digits @ ..] => (1..=2).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit),
        [b'%', b'(', rest @ ..] => {
            name(rest.strip_suffix(b")s").or_else(|| rest.strip_suffix(b")")).unwrap_or(rest))
        }
        _ => false,
    }
}

/// The path of a file that has the value.
fn is_a_path(word: &[u8]) -> bool {
    const ROOTS: [&[u8]; 16] = [
        b"root", b"var", b"run", b"etc", b"home", b"usr", b"opt", b"tmp", b"mnt", b"srv", b"secrets",
        b"data", b"app", b"vault", b"Users", b"certs",
    ];
    let Some(path) = word.strip_prefix(b"/") else { return false };
    let mut parts = path.split(|byte| *byte == b'/');
    parts.next().is_some_and(|root| ROOTS.contains(&root))
        && path.contains(&b'/')
        && path.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_'))
}

/// What a check of a form says of a value: `is too short (minimum is 8 characters)`.
fn is_a_complaint(value: &[u8]) -> bool {
    const BEGINS: [&[u8]; 13] = [
        b"is", b"are", b"must", b"can't", b"cannot", b"should", b"may", b"has", b"this", b"does", b"doesn't",
        b"needs", b"field",
    ];
    const REASONS: [&[u8]; 18] = [
        b"required",
        b"blank",
        b"short",
        b"long",
        b"empty",
        b"invalid",
        b"valid",
        b"match",
        b"least",
        b"most",
        b"null",
        b"incorrect",
        b"allowed",
        b"common",
        b"weak",
        b"missing",
        b"expired",
        b"characters",
    ];
    let words = || {
        value.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'\'').filter(|word| !word.is_empty())
    };
    let is_one = |known: &[&[u8]], word: &[u8]| known.iter().any(|known| word.eq_ignore_ascii_case(known));
    value.contains(&b' ')
        && words().next().is_some_and(|word| is_one(&BEGINS, word))
        && words().any(|word| is_one(&REASONS, word))
}

/// `<password>`, and without quotes `{name}`, `[REDACTED]`, `(none)` or the beginning of a list or an object. What only
/// begins with such a sign and looks drawn is a value.
fn is_bracketed(word: &[u8], quoted: bool) -> bool {
    // Rails writes "[FILTERED]", others "(redacted)", and tokenizers '[PAD]'.
    if let ([b'[', name @ .., b']'] | [b'(', name @ .., b')'], true) = (word, quoted) {
        return name.iter().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b' '));
    }
    let close = match word.first() {
        Some(b'<') => b'>',
        Some(b'{') if !quoted => b'}',
        Some(b'[') if !quoted => b']',
        Some(b'(') if !quoted => b')',
        _ => return false,
    };
    let named = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b' ' | b':');
    match &word[1..] {
        [name @ .., last] if *last == close => name.iter().all(named) || !looks_drawn(name),
        [b'"' | b'\'' | b'{' | b'[' | b'\\', ..] => true,
        rest => !looks_drawn(rest),
    }
}

/// Whether this stands for a value and is whole, so that nothing on the next line belongs to it. A letter or two may as
/// well be the beginning of something.
pub(crate) fn is_whole(value: &[u8]) -> bool {
    value.len() > 2 && (is_word(value) || is_masked(value) || value.contains(&b'.') && is_a_measure(value))
}

/// How long or how much one token of a language model takes: `12.3ms`, `0.123`, `12ms/token`.
pub(crate) fn is_a_measure(value: &[u8]) -> bool {
    const UNITS: [&[u8]; 8] = [b"", b"s", b"ms", b"us", "\u{b5}s".as_bytes(), b"ns", b"%", b"x"];
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits(value);
    let part = value[whole..].strip_prefix(b".").map_or(0, |rest| 1 + digits(rest));
    let unit = &value[whole + part..];
    let unit = unit.strip_suffix(b"/token").unwrap_or(unit);
    (1..6).contains(&whole) && part != 1 && UNITS.contains(&unit)
}

fn is_word(value: &[u8]) -> bool {
    WORDS.iter().any(|word| value.eq_ignore_ascii_case(word.as_bytes()))
}

/// Nothing at all is masked, too.
fn is_masked(value: &[u8]) -> bool {
    value.iter().all(|byte| matches!(byte, b'*' | b'x' | b'X' | b'.' | b'-' | b'_' | b'#'))
}

/// Whether this looks drawn at random rather than written: digits and letters, or symbols.
pub(crate) fn looks_drawn(value: &[u8]) -> bool {
    let any = |is: fn(&u8) -> bool| value.iter().any(is);
    let letters = any(u8::is_ascii_alphabetic);
    letters && any(u8::is_ascii_digit)
        || any(|byte| matches!(byte, b'!' | b'@' | b'#' | b'$' | b'%' | b'^' | b'*' | b'+' | b'='))
}
