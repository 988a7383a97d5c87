//! Under the cap, whatever the size of what is said.

use feishu::{
    Card, CollapsiblePanel, Column, ColumnSet, CustomBot, Line, Markdown, Mention, Message, Post, TagColor,
    Text,
};
use proptest::prelude::*;

use crate::group::{Group, Reply, SECRET};

const CAP: usize = 20 * 1024;

fn sent(message: &Message) -> (usize, feishu::Rendered) {
    let rendered = message.render(Some("告警")).expect("it fits");
    assert_eq!(rendered.body().to_string().len(), rendered.bytes());
    (rendered.bytes(), rendered)
}

#[test]
fn a_long_text_fills_the_cap_and_says_what_is_missing() {
    for (text, least) in [
        ("节点失联，无法连接。", CAP - 8),
        ("plain words ", CAP - 8),
        ("<at id=all></at>", CAP - 32),
        ("\u{202e}\"\\\n", CAP - 64),
    ] {
        let (bytes, rendered) = sent(&Text::new(text.repeat(20_000)).into());
        assert!(bytes <= CAP && bytes >= least, "{bytes} for {text:?}");
        assert!(rendered.shortened());
        let content = rendered.body()["content"]["text"].as_str().expect("text");
        assert!(content.ends_with(" characters)"), "{}", &content[content.len().saturating_sub(60)..]);
    }
}

#[test]
fn what_fits_is_left_alone() {
    let (bytes, rendered) = sent(&Text::new("长".repeat(6000)).into());
    assert!(!rendered.shortened());
    assert!(bytes > 18_000);
}

#[test]
fn the_longest_text_of_a_card_is_cut_and_the_others_are_not() {
    let card = Card::new("etcd-2 is down")
        .markdown("what to do: restart it")
        .panel(
            CollapsiblePanel::new("log")
                .markdown(Markdown::default().code_block("panic: 一二三\n".repeat(3000))),
        )
        .columns(ColumnSet::new().column(Column::new(1).markdown("pod etcd-2")));
    let (bytes, rendered) = sent(&card.into());
    assert!(bytes <= CAP && bytes > CAP - 64, "{bytes}");
    let elements = &rendered.body()["card"]["body"]["elements"];
    assert_eq!(elements[0]["content"], "what to do&#58; restart it");
    assert_eq!(elements[2]["columns"][0]["elements"][0]["content"], "pod etcd-2");
    let log = elements[1]["elements"][0]["content"].as_str().expect("text");
    assert!(log.ends_with("characters)\n```\n"), "the block is closed");
}

#[test]
fn of_too_many_parts_the_last_are_left_out_and_counted() {
    let card = (0..150)
        .fold(Card::new("150 incidents"), |card, n| card.markdown(format!("{n} {}", "长".repeat(100))));
    let (bytes, rendered) = sent(&card.into());
    assert!(bytes <= CAP && rendered.shortened());
    let elements = rendered.body()["card"]["body"]["elements"].as_array().expect("elements").clone();
    assert!(elements.len() > 50, "{}", elements.len());
    let note = elements.last().expect("a note")["content"].as_str().expect("text");
    assert_eq!(note, format!("… (+{} more)", 150 - (elements.len() - 1)));
}

#[test]
fn a_card_has_no_more_components_than_feishu_takes() {
    let card = (0..5000).fold(Card::new("5000"), |card, n| card.markdown(n.to_string()));
    let (_, rendered) = sent(&card.into());
    let elements = rendered.body()["card"]["body"]["elements"].as_array().expect("elements").len();
    assert_eq!(elements, 191);
    assert!(rendered.shortened());
}

#[test]
fn one_deep_part_that_is_too_large_does_not_take_the_title_with_it() {
    let columns = (0..100).fold(ColumnSet::new(), |set, _| {
        set.column((0..100).fold(Column::new(1), |column, _| column.markdown("长".repeat(500))))
    });
    let card = Card::new("all nodes").columns(columns);
    let (bytes, rendered) = sent(&card.into());
    assert!(bytes <= CAP);
    assert_eq!(rendered.body()["card"]["header"]["title"]["content"], "告警 all nodes");
    assert!(bytes > CAP / 2, "{bytes}: what fits is kept");
}

#[test]
fn markup_that_cannot_be_cut_is_kept_whole_or_left_out() {
    let table = format!("| a | b |\n|---|---|\n{}", "| 1 | 2 |\n".repeat(5000));
    let card = Card::new("t").markdown(Markdown::new("before ").trusted(table)).markdown("after");
    let (_, rendered) = sent(&card.into());
    let elements = &rendered.body()["card"]["body"]["elements"];
    assert_eq!(elements[0]["content"], "before … (+50020 characters)");
    assert_eq!(elements[1]["content"], "after");
}

#[tokio::test(start_paused = true)]
async fn the_cap_counts_the_signature() {
    let group = Group::answers([Reply::done()]);
    let bot = group.builder().secret(SECRET).keyword("告警").build().expect("a client");
    for n in 0..4 {
        let text = Text::new("x".repeat(CAP - 200 + 50 * n));
        let delivery = bot.send(&Message::from(text).with_reference("INC-42")).await.expect("taken");
        assert_eq!(delivery.shortened, group.seen()[n].text().contains("characters)"));
    }
    assert!(group.seen().iter().all(|seen| seen.bytes <= CAP && seen.body["sign"].is_string()));
    assert!(group.seen().iter().any(|seen| seen.text().contains("characters)")));
}

/// Text of any size, dear to escape or not.
fn text() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "长",
        "a ",
        "*",
        "<at id=all></at>",
        "\u{202e}",
        "\n",
        "👩\u{200d}💻",
        "\"",
        "http://e.example/",
    ]);
    (prop::collection::vec(piece, 1..8), 0..3000_usize)
        .prop_map(|(pieces, times)| pieces.concat().repeat(times))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_message_fits(texts in prop::collection::vec(text(), 1..20), kind in 0..4_u8, reference in text()) {
        let first = texts[0].clone();
        let message: Message = match kind {
            0 => texts.into_iter().fold(Text::default(), |all, text| all.text(text).mention(Mention::All)).into(),
            1 => texts.into_iter().fold(Post::new(first), |post, text| post.line(Line::new().text(text))).into(),
            2 => texts.into_iter().fold(Card::new(first.clone()).subtitle(first.clone()).tag(first, TagColor::Red), Card::markdown).into(),
            _ => Card::new("t").panel(texts.into_iter().fold(CollapsiblePanel::new(first), |panel, text| {
                panel.markdown(Markdown::default().bold(text.clone()).code_block(text.clone()).trusted(text))
            })).into(),
        };
        let (bytes, _) = sent(&message.with_reference(reference));
        prop_assert!(bytes <= CAP, "{bytes}");
    }
}
