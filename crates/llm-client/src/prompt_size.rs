//! How many tokens a prompt has, from below: no tokenizer is at hand, and a false alarm would be worse than a small cut
//! that goes unnoticed.

use crate::{ChatRequest, Message};

/// No vocabulary has tokens of more letters than this in any number worth a thought.
const LETTERS_PER_TOKEN: usize = 12;
/// Chinese is the densest: most tokens hold one or two characters, hardly any more than three.
const WIDE_PER_TOKEN: usize = 3;

/// Tokens that the messages have at least.
pub(crate) fn at_least(request: &ChatRequest) -> u64 {
    request.messages.iter().map(Message::content).map(of_text).sum()
}

/// Spaces and punctuation merge into tokens of any length, so that only words count: each begins a token of its own.
fn of_text(text: &str) -> u64 {
    let mut tokens = 0;
    let (mut letters, mut wide) = (0_usize, 0_usize);
    for c in text.chars().chain([' ']) {
        if c.is_ascii_alphanumeric() {
            letters += 1;
            continue;
        }
        tokens += letters.div_ceil(LETTERS_PER_TOKEN);
        letters = 0;
        wide += usize::from(!c.is_ascii() && c.is_alphanumeric());
    }
    u64::try_from(tokens + wide / WIDE_PER_TOKEN).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::of_text;

    #[test]
    fn words_count_once_and_what_merges_does_not() {
        assert_eq!(of_text("the quick  brown fox"), 4);
        assert_eq!(of_text(&"-".repeat(1000)), 0);
        assert_eq!(of_text(&" ".repeat(1000)), 0);
        assert_eq!(of_text("0123456789abcdef0123456789abcdef"), 3);
        assert_eq!(of_text("数据库连接失败"), 2);
        assert_eq!(of_text(""), 0);
    }
}
