//! Makes a server's own words fit to be shown: short, on one line, and without the key or the prompt, which servers like
//! to repeat in their complaints.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::{ChatRequest, html};

/// The longest text that is shown, in characters.
const SHOWN: usize = 300;
/// How much of an answer is looked at.
const LOOKED_AT: usize = 4096;
/// The same of a page, which says what its words look like before it says them.
const PAGE: usize = 64 << 10;
/// So many bytes in a row that are also in the prompt are no coincidence.
const RUN_OF_PROMPT: usize = 8;
/// So many are an echo of it, and no words of the server's own.
const RUN_OF_ECHO: usize = 32;
/// Servers show parts of a key.
const RUN_OF_KEY: usize = 6;
/// Servers write this over what they do not show.
const MASK: &str = "***";
/// Anything shorter is in every text.
const SHORTEST: usize = 3;

/// What must not be shown.
pub(crate) struct Censor<'a> {
    pub(crate) secrets: Vec<&'a str>,
    pub(crate) request: Option<&'a ChatRequest>,
}

impl Censor<'_> {
    /// The words as they can be shown.
    pub(crate) fn pass(&self, words: &str) -> String {
        let words = unescaped(start_of(words, LOOKED_AT));
        let mut hidden = vec![false; words.len()];
        for secret in &self.secrets {
            hide(&words, secret, RUN_OF_KEY, &mut hidden);
            hide_rest_of_words(&words, &mut hidden);
        }
        self.hide_prompt(&words, RUN_OF_PROMPT, &mut hidden);
        shown(&words, &hidden)
    }

    /// The server's own words, without long echoes of the prompt: to decide by, not to be shown.
    pub(crate) fn without_echoes(&self, words: &str) -> String {
        let words = unescaped(start_of(words, LOOKED_AT));
        let mut hidden = vec![false; words.len()];
        self.hide_prompt(&words, RUN_OF_ECHO, &mut hidden);
        words.char_indices().filter(|(at, _)| !hidden[*at]).map(|(_, c)| c).collect()
    }

    fn hide_prompt(&self, words: &str, run: usize, hidden: &mut [bool]) {
        let messages = self.request.map(|request| request.messages.as_slice()).unwrap_or_default();
        for message in messages {
            hide(words, message.content(), run, hidden);
            for call in message.tool_calls() {
                hide(words, &call.arguments, run, hidden);
            }
        }
    }

    /// A page of HTML as what a person would read on it.
    pub(crate) fn pass_html(&self, page: &str) -> String {
        self.pass(html::text(start_of(page, PAGE)).trim_start())
    }

    /// A code or an id: one short word.
    pub(crate) fn pass_word(&self, word: &str) -> String {
        self.pass(start_of(word, 80))
    }
}

/// At most `most` bytes, at the border of a character.
fn start_of(text: &str, most: usize) -> &str {
    let end = text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= most).last();
    &text[..end.unwrap_or_default()]
}

/// Without one layer of escapes (`\n`, `\"`, `\u4e2d`): servers quote what they repeat.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let mut chars = after.chars();
        match chars.next() {
            Some('n' | 'r' | 't') => out.push(' '),
            Some('u') => match chars.as_str().get(..4).and_then(|hex| u32::from_str_radix(hex, 16).ok()) {
                Some(code) => {
                    // Halves of a pair are of no use alone.
                    out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                    chars = chars.as_str()[4..].chars();
                }
                None => out.push('u'),
            },
            Some(c) => out.push(c),
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out
}

/// Marks the runs of `words` that are also in `secret`. One pass over each.
fn hide(words: &str, secret: &str, run: usize, hidden: &mut [bool]) {
    let run = run.min(secret.len());
    if run < SHORTEST || words.len() < run {
        return;
    }
    let mut places: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for (at, window) in words.as_bytes().windows(run).enumerate() {
        places.entry(window).or_default().push(at);
    }
    for window in secret.as_bytes().windows(run) {
        // Once is enough: a secret that repeats itself hides nothing more.
        for at in places.remove(window).into_iter().flatten() {
            hidden[at..at + run].fill(true);
        }
    }
}

/// Marks the words of which a part is marked, or masked by the server: it leaves the ends of a key, which are too short
/// to be told from chance.
fn hide_rest_of_words(words: &str, hidden: &mut [bool]) {
    let mut at = 0;
    for word in words.split_inclusive(char::is_whitespace) {
        let place = at..at + word.trim_end().len();
        if word.contains(MASK) || hidden[place.clone()].contains(&true) {
            hidden[place].fill(true);
        }
        at += word.len();
    }
}

