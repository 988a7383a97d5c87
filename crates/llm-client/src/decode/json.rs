//! Finds JSON in what a model says: models talk around it.

use std::ops::Range;

use serde_json::{Deserializer, Value};

/// So many places are tried. A text with more braces that are no JSON has none.
const MOST_PLACES: usize = 64;
const FENCE: &str = "```";
const THOUGHT: &str = "</think>";

/// The objects and arrays in a text, likeliest first: the whole of it, the content of its fences, and what begins at
/// one of its braces. Text up to the last `</think>` is left out if anything follows it, unless that mark is a part of
/// the answer.
pub fn json_in(text: &str) -> Vec<Value> {
    let Some((thought, answer)) = text.rsplit_once(THOUGHT).filter(|(_, answer)| !answer.trim().is_empty())
    else {
        return within(text);
    };
    if let Some(whole) = parsed(text) {
        return vec![whole];
    }
    let found = within(answer);
    if !found.is_empty() {
        return found;
    }
    let around_the_mark = embedded(text).into_iter().filter(|(range, _)| range.contains(&thought.len()));
    around_the_mark.map(|(_, value)| value).collect()
}

fn within(text: &str) -> Vec<Value> {
    if let Some(whole) = parsed(text) {
        return vec![whole];
    }
    let mut found: Vec<Value> = fenced(text).filter_map(parsed).collect();
    for (_, value) in embedded(text) {
        if !found.contains(&value) {
            found.push(value);
        }
    }
    found
}

fn parsed(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().filter(is_composite)
}

/// A number or a word in prose is no answer.
fn is_composite(value: &Value) -> bool {
    value.is_object() || value.is_array()
}

/// What stands between fences, without the word for its language.
fn fenced(text: &str) -> impl Iterator<Item = &str> {
    let blocks = text.split(FENCE).skip(1).step_by(2).take(MOST_PLACES);
    blocks.map(|block| match block.split_once('\n') {
        Some((language, code)) if language.trim().chars().all(char::is_alphanumeric) => code,
        _ => block,
    })
}

/// What begins at a brace or a bracket, whatever follows it, and where it stands.
fn embedded(text: &str) -> Vec<(Range<usize>, Value)> {
    let mut found = Vec::new();
    let mut from = 0;
    for _ in 0..MOST_PLACES {
        let Some(at) = text[from..].find(['{', '[']).map(|at| from + at) else { break };
        let mut values = Deserializer::from_str(&text[at..]).into_iter::<Value>();
        match values.next() {
            Some(Ok(value)) => {
                from = at + values.byte_offset().max(1);
                found.push((at..from, value));
            }
            // It was cut off: what stands inside is a part of an answer, not one.
            Some(Err(error)) if error.is_eof() => break,
            _ => from = at + 1,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_is_found_wherever_models_put_it() {
        let answer = json!({"severity": "error", "n": [1, 2]});
        let text = answer.to_string();
        for around in [
            text.clone(),
            format!("\n\n  {text}\n"),
            format!("```json\n{text}\n```"),
            format!("```\n{text}\n```"),
            format!("```{text}```"),
            format!("Here it is:\n```json\n{text}\n```\nAnything else?"),
            format!("Sure! {text} Anything else?"),
            format!("I thought {{about}} it [twice]: {text}"),
            format!("first {{\"draft\": 1}}</think>\n{text}"),
        ] {
            assert_eq!(json_in(&around).first(), Some(&answer), "{around}");
        }
    }

    #[test]
    fn the_end_of_a_thought_may_be_a_part_of_the_answer() {
        let answer = json!({"title": "found </think> in the log", "n": 1});
        for around in [
            answer.to_string(),
            format!("hm, {{\"draft\": 1}}</think>{answer}"),
            format!("Here it is:\n```json\n{answer}\n```\nAnything else?"),
        ] {
            assert_eq!(json_in(&around).first(), Some(&answer), "{around}");
        }
        assert_eq!(
            json_in("maybe {\"draft\": 1}</think> I cannot tell"),
            [] as [Value; 0],
            "a draft is no answer"
        );
    }

    #[test]
    fn all_of_several_are_found_in_order() {
        assert_eq!(json_in("maybe {\"a\":1} or [2]"), [json!({"a": 1}), json!([2])]);
    }

    #[test]
    fn what_is_no_json_or_cut_off_gives_nothing() {
        for text in
            ["", "no", "42", "\"text\"", "{\"a\": [1, {\"b\": 2}", "{not json}", "```json\n{\"a\":\n```"]
        {
            assert_eq!(json_in(text), [] as [Value; 0], "{text}");
        }
    }

    #[test]
    fn braces_without_end_cost_no_time() {
        assert_eq!(json_in(&"{".repeat(1 << 20)), [] as [Value; 0]);
        assert_eq!(json_in(&"{\"a\":".repeat(1 << 18)), [] as [Value; 0]);
        assert_eq!(json_in(&"[".repeat(1 << 20)), [] as [Value; 0]);
    }
}
