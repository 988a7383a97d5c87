//! What it means when an endpoint refuses a request that asks for JSON: this schema, or asking in this way at all.

use crate::envelope::Envelope;

/// What an endpoint dislikes about a `response_format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefusedFormat {
    /// This one, or nobody knows: another request may be taken.
    ThisOne,
    /// It does not know the way, so that no request will be taken.
    Any,
}

/// Without one of these it is about something else.
const NAMES: [&str; 6] =
    ["response_format", "response format", "json_schema", "json schema", "json_object", "json mode"];

/// About one schema: OpenAI and Azure, Groq, vLLM (its grammars), Fireworks.
const OF_A_SCHEMA: [&str; 8] = [
    "invalid schema",
    "invalid json schema",
    "invalid_json_schema",
    "json_schema.schema",
    "json_schema.name",
    "schema contains features",
    "could not understand the instance",
    "grammar error",
];

/// About the way of asking: OpenAI's older models, DashScope, DeepSeek, Groq, SiliconFlow, Azure's older versions, and what
/// frameworks say of a field or a value that they do not know.
const OF_THE_WAY: [&str; 18] = [
    "not supported",
    "unsupported",
    "does not support",
    "doesn't support",
    "unavailable",
    "not available",
    "not enabled",
    "is enabled only",
    "unknown",
    "unrecognized",
    "unexpected",
    "not permitted",
    "not allowed",
    "extra inputs",
    "input should be",
    "must be one of",
    "invalid value",
    "not a valid",
];

impl RefusedFormat {
    /// From the endpoint's raw words: what is shown of them may lack the very ones that matter, since a prompt can hold
    /// them too. What lasts is decided by its `own` words, without what it repeats of the prompt: no line of a prompt shall
    /// change how later calls are made. `None` when it is not about the format.
    pub(crate) fn of(envelope: &Envelope, own: &str) -> Option<Self> {
        let (message, own) = (envelope.message.to_lowercase(), own.to_lowercase());
        let code =
            [&envelope.code, &envelope.kind].into_iter().flatten().any(|code| says(code, &OF_A_SCHEMA));
        if !code && !says(&message, &NAMES) {
            return None;
        }
        // What is wrong with a schema can be that a part of it is not supported.
        let of_a_schema = code || says(&message, &OF_A_SCHEMA);
        let lasts = !of_a_schema && says(&own, &NAMES) && says(&own, &OF_THE_WAY);
        Some(if lasts { Self::Any } else { Self::ThisOne })
    }
}

fn says(words: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| words.contains(phrase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_endpoints_say_of_a_schema_and_of_the_way_is_told_apart() {
        for (message, meaning) in [
            (
                "Invalid schema for response_format 'x': In context=(), 'additionalProperties' is required to be supplied and to be false.",
                Some(RefusedFormat::ThisOne),
            ),
            (
                "Invalid schema for response_format 'x': In context=('properties', 'a'), 'format' is not permitted.",
                Some(RefusedFormat::ThisOne),
            ),
            (
                "invalid JSON schema for response_format: 'x': /required: `required` is required to be supplied",
                Some(RefusedFormat::ThisOne),
            ),
            (
                "The provided JSON schema contains features not supported by xgrammar.",
                Some(RefusedFormat::ThisOne),
            ),
            (
                "JSON Schema not supported: could not understand the instance `{}`.",
                Some(RefusedFormat::ThisOne),
            ),
            ("Something about response_format", Some(RefusedFormat::ThisOne)),
            (
                "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.",
                Some(RefusedFormat::Any),
            ),
            ("'response_format.type' json_schema is not supported by this model", Some(RefusedFormat::Any)),
            ("This response_format type (json_schema) is unavailable now", Some(RefusedFormat::Any)),
            ("This model does not support response format `json_schema`.", Some(RefusedFormat::Any)),
            ("Json mode is not supported for this model.", Some(RefusedFormat::Any)),
            (
                "response_format value as json_schema is enabled only for api versions 2024-08-01-preview and later",
                Some(RefusedFormat::Any),
            ),
            ("Input should be 'text' or 'json_object'", Some(RefusedFormat::Any)),
            ("Unknown parameter: 'response_format.json_schema.strict'", Some(RefusedFormat::Any)),
            ("Invalid value: 'temperature' is not supported", None),
        ] {
            let envelope = Envelope { message: message.to_owned(), ..Envelope::default() };
            assert_eq!(RefusedFormat::of(&envelope, message), meaning, "{message}");
        }
    }

    #[test]
    fn what_an_endpoint_repeats_of_a_prompt_decides_nothing_that_lasts() {
        let message = "bad input: json_schema is not supported";
        let envelope = Envelope { message: message.to_owned(), ..Envelope::default() };
        assert_eq!(RefusedFormat::of(&envelope, "bad input: "), Some(RefusedFormat::ThisOne));
    }
}
