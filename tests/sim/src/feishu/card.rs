//! Which cards are taken. Version 2.0 refuses properties that it does not know; 1.0 ignores them.
//!
//! The properties are those of the vendor's pages `card-json-v2-structure` and `card-json-v2-components/...`, for the
//! components that this stand-in can draw. Others are refused here though Feishu knows them.

use pulldown_cmark::{Event, Options, Parser, Tag};
use serde_json::Value;

use super::Refusal;

const MOST_COMPONENTS: usize = 200;
const DEEPEST: usize = 5;
/// Of all tables in a card, those in Markdown too.
const MOST_TABLES: usize = 5;

/// What may stand below a card's header or in a container.
const ELEMENTS: &[&str] = &["markdown", "hr", "collapsible_panel", "column_set"];
const TITLE: &[&str] = &["plain_text", "markdown"];

/// An object without a `tag`, or one with it: the properties that it may have.
fn properties(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "card" => &["schema", "config", "card_link", "header", "body"],
        "config" => &["streaming_mode", "summary", "update_multi", "enable_forward", "width_mode", "style"],
        "header" => &["title", "subtitle", "text_tag_list", "template", "icon", "padding"],
        "body" => &[
            "direction",
            "padding",
            "horizontal_spacing",
            "horizontal_align",
            "vertical_spacing",
            "vertical_align",
            "elements",
        ],
        "markdown" => &["tag", "element_id", "margin", "content", "text_size", "text_align", "icon"],
        "plain_text" => &["tag", "content"],
        "text_tag" => &["tag", "element_id", "text", "color"],
        "standard_icon" => &["tag", "token", "color", "size"],
        "hr" => &["tag", "element_id", "margin"],
        "collapsible_panel" => &[
            "tag",
            "element_id",
            "direction",
            "vertical_spacing",
            "horizontal_spacing",
            "vertical_align",
            "horizontal_align",
            "padding",
            "margin",
            "expanded",
            "background_color",
            "header",
            "border",
            "elements",
        ],
        "panel_header" => &[
            "title",
            "background_color",
            "vertical_align",
            "padding",
            "position",
            "width",
            "icon",
            "icon_position",
            "icon_expanded_angle",
        ],
        "border" => &["color", "corner_radius"],
        "column_set" => &[
            "tag",
            "element_id",
            "margin",
            "horizontal_align",
            "horizontal_spacing",
            "flex_mode",
            "background_style",
            "action",
            "columns",
        ],
        "column" => &[
            "tag",
            "element_id",
            "background_style",
            "width",
            "weight",
            "padding",
            "margin",
            "direction",
            "vertical_align",
            "vertical_spacing",
            "horizontal_align",
            "horizontal_spacing",
            "elements",
            "action",
        ],
        _ => return None,
    })
}

const TEMPLATES: &[&str] = &[
    "blue",
    "wathet",
    "turquoise",
    "green",
    "yellow",
    "orange",
    "red",
    "carmine",
    "violet",
    "purple",
    "indigo",
    "grey",
    "default",
];
const FLEX_MODES: &[&str] = &["none", "stretch", "flow", "bisect", "trisect"];

/// Whether Feishu would take this card.
pub(super) fn check(card: &Value) -> Result<(), Refusal> {
    if !card.is_object() {
        return Err(Refusal::card("no card"));
    }
    if card["schema"] != "2.0" {
        return Ok(());
    }
    let mut walk = Walk::default();
    walk.card(card).map_err(|what| Refusal::card(&what))?;
    if walk.components > MOST_COMPONENTS {
        return Err(Refusal::card("more than 200 components"));
    }
    if walk.tables > MOST_TABLES {
        return Err(Refusal::tables());
    }
    Ok(())
}

#[derive(Default)]
struct Walk {
    components: usize,
    tables: usize,
}

/// Why a card is refused.
type Checked = Result<(), String>;

impl Walk {
    fn card(&mut self, card: &Value) -> Checked {
        known(card, "card")?;
        if !card["config"].is_null() {
            known(&card["config"], "config")?;
        }
        let header = &card["header"];
        if !header.is_null() {
            known(header, "header")?;
            self.component(&header["title"], TITLE, 0)?;
            if !header["subtitle"].is_null() {
                self.component(&header["subtitle"], TITLE, 0)?;
            }
            one_of(&header["template"], TEMPLATES, "template")?;
            for tag in header["text_tag_list"].as_array().into_iter().flatten() {
                self.component(tag, &["text_tag"], 0)?;
            }
        }
        known(&card["body"], "body")?;
        self.elements(&card["body"]["elements"], 0)
    }

    fn elements(&mut self, elements: &Value, depth: usize) -> Checked {
        let Some(elements) = elements.as_array() else { return Err("elements is no list".to_owned()) };
        elements.iter().try_for_each(|element| self.component(element, ELEMENTS, depth + 1))
    }

