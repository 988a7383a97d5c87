//! What of a prompt is read, and who else speaks in it.

use super::body::Asked;
use super::refusal::{Reason, Refusal};
use super::{Dialect, Settings, tokens};

const INJECTION: &str = "ignore all previous instructions";

/// The tokens of a prompt, if the model can read them; where the dialect drops what is too much, it is dropped.
pub(super) fn read(asked: &mut Asked, settings: &Settings) -> Result<u64, Refusal> {
    let Settings { dialect, context, .. } = settings;
    let prompt = tokens::of_prompt(&asked.turns);
    if dialect.cuts_prompts() {
        return Ok(cut_to(asked, *context));
    }
    let wanted = prompt.saturating_add(asked.max_tokens.unwrap_or(1));
    if wanted <= *context {
        return Ok(prompt);
    }
    let message = match dialect {
        Dialect::DashScope => format!("Range of input length should be [1, {context}]"),
        Dialect::SiliconFlow => {
            format!("length of prompt_tokens ({prompt}) must be less than max_seq_len ({context}).")
        }
        _ => format!(
            "This model's maximum context length is {context} tokens. However, you requested {wanted} tokens \
             ({prompt} in the messages, {} in the completion). Please reduce the length of the messages or completion.",
            asked.max_tokens.unwrap_or(1)
        ),
    };
    Err(Refusal { param: Some("messages"), ..Refusal::new(Reason::TooLong, message) })
}

/// Leaves only the last `most` tokens of a prompt; returns how many it has then.
pub(super) fn cut_to(asked: &mut Asked, most: u64) -> u64 {
    let mut excess = tokens::of_prompt(&asked.turns).saturating_sub(most);
    for turn in &mut asked.turns {
        let dropped = tokens::tokens(&turn.text).len().min(usize::try_from(excess).unwrap_or(usize::MAX));
        let length: usize = tokens::tokens(&turn.text)[..dropped].iter().map(|token| token.len()).sum();
        turn.text.drain(..length);
        excess = excess.saturating_sub(u64::try_from(dropped).unwrap_or(u64::MAX));
    }
    // What is left of the templates of the messages counts for nothing.
    tokens::of_prompt(&asked.turns).min(most)
}

/// What somebody who wrote into the prompt wants to be said: the rest of the line behind the magic words.
pub(super) fn injected(asked: &Asked) -> Option<String> {
    asked.turns.iter().rev().find_map(|turn| {
        let at = turn.text.to_ascii_lowercase().find(INJECTION)?;
        let rest = &turn.text[at + INJECTION.len()..];
        let line = rest.lines().next().unwrap_or_default();
        Some(line.trim_start_matches([':', ',', '.', ' ']).to_owned())
    })
}
