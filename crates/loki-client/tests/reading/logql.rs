//! As much LogQL as the model must run: matchers, line filters, label filters, `line_format` with a text in which nothing
//! is filled in, `sum(count_over_time(…))`.

use loki_client::Labels;
use regex::{Regex, RegexBuilder};

/// A query.
pub(crate) struct Query {
    matchers: Vec<Test>,
    stages: Vec<Stage>,
    /// In milliseconds, when it counts.
    pub(crate) range: Option<i64>,
}

enum Stage {
    Line(Condition),
    Label(Test),
    Format(String),
}

struct Test {
    name: String,
    condition: Condition,
}

enum Condition {
    Is(String, bool),
    Contains(String, bool),
    Matches(Regex, bool),
}

impl Condition {
    fn holds(&self, text: &str) -> bool {
        match self {
            Self::Is(value, wanted) => (text == value) == *wanted,
            Self::Contains(value, wanted) => text.contains(value) == *wanted,
            Self::Matches(regex, wanted) => regex.is_match(text) == *wanted,
        }
    }
}

fn regex(pattern: &str) -> Regex {
    RegexBuilder::new(pattern).size_limit(1 << 28).build().unwrap()
}

impl Query {
    pub(crate) fn parse(text: &str) -> Self {
        if let Some(inner) = text.strip_prefix("sum(count_over_time(") {
            let (query, range) = inner.rsplit_once('[').unwrap();
            let millis = range.strip_suffix("ms]))").unwrap().parse().unwrap();
            return Self { range: Some(millis), ..Self::parse(query.trim()) };
        }
        let mut rest = text.strip_prefix('{').unwrap();
        let mut matchers = Vec::new();
        while !rest.starts_with('}') {
            matchers.push(label(&mut rest));
            rest = rest.trim_start_matches([',', ' ']);
        }
        rest = rest[1..].trim_start();
        let mut stages = Vec::new();
        while !rest.is_empty() {
            stages.push(match &rest[..2] {
                "|=" | "!=" => {
                    let wanted = rest.starts_with('|');
                    Stage::Line(Condition::Contains(operand(&mut rest), wanted))
                }
                "|~" | "!~" => {
                    let wanted = rest.starts_with('|');
                    Stage::Line(Condition::Matches(regex(&operand(&mut rest)), wanted))
                }
                _ => {
                    rest = rest[1..].trim_start();
                    match rest.strip_prefix("line_format ") {
                        Some(after) => {
                            rest = after;
                            Stage::Format(serde_json::from_str(string(&mut rest)).unwrap())
                        }
                        None => Stage::Label(label(&mut rest)),
                    }
                }
            });
            rest = rest.trim_start();
        }
        Self { matchers, stages, range: None }
    }

    /// The line as the query shows it, if it finds the entry.
    pub(crate) fn finds<'a>(
        &'a self,
        labels: &Labels,
        metadata: &Labels,
        mut line: &'a str,
    ) -> Option<&'a str> {
        let value = |name: &str| labels.get(name).or(metadata.get(name)).unwrap_or_default().to_owned();
        let found =
            self.matchers.iter().all(|test| test.condition.holds(labels.get(&test.name).unwrap_or_default()))
                && self.stages.iter().all(|stage| match stage {
                    Stage::Line(condition) => condition.holds(line),
                    Stage::Label(test) => test.condition.holds(&value(&test.name)),
                    Stage::Format(text) => {
                        line = text;
                        true
                    }
                });
        found.then_some(line)
    }
}

/// `name="value"` and its like.
fn label(rest: &mut &str) -> Test {
    let end = rest.find(['=', '!', ' ']).unwrap();
    let name = rest[..end].trim().to_owned();
    *rest = rest[end..].trim_start();
    let wanted = rest.starts_with('=');
    let condition = match &rest[..2] {
        // A label is matched as a whole.
        "=~" | "!~" => Condition::Matches(regex(&format!("^(?:{})$", operand(rest))), wanted),
        "!=" => Condition::Is(operand(rest), false),
        _ => {
            *rest = &rest[1..];
            let value = serde_json::from_str(string(rest)).unwrap();
            Condition::Is(value, true)
        }
    };
    Test { name, condition }
}

/// The string after an operator of two characters.
fn operand(rest: &mut &str) -> String {
    *rest = rest[2..].trim_start();
    // Both take the same escapes, as far as the client writes them.
    serde_json::from_str(string(rest)).unwrap()
}

/// A string with its quotes.
fn string<'a>(rest: &mut &'a str) -> &'a str {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '"' if !escaped => {
                let (string, after) = rest.split_at(at + 1);
                *rest = after;
                return string;
            }
            _ => escaped = c == '\\' && !escaped,
        }
    }
    panic!("a string without an end: {rest}")
}
