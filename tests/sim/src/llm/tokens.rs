//! A tokenizer that is nobody's, and counts about as real ones do.

use super::body::Turn;

/// What a chat template adds to each message.
const PER_MESSAGE: u64 = 4;
const LETTERS: usize = 4;

/// The tokens of a text, in order: up to four letters or digits, with the space before them; else one character.
pub(super) fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut start = 0;
    let mut letters = 0;
    let mut open = false;
    for (at, c) in text.char_indices() {
        let joins = if c.is_ascii_alphanumeric() { letters < LETTERS } else { false };
        if !open || !joins {
            if at > start && open {
                tokens.push(&text[start..at]);
                start = at;
            }
            letters = 0;
        }
        open = true;
        if c.is_ascii_alphanumeric() {
            letters += 1;
        } else if c != ' ' {
            letters = LETTERS;
        }
    }
    if start < text.len() {
        tokens.push(&text[start..]);
    }
    tokens
}

/// How many a text has.
pub(super) fn count(text: &str) -> u64 {
    u64::try_from(tokens(text).len()).unwrap_or(u64::MAX)
}

/// How many a conversation has.
pub(super) fn of_prompt(turns: &[Turn]) -> u64 {
    turns.iter().map(|turn| PER_MESSAGE + count(&turn.text)).sum()
}

/// At most so many tokens of a text, and whether that is all of it.
pub(super) fn first(text: &str, most: u64) -> (&str, bool) {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let length = tokens(text).iter().take(most).map(|token| token.len()).sum();
    (&text[..length], length == text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_the_text_in_pieces() {
        for (text, expected) in [
            ("", vec![]),
            ("the sky", vec!["the", " sky"]),
            ("container", vec!["cont", "aine", "r"]),
            ("{\"a\": 1}", vec!["{", "\"", "a", "\"", ":", " 1", "}"]),
            ("数据库", vec!["数", "据", "库"]),
            ("a  b", vec!["a", " ", " b"]),
        ] {
            assert_eq!(tokens(text), expected, "{text:?}");
            assert_eq!(tokens(text).concat(), text);
        }
    }

    #[test]
    fn a_text_is_cut_at_a_token() {
        assert_eq!(first("the sky is", 2), ("the sky", false));
        assert_eq!(first("the sky", 2), ("the sky", true));
    }
}
