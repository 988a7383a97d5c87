//! A request as the dialect of an endpoint wants it.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{ChatRequest, Format, Message, Profile, StructuredOutput, ToolChoice};

/// What a client knows of its endpoint, as far as a body says it.
#[derive(Debug)]
pub(crate) struct Dialect {
    pub(crate) profile: Profile,
    pub(crate) model: String,
    pub(crate) max_tokens: Option<u32>,
    pub(crate) extra: Map<String, Value>,
}

/// The fields that are the client's own.
pub(crate) const OWN_FIELDS: [&str; 12] = [
    "model",
    "messages",
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "seed",
    "stop",
    "stream",
    "stream_options",
    "response_format",
    "tools",
    "tool_choice",
];

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop: &'a [String],
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Value>,
    #[serde(flatten)]
    extra: &'a Map<String, Value>,
}

impl Dialect {
    /// The most tokens that the answer to this may have.
    pub(crate) fn max_tokens(&self, request: &ChatRequest) -> Option<u32> {
        request.max_tokens.or(self.max_tokens)
    }

    /// The body as it is sent.
    pub(crate) fn body(
        &self,
        request: &ChatRequest,
        structured: StructuredOutput,
        stream: bool,
    ) -> Result<Vec<u8>, serde_json::Error> {
        let max_tokens = self.max_tokens(request);
        let newer = self.profile.calls_it_max_completion_tokens();
        let mut messages: Vec<Value> = request.messages.iter().map(message).collect();
        if let Some(instruction) = instruction(&request.format, structured) {
            instruct(&mut messages, &instruction);
        }
        serde_json::to_vec(&Body {
            model: &self.model,
            messages,
            max_tokens: max_tokens.filter(|_| !newer),
            max_completion_tokens: max_tokens.filter(|_| newer),
            temperature: request.temperature,
            seed: request.seed,
            stop: &request.stop,
            stream,
            stream_options: stream.then(|| json!({"include_usage": true})),
            response_format: response_format(&request.format, structured),
            tools: request.tools.iter().map(tool).collect(),
            tool_choice: tool_choice(request),
            extra: &self.extra,
        })
    }
}

/// What no endpoint takes, in words for the caller.
pub(crate) fn fault(request: &ChatRequest) -> Option<String> {
    if request.messages.is_empty() {
        return Some("there is no message".into());
    }
    if request.temperature.is_some_and(|temperature| !(0.0..=2.0).contains(&temperature)) {
        return Some("the temperature is not within 0 and 2".into());
    }
    if request.max_tokens == Some(0) {
        return Some("max_tokens is 0".into());
    }
    if request.stop.len() > 4 {
        return Some("there are more than 4 stop sequences".into());
    }
    for (at, tool) in request.tools.iter().enumerate() {
        if request.tools[..at].iter().any(|other| other.name() == tool.name()) {
            return Some(format!("the tool {} is declared twice", tool.name()));
        }
    }
    match &request.tool_choice {
        ToolChoice::Named(name) if !request.tools.iter().any(|tool| tool.name() == name) => {
            Some("the tool that is chosen is not declared".into())
        }
        ToolChoice::Required if request.tools.is_empty() => {
            Some("a tool is required and none declared".into())
        }
        _ => None,
    }
}

fn message(message: &Message) -> Value {
    let (role, content) = (message.role(), message.content());
    match message {
        Message::Assistant { tool_calls, .. } if !tool_calls.is_empty() => {
            let calls: Vec<Value> = tool_calls
                .iter()
                .map(|call| {
                    json!({
                        "id": call.id,
                        "type": "function",
                        "function": {"name": call.name, "arguments": call.arguments},
                    })
                })
                .collect();
            json!({"role": role, "content": content, "tool_calls": calls})
        }
        Message::Tool { call_id, .. } => json!({"role": role, "content": content, "tool_call_id": call_id}),
        _ => json!({"role": role, "content": content}),
    }
}

fn tool(tool: &crate::Tool) -> Value {
    json!({
        "type": "function",
        "function": {
            "name": tool.name(),
            "description": tool.description(),
            "parameters": tool.parameters().as_json(),
        },
    })
}

fn tool_choice(request: &ChatRequest) -> Option<Value> {
    match &request.tool_choice {
        _ if request.tools.is_empty() => None,
        ToolChoice::Auto => None,
        ToolChoice::None => Some("none".into()),
        ToolChoice::Required => Some("required".into()),
        ToolChoice::Named(name) => Some(json!({"type": "function", "function": {"name": name}})),
    }
}

fn response_format(format: &Format, structured: StructuredOutput) -> Option<Value> {
    let Format::Json(schema) = format else { return None };
    match structured {
        StructuredOutput::JsonSchema => Some(json!({
            "type": "json_schema",
            "json_schema": {"name": schema.name(), "strict": schema.is_strict(), "schema": schema.as_json()},
        })),
        StructuredOutput::JsonObject => Some(json!({"type": "json_object"})),
        StructuredOutput::Prompt => None,
    }
}

/// Where the endpoint does not know the schema, the model has to be told. The word "JSON" must be in the prompt, or
/// `json_object` is refused (OpenAI, DashScope) or gives white space without end (DeepSeek).
fn instruction(format: &Format, structured: StructuredOutput) -> Option<String> {
    match format {
        Format::Json(schema) if structured != StructuredOutput::JsonSchema => Some(format!(
            "Answer with one JSON value that fits this JSON Schema, and with nothing else:\n{}",
            schema.as_json()
        )),
        _ => None,
    }
}

/// Into the first system message, since many models' templates take only one, at the start.
fn instruct(messages: &mut Vec<Value>, instruction: &str) {
    let first = messages.first_mut().filter(|message| message["role"] == "system");
    match first.map(|message| &mut message["content"]) {
        Some(Value::String(content)) => {
            content.push_str("\n\n");
            content.push_str(instruction);
        }
        _ => messages.insert(0, json!({"role": "system", "content": instruction})),
    }
}
