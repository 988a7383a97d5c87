//! JSON Web Tokens (RFC 7519, in the compact forms of RFC 7515 and RFC 7516).

use memchr::memmem;

use crate::alphabet::Alphabet;
use crate::checks;
use crate::class::Code;
use crate::scan::Scan;
use crate::shape;

const LONGEST_PART: usize = 16 * 1024;

/// Looks at `eyJ`, with which the letters of a JSON object begin.
pub(crate) fn look(scan: &mut Scan<'_>, at: usize) {
    let text = scan.text;
    if !text[at..].starts_with(b"eyJ") || !shape::begins_a_word(text, at) {
        return;
    }
    let part = |from| Alphabet::URL64.end_of_run(text, from, LONGEST_PART);
    let header = part(at);
    let mut ends = vec![header];
    while ends.len() < 5 && text.get(ends[ends.len() - 1]) == Some(&b'.') {
        ends.push(part(ends[ends.len() - 1] + 1));
    }
    let end = ends[ends.len() - 1];
    scan.goes_on_at(end);
    // Three parts signed, five encrypted; a signature may be missing.
    if ends.len() < 3 || ends[1] - header < 3 || !checks::json_object_base64(&text[at..header]) {
        return;
    }
    let payload = &text[header + 1..ends[1]];
    let class = if is_kubernetes(payload) { scan.code(Code::KubernetesToken) } else { None };
    if let Some(class) = class.or_else(|| scan.code(Code::Jwt)) {
        scan.find(class, (at, end));
    }
}

/// Whether the claims name a service account, as the API server's tokens do.
fn is_kubernetes(payload: &[u8]) -> bool {
    use base64::Engine as _;
    let whole = if payload.len() % 4 == 1 { payload.len() - 1 } else { payload.len() };
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&payload[..whole]);
    claims.is_ok_and(|claims| {
        memmem::find(&claims, b"kubernetes.io").is_some()
            || memmem::find(&claims, b"system:serviceaccount:").is_some()
    })
}
