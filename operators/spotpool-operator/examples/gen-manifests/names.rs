//! Names that files written by hand share with the code.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use spotpool_operator::conditions::reason;
use spotpool_operator::metrics::PREFIX;

use crate::metrics_page::Metric;

const RUNBOOKS: &str = "docs/runbooks";
/// The page about the others.
const INDEX: &str = "README";
/// Troubles that no condition can tell of, since nobody is left who would write it.
const UNTOLD: [&str; 1] = ["removed-before-the-pools"];
/// Where queries are.
const QUERIES: [&str; 2] = ["deploy/grafana", "deploy/prometheus"];

/// Each reason has its page and each page its reason; a page is headed by it, and the index links to it.
pub(crate) fn runbooks(root: &Path) -> Result<Vec<String>> {
    let mut pages: BTreeSet<String> = files(root, RUNBOOKS)?
        .into_iter()
        .filter_map(|name| name.strip_suffix(".md").map(str::to_owned))
        .collect();
    let mut broken = Vec::new();
    if !pages.remove(INDEX) {
        broken.push(format!("{RUNBOOKS}/{INDEX}.md is missing"));
    }
    let index = fs::read_to_string(root.join(format!("{RUNBOOKS}/{INDEX}.md"))).unwrap_or_default();
    for reason in reason::ALL {
        let page = format!("{RUNBOOKS}/{reason}.md");
        let text = fs::read_to_string(root.join(&page)).unwrap_or_default();
        if !pages.remove(*reason) {
            broken.push(format!("{page} is missing: write what a person on call does about this reason"));
        } else if text.lines().next() != Some(&format!("# {reason}")) {
            broken.push(format!("{page}: its first line must be `# {reason}`"));
        }
        if !index.contains(&format!("({reason}.md)")) {
            broken.push(format!("{RUNBOOKS}/{INDEX}.md does not link to {reason}.md"));
        }
    }
    for page in UNTOLD {
        if !pages.remove(page) || !index.contains(&format!("({page}.md)")) {
            broken.push(format!("{RUNBOOKS}/{page}.md is missing, or {INDEX}.md does not link to it"));
        }
    }
    broken.extend(pages.iter().map(|page| {
        format!("{RUNBOOKS}/{page}.md: no condition has this reason (conditions.rs): remove or rename it")
    }));
    Ok(broken)
}

/// Every metric that dashboards and alerts ask for exists, and has the labels that they select by.
pub(crate) fn queries(root: &Path, metrics: &[Metric]) -> Result<Vec<String>> {
    let mut broken = Vec::new();
    for folder in QUERIES {
        for name in files(root, folder)? {
            let path = format!("{folder}/{name}");
            let text = fs::read_to_string(root.join(&path)).with_context(|| format!("read {path}"))?;
            // Both are read as YAML, of which JSON is a part.
            serde_saphyr::from_str::<serde_json::Value>(&text).with_context(|| format!("read {path}"))?;
            for (word, labels) in asked_for(&text) {
                match metrics.iter().find(|metric| metric.series().contains(&word)) {
                    None => broken.push(format!("{path}: there is no metric {word} (docs/metrics.md)")),
                    Some(metric) => broken.extend(
                        labels
                            .into_iter()
                            .filter(|label| !metric.has_label(label))
                            .map(|label| format!("{path}: {word} has no label {label} (docs/metrics.md)")),
                    ),
                }
            }
        }
    }
    Ok(broken)
}

/// The words that look like names of our metrics, each with the labels that it is selected by, once each.
fn asked_for(text: &str) -> BTreeSet<(String, Vec<String>)> {
    let start = format!("{PREFIX}_");
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let begins = |at: usize| !text[..at].ends_with(is_word);
    let places = text.match_indices(&start).map(|(at, _)| at).filter(|at| begins(*at));
    places
        .map(|at| {
            let end = text[at..].find(|c| !is_word(c)).map_or(text.len(), |length| at + length);
            let selector = text[end..].strip_prefix('{').and_then(|rest| rest.split('}').next());
            let label = |part: &str| part.trim().split(|c| !is_word(c)).next().map(str::to_owned);
            let labels = selector.unwrap_or_default().split(',').filter_map(label);
            (text[at..end].to_owned(), labels.filter(|label| !label.is_empty()).collect())
        })
        .collect()
}

/// The names of the files of a folder.
fn files(root: &Path, folder: &str) -> Result<Vec<String>> {
    let entries = fs::read_dir(root.join(folder)).with_context(|| format!("list {folder}"))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.with_context(|| format!("list {folder}"))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
