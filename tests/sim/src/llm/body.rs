//! A request's body, read and checked as strictly as the services do.

use serde_json::{Map, Value};

use super::Dialect;
use super::refusal::{Reason, Refusal};

const MOST_STOPS: usize = 4;
const MOST_TOOLS: usize = 128;
/// What OpenAI takes; it refuses everything else by name.
const FIELDS: [&str; 35] = [
    "audio",
    "frequency_penalty",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "metadata",
    "modalities",
    "model",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
    "web_search_options",
];

/// What was asked.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) model: String,
    pub(super) turns: Vec<Turn>,
    pub(super) max_tokens: Option<u64>,
    pub(super) stop: Vec<String>,
    pub(super) stream: bool,
    pub(super) include_usage: bool,
    pub(super) format: Format,
    /// Names and parameters.
    pub(super) tools: Vec<(String, Value)>,
    pub(super) choice: Choice,
}

#[derive(Debug)]
pub(super) struct Turn {
    pub(super) role: String,
    pub(super) text: String,
}

#[derive(Debug, PartialEq)]
pub(super) enum Format {
    Text,
    JsonObject,
    JsonSchema(Value),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Choice {
    Free,
    Must,
    Named(String),
}

impl Asked {
    /// What the last message of the user says.
    pub(super) fn last_of_user(&self) -> &str {
        self.turns.iter().rfind(|turn| turn.role == "user").map_or("", |turn| &turn.text)
    }

    /// Whether the word "json" is anywhere in the prompt.
    pub(super) fn says_json(&self) -> bool {
        says_json(&self.turns)
    }

    /// The schema that the answer shall fit: the format's, or one that stands in the system message, where clients put
    /// it that cannot send it by itself.
    pub(super) fn schema(&self) -> Option<Value> {
        match &self.format {
            Format::Text => None,
            Format::JsonSchema(schema) => Some(schema.clone()),
            Format::JsonObject => {
                let system = self.turns.iter().find(|turn| turn.role == "system")?;
                let at = system.text.find('{')?;
                let mut values = serde_json::Deserializer::from_str(&system.text[at..]).into_iter::<Value>();
                values.next()?.ok()
            }
        }
    }

    /// Reads a body; refuses what the service would.
    pub(super) fn read(body: &[u8], dialect: Dialect) -> Result<Self, Refusal> {
        let body: Value = serde_json::from_slice(body).map_err(|_| {
            Refusal::new(Reason::Invalid(None), "We could not parse the JSON body of your request.")
        })?;
        let Value::Object(body) = body else {
            return Err(Refusal::new(Reason::Invalid(None), "The body must be a JSON object."));
        };
        if dialect == Dialect::OpenAi
            && let Some(field) = body.keys().find(|field| !FIELDS.contains(&field.as_str()))
        {
            return Err(Refusal::new(
                Reason::Invalid(None),
                format!("Unrecognized request argument supplied: {field}"),
            ));
        }
        number(&body, "temperature", 0.0, 2.0)?;
        number(&body, "top_p", 0.0, 1.0)?;
        number(&body, "presence_penalty", -2.0, 2.0)?;
        number(&body, "frequency_penalty", -2.0, 2.0)?;
        let turns = turns(&body)?;
        let tools = tools(&body)?;
        let choice = choice(&body, &tools)?;
        let offered = if body.get("tool_choice") == Some(&Value::from("none")) { Vec::new() } else { tools };
        let stream = flag(&body, "stream")?;
        Ok(Self {
            model: text(&body, "model")?.ok_or_else(|| missing("model"))?,
            max_tokens: match positive(&body, "max_completion_tokens")? {
                Some(most) => Some(most),
                None => positive(&body, "max_tokens")?,
            },
            stop: stop(&body)?,
            stream,
            include_usage: include_usage(&body, stream)?,
            format: format(&body, dialect, &turns)?,
            tools: offered,
            choice,
            turns,
        })
    }
}

type Body = Map<String, Value>;

fn missing(param: &'static str) -> Refusal {
    Refusal::of(param, format!("you must provide a {param} parameter")).coded("missing_required_parameter")
}

fn wrong_type(param: &'static str, expected: &str) -> Refusal {
    Refusal::of(param, format!("Invalid type for '{param}': expected {expected}.")).coded("invalid_type")
}

/// A field that is there and not null.
fn field<'a>(body: &'a Body, name: &str) -> Option<&'a Value> {
    body.get(name).filter(|value| !value.is_null())
}

fn text(body: &Body, name: &'static str) -> Result<Option<String>, Refusal> {
    let text = field(body, name).map(|value| value.as_str().ok_or_else(|| wrong_type(name, "a string")));
    Ok(text.transpose()?.map(str::to_owned).filter(|text| !text.is_empty()))
}

fn flag(body: &Body, name: &'static str) -> Result<bool, Refusal> {
    let flag = field(body, name).map(|value| value.as_bool().ok_or_else(|| wrong_type(name, "a boolean")));
    Ok(flag.transpose()?.unwrap_or_default())
}

