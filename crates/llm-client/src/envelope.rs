//! The many shapes in which endpoints say that something went wrong.

use serde_json::{Map, Value};

/// What an error says, whatever its shape.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Envelope {
    /// A word or a number, as a text.
    pub(crate) code: Option<String>,
    /// The kind of error, where the endpoint has such a field.
    pub(crate) kind: Option<String>,
    /// For people; not yet fit to be shown.
    pub(crate) message: String,
}

impl Envelope {
    /// Finds the error in a JSON body; `None` when there is none, as in a completion.
    pub(crate) fn in_json(body: Value) -> Option<Self> {
        match body {
            // SiliconFlow says some things as a bare string.
            Value::String(message) => Some(Self { message, ..Self::default() }),
            // Gemini's endpoint wraps the object into a list.
            Value::Array(items) => items.into_iter().next().filter(Value::is_object).and_then(Self::in_json),
            Value::Object(mut object) => {
                match object.remove("error") {
                    Some(Value::Object(error)) => Some(Self::of_fields(error)),
                    // Ollama's own API.
                    Some(Value::String(message)) => Some(Self { message, ..Self::of_fields(object) }),
                    // Flat: older vLLM (`object: error`), SiliconFlow, DashScope's own API, FastAPI's `detail`.
                    _ if object.contains_key("choices") => None,
                    _ if object.get("message").is_some_and(Value::is_string)
                        || object.contains_key("detail") =>
                    {
                        Some(Self::of_fields(object))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn of_fields(mut fields: Map<String, Value>) -> Self {
        let mut word = |name| match fields.remove(name)? {
            Value::String(text) if !text.is_empty() => Some(text),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        let (code, kind, message) = (word("code"), word("type"), word("message"));
        let message = message.or_else(|| match fields.remove("detail")? {
            Value::String(text) => Some(text),
            // FastAPI repeats what was sent in `input`; only its own words are taken.
            Value::Array(items) => Some(
                items
                    .iter()
                    .filter_map(|item| item.get("msg").and_then(Value::as_str))
                    .take(5)
                    .collect::<Vec<_>>()
                    .join("; "),
            ),
            _ => None,
        });
        Self { code, kind, message: message.unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(body: &Value) -> Option<(Option<String>, Option<String>, String)> {
        Envelope::in_json(body.clone()).map(|envelope| (envelope.code, envelope.kind, envelope.message))
    }

    #[test]
    fn every_shape_is_read() {
        let some = |text: &str| Some(text.to_owned());
        let table = [
            (json!({"error": {"message": "m", "type": "t", "code": "c"}}), (some("c"), some("t"), "m")),
            (
                json!({"error": {"message": "m", "type": "t", "param": null, "code": null}}),
                (None, some("t"), "m"),
            ),
            (
                json!({"error": {"message": "m", "type": "BadRequestError", "code": 400}}),
                (some("400"), some("BadRequestError"), "m"),
            ),
            (
                json!({"object": "error", "message": "m", "type": "BadRequestError", "code": 400}),
                (some("400"), some("BadRequestError"), "m"),
            ),
            (json!({"code": 20012, "message": "m", "data": null}), (some("20012"), None, "m")),
            (
                json!({"code": "InvalidApiKey", "message": "m", "request_id": "r"}),
                (some("InvalidApiKey"), None, "m"),
            ),
            (json!({"error": "model not found"}), (None, None, "model not found")),
            (json!([{"error": {"message": "m", "code": 400}}]), (some("400"), None, "m")),
            (json!("Invalid token"), (None, None, "Invalid token")),
            (json!({"detail": "Not Found"}), (None, None, "Not Found")),
            (
                json!({"detail": [{"msg": "Field required", "input": "the prompt"}]}),
                (None, None, "Field required"),
            ),
        ];
        for (body, (code, kind, message)) in table {
            assert_eq!(read(&body), Some((code, kind, message.to_owned())), "{body}");
        }
    }

    #[test]
    fn what_is_no_error_is_none() {
        for body in [
            json!({"choices": [], "message": "x"}),
            json!({}),
            json!(null),
            json!([]),
            json!([[]]),
            json!(1),
            json!({"message": {"role": "assistant"}}),
        ] {
            assert_eq!(read(&body), None, "{body}");
        }
    }
}
