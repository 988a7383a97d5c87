//! An answer being put together from its pieces.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::de::IgnoredAny;

use super::chunk::{Choice, Chunk, WireMessage, WireToolCall};
use super::think::{Parts, Splitter};
use crate::{Finish, ToolCall, Usage};

/// No model asks for more tools at once; a server that says so is not believed.
const MOST_TOOL_CALLS: usize = 256;

/// What a piece adds to the answer.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Delta {
    /// More of what the model thinks.
    Reasoning(String),
    /// More of the answer.
    Content(String),
    /// More of a tool call.
    ToolCall {
        /// Which one, from 0.
        index: usize,
        /// Its tool, in its first piece.
        name: Option<String>,
        /// More of its arguments.
        arguments: String,
    },
}

/// Shows how much, not what.
impl fmt::Debug for Delta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reasoning(text) => write!(f, "Reasoning({} bytes)", text.len()),
            Self::Content(text) => write!(f, "Content({} bytes)", text.len()),
            Self::ToolCall { index, name, arguments } => {
                let name = name.as_deref().map_or(0, str::len);
                write!(f, "ToolCall({index}, {name} and {} bytes)", arguments.len())
            }
        }
    }
}

/// A whole answer as it was on the wire. `Debug` shows its measures, never its words.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The answer itself, without a leading `<think>` block.
    pub content: String,
    /// The fields `reasoning_content` and `reasoning`, and the `<think>` block.
    pub reasoning: Option<String>,
    /// The model's refusal.
    pub refusal: Option<String>,
    /// Tool calls, in order.
    pub tool_calls: Vec<ToolCall>,
    /// Why it ends; `None` when nobody said.
    pub finish: Option<Finish>,
    /// Tokens.
    pub usage: Option<Usage>,
    /// The model's name.
    pub model: Option<String>,
    /// The answer's id.
    pub id: Option<String>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("content_bytes", &self.content.len())
            .field("reasoning_bytes", &self.reasoning.as_deref().map(str::len))
            .field("refused", &self.refusal.is_some())
            .field("tool_calls", &self.tool_calls)
            .field("finish", &self.finish)
            .field("usage", &self.usage)
            .finish_non_exhaustive()
    }
}

/// Who hears of the pieces.
pub(super) enum Deltas<'a> {
    /// Whoever follows a stream.
    To(&'a mut Vec<Delta>),
    /// Nobody: a whole answer has only one piece, and its text is moved and not copied.
    Unheard,
}

impl Deltas<'_> {
    /// Adds a piece to a text.
    fn text(&mut self, text: &mut String, piece: String, delta: fn(String) -> Delta) {
        match self {
            Self::To(deltas) => {
                text.push_str(&piece);
                deltas.push(delta(piece));
            }
            Self::Unheard if text.is_empty() => *text = piece,
            Self::Unheard => text.push_str(&piece),
        }
    }
}

#[derive(Default)]
pub(super) struct Assembly {
    answer: Answer,
    splitter: Splitter,
    /// From a call's index on the wire to its place.
    places: HashMap<u64, usize>,
    /// Calls that came whole in one piece, by their place.
    came_whole: HashSet<usize>,
    /// A choice has been seen.
    pub(super) has_choice: bool,
}

impl Assembly {
    /// Adds a piece; what it brought goes to `deltas`.
    pub(super) fn take(&mut self, chunk: Chunk, deltas: &mut Deltas<'_>) {
        let Chunk { id, model, choices, usage, .. } = chunk;
        self.answer.id = self.answer.id.take().or(id);
        self.answer.model = self.answer.model.take().or(model);
        // The last one counts: some endpoints send a running total with every piece.
        self.answer.usage = usage.map(Usage::from).or(self.answer.usage);
        // Azure's first piece has none, and the last one of a stream.
        let Some(Choice { message, delta, finish_reason, .. }) = choices.and_then(|choices| choices.ours)
        else {
            return;
        };
        self.has_choice = true;
        if let Some(message) = message.or(delta) {
            self.take_message(message, deltas);
        }
        if let Some(word) = finish_reason.filter(|word| !word.is_empty()) {
            self.answer.finish = Some(Finish::of(&word));
        }
    }

