//! Where secrets stand in logs: the same secret in many surroundings, spelled as each of them spells it.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::letters::{LOWER, choose, some};
use super::planted::{Kind, Secret};

/// A text with a secret in it.
pub(crate) struct Text {
    pub(crate) text: String,
    /// Where the secret is spelled: in pieces, if lines break it.
    pub(crate) spots: Vec<Range<usize>>,
}

pub(crate) struct Surrounding {
    pub(crate) name: &'static str,
    pub(crate) plant: fn(&mut ChaCha8Rng, &Kind, &Secret) -> Text,
}

pub(crate) const SURROUNDINGS: &[Surrounding] = &[
    Surrounding { name: "sentence", plant: sentence },
    Surrounding { name: "key=value", plant: logfmt },
    Surrounding { name: "query string", plant: query },
    Surrounding { name: "JSON", plant: json },
    Surrounding { name: "JSON in JSON", plant: escaped },
    Surrounding { name: "behind an escape", plant: behind_an_escape },
    Surrounding { name: "header", plant: header },
    Surrounding { name: "YAML", plant: yaml },
    Surrounding { name: "environment", plant: environment },
    Surrounding { name: "command", plant: command },
    Surrounding { name: "XML", plant: xml },
    Surrounding { name: "Chinese text", plant: chinese },
    Surrounding { name: "terminal colours", plant: coloured },
    Surrounding { name: "base64", plant: base64 },
    Surrounding { name: "base64 in lines", plant: base64_in_lines },
    Surrounding { name: "split over lines", plant: split },
    Surrounding { name: "URL in JSON", plant: url_in_json },
];

/// How a secret is spelled with every letter changed by `spell`: the text and where the secret itself is.
fn spelled(secret: &Secret, spell: fn(&str) -> String) -> (String, Range<usize>) {
    let (before, core, after) = (spell(&secret.before), spell(&secret.secret), spell(&secret.after));
    let range = before.len()..before.len() + core.len();
    (format!("{before}{core}{after}"), range)
}

fn text(before: &str, (spelled, range): &(String, Range<usize>), after: &str) -> Text {
    let spot = before.len() + range.start..before.len() + range.end;
    Text { text: format!("{before}{spelled}{after}"), spots: vec![spot] }
}

/// The name of the key that tells what the secret is; any name for one that tells so itself.
fn key(rng: &mut ChaCha8Rng, kind: &Kind) -> String {
    match kind.keys {
        [] => choose(rng, &["value", "arg", "data", "upstream", "config.entry", "detail"]).to_owned(),
        keys => choose(rng, keys).to_owned(),
    }
}

/// The same without dots, for places where a name cannot have any.
fn plain_key(rng: &mut ChaCha8Rng, kind: &Kind) -> String {
    key(rng, kind).replace(['.', '-'], "_")
}

fn as_it_is(text: &str) -> String {
    text.to_owned()
}

fn in_percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn in_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

fn in_json_twice(text: &str) -> String {
    in_json(&in_json(text))
}

fn in_xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn sentence(rng: &mut ChaCha8Rng, kind: &Kind, secret: &Secret) -> Text {
    let before = match kind.keys {
        [] => choose(rng, &["cannot use ", "the answer named ", "refused: ", "retrying with (", "got ["])
            .to_owned(),
        keys => format!("{} is set to {}: ", some(rng, LOWER, 6), choose(rng, keys)),
    };
    let after = if before.ends_with('(') {
        ") soon"
    } else if before.ends_with('[') {
        "] twice"
    } else {
        choose(rng, &["", " for the third time", ", giving up"])
    };
    text(&format!("2026-11-26T01:02:03Z WARN app {before}"), &spelled(secret, as_it_is), after)
}

fn logfmt(rng: &mut ChaCha8Rng, kind: &Kind, secret: &Secret) -> Text {
    let key = key(rng, kind);
    let blanks = secret.whole().contains(char::is_whitespace);
    let quote = if blanks || rng.random_bool(0.3) { "\"" } else { "" };
    let spelling = spelled(secret, if blanks { in_json } else { as_it_is });
    text(&format!("level=warn {key}={quote}"), &spelling, &format!("{quote} attempt=3"))
}

fn query(rng: &mut ChaCha8Rng, kind: &Kind, secret: &Secret) -> Text {
    let key = key(rng, kind);
    text(
        &format!("\"GET /v1/items?page=7&{key}="),
        &spelled(secret, in_percent),
        "&sort=asc HTTP/1.1\" 401 17",
    )
}