fn number(body: &Body, name: &'static str, least: f64, most: f64) -> Result<(), Refusal> {
    let Some(value) = field(body, name) else { return Ok(()) };
    let number = value.as_f64().ok_or_else(|| wrong_type(name, "a decimal"))?;
    if (least..=most).contains(&number) {
        return Ok(());
    }
    let (code, side, bound) = if number < least {
        ("decimal_below_min_value", "a decimal >= ", least)
    } else {
        ("decimal_above_max_value", "a decimal <= ", most)
    };
    Err(Refusal::of(name, format!("Invalid '{name}': expected {side}{bound}, but got {number} instead."))
        .coded(code))
}

fn positive(body: &Body, name: &'static str) -> Result<Option<u64>, Refusal> {
    let Some(value) = field(body, name) else { return Ok(None) };
    match value.as_u64() {
        Some(0) => Err(Refusal::of(
            name,
            format!("Invalid '{name}': integer below minimum value. Expected a value >= 1."),
        )
        .coded("integer_below_min_value")),
        Some(number) => Ok(Some(number)),
        None => Err(wrong_type(name, "an integer")),
    }
}

fn stop(body: &Body) -> Result<Vec<String>, Refusal> {
    let wrong = || wrong_type("stop", "a string or an array of strings");
    let stops = match field(body, "stop") {
        None => Vec::new(),
        Some(Value::String(stop)) => vec![stop.clone()],
        Some(Value::Array(stops)) => stops
            .iter()
            .map(|stop| stop.as_str().map(str::to_owned).ok_or_else(wrong))
            .collect::<Result<_, _>>()?,
        Some(_) => return Err(wrong()),
    };
    if stops.len() > MOST_STOPS {
        return Err(Refusal::of(
            "stop",
            "Invalid 'stop': array too long. Expected an array with maximum length 4.",
        )
        .coded("array_above_max_length"));
    }
    Ok(stops)
}

fn include_usage(body: &Body, stream: bool) -> Result<bool, Refusal> {
    let Some(options) = field(body, "stream_options") else { return Ok(false) };
    if !stream {
        return Err(Refusal::of(
            "stream_options",
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        ));
    }
    let options = options.as_object().ok_or_else(|| wrong_type("stream_options", "an object"))?;
    flag(options, "include_usage")
}

fn turns(body: &Body) -> Result<Vec<Turn>, Refusal> {
    let messages = field(body, "messages").ok_or_else(|| missing("messages"))?;
    let messages = messages.as_array().ok_or_else(|| wrong_type("messages", "an array of objects"))?;
    if messages.is_empty() {
        return Err(Refusal::of(
            "messages",
            "Invalid 'messages': empty array. Expected an array with minimum length 1.",
        )
        .coded("empty_array"));
    }
    let mut awaited = Vec::new();
    messages.iter().map(|message| turn(message, &mut awaited)).collect()
}

/// `awaited`: the tool calls that were not answered yet.
fn turn(message: &Value, awaited: &mut Vec<String>) -> Result<Turn, Refusal> {
    let role = message["role"].as_str().unwrap_or_default();
    let calls: Vec<&Value> = message["tool_calls"].as_array().into_iter().flatten().collect();
    match role {
        "system" | "developer" | "user" => {}
        "assistant" => awaited.extend(calls.iter().filter_map(|call| call["id"].as_str()).map(str::to_owned)),
        "tool" => {
            let id = message["tool_call_id"].as_str().unwrap_or_default();
            let Some(at) = awaited.iter().position(|awaited| awaited == id) else {
                return Err(Refusal::of(
                    "messages",
                    "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with \
                     'tool_calls'.",
                ));
            };
            awaited.remove(at);
        }
        _ => {
            return Err(Refusal::of(
                "messages",
                format!(
                    "Invalid value: '{role}'. Supported values are: 'system', 'assistant', 'user', 'tool', and \
                     'developer'."
                ),
            )
            .coded("invalid_value"));
        }
    }
    let arguments: String = calls.iter().filter_map(|call| call["function"]["arguments"].as_str()).collect();
    let said = match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        Value::Null if role == "assistant" => String::new(),
        _ => return Err(wrong_type("messages", "content that is a string or an array of parts")),
    };
    Ok(Turn { role: role.to_owned(), text: said + &arguments })
}

fn tools(body: &Body) -> Result<Vec<(String, Value)>, Refusal> {
    let Some(tools) = field(body, "tools") else { return Ok(Vec::new()) };
    let tools = tools.as_array().ok_or_else(|| wrong_type("tools", "an array of objects"))?;
    if tools.is_empty() || tools.len() > MOST_TOOLS {
        return Err(Refusal::of("tools", "Invalid 'tools': expected an array of 1 to 128 tools.")
            .coded("array_above_max_length"));
    }
    tools.iter().map(tool).collect()
}

