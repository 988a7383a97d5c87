//! What looks drawn and is public: hashes by their name, keys, certificates and pictures by their beginning.

use memchr::memmem;

use crate::alphabet::Alphabet;

/// How far back the name of a thing is looked for, and over how many slashes that a string of JSON escapes.
const LONGEST: usize = 256;
const MOST_SLASHES: usize = 8;

/// Whether a run that begins at `start` is named a hash or a picture: the fingerprint of a public key of SSH (`SHA256:...`),
/// what Go's go.sum has of a module (`h1:...`), what a page or a package must be (`sha512-...`), `data:image/png;base64,...`.
pub(crate) fn is_named(text: &[u8], start: usize) -> bool {
    const HASHES: [&[u8]; 5] = [b"sha256-", b"sha384-", b"sha512-", b"sha256/", b"sha256\\/"];
    let start = beginning(text, start);
    let (before, run) = text.split_at(start);
    [&b"SHA256:"[..], b"h1:"].iter().any(|name| before.ends_with(name))
        || HASHES.iter().any(|name| run.starts_with(name))
        || before.ends_with(b";base64,") && is_media(before)
}

/// Where a run begins whose slashes are escaped, as some write them in JSON.
fn beginning(text: &[u8], start: usize) -> usize {
    let mut start = start;
    for _ in 0..MOST_SLASHES {
        let Some(before) = text[..start].strip_suffix(b"\\/") else { break };
        start = Alphabet::ANY64.start_of_run(before, before.len(), LONGEST);
    }
    start
}

/// Whether `data:image/` or the like begins what ends here.
fn is_media(before: &[u8]) -> bool {
    const KINDS: [&[u8]; 4] = [b"image", b"font", b"audio", b"video"];
    let near = &before[before.len().saturating_sub(LONGEST)..];
    let Some(data) = memmem::rfind(near, b"data:") else { return false };
    KINDS.iter().any(|kind| near[data + b"data:".len()..].starts_with(kind))
}

/// Whether a run that only looks drawn is known to be public: keys of SSH, certificates, names of functions as compilers
/// write them, ids of requests.
pub(crate) fn is_known(text: &[u8], start: usize, end: usize) -> bool {
    const BEGINS: [&[u8]; 12] = [
        b"AAAAB3NzaC1",
        b"AAAAC3NzaC1",
        b"AAAAE2VjZHNh",
        b"AAAAGnNrLXNz",
        b"AAAAInNrLWVj",
        b"_ZN",
        b"_ZSt",
        b"_R",
        b"chatcmpl-",
        b"cmpl-",
        b"resp_",
        CERTIFICATE,
    ];
    const HEADER: &[u8] = b"amz-id-2";
    let head = &text[start.saturating_sub(HEADER.len() + 4)..start];
    BEGINS.iter().any(|begin| text[start..end].starts_with(begin))
        || head.windows(HEADER.len()).any(|window| window.eq_ignore_ascii_case(HEADER))
}

/// `-----BEGIN CERT` in base64.
const CERTIFICATE: &[u8] = b"LS0tLS1CRUdJTiBDRVJU";
