//! JSON Schemas: what an answer, or the arguments of a tool, must look like.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

/// More is no help to a model, nor to a reader.
const MOST_VIOLATIONS: usize = 10;
/// The longest description of one violation, in characters.
const LONGEST_VIOLATION: usize = 200;

/// A compiled JSON Schema with a name. Cheap to clone.
#[derive(Clone)]
pub struct Schema {
    name: Arc<str>,
    json: Arc<Value>,
    validator: Arc<Validator>,
    strict: bool,
    /// The name of every property that it describes.
    properties: Arc<BTreeSet<String>>,
}

/// A schema, or a tool, that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
#[non_exhaustive]
pub struct InvalidSchema(pub(crate) String);

/// One way in which a value does not fit its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// Where in the value, as a JSON pointer; empty for the whole.
    pub at: String,
    /// What is wrong. The value itself is not repeated: it may hold what nobody shall read.
    pub what: String,
}

impl Violation {
    pub(crate) fn no_json() -> Self {
        Self { at: String::new(), what: "there is no JSON object or array in it".into() }
    }

    pub(crate) fn of_type() -> Self {
        Self {
            at: String::new(),
            what: "it fits the schema, and yet not the type that the program wants".into(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.at.as_str() {
            "" => f.write_str(&self.what),
            at => write!(f, "{at}: {}", self.what),
        }
    }
}

impl Schema {
    /// Compiles a schema (draft 2020-12 unless it says otherwise). References must stay within it: nothing is fetched.
    /// Regular expressions are matched in linear time, so look-around and back-references are not available.
    ///
    /// # Errors
    /// When it is no schema, or the name is not 1 to 64 of `a-z A-Z 0-9 _ -`.
    pub fn new(name: impl Into<String>, schema: Value) -> Result<Self, InvalidSchema> {
        let name = checked_name(name.into())?;
        let validator = jsonschema::options()
            .with_pattern_options(PatternOptions::regex())
            .build(&schema)
            .map_err(|error| InvalidSchema(format!("{name} is no JSON Schema: {error}")))?;
        let strict = is_strict(&schema);
        let mut properties = BTreeSet::new();
        add_properties(&schema, &mut properties);
        Ok(Self {
            name: name.into(),
            json: Arc::new(schema),
            validator: Arc::new(validator),
            strict,
            properties: Arc::new(properties),
        })
    }

    /// The schema of a type: every property is required (an `Option` may be null), and no others are allowed, so that
    /// endpoints take it as strict.
    ///
    /// # Errors
    /// As [`Schema::new`].
    #[cfg(feature = "schemars")]
    pub fn of<T: schemars::JsonSchema>(name: impl Into<String>) -> Result<Self, InvalidSchema> {
        Self::new(name, schema_of::<T>())
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The schema itself.
    pub fn as_json(&self) -> &Value {
        &self.json
    }

    /// Whether every object in it requires all its properties and allows no others: what endpoints mean by `strict`.
    pub fn is_strict(&self) -> bool {
        self.strict
    }

    /// What is wrong about a value, at most ten things; empty when it fits.
    pub fn violations(&self, value: &Value) -> Vec<Violation> {
        let violations = self.validator.iter_errors(value).take(MOST_VIOLATIONS);
        violations
            .map(|error| Violation {
                at: capped(&self.place(error.instance_path().as_str())),
                what: capped(&what(&error)),
            })
            .collect()
    }

    /// A JSON pointer with the names that the schema does not know left out: they are the model's words.
    fn place(&self, pointer: &str) -> String {
        let known = |part: &str| {
            let name = part.replace("~1", "/").replace("~0", "~");
            part.is_empty() || part.parse::<usize>().is_ok() || self.properties.contains(&name)
        };
        let parts: Vec<&str> = pointer.split('/').map(|part| if known(part) { part } else { "*" }).collect();
        parts.join("/")
    }
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schema({})", self.name)
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.json == other.json
    }
}

fn add_properties(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(object) => {
            let described = object.get("properties").and_then(Value::as_object);
            names.extend(described.into_iter().flat_map(|properties| properties.keys()).cloned());
            object.values().for_each(|value| add_properties(value, names));
        }
        Value::Array(all) => all.iter().for_each(|value| add_properties(value, names)),
        _ => {}
    }
}

/// What is wrong, in words that hold nothing of the value: neither its values nor the names that a model made up.
fn what(error: &ValidationError<'_>) -> String {
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => match unexpected.len() {
            1 => "one property that the schema does not know".to_owned(),
            many => format!("{many} properties that the schema does not know"),
        },
        ValidationErrorKind::UnevaluatedItems { unexpected } => {
            format!("{} items that the schema does not know", unexpected.len())
        }
        ValidationErrorKind::PropertyNames { .. } => {
            "the name of a property is not as the schema wants it".to_owned()
        }
        _ => error.masked().to_string(),
    }
}