fn json(rng: &mut ChaCha8Rng, kind: &Kind, secret: &Secret) -> Text {
    let key = key(rng, kind);
    let colon = choose(rng, &[":", ": ", " : "]);
    let before = format!(r#"{{"level":"warn","{key}"{colon}""#);
    text(&before, &spelled(secret, in_json), r#"","attempt":3}"#)
}

fn escaped(rng: &mut ChaCha8Rng, kind: &Kind, secret: &Secret) -> Text {
    let key = key(rng, kind);
    let before = format!(r#"{{"log":"{{\"{key}\":\""#);
    text(&before, &spelled(secret, in_json_twice), r#"\",\"attempt\":3}\n","stream":"stderr"}"#)
}

/// In the middle of a message of several lines, as a string of JSON has it.
fn behind_an_escape(rng: &mut ChaCha8Rng, kind: &Kind, secret: &Secret) -> Text {
    let name = match kind.keys {
        [] => String::new(),
        keys => format!("{}=", choose(rng, keys)),
    };
    let escapes =
        [r"\n", r"\t", r"\r\n", r"\b", r"\f", r"\u4e2d", r"\ud83d\ude00", r"\u001b[1;31m", r"\\n", r"\\t"];
    let escape = choose(rng, &escapes);
    let end = if escape.starts_with(r"\\") { r"\\n" } else { r"\n" };
    let spell = if escape.starts_with(r"\\") { in_json_twice } else { in_json };
    let before = format!(r#"{{"level":"warn","message":"found{escape}{name}"#);
    text(&before, &spelled(secret, spell), &format!(r#"{end}done","attempt":3}}"#))
}

fn header(rng: &mut ChaCha8Rng, kind: &Kind, secret: &Secret) -> Text {
    let lines = secret.whole().contains('\n');
    let name = match (kind.keys, secret.before.as_str()) {
        ([], "Basic " | "Bearer ") => {
            choose(rng, &["Authorization", "authorization", "Proxy-Authorization"]).to_owned()
        }
        ([], _) => choose(rng, &["X-Request-Detail", "X-Upstream", "Referer"]).to_owned(),
        _ => key(rng, kind).replace(['_', '.'], "-"),
    };
    text(
        &format!("> Accept: */*\r\n> {name}: "),
        &spelled(secret, if lines { in_json } else { as_it_is }),
        "\r\n> Host: api\r\n",
    )
}

fn yaml(rng: &mut ChaCha8Rng, kind: &Kind, secret: &Secret) -> Text {
    let key = key(rng, kind);
    if secret.whole().contains('\n') {
        return block_scalar(&key, secret);
    }
    let spelling = spelled(secret, as_it_is);
    match rng.random_range(0..4) {
        0 => text(&format!("spec:\n  {key}: "), &spelling, "\n  replicas: 3\n"),
        1 => text(&format!("spec:\n  {key}: '"), &spelling, "'\n  replicas: 3\n"),
        2 => text(&format!("env:\n- name: {key}\n  value: \""), &spelling, "\"\n- name: HOME\n"),
        _ => text(&format!("spec:\n  {key}: >-\n    "), &spelling, "\n  replicas: 3\n"),
    }
}

/// A secret of several lines, each indented.
fn block_scalar(key: &str, secret: &Secret) -> Text {
    let mut text = format!("spec:\n  {key}: |");
    let mut spots = Vec::new();
    for line in secret.whole().lines() {
        text.push_str("\n    ");
        spots.push(text.len()..text.len() + line.len());
        text.push_str(line);
    }
    text.push_str("\n  replicas: 3\n");
    Text { text, spots }
}

fn environment(rng: &mut ChaCha8Rng, kind: &Kind, secret: &Secret) -> Text {
    let key = plain_key(rng, kind).to_ascii_uppercase();
    let quote = choose(rng, &["\"", "'"]);
    text(
        &format!("export {key}={quote}"),
        &spelled(secret, as_it_is),
        &format!("{quote}\nexport HOME=/srv\n"),
    )
}

fn command(rng: &mut ChaCha8Rng, kind: &Kind, secret: &Secret) -> Text {
    let key = key(rng, kind).to_ascii_lowercase().replace(['_', '.'], "-");
    let tie = choose(rng, &["=", " "]);
    let blanks = secret.whole().contains(char::is_whitespace);
    let quote = if blanks { "'" } else { "" };
    text(
        &format!("+ deploy --verbose --{key}{tie}{quote}"),
        &spelled(secret, as_it_is),
        &format!("{quote} --wait"),
    )
}

fn xml(rng: &mut ChaCha8Rng, kind: &Kind, secret: &Secret) -> Text {
    let key = key(rng, kind);
    let spelling = spelled(secret, in_xml);
    match rng.random_range(0..2) {
        0 => text(&format!("<config><{key}>"), &spelling, &format!("</{key}></config>")),
        _ => text(&format!("<add key=\"{key}\" value=\""), &spelling, "\"/>"),
    }
}

fn chinese(rng: &mut ChaCha8Rng, kind: &Kind, secret: &Secret) -> Text {
    let (before, after) = match kind.keys {
        [] => (
            choose(rng, &["请求失败，原因是", "配置项：", "用户提供了“"]).to_owned(),
            choose(rng, &["，请重试", "。", "”已过期"]),
        ),
        keys => (
            format!("请求失败，{}{}", choose(rng, keys), choose(rng, &["：", "为", "是", "=", ": "])),
            choose(rng, &["，请重试", "。", "；已过期"]),
        ),
    };
    text(&before, &spelled(secret, as_it_is), after)
}

fn coloured(rng: &mut ChaCha8Rng, kind: &Kind, secret: &Secret) -> Text {
    let key = key(rng, kind);
    let colour = choose(rng, &["32", "1;31", "0"]);
    text(
        &format!("\u{1b}[2mINFO\u{1b}[0m \u{1b}[3m{key}\u{1b}[0m\u{1b}[2m=\u{1b}[0m\u{1b}[{colour}m"),
        &spelled(secret, as_it_is),
        "\u{1b}[0m ready",
    )
}

/// Base64 of a line of configuration, as in a Secret of Kubernetes.
fn in_base64(rng: &mut ChaCha8Rng, kind: &Kind, secret: &Secret) -> String {
    let key = key(rng, kind);
    let whole = secret.whole();
    STANDARD.encode(match (kind.keys, rng.random_range(0..3)) {
        ([], 0) => whole,
        (_, 1) => format!("{{\"{key}\":\"{}\"}}", in_json(&whole)),
        _ => format!("retries=3\n{key}={whole}\n"),
    })
}

fn base64(rng: &mut ChaCha8Rng, kind: &Kind, secret: &Secret) -> Text {
    let encoded = in_base64(rng, kind, secret);
    let spelling = (encoded.clone(), 0..encoded.len());
    match rng.random_range(0..3) {
        0 => text("data:\n  app.conf: ", &spelling, "\n  other: AAAA\n"),
        1 => text("{\"message\":{\"data\":\"", &spelling, "\",\"messageId\":\"1\"}}"),
        _ => text("payload=", &spelling, " size=3"),
    }
}

fn base64_in_lines(rng: &mut ChaCha8Rng, kind: &Kind, secret: &Secret) -> Text {
    let encoded = in_base64(rng, kind, secret);
    let width = [64, 76][rng.random_range(0..2)];
    let indent = choose(rng, &["", "    "]);
    let mut text = format!("content:{}", if indent.is_empty() { "" } else { " |" });
    let mut spots = Vec::new();
    for line in encoded.as_bytes().chunks(width) {
        text.push('\n');
        text.push_str(indent);
        spots.push(text.len()..text.len() + line.len());
        text.extend(line.iter().map(|byte| char::from(*byte)));
    }
    text.push_str("\nend: true\n");
    Text { text, spots }
}

/// A terminal or a mail program broke the line inside the secret.
fn split(rng: &mut ChaCha8Rng, kind: &Kind, secret: &Secret) -> Text {
    if secret.whole().contains('\n') {
        return block_scalar(&key(rng, kind), secret);
    }
    let before = match kind.keys {
        [] => "cannot use ".to_owned(),
        keys => format!("{}=", choose(rng, keys)),
    };
    let broken = choose(rng, &["\n", "\r\n", "\n    ", "\\\n"]);
    let core = &secret.secret;
    // A blank at the break would be part of it.
    let blank = |place: usize| core[place - 1..=place].contains(char::is_whitespace);
    let place =
        std::iter::repeat_with(|| rng.random_range(1..core.len())).find(|place| !blank(*place)).unwrap_or(1);
    let mut text = format!("{before}{}", secret.before);
    let first = text.len()..text.len() + place;
    text.push_str(&core[..place]);
    text.push_str(broken);
    let second = text.len()..text.len() + core.len() - place;
    text.push_str(&core[place..]);
    text.push_str(&secret.after);
    text.push_str("\n2026-11-26T01:02:04Z INFO next line\n");
    Text { text, spots: vec![first, second] }
}

fn url_in_json(rng: &mut ChaCha8Rng, kind: &Kind, secret: &Secret) -> Text {
    let key = key(rng, kind);
    text(
        &format!(r#"{{"request":{{"url":"https:\/\/api.example.com\/v1?{key}="#),
        &spelled(secret, in_percent),
        r#"&x=1","status":401}}"#,
    )
}