    fn take_message(&mut self, message: WireMessage, deltas: &mut Deltas<'_>) {
        // vLLM sends the same text under both names.
        if let Some(reasoning) = message.reasoning_content.or(message.reasoning) {
            self.add(Parts { reasoning, ..Parts::default() }, deltas);
        }
        if let Some(content) = message.content {
            let parts = self.splitter.push(content);
            self.add(parts, deltas);
        }
        if let Some(refusal) = message.refusal.filter(|refusal| !refusal.is_empty()) {
            self.answer.refusal.get_or_insert_default().push_str(&refusal);
        }
        for call in message.tool_calls.into_iter().flatten() {
            self.take_tool_call(call, deltas);
        }
    }

    fn add(&mut self, Parts { reasoning, content }: Parts, deltas: &mut Deltas<'_>) {
        if !reasoning.is_empty() {
            deltas.text(self.answer.reasoning.get_or_insert_default(), reasoning, Delta::Reasoning);
        }
        if !content.is_empty() {
            deltas.text(&mut self.answer.content, content, Delta::Content);
        }
    }

    fn take_tool_call(&mut self, call: WireToolCall, deltas: &mut Deltas<'_>) {
        let WireToolCall { index, id, function } = call;
        let (id, name) = (id.filter(|id| !id.is_empty()), function.name.filter(|name| !name.is_empty()));
        let arguments = function.arguments.unwrap_or_default();
        let is_whole = index.is_some() && name.is_some() && is_whole(&arguments);
        let calls = &mut self.answer.tool_calls;
        let place = match index {
            Some(index) => {
                let place = self.places.entry(index).or_insert(calls.len());
                // Ollama gives calls that are made at once one index. Another id is another call; so is, where no id says
                // otherwise, a whole one after a whole one.
                let is_another = calls.get(*place).is_some_and(|known| match &id {
                    Some(id) if !known.id.is_empty() => *id != known.id,
                    _ => is_whole && self.came_whole.contains(place),
                });
                if is_another {
                    *place = calls.len();
                }
                *place
            }
            // Without an index a name begins a call, and everything else goes on with the last one.
            None if name.is_some() => calls.len(),
            None => calls.len().saturating_sub(1),
        };
        if place == calls.len() {
            if calls.len() == MOST_TOOL_CALLS {
                if let Some(index) = index {
                    self.places.remove(&index);
                }
                return;
            }
            calls.push(ToolCall { id: String::new(), name: String::new(), arguments: String::new() });
            if is_whole {
                self.came_whole.insert(place);
            }
        } else if !arguments.is_empty() {
            self.came_whole.remove(&place);
        }
        let Some(known) = calls.get_mut(place) else { return };
        if let Some(id) = id.filter(|_| known.id.is_empty()) {
            known.id = id;
        }
        // The name comes whole; servers that repeat it with every piece exist, servers that cut it do not.
        let name = name.filter(|_| known.name.is_empty());
        if let Some(name) = &name {
            known.name.clone_from(name);
        }
        known.arguments.push_str(&arguments);
        if let Deltas::To(deltas) = deltas {
            deltas.push(Delta::ToolCall { index: place, name, arguments });
        }
    }

    pub(super) fn is_finished(&self) -> bool {
        self.answer.finish.is_some()
    }

    /// The whole answer, and what was held back until now.
    pub(super) fn finish(mut self, deltas: &mut Deltas<'_>) -> Answer {
        let last = std::mem::take(&mut self.splitter).finish();
        self.add(last, deltas);
        for (place, call) in self.answer.tool_calls.iter_mut().enumerate() {
            if call.id.is_empty() {
                call.id = format!("call_{place}");
            }
        }
        self.answer
    }
}

/// Whether these are arguments to which nothing can be added.
fn is_whole(arguments: &str) -> bool {
    serde_json::from_str::<HashMap<String, IgnoredAny>>(arguments).is_ok()
}
