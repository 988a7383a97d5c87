//! Filters of the actions that read.

use serde::Serialize;

/// The most filters of one request.
const MAX_FILTERS: usize = 10;

/// One filter of a listing: what has one of `values` as its `name`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Filter {
    /// A filter name of the action: `zone`, `instance-name`, `tag-key`, `tag:<key>`, …
    pub name: String,
    /// At most 5 for instances, at most 100 for offers.
    pub values: Vec<String>,
}

impl Filter {
    /// A filter on one value.
    pub fn one(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), values: vec![value.into()] }
    }

    /// A filter on any of several values.
    pub fn any<V: Into<String>>(name: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        Self { name: name.into(), values: values.into_iter().map(Into::into).collect() }
    }
}

/// What the cloud would refuse, or worse, understand differently.
pub(crate) fn check(filters: &[Filter], most_values: usize) -> Result<(), String> {
    if filters.len() > MAX_FILTERS {
        return Err(format!("{} filters, at most {MAX_FILTERS}", filters.len()));
    }
    for Filter { name, values } in filters {
        // The cloud ignores a filter without values, and so would show more than was asked for.
        if name.is_empty() || values.is_empty() || values.iter().any(String::is_empty) {
            return Err(format!("the filter {name:?} has an empty name or value"));
        }
        if values.len() > most_values {
            return Err(format!("the filter {name:?} has {} values, at most {most_values}", values.len()));
        }
    }
    Ok(())
}
