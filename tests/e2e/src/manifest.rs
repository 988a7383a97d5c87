//! Manifests as people write them: the samples of `deploy/`, with a few values changed.

use std::fs;

use anyhow::{Context, Result};
use serde_json::{Map, Value};
use testkit::own;

/// One object as it is sent to the API server.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest(Value);

impl Manifest {
    /// The pool of `deploy/samples/spotpool.yaml`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn sample() -> Result<Self> {
        let path = own::root().join("deploy/samples/spotpool.yaml");
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        Ok(Self(serde_saphyr::from_str(&text).with_context(|| format!("reading {}", path.display()))?))
    }

    /// The sample under another name.
    ///
    /// # Errors
    /// As [`Self::sample`].
    pub fn pool(name: &str) -> Result<Self> {
        Ok(Self::sample()?.with("metadata.name", name))
    }

    /// A SpotInstance of no pool, as nobody should make one by hand.
    #[must_use]
    pub fn spot_instance(name: &str) -> Self {
        Self(serde_json::json!({
            "apiVersion": "demo.aiops.org/v1",
            "kind": "SpotInstance",
            "metadata": {"name": name},
            "spec": {
                "pool": {"name": "none", "uid": "none"},
                "clusterId": "none",
                "n": 1,
                "chargeType": "SPOTPAID",
                "region": "ap-singapore",
                "templateHash": "none",
                "templateHashVersion": 1,
            },
        }))
    }

    /// With another value at a path such as `spec.minimum`; objects on the way are made.
    #[must_use]
    pub fn with(mut self, path: &str, value: impl Into<Value>) -> Self {
        let mut place = &mut self.0;
        for field in path.split('.') {
            if !place.is_object() {
                *place = Value::Object(Map::new());
            }
            place = &mut place[field];
        }
        *place = value.into();
        self
    }

    /// Without the field at a path.
    #[must_use]
    pub fn without(mut self, path: &str) -> Self {
        let (parent, field) = path.rsplit_once('.').unwrap_or(("", path));
        let pointer =
            if parent.is_empty() { String::new() } else { format!("/{}", parent.replace('.', "/")) };
        if let Some(Value::Object(fields)) = self.0.pointer_mut(&pointer) {
            fields.remove(field);
        }
        self
    }

    /// With its key in this Secret instead of the spec.
    #[must_use]
    pub fn keyed_by(self, secret: &str) -> Self {
        self.without("spec.secretId").without("spec.secretKey").with("spec.credentialsSecretRef.name", secret)
    }

    /// As JSON.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// As one of the API's types.
    ///
    /// # Errors
    /// When it is none of that type.
    pub fn parse<K: serde::de::DeserializeOwned>(&self) -> Result<K> {
        serde_json::from_value(self.0.clone()).context("reading a manifest")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_set_and_taken_away_by_path() {
        let manifest =
            Manifest::sample().unwrap().with("spec.instance.tags", serde_json::json!({"a/b": "c"}));
        assert_eq!(manifest.value()["spec"]["instance"]["tags"]["a/b"], "c");
        assert_eq!(manifest.value()["spec"]["minimum"], 2);
        let manifest = manifest.without("spec.minimum").without("spec.instance");
        assert!(manifest.value()["spec"].get("minimum").is_none());
        assert!(manifest.value()["spec"].get("instance").is_none());
    }
}
