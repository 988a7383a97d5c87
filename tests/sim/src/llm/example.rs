//! A value that fits a schema: what a model would have said, without its wit.

use serde_json::{Map, Value, json};

/// Schemas may refer to themselves.
const DEEPEST: usize = 12;

/// The plainest value that fits. Of what JSON Schema can say, it knows what services let through as strict.
pub(super) fn example_of(schema: &Value) -> Value {
    made(schema, schema, 0)
}

/// The same with one thing wrong about it.
pub(super) fn wrong_example_of(schema: &Value) -> Value {
    match example_of(schema) {
        Value::Object(mut object) if !object.is_empty() => {
            if let Some(value) = object.values_mut().next() {
                *value = if value.is_string() { json!(7) } else { json!("something else") };
            }
            Value::Object(object)
        }
        Value::Array(_) => json!({"wrong": true}),
        _ => json!([]),
    }
}

fn made(schema: &Value, root: &Value, depth: usize) -> Value {
    if depth > DEEPEST {
        return Value::Null;
    }
    if let Some(reference) = schema["$ref"].as_str() {
        let target = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return target.map_or(Value::Null, |target| made(target, root, depth + 1));
    }
    if let Some(value) = schema.get("const") {
        return value.clone();
    }
    if let Some(value) = schema["enum"].as_array().and_then(|values| values.first()) {
        return value.clone();
    }
    for either in ["anyOf", "oneOf", "allOf"] {
        if let Some(first) = schema[either].as_array().and_then(|schemas| schemas.first()) {
            return made(first, root, depth + 1);
        }
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.first().and_then(Value::as_str),
        kind => kind.as_str(),
    };
    match kind {
        Some("string") => Value::String(string(schema)),
        Some("integer") => {
            schema.get("minimum").and_then(Value::as_i64).map_or(json!(0), |least| json!(least))
        }
        Some("number") => {
            schema.get("minimum").and_then(Value::as_f64).map_or(json!(0.5), |least| json!(least))
        }
        Some("boolean") => json!(true),
        Some("null") => Value::Null,
        Some("array") => {
            let least =
                schema["minItems"].as_u64().and_then(|least| usize::try_from(least).ok()).unwrap_or(1);
            Value::Array(vec![made(&schema["items"], root, depth + 1); least])
        }
        _ => {
            let properties = schema["properties"].as_object().into_iter().flatten();
            let object: Map<_, _> =
                properties.map(|(name, schema)| (name.clone(), made(schema, root, depth + 1))).collect();
            Value::Object(object)
        }
    }
}

fn string(schema: &Value) -> String {
    let bound = |name: &str| schema[name].as_u64().and_then(|bound| usize::try_from(bound).ok());
    let text = "as the model said".chars().cycle().take(bound("minLength").unwrap_or(0).max(17));
    text.take(bound("maxLength").unwrap_or(usize::MAX)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "properties": {
                "severity": {"enum": ["info", "error"]},
                "title": {"type": "string", "maxLength": 5},
                "seen": {"type": ["integer", "null"], "minimum": 3},
                "parts": {"type": "array", "items": {"$ref": "#/$defs/part"}},
            },
            "$defs": {"part": {"type": "object", "properties": {"more": {"$ref": "#/$defs/part"}, "ok": {"type": "boolean"}}}},
        })
    }

    #[test]
    fn a_value_is_made_for_each_kind_also_when_a_schema_refers_to_itself() {
        let value = example_of(&schema());
        assert_eq!(
            (&value["severity"], &value["title"], &value["seen"]),
            (&json!("info"), &json!("as th"), &json!(3))
        );
        assert_eq!(value["parts"][0]["ok"], true);
    }

    #[test]
    fn a_wrong_one_differs() {
        assert_ne!(wrong_example_of(&schema()), example_of(&schema()));
        assert_eq!(wrong_example_of(&json!({"type": "array"})), json!({"wrong": true}));
    }
}
