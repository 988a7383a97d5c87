//! An answer, or a piece of one, on the wire. A field of another type than expected reads as absent: dialects differ in
//! what they leave out, set to null or fill with something of their own.

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess};
use serde_json::{Map, Value};

use super::lenient::{Composite, Lenient, composite, json_text, lenient, list, text};
use crate::Usage;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Chunk {
    #[serde(deserialize_with = "lenient")]
    pub(super) id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub(super) model: Option<String>,
    /// `None` when there is no list at all.
    #[serde(deserialize_with = "composite")]
    pub(super) choices: Option<Choices>,
    #[serde(deserialize_with = "lenient")]
    pub(super) usage: Option<WireUsage>,
    /// What went wrong, where that is an object or a text of its own. See [`crate::envelope`].
    error: Value,
    // Where the error is the body itself.
    message: Value,
    detail: Value,
    code: Value,
    r#type: Value,
}

impl Chunk {
    /// The fields that say whether this is an error, as they stood in the body.
    pub(super) fn take_error(&mut self) -> Map<String, Value> {
        let fields = [
            ("error", &mut self.error),
            ("message", &mut self.message),
            ("detail", &mut self.detail),
            ("code", &mut self.code),
            ("type", &mut self.r#type),
        ];
        let there = fields.into_iter().filter(|(_, value)| !value.is_null());
        let mut fields: Map<_, _> = there.map(|(name, value)| (name.to_owned(), value.take())).collect();
        if self.choices.is_some() {
            fields.insert("choices".to_owned(), Value::Null);
        }
        fields
    }
}

/// The list of choices. One is all that is ever asked for, so that the others are not kept.
#[derive(Debug, Default)]
pub(super) struct Choices {
    /// The first with index 0.
    pub(super) ours: Option<Choice>,
}

impl<'de> Composite<'de> for Choices {
    fn from_list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        let mut ours = None;
        while let Some(Lenient(choice)) = list.next_element::<Lenient<Choice>>()? {
            ours = ours.or_else(|| Some(choice.unwrap_or_default()).filter(|choice| choice.index == 0));
        }
        Ok(Some(Self { ours }))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice {
    #[serde(deserialize_with = "lenient")]
    pub(super) index: u64,
    /// Of a whole answer.
    #[serde(deserialize_with = "composite")]
    pub(super) message: Option<WireMessage>,
    /// Of a stream.
    #[serde(deserialize_with = "composite")]
    pub(super) delta: Option<WireMessage>,
    #[serde(deserialize_with = "lenient")]
    pub(super) finish_reason: Option<String>,
}

impl<'de> Composite<'de> for Choice {
    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
        Self::deserialize(MapAccessDeserializer::new(map)).map(Some)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireMessage {
    #[serde(deserialize_with = "text")]
    pub(super) content: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) reasoning_content: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) reasoning: Option<String>,
    #[serde(deserialize_with = "text")]
    pub(super) refusal: Option<String>,
    #[serde(deserialize_with = "list")]
    pub(super) tool_calls: Option<Vec<WireToolCall>>,
}

impl<'de> Composite<'de> for WireMessage {
    fn from_map<A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
        Self::deserialize(MapAccessDeserializer::new(map)).map(Some)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireToolCall {
    #[serde(deserialize_with = "lenient")]
    pub(super) index: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    pub(super) id: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub(super) function: WireFunction,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireFunction {
    #[serde(deserialize_with = "lenient")]
    pub(super) name: Option<String>,
    /// A text that holds JSON; some servers send the object itself.
    #[serde(deserialize_with = "json_text")]
    pub(super) arguments: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireUsage {
    #[serde(deserialize_with = "lenient")]
    prompt_tokens: u64,
    #[serde(deserialize_with = "lenient")]
    completion_tokens: u64,
    #[serde(deserialize_with = "lenient")]
    prompt_tokens_details: WireDetails,
    #[serde(deserialize_with = "lenient")]
    completion_tokens_details: WireDetails,
    /// DeepSeek's name for cached tokens.
    #[serde(deserialize_with = "lenient")]
    prompt_cache_hit_tokens: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireDetails {
    #[serde(deserialize_with = "lenient")]
    cached_tokens: u64,
    #[serde(deserialize_with = "lenient")]
    reasoning_tokens: u64,
}

impl From<WireUsage> for Usage {
    fn from(usage: WireUsage) -> Self {
        Self {
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            cached_tokens: usage.prompt_tokens_details.cached_tokens.max(usage.prompt_cache_hit_tokens),
            reasoning_tokens: usage.completion_tokens_details.reasoning_tokens,
        }
    }
}