    fn component(&mut self, component: &Value, allowed: &[&str], depth: usize) -> Checked {
        let Some(tag) = component["tag"].as_str().filter(|tag| allowed.contains(tag)) else {
            return Err(format!("unknown component, tag: {}", component["tag"]));
        };
        known(component, tag)?;
        self.components += 1;
        if depth > DEEPEST {
            return Err(format!("nested deeper than {DEEPEST} levels"));
        }
        match tag {
            "markdown" => {
                let Some(content) = component["content"].as_str() else {
                    return Err("content is no string, path: markdown".to_owned());
                };
                let tables = Parser::new_ext(content, Options::ENABLE_TABLES)
                    .filter(|event| matches!(event, Event::Start(Tag::Table(_))));
                self.tables += tables.count();
            }
            "plain_text" if !component["content"].is_string() => {
                return Err("content is no string, path: plain_text".to_owned());
            }
            "text_tag" => self.component(&component["text"], TITLE, depth)?,
            "collapsible_panel" => {
                let header = &component["header"];
                known(header, "panel_header")?;
                self.component(&header["title"], TITLE, depth)?;
                if !header["icon"].is_null() {
                    self.component(&header["icon"], &["standard_icon"], depth)?;
                }
                if !component["border"].is_null() {
                    known(&component["border"], "border")?;
                }
                self.elements(&component["elements"], depth)?;
            }
            "column_set" => {
                one_of(&component["flex_mode"], FLEX_MODES, "flex_mode")?;
                let Some(columns) = component["columns"].as_array() else {
                    return Err("columns is no list".to_owned());
                };
                columns.iter().try_for_each(|column| self.component(column, &["column"], depth))?;
            }
            "column" => {
                let weight = &component["weight"];
                if !weight.is_null() && !weight.as_u64().is_some_and(|weight| (1..=5).contains(&weight)) {
                    return Err(format!("weight is not 1 to 5: {weight}"));
                }
                self.elements(&component["elements"], depth)?;
            }
            _ => {}
        }
        Ok(())
    }
}

fn known(object: &Value, name: &str) -> Checked {
    let Some(fields) = object.as_object() else { return Err(format!("{name} is no object")) };
    let properties = properties(name).unwrap_or_default();
    match fields.keys().find(|field| !properties.contains(&field.as_str())) {
        Some(unknown) => Err(format!("unknown property, property: {unknown}, path: {name}")),
        None => Ok(()),
    }
}

fn one_of(value: &Value, words: &[&str], name: &str) -> Checked {
    match value {
        Value::Null => Ok(()),
        Value::String(word) if words.contains(&word.as_str()) => Ok(()),
        other => Err(format!("{name} is unknown: {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn card(elements: &Value) -> Value {
        json!({
            "schema": "2.0",
            "header": { "title": { "tag": "plain_text", "content": "t" }, "template": "red" },
            "body": { "elements": elements },
        })
    }

    fn code(card: &Value) -> i64 {
        check(card).map_or_else(|refusal| refusal.code, |()| 0)
    }

    #[test]
    fn an_unknown_property_is_refused_in_2_0_and_ignored_in_1_0() {
        let mut good = card(&json!([{ "tag": "markdown", "content": "a" }, { "tag": "hr" }]));
        assert_eq!(code(&good), 0);
        good["config"] = json!({ "wide_screen_mode": true });
        let refusal = check(&good).unwrap_err();
        assert!(
            refusal.message.contains("unknown property, property: wide_screen_mode"),
            "{}",
            refusal.message
        );
        good["schema"] = json!("1.0");
        assert_eq!(code(&good), 0);
    }

    #[test]
    fn shapes_that_feishu_does_not_take_are_refused() {
        for elements in [
            json!({}),
            json!([{ "tag": "marquee" }]),
            json!([{ "tag": "markdown" }]),
            json!([{ "tag": "column_set", "columns": [{ "tag": "column", "weight": 6, "elements": [] }] }]),
            json!([{ "tag": "column_set", "flex_mode": "wobble", "columns": [] }]),
            json!([{ "tag": "collapsible_panel", "elements": [] }]),
            json!(vec![json!({ "tag": "hr" }); 201]),
        ] {
            assert_eq!(code(&card(&elements)), 200_621, "{elements}");
        }
        let table = "| a |\n|---|\n| b |\n\n".repeat(6);
        assert_eq!(code(&card(&json!([{ "tag": "markdown", "content": table }]))), 11310);
    }

    #[test]
    fn five_levels_are_taken_and_six_are_not() {
        let mut elements = json!([{ "tag": "hr" }]);
        for level in 2..=6 {
            let title = json!({ "title": { "tag": "plain_text", "content": "p" } });
            elements = json!([{ "tag": "collapsible_panel", "header": title, "elements": elements }]);
            assert_eq!(code(&card(&elements)), if level <= 5 { 0 } else { 200_621 }, "{level}");
        }
    }
}