fn capped(text: &str) -> String {
    text.chars().take(LONGEST_VIOLATION).collect()
}

/// OpenAI's rule for names of schemas and of tools.
fn checked_name(name: String) -> Result<String, InvalidSchema> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if (1..=64).contains(&name.len()) && name.chars().all(fits) {
        Ok(name)
    } else {
        let start: String = name.chars().take(64).collect();
        Err(InvalidSchema(format!("{start:?} is no name: 1 to 64 of a-z, A-Z, 0-9, _ and -")))
    }
}

fn is_strict(schema: &Value) -> bool {
    match schema {
        Value::Object(object) => {
            let properties = object.get("properties").and_then(Value::as_object);
            let required = object.get("required").and_then(Value::as_array);
            let is_object = properties.is_some() || object.get("type").is_some_and(|kind| kind == "object");
            let closed = object.get("additionalProperties") == Some(&Value::Bool(false))
                && properties.into_iter().flat_map(|properties| properties.keys()).all(|property| {
                    required.is_some_and(|required| required.iter().any(|name| name == property))
                });
            (!is_object || closed) && object.values().all(is_strict)
        }
        Value::Array(parts) => parts.iter().all(is_strict),
        _ => true,
    }
}

#[cfg(feature = "schemars")]
pub(crate) fn schema_of<T: schemars::JsonSchema>() -> Value {
    use schemars::generate::SchemaSettings;
    use schemars::transform::{RecursiveTransform, Transform as _};

    // What serde writes is always there: by this contract an `Option` is required, and may be null.
    let mut schema =
        SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<T>();
    RecursiveTransform(|schema: &mut schemars::Schema| {
        if schema.get("properties").is_some() && schema.get("additionalProperties").is_none() {
            schema.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
    })
    .transform(&mut schema);
    schema.to_value()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn violations_name_the_place_and_not_the_value() {
        let schema = json!({"type": "object", "properties": {"severity": {"enum": ["info", "error"]}}});
        let schema = Schema::new("s", schema).unwrap();
        assert_eq!(schema.violations(&json!({"severity": "info"})), []);
        let violations = schema.violations(&json!({"severity": "hunter2"}));
        assert_eq!(violations[0].at, "/severity");
        assert!(
            violations[0].what.contains("info") && !violations[0].what.contains("hunter2"),
            "{violations:?}"
        );
    }

    #[test]
    fn violations_are_few_and_short() {
        let schema = Schema::new("s", json!({"type": "array", "items": {"type": "string"}})).unwrap();
        assert_eq!(schema.violations(&json!(vec![1; 1000])).len(), MOST_VIOLATIONS);
        let long = json!({"enum": [format!("{}", "x".repeat(10_000))]});
        let violations = Schema::new("s", long).unwrap().violations(&json!(1));
        assert!(violations[0].what.chars().count() <= LONGEST_VIOLATION);
    }

    #[test]
    fn what_is_no_schema_or_no_name_is_refused() {
        assert!(Schema::new("s", json!({"type": "nonsense"})).is_err());
        assert!(Schema::new("s", json!({"$ref": "https://example.com/other.json"})).is_err());
        assert!(Schema::new("two words", json!({})).is_err());
        assert!(Schema::new("", json!({})).is_err());
    }

    #[test]
    fn strict_is_seen_at_every_depth() {
        let strict = |schema: Value| Schema::new("s", schema).unwrap().is_strict();
        let inner = json!({"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": false});
        assert!(strict(inner.clone()));
        assert!(strict(json!({"type": "array", "items": inner})));
        assert!(!strict(json!({"type": "array", "items": {"type": "object"}})));
        let optional = json!({"type": "object", "properties": {"a": {}}, "additionalProperties": false});
        assert!(!strict(optional));
    }

    #[cfg(feature = "schemars")]
    #[test]
    fn a_types_schema_is_strict_and_an_option_may_be_null() {
        #[derive(schemars::JsonSchema, serde::Serialize)]
        struct Finding {
            title: String,
            line: Option<u32>,
            parts: Vec<Part>,
        }
        #[derive(schemars::JsonSchema, serde::Serialize)]
        struct Part {
            name: String,
        }
        let schema = Schema::of::<Finding>("finding").unwrap();
        assert!(schema.is_strict(), "{}", schema.as_json());
        let good = json!({"title": "t", "line": null, "parts": [{"name": "n"}]});
        assert_eq!(schema.violations(&good), []);
        assert_eq!(schema.violations(&json!({"title": "t", "parts": []})).len(), 1);
    }
}
