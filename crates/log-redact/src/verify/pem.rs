//! Private keys in PEM (RFC 7468), OpenPGP armour (RFC 9580), and PuTTY's files.

use std::ops::Range;

use memchr::memmem;

use crate::class::Code;
use crate::scan::Scan;

/// An RSA key of 16,384 bits takes 12.5 KB in PEM.
const LONGEST: usize = 32 * 1024;

/// Looks at `-----BEGIN ` or the first line of PuTTY's format.
pub(crate) fn look(scan: &mut Scan<'_>, at: usize) {
    let Some(class) = scan.code(Code::PrivateKey) else { return };
    if at < scan.done.keys_of_pem {
        return;
    }
    let text = &scan.text[at..scan.text.len().min(at + LONGEST)];
    let end = if text.starts_with(b"-") { pem_end(text) } else { putty_end(text) };
    if let Some(end) = end {
        scan.find(class, (at, at + end));
        scan.done.keys_of_pem = at + end;
    }
}

const BEGIN: &[u8] = b"-----BEGIN ";
const DASHES: &[u8] = b"-----";

/// What a text in PEM is of, and where its body begins.
fn label(text: &[u8]) -> Option<(&[u8], usize)> {
    const LONGEST_LABEL: usize = 64;
    let rest = text.strip_prefix(BEGIN)?;
    let length = memmem::find(&rest[..rest.len().min(LONGEST_LABEL)], DASHES)?;
    Some((&rest[..length], BEGIN.len() + length + DASHES.len()))
}

/// Where the bodies of certificates, public keys and the like are.
pub(crate) fn public_bodies(text: &[u8]) -> Vec<Range<usize>> {
    const PUBLIC: [&[u8]; 7] = [
        b"CERTIFICATE",
        b"CERTIFICATE REQUEST",
        b"X509 CRL",
        b"PUBLIC KEY",
        b"PUBLIC KEY BLOCK",
        b"SIGNATURE",
        b"PARAMETERS",
    ];
    let body = |at: usize| {
        let text = &text[at..text.len().min(at + LONGEST)];
        let (_, body) = label(text).filter(|(label, _)| PUBLIC.iter().any(|kind| label.ends_with(kind)))?;
        Some(at + body..at + body + body_length(&text[body..]))
    };
    memmem::find_iter(text, BEGIN).filter_map(body).collect()
}

fn pem_end(text: &[u8]) -> Option<usize> {
    let (label, body) = label(text)?;
    memmem::find(label, b"PRIVATE KEY")?;
    const END: &[u8] = b"-----END ";
    let close = memmem::find(&text[body..], END).map(|place| body + place + END.len());
    let closed = close.and_then(|at| memmem::find(&text[at..], b"-----").map(|place| at + place + 5));
    // Cut off: as far as it goes on like a key.
    Some(closed.unwrap_or_else(|| body + body_length(&text[body..])))
}

/// The bytes of whole words that can be base64 or an armour's header, line breaks between them.
fn body_length(text: &[u8]) -> usize {
    let inside = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'+' | b'/' | b'=' | b'\n' | b'\r' | b' ' | b'\t' | b'\\')
    };
    let run = text.iter().take_while(|byte| inside(byte)).count();
    let run = &text[..run];
    // Of the last line only what has the length of a key's line.
    let mut end = 0;
    let mut at = 0;
    for line in run.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        let content = line.trim_ascii();
        let word = content.iter().position(|byte| *byte == b' ').unwrap_or(content.len());
        if word >= 16 {
            let indent = line.len() - line.trim_ascii_start().len();
            end = at - line.len() + indent + word;
        }
        if !content.is_empty() && (word < 16 || word < content.len()) {
            break;
        }
    }
    end
}

fn putty_end(text: &[u8]) -> Option<usize> {
    const MAC: &[u8] = b"Private-MAC:";
    let mac = memmem::find(text, MAC)?;
    let rest = &text[mac + MAC.len()..];
    Some(
        mac + MAC.len()
            + rest.iter().position(|byte| matches!(byte, b'\n' | b'\r' | b'"')).unwrap_or(rest.len()),
    )
}
