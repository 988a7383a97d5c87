//! Tools: operations that a model may ask for, by name and with arguments that fit a schema.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::schema::InvalidSchema;
use crate::{Schema, Violation};

/// An operation that a model may ask to be called. The client never calls it: it hands out a [`ToolCall`].
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    description: String,
    parameters: Schema,
}

impl Tool {
    /// A tool whose arguments are an object that fits `parameters`, a JSON Schema.
    ///
    /// # Errors
    /// When the schema is none, or the name is not 1 to 64 of `a-z A-Z 0-9 _ -`.
    pub fn new(
        name: impl Into<String>,
        description: impl Into<String>,
        parameters: Value,
    ) -> Result<Self, InvalidSchema> {
        Ok(Self { description: description.into(), parameters: Schema::new(name, parameters)? })
    }

    /// A tool whose arguments are a `T`.
    ///
    /// # Errors
    /// As [`Tool::new`].
    #[cfg(feature = "schemars")]
    pub fn of<T: schemars::JsonSchema>(
        name: impl Into<String>,
        description: impl Into<String>,
    ) -> Result<Self, InvalidSchema> {
        Self::new(name, description, crate::schema::schema_of::<T>())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.parameters.name()
    }

    /// What it does, for the model.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// What its arguments must look like.
    pub fn parameters(&self) -> &Schema {
        &self.parameters
    }
}

/// Whether the model may ask for tools.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ToolChoice {
    /// It decides.
    #[default]
    Auto,
    /// It must not.
    None,
    /// It must, whichever it likes.
    Required,
    /// It must ask for this one.
    Named(String),
}

/// A model's wish to have a tool called. Everything in it is the model's word, and may have been put into its mouth:
/// [`ToolCall::check`] before anything is done. `Debug` shows how much, not what.
#[derive(Clone, PartialEq, Eq)]
pub struct ToolCall {
    /// What the answer to it must refer to. Made up by the client when the endpoint gave none.
    pub id: String,
    /// The tool, as the model names it.
    pub name: String,
    /// The arguments as JSON, if the model can write it.
    pub arguments: String,
}

impl ToolCall {
    /// The arguments, if the tool is one of `tools` and they fit it.
    ///
    /// # Errors
    /// [`BadToolCall`] says what to tell the model.
    pub fn check(&self, tools: &[Tool]) -> Result<Value, BadToolCall> {
        let Some(tool) = tools.iter().find(|tool| tool.name() == self.name) else {
            let declared = tools.iter().map(|tool| tool.name().to_owned()).collect();
            return Err(BadToolCall::Undeclared { declared });
        };
        // Some models write nothing when there is nothing to say.
        let text = if self.arguments.trim().is_empty() { "{}" } else { &self.arguments };
        let arguments = serde_json::from_str(text).map_err(|error| BadToolCall::NotJson {
            tool: tool.name().to_owned(),
            line: error.line(),
            column: error.column(),
        })?;
        match tool.parameters().violations(&arguments) {
            violations if violations.is_empty() => Ok(arguments),
            violations => Err(BadToolCall::Unfit { tool: tool.name().to_owned(), violations }),
        }
    }

    /// The arguments as a `T`, under the same checks.
    ///
    /// # Errors
    /// As [`ToolCall::check`]; [`BadToolCall::Unfit`] also when they fit the schema and yet are no `T`.
    pub fn decode<T: DeserializeOwned>(&self, tools: &[Tool]) -> Result<T, BadToolCall> {
        let arguments = self.check(tools)?;
        T::deserialize(&arguments).map_err(|_| BadToolCall::Unfit {
            tool: self.name.clone(),
            violations: vec![Violation::of_type()],
        })
    }
}

impl fmt::Debug for ToolCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolCall")
            .field("id_bytes", &self.id.len())
            .field("name_bytes", &self.name.len())
            .field("arguments_bytes", &self.arguments.len())
            .finish()
    }
}

/// Why a tool must not be called as the model wishes. Its text can be given back to the model as the tool's answer, and
/// logged: it holds nothing of what the model said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadToolCall {
    /// No such tool was declared.
    #[error("there is no such tool (there are: {})", declared.join(", "))]
    Undeclared {
        /// The names of those that were.
        declared: Vec<String>,
    },
    /// The arguments are not JSON.
    #[error("the arguments of {tool} are no JSON at line {line} column {column}")]
    NotJson {
        /// The tool.
        tool: String,
        /// Where they stop being JSON, from 1.
        line: usize,
        /// Where in that line.
        column: usize,
    },
    /// The arguments do not fit the tool.
    #[error("the arguments of {tool} do not fit: {}", list(violations))]
    Unfit {
        /// The tool.
        tool: String,
        /// What is wrong about them.
        violations: Vec<Violation>,
    },
}

/// Violations in one line.
pub(crate) fn list(violations: &[Violation]) -> String {
    violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tools() -> [Tool; 1] {
        let parameters = json!({
            "type": "object",
            "properties": {"replicas": {"type": "integer", "maximum": 10}},
            "required": ["replicas"],
        });
        [Tool::new("scale", "Changes the number of replicas", parameters).unwrap()]
    }

    fn call(name: &str, arguments: &str) -> ToolCall {
        ToolCall { id: "call_1".into(), name: name.into(), arguments: arguments.into() }
    }

    #[test]
    fn only_a_declared_tool_with_fitting_arguments_passes() {
        assert_eq!(call("scale", "{\"replicas\": 3}").check(&tools()), Ok(json!({"replicas": 3})));
        let undeclared = call("delete", "{}").check(&tools()).unwrap_err();
        assert_eq!(undeclared, BadToolCall::Undeclared { declared: vec!["scale".into()] });
        assert_eq!(undeclared.to_string(), "there is no such tool (there are: scale)");
        let broken = call("scale", "{\"replicas\": ").check(&tools()).unwrap_err();
        assert!(matches!(broken, BadToolCall::NotJson { .. }), "{broken}");
        let unfit = call("scale", "{\"replicas\": 11}").check(&tools()).unwrap_err();
        assert!(unfit.to_string().contains("/replicas"), "{unfit}");
        let empty = call("scale", "").check(&tools()).unwrap_err();
        assert!(matches!(empty, BadToolCall::Unfit { .. }), "{empty}");
    }

    #[test]
    fn arguments_become_a_type() {
        #[derive(serde::Deserialize, Debug, PartialEq)]
        struct Scale {
            replicas: u8,
        }
        assert_eq!(call("scale", "{\"replicas\": 3}").decode(&tools()), Ok(Scale { replicas: 3 }));
        let negative = call("scale", "{\"replicas\": -3}").decode::<Scale>(&tools()).unwrap_err();
        assert!(matches!(negative, BadToolCall::Unfit { .. }), "{negative}");
    }
}
