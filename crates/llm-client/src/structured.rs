//! Answers that fit a schema, with one round of repair.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::Instant;

use crate::decode::json_in;
use crate::tool::list;
use crate::{
    Call, Chat, ChatRequest, Completion, Cost, Error, Finish, Format, Message, Schema, ToolChoice, Usage,
    Violation,
};

const OPERATION: &str = "structured";

/// An answer that fits its schema. `Debug` shows its measures, never its words.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Structured {
    /// The answer.
    pub value: Value,
    /// The model's answer as it came, of the last round.
    pub completion: Completion,
    /// The first answer did not fit, and a second one was asked for.
    pub repaired: bool,
    /// Tokens of both rounds; `None` when the endpoint did not count.
    pub usage: Option<Usage>,
    /// What both rounds cost, when all of it is known.
    pub cost: Option<Cost>,
}

impl Structured {
    /// An answer that fitted at once, for other implementations of [`Chat`] and for mocks.
    pub fn new(value: Value, completion: Completion) -> Self {
        Self { value, repaired: false, usage: completion.usage, cost: completion.cost.clone(), completion }
    }
}

impl fmt::Debug for Structured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Structured")
            .field("completion", &self.completion)
            .field("repaired", &self.repaired)
            .field("usage", &self.usage)
            .field("cost", &self.cost)
            .finish_non_exhaustive()
    }
}

/// An answer as a type of the program. `Debug` shows what it took, not the value.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Extracted<T> {
    /// The answer.
    pub value: T,
    /// What it was made from, and what it took.
    pub structured: Structured,
}

impl<T> fmt::Debug for Extracted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extracted").field("structured", &self.structured).finish_non_exhaustive()
    }
}

/// A `T` out of a conversation: [`Chat::structured`], and then the type.
///
/// With the feature `schemars`, `Schema::of::<T>` makes the schema.
///
/// # Errors
/// As [`Chat::structured`]; [`Error::Unfit`] also when an answer fits the schema and yet is no `T`.
pub async fn extract<T: DeserializeOwned>(
    chat: &dyn Chat,
    request: &ChatRequest,
    schema: &Schema,
) -> Result<Extracted<T>, Error> {
    let structured = chat.structured(request, schema).await?;
    match T::deserialize(&structured.value) {
        Ok(value) => Ok(Extracted { value, structured }),
        // The words of serde repeat the value.
        Err(_) => Err(Error::Unfit {
            call: Call::new(structured.completion.service, OPERATION),
            violations: vec![Violation::of_type()],
        }),
    }
}

/// Asks, and once more with what is wrong about the answer.
pub(crate) async fn in_two_rounds<C: Chat + ?Sized>(
    chat: &C,
    request: &ChatRequest,
    schema: &Schema,
) -> Result<Structured, Error> {
    let start = Instant::now();
    let mut request = request.clone().format(Format::Json(schema.clone())).tool_choice(ToolChoice::Auto);
    request.tools.clear();
    let first = chat.complete(&request).await.map_err(|error| error.within(OPERATION))?;
    let violations = match fitting(&first, schema)? {
        Ok(value) => {
            return Ok(Structured::new(value, first));
        }
        Err(violations) => violations,
    };
    tracing::debug!(service = %first.service, ?violations, "the answer does not fit its schema");
    request.messages.extend([first.to_message(), Message::user(complaint(&violations))]);
    request.within = request.within.map(|within| within.saturating_sub(start.elapsed()));
    let second = chat.complete(&request).await.map_err(|error| error.within(OPERATION))?;
    match fitting(&second, schema)? {
        Ok(value) => Ok(Structured {
            value,
            repaired: true,
            usage: both(first.usage, second.usage, |one, other| Some(one.plus(other))),
            cost: both(first.cost, second.cost.clone(), |one, other| one.plus(&other)),
            completion: second,
        }),
        Err(violations) => Err(Error::Unfit { call: Call::new(second.service, OPERATION), violations }),
    }
}

/// The value in an answer that fits, or what is wrong about the likeliest one.
fn fitting(completion: &Completion, schema: &Schema) -> Result<Result<Value, Vec<Violation>>, Error> {
    let call = Call::new(completion.service.clone(), OPERATION);
    if completion.refusal.is_some() || completion.finish == Finish::ContentFilter {
        return Err(Error::Withheld { call, filtered: completion.finish == Finish::ContentFilter });
    }
    let mut complaints = Vec::new();
    for value in json_in(&completion.content) {
        match schema.violations(&value) {
            violations if violations.is_empty() => return Ok(Ok(value)),
            violations => complaints.push(violations),
        }
    }
    if completion.finish == Finish::Length {
        let completion_tokens = completion.usage.map_or(0, |usage| usage.completion_tokens);
        return Err(Error::Truncated { call, completion_tokens });
    }
    Ok(Err(complaints.into_iter().next().unwrap_or_else(|| vec![Violation::no_json()])))
}

fn complaint(violations: &[Violation]) -> String {
    format!(
        "This does not fit the JSON Schema: {}. Answer again, with the corrected JSON value and nothing else.",
        list(violations)
    )
}

fn both<T>(one: Option<T>, other: Option<T>, join: impl Fn(T, T) -> Option<T>) -> Option<T> {
    join(one?, other?)
}
