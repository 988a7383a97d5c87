//! A secret that is planted, and looked for wherever it must not be.

use std::fmt;

use anyhow::{Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::Value;

/// How much of the text around a find is shown.
const AROUND: usize = 120;

/// Secrets that were planted.
#[derive(Debug, Clone, Default)]
pub struct Canaries(Vec<Canary>);

/// One secret, in the forms in which it may show through. It cannot be printed: a test's own messages are read too.
#[derive(Clone)]
struct Canary {
    forms: Vec<String>,
}

impl fmt::Debug for Canary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Canary")
    }
}

impl Canaries {
    /// Looks for these secrets from now on. Each must be long and rare enough never to appear by chance.
    #[must_use]
    pub fn planted(secrets: &[&str]) -> Self {
        Self(secrets.iter().map(|secret| Canary { forms: forms(secret) }).collect())
    }

    /// The first place in `text` where a secret shows, as it stands, in base64 or in hex; with what is around it,
    /// but without itself.
    #[must_use]
    pub fn show_in(&self, text: &str) -> Option<String> {
        let forms = self.0.iter().flat_map(|canary| &canary.forms);
        let (at, form) = forms.filter_map(|form| Some((text.find(form.as_str())?, form))).min()?;
        let before = floor(text, at.saturating_sub(AROUND));
        let after = floor(text, (at + form.len() + AROUND).min(text.len()));
        Some(format!("{}[THE SECRET]{}", &text[before..at], &text[at + form.len()..after]))
    }

    /// That none of them shows in any of these texts, given with the name of the place.
    ///
    /// # Errors
    /// When one does; the message names every such place.
    pub fn absent_from<'a>(&self, places: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<()> {
        let finds: Vec<String> = places
            .into_iter()
            .filter_map(|(place, text)| Some(format!("{place}: {}", self.show_in(text)?)))
            .collect();
        if !finds.is_empty() {
            bail!("A SECRET SHOWS in {} places:\n{}", finds.len(), finds.join("\n"));
        }
        Ok(())
    }

    /// That none of them shows in these objects of the API server, but where a person has put it: a Secret, the
    /// spec of a pool, and what kubectl keeps of what was applied.
    ///
    /// # Errors
    /// As [`Self::absent_from`].
    pub fn absent_from_objects(&self, list: &Value) -> Result<()> {
        let objects = list["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        let texts: Vec<(String, String)> = objects.iter().filter_map(visible).collect();
        self.absent_from(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())))
    }
}

/// An object's name, and all of it that must hold no secret.
fn visible(object: &Value) -> Option<(String, String)> {
    let mut object = object.clone();
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    if kind == "Secret" {
        return None;
    }
    if let Some(annotations) = object["metadata"]["annotations"].as_object_mut() {
        annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
    }
    if let (true, Some(spec)) = (kind == "SpotPool", object["spec"].as_object_mut()) {
        spec.remove("secretKey");
    }
    let meta = &object["metadata"];
    let part = |name: &str| meta[name].as_str().unwrap_or_default().to_owned();
    Some((format!("{kind} {}/{}", part("namespace"), part("name")), object.to_string()))
}

/// The secret as it stands, in hex, and in base64 wherever in a longer text it may stand.
fn forms(secret: &str) -> Vec<String> {
    let mut forms = vec![secret.to_owned(), hex::encode(secret)];
    for before in 0..3 {
        let mut text = vec![b'.'; before];
        text.extend(secret.bytes());
        let encoded = STANDARD_NO_PAD.encode(&text);
        // The first characters depend on what comes before, the last on what comes after.
        let first = (before * 8).div_ceil(6);
        let last = text.len() * 8 / 6;
        forms.push(encoded[first..last].to_owned());
    }
    forms
}

/// The last place at or before `at` where a character begins.
fn floor(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn canaries() -> (String, Canaries) {
        let secret = ["planted", "Secret", "EXAMPLE"].concat();
        let canaries = Canaries::planted(&[&secret]);
        (secret, canaries)
    }

    #[test]
    fn a_secret_is_found_in_each_of_its_forms_and_never_shown() {
        let (secret, canaries) = canaries();
        for text in
            [secret.clone(), format!("key {secret}é"), format!("Some(\"{secret}\")"), hex::encode(&secret)]
        {
            let shown = canaries.show_in(&text).unwrap_or_else(|| panic!("not found in {text}"));
            assert!(shown.contains("[THE SECRET]") && !shown.contains(&secret), "{shown}");
        }
        for before in ["", "a", "ab", "abc", "id:"] {
            for after in ["", "x", "xy", "xyz"] {
                let text = STANDARD_NO_PAD.encode(format!("{before}{secret}{after}"));
                assert!(canaries.show_in(&text).is_some(), "{before}...{after}");
            }
        }
        assert_eq!(canaries.show_in("plantedSecret is not all of it"), None);
    }

    #[test]
    fn a_secret_may_stand_where_a_person_put_it_and_nowhere_else() {
        let (secret, canaries) = canaries();
        let pool = |status: &str| {
            json!({"items": [
                {"kind": "Secret", "metadata": {"name": "s"}, "data": {"secretKey": STANDARD_NO_PAD.encode(&secret)}},
                {"kind": "SpotPool", "metadata": {"name": "p"}, "spec": {"secretKey": secret}, "status": {"ready": status}},
            ]})
        };
        canaries.absent_from_objects(&pool("2/2")).unwrap();
        let error = canaries.absent_from_objects(&pool(&secret)).unwrap_err().to_string();
        assert!(error.contains("SpotPool /p") && !error.contains(&secret), "{error}");
    }
}
