//! Card JSON 2.0 refuses what it does not know: the properties that are sent are those of Feishu's pages.

use feishu::{
    Card, CollapsiblePanel, Column, ColumnSet, Flex, Markdown, Mention, Message, TagColor, Template,
};
use proptest::prelude::*;
use serde_json::{Value, json};

/// By component, what the pages `card-json-v2-structure` and `card-json-v2-components/...` list.
fn known_properties(tag: &str) -> &'static [&'static str] {
    match tag {
        "markdown" => &["tag", "element_id", "margin", "content", "text_size", "text_align", "icon"],
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
        "plain_text" => &["tag", "content"],
        "text_tag" => &["tag", "element_id", "text", "color"],
        "standard_icon" => &["tag", "token", "color", "size"],
        _ => &[],
    }
}

const ROOT: &[&str] = &["schema", "config", "card_link", "header", "body"];
const HEADER: &[&str] = &["title", "subtitle", "text_tag_list", "template", "icon", "padding"];
const PANEL_HEADER: &[&str] = &[
    "title",
    "background_color",
    "vertical_align",
    "padding",
    "position",
    "width",
    "icon",
    "icon_position",
    "icon_expanded_angle",
];
const BODY: &[&str] = &[
    "direction",
    "padding",
    "horizontal_spacing",
    "horizontal_align",
    "vertical_spacing",
    "vertical_align",
    "elements",
];

/// Every object is one that Feishu knows, with properties that it knows.
fn check(value: &Value, known: &'static [&'static str], depth: usize) {
    match value {
        Value::Object(fields) => {
            let tag = fields.get("tag").and_then(Value::as_str);
            let known = tag.map_or(known, known_properties);
            for (name, value) in fields {
                assert!(known.contains(&name.as_str()), "`{name}` in {tag:?}");
                let (known, depth): (&'static [&'static str], usize) = match (tag, name.as_str()) {
                    (Some("collapsible_panel"), "header") => (PANEL_HEADER, depth),
                    (Some("collapsible_panel"), "border") => (&["color", "corner_radius"], depth),
                    (None, "header") => (HEADER, depth),
                    (None, "body") => (BODY, depth),
                    (None, "config") => (&["update_multi"], depth),
                    (_, "elements" | "columns") => (&[], depth + 1),
                    _ => (&[], depth),
                };
                check(value, known, depth);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| check(value, known, depth)),
        _ => {}
    }
    assert!(depth <= 5, "nested too deep");
}

fn card_of(message: &Message) -> Value {
    message.render(None).expect("it fits").body()["card"].clone()
}

fn markdown() -> impl Strategy<Value = Markdown> {
    let url = "https://example.com/(a)".parse::<url::Url>().expect("a URL");
    (".{0,40}", 0..6_u8, any::<bool>()).prop_map(move |(text, kind, small)| {
        let markdown = match kind {
            0 => Markdown::new(text),
            1 => Markdown::default().bold(text),
            2 => Markdown::default().code_block(text),
            3 => Markdown::default().link(text, &url),
            4 => Markdown::new(text).mention(Mention::All),
            _ => Markdown::default(),
        };
        if small { markdown.small() } else { markdown }
    })
}

fn columns() -> impl Strategy<Value = ColumnSet> {
    prop::collection::vec((0..9_u8, prop::collection::vec(markdown(), 0..3)), 0..4).prop_map(|columns| {
        columns.into_iter().fold(ColumnSet::new().flex(Flex::Bisect), |set, (weight, texts)| {
            set.column(texts.into_iter().fold(Column::new(weight).hr(), Column::markdown))
        })
    })
}

prop_compose! {
    fn card()(
        title in ".{0,60}",
        subtitle in prop::option::of(".{0,30}"),
        template in prop::sample::select(Template::ALL),
        tags in prop::collection::vec(".{0,10}", 0..5),
        texts in prop::collection::vec(markdown(), 0..6),
        set in columns(),
        inner in columns(),
        expanded in any::<bool>(),
    ) -> Card {
        let mut card = Card::new(title.clone()).template(template).columns(set);
        if let Some(subtitle) = subtitle {
            card = card.subtitle(subtitle);
        }
        card = tags.into_iter().fold(card, |card, tag| card.tag(tag, TagColor::Lime));
        let panel = texts.iter().cloned().fold(CollapsiblePanel::new(title), CollapsiblePanel::markdown);
        texts.into_iter().fold(card, Card::markdown).hr().panel(panel.expanded(expanded).hr().columns(inner))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_card_has_a_property_that_feishu_does_not_know(card in card()) {
        check(&card_of(&card.into()), ROOT, 0);
    }
}

#[test]
fn the_check_of_properties_finds_a_wrong_one() {
    for (pointer, name) in [
        ("", "elements"),
        ("/header", "color"),
        ("/body/elements/0", "text_color"),
        ("/config", "wide_screen_mode"),
    ] {
        let mut card = card_of(&Card::new("a").markdown("b").into());
        card.pointer_mut(pointer).expect("there")[name] = json!(1);
        assert!(std::panic::catch_unwind(|| check(&card, ROOT, 0)).is_err(), "{pointer}/{name}");
    }
}

#[test]
fn a_card_is_what_the_readme_says() {
    let card = Card::new("etcd-2 is down")
        .template(Template::Red)
        .tag("P1", TagColor::Red)
        .markdown(Markdown::new("no leader since ").bold("12:30"))
        .hr()
        .columns(ColumnSet::new().column(Column::new(9).markdown("pod")))
        .panel(CollapsiblePanel::new("log").markdown(Markdown::default().code_block("panic\n")));
    assert_eq!(
        card_of(&card.into()),
        json!({
            "schema": "2.0",
            "config": { "update_multi": true },
            "header": {
                "template": "red",
                "title": { "tag": "plain_text", "content": "etcd-2 is down" },
                "text_tag_list": [
                    { "tag": "text_tag", "text": { "tag": "plain_text", "content": "P1" }, "color": "red" }
                ],
            },
            "body": { "elements": [
                { "tag": "markdown", "content": "no leader since **\u{2060}12&#58;30\u{2060}**" },
                { "tag": "hr" },
                { "tag": "column_set", "flex_mode": "none", "columns": [{
                    "tag": "column", "width": "weighted", "weight": 5, "vertical_align": "top",
                    "elements": [{ "tag": "markdown", "content": "pod" }],
                }] },
                {
                    "tag": "collapsible_panel",
                    "expanded": false,
                    "header": {
                        "title": { "tag": "plain_text", "content": "log" },
                        "vertical_align": "center",
                        "icon": { "tag": "standard_icon", "token": "down-small-ccm_outlined", "size": "16px 16px" },
                        "icon_position": "right",
                        "icon_expanded_angle": -180,
                    },
                    "border": { "color": "grey", "corner_radius": "5px" },
                    "padding": "8px 8px 8px 8px",
                    "elements": [{ "tag": "markdown", "content": "```\npanic\n```\n" }],
                },
            ] },
        })
    );
}