fn tool(tool: &Value) -> Result<(String, Value), Refusal> {
    let function = &tool["function"];
    let name = function["name"].as_str().unwrap_or_default();
    if tool["type"] != "function" || !is_name(name) {
        return Err(Refusal::of(
            "tools",
            "Invalid 'tools[0].function.name': string does not match pattern. Expected a string that matches the \
             pattern '^[a-zA-Z0-9_-]{1,64}$'.",
        )
        .coded("invalid_value"));
    }
    let parameters = match &function["parameters"] {
        Value::Null => Value::Object(Map::new()),
        parameters @ Value::Object(_) => parameters.clone(),
        _ => return Err(wrong_type("tools", "parameters that are a JSON Schema")),
    };
    Ok((name.to_owned(), parameters))
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn choice(body: &Body, tools: &[(String, Value)]) -> Result<Choice, Refusal> {
    let Some(choice) = field(body, "tool_choice") else { return Ok(Choice::Free) };
    if tools.is_empty() {
        return Err(Refusal::of("tool_choice", "'tool_choice' is only allowed when 'tools' are specified."));
    }
    match (choice.as_str(), choice["function"]["name"].as_str()) {
        (Some("auto" | "none"), _) => Ok(Choice::Free),
        (Some("required"), _) => Ok(Choice::Must),
        (None, Some(name)) if tools.iter().any(|(tool, _)| tool == name) => {
            Ok(Choice::Named(name.to_owned()))
        }
        (None, Some(name)) => {
            Err(Refusal::of("tool_choice", format!("Tool choice '{name}' not found in 'tools' parameter.")))
        }
        _ => Err(Refusal::of("tool_choice", "Invalid value for 'tool_choice'.").coded("invalid_value")),
    }
}

fn says_json(turns: &[Turn]) -> bool {
    turns.iter().any(|turn| turn.text.to_lowercase().contains("json"))
}

fn format(body: &Body, dialect: Dialect, turns: &[Turn]) -> Result<Format, Refusal> {
    const PARAM: &str = "response_format";
    let Some(format) = field(body, PARAM) else { return Ok(Format::Text) };
    match format["type"].as_str() {
        Some("text") => Ok(Format::Text),
        Some("json_object") => {
            if dialect.wants_the_word_json() && !says_json(turns) {
                return Err(Refusal::of(
                    "messages",
                    "'messages' must contain the word 'json' in some form, to use 'response_format' of type \
                     'json_object'.",
                ));
            }
            Ok(Format::JsonObject)
        }
        Some("json_schema") if !dialect.takes_json_schema() => {
            Err(Refusal::of(PARAM, "This response_format type (json_schema) is unavailable now"))
        }
        Some("json_schema") => {
            let schema = &format["json_schema"]["schema"];
            let name = format["json_schema"]["name"].as_str().unwrap_or_default();
            if !is_name(name) {
                return Err(missing(PARAM));
            }
            if !schema.is_object() {
                return Err(wrong_type(PARAM, "a JSON Schema"));
            }
            if dialect.checks_strict()
                && format["json_schema"]["strict"] == true
                && let Some(fault) = not_strict(schema, "()")
            {
                let message = format!("Invalid schema for response_format '{name}': In context={fault}");
                return Err(Refusal::of(PARAM, message));
            }
            Ok(Format::JsonSchema(schema.clone()))
        }
        _ => Err(Refusal::of(PARAM, "Invalid value for 'response_format.type'.").coded("invalid_value")),
    }
}

/// What keeps a schema from being strict.
fn not_strict(schema: &Value, context: &str) -> Option<String> {
    let object = schema.as_object()?;
    let properties = object.get("properties").and_then(Value::as_object);
    if properties.is_some() || object.get("type").is_some_and(|kind| kind == "object") {
        if object.get("additionalProperties") != Some(&Value::Bool(false)) {
            return Some(format!(
                "{context}, 'additionalProperties' is required to be supplied and to be false."
            ));
        }
        let required: Vec<&Value> =
            object.get("required").and_then(Value::as_array).into_iter().flatten().collect();
        if let Some(name) = properties
            .into_iter()
            .flat_map(|properties| properties.keys())
            .find(|name| !required.contains(&&Value::from(name.as_str())))
        {
            return Some(format!(
                "{context}, 'required' is required to be supplied and to be an array including every key in \
                 properties. Missing '{name}'."
            ));
        }
    }
    object.iter().find_map(|(key, value)| match value {
        Value::Object(inner) if key == "properties" || key == "$defs" => {
            inner.iter().find_map(|(name, value)| not_strict(value, &format!("('{key}', '{name}')")))
        }
        Value::Object(_) => not_strict(value, &format!("('{key}')")),
        Value::Array(items) => items.iter().find_map(|item| not_strict(item, &format!("('{key}')"))),
        _ => None,
    })
}