fn shown(words: &str, hidden: &[bool]) -> String {
    let mut out = String::new();
    let mut length = 0;
    let mut last = ' ';
    let mut was_hidden = false;
    for (at, c) in words.char_indices() {
        if length >= SHOWN {
            out.push('…');
            break;
        }
        let is_hidden = hidden[at..at + c.len_utf8()].contains(&true);
        if is_hidden && !was_hidden {
            let _ = write!(out, "[redacted]");
            length += "[redacted]".len();
        }
        was_hidden = is_hidden;
        if is_hidden {
            last = ']';
            continue;
        }
        // A log line stays one, whatever a server says.
        let c = if c.is_control() || c.is_whitespace() || is_invisible(c) { ' ' } else { c };
        if c != ' ' || last != ' ' {
            out.push(c);
            length += 1;
        }
        last = c;
    }
    out.trim_end().to_owned()
}

/// Characters that change how the text around them is shown, or show nothing.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;

    fn pass(key: &str, prompt: &str, words: &str) -> String {
        let request = ChatRequest::new([Message::user(prompt)]);
        Censor { secrets: vec![key], request: Some(&request) }.pass(words)
    }

    #[test]
    fn a_key_is_hidden_whole_or_in_part() {
        let key = ["sk-", "EXAMPLE", "0123456789"].concat();
        let words = format!(
            "Incorrect API key provided: {key}. Others: sk-EXAM****6789, ****6789, sk-*****789 (401)"
        );
        let passed = pass(&key, "hello", &words);
        assert!(!passed.contains("EXAM") && !passed.contains("789"), "{passed}");
        assert!(passed.starts_with("Incorrect API key provided: [redacted]"), "{passed}");
        assert!(passed.contains("Others: ") && passed.ends_with("(401)"), "{passed}");
    }

    #[test]
    fn what_the_prompt_says_is_hidden_also_when_it_comes_back_escaped() {
        let prompt = "user alice logged in\npassword=hunter2 从北京登录";
        for echo in [
            "bad input: 'user alice logged in\\npassword=hunter2 从北京登录'",
            "bad input: \"user alice logged in\" and \"password=hunter2 \\u4ece\\u5317\\u4eac\\u767b\\u5f55\"",
        ] {
            let passed = pass("", prompt, echo);
            for secret in ["alice", "hunter2", "北京", "5317"] {
                assert!(!passed.contains(secret), "{secret} in {passed}");
            }
            assert!(passed.starts_with("bad input:"), "{passed}");
        }
    }

    #[test]
    fn a_short_prompt_is_hidden_too() {
        assert_eq!(pass("", "pin", "no: pin"), "no: [redacted]");
    }

    #[test]
    fn words_are_one_short_line_without_tricks() {
        let passed = pass("", "", "a\r\n\tb\u{202e}c\u{200b}d\u{0}e   f");
        assert_eq!(passed, "a b c d e f");
        assert_eq!(pass("", "", &"界".repeat(100_000)).chars().count(), SHOWN + 1);
    }

    #[test]
    fn a_page_is_its_text() {
        let censor = Censor { secrets: Vec::new(), request: None };
        let page = "<html><head><title>502 Bad Gateway</title></head>\n<body><hr>nginx</body></html>";
        assert_eq!(censor.pass_html(page), "502 Bad Gateway nginx");
        let style = format!("<style>{}</style>{}", "a { color: red } ".repeat(2000), " ".repeat(5000));
        assert_eq!(censor.pass_html(&format!("<head>{style}</head><p>Sign in")), "Sign in");
    }

    #[test]
    fn repetition_costs_no_time() {
        let passed = pass("", &"a".repeat(4 << 20), &"a".repeat(1 << 20));
        assert_eq!(passed, "[redacted]");
    }

    #[test]
    fn broken_escapes_are_taken_as_they_stand() {
        assert_eq!(pass("", "", "a\\"), "a");
        assert_eq!(pass("", "", "\\u12"), "u12");
        assert_eq!(pass("", "", "\\ud83d\\ude00"), "\u{fffd}\u{fffd}");
        assert_eq!(pass("", "", "\\u界界"), "u界界");
    }
}
