//! An answer on the wire: in one piece, or as the pieces of a stream.

use serde_json::{Value, json};

use super::body::Asked;
use super::said::Said;
use super::tokens;

/// Pieces of a tool call's arguments, in characters.
const ARGUMENTS: usize = 8;

/// What stands around the words.
#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) id: String,
    /// Unix seconds.
    pub(super) created: i64,
    /// Tokens that were read.
    pub(super) prompt_tokens: u64,
}

impl Envelope {
    /// A whole answer.
    pub(super) fn whole(&self, asked: &Asked, said: &Said) -> Value {
        let mut message = json!({"role": "assistant", "content": said.content, "refusal": said.refusal});
        // As the services do: no words are null, not an empty text.
        if said.content.is_empty() && (said.refusal.is_some() || !said.tool_calls.is_empty()) {
            message["content"] = Value::Null;
        }
        if let Some(reasoning) = &said.reasoning {
            message["reasoning_content"] = json!(reasoning);
        }
        if !said.tool_calls.is_empty() {
            message["tool_calls"] = self.tool_calls(said).collect();
        }
        json!({
            "id": self.id,
            "object": "chat.completion",
            "created": self.created,
            "model": asked.model,
            "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": said.finish()}],
            "usage": self.usage(said),
        })
    }

    /// A whole answer without any.
    pub(super) fn without_choices(&self, asked: &Asked) -> Value {
        let mut whole = self.whole(asked, &Said::default());
        whole["choices"] = json!([]);
        whole
    }

    /// The events of a stream, without the end.
    pub(super) fn pieces(&self, asked: &Asked, said: &Said) -> Vec<Value> {
        let mut pieces =
            vec![self.piece(asked, &json!({"role": "assistant", "content": "", "refusal": null}), None)];
        let mut say = |field: &str, text: &str| {
            for token in tokens::tokens(text) {
                pieces.push(self.piece(asked, &json!({ field: token }), None));
            }
        };
        say("reasoning_content", said.reasoning.as_deref().unwrap_or_default());
        say("content", &said.content);
        say("refusal", said.refusal.as_deref().unwrap_or_default());
        for (index, mut call) in self.tool_calls(said).enumerate() {
            if said.one_tool_index {
                call["index"] = json!(0);
                pieces.push(self.piece(asked, &json!({"tool_calls": [call]}), None));
                continue;
            }
            let arguments = call["function"]["arguments"].as_str().unwrap_or_default().to_owned();
            call["index"] = json!(index);
            call["function"]["arguments"] = json!("");
            pieces.push(self.piece(asked, &json!({"tool_calls": [call]}), None));
            let letters: Vec<char> = arguments.chars().collect();
            for part in letters.chunks(ARGUMENTS) {
                let part: String = part.iter().collect();
                let call = json!({"index": index, "function": {"arguments": part}});
                pieces.push(self.piece(asked, &json!({"tool_calls": [call]}), None));
            }
        }
        pieces.push(self.piece(asked, &json!({}), Some(said.finish())));
        if asked.include_usage {
            for piece in &mut pieces {
                piece["usage"] = Value::Null;
            }
            let mut count = self.piece(asked, &json!({}), None);
            count["choices"] = json!([]);
            count["usage"] = self.usage(said);
            pieces.push(count);
        }
        pieces
    }

    fn piece(&self, asked: &Asked, delta: &Value, finish: Option<&str>) -> Value {
        json!({
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": asked.model,
            "choices": [{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}],
        })
    }

    fn tool_calls<'a>(&'a self, said: &'a Said) -> impl Iterator<Item = Value> + 'a {
        said.tool_calls.iter().enumerate().map(|(number, (name, arguments))| {
            let id = format!("call_{}_{number}", self.id);
            json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}})
        })
    }

    fn usage(&self, said: &Said) -> Value {
        json!({
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": said.tokens(),
            "total_tokens": self.prompt_tokens + said.tokens(),
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": said.reasoning_tokens()},
        })
    }
}
