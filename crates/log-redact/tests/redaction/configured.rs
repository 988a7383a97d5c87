//! What is looked for, by configuration.

use std::collections::HashSet;

use log_redact::{
    BIGGEST_PATTERN, BuildError, Key, LONGEST_PATTERN, MOST_PATTERNS, Redactor, RedactorBuilder, classes,
};

fn clean(builder: RedactorBuilder, text: &str) -> String {
    builder.build().unwrap().redact(text).into_owned()
}

fn refused(builder: RedactorBuilder) -> String {
    let error = builder.build().unwrap_err();
    format!("{error}: {error:?}")
}

#[test]
fn there_are_forty_classes_at_least_and_each_names_its_source_once() {
    let all: Vec<_> = classes().collect();
    assert!(all.len() >= 40, "{}", all.len());
    let names: HashSet<_> = all.iter().map(|class| class.name).collect();
    assert_eq!(names.len(), all.len(), "two classes have one name");
    for class in all {
        assert!(class.source.starts_with("https://"), "{}: {}", class.name, class.source);
        assert!(!class.title.is_empty(), "{}", class.name);
        let letters = class.name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        assert!(letters, "{}", class.name);
    }
}

#[test]
fn classes_and_groups_are_switched_by_name_and_the_last_word_counts() {
    let text = "bob@example.com at 8.8.8.8 behind 10.0.0.1 on db.internal with 00:1b:44:11:3a:b7";
    let by_default = clean(Redactor::builder(), text);
    assert!(by_default.starts_with("<email:") && by_default.contains("at <ip:"), "{by_default}");
    assert!(by_default.ends_with("behind 10.0.0.1 on db.internal with 00:1b:44:11:3a:b7"), "{by_default}");
    let network = clean(Redactor::builder().disable("all").enable("network"), text);
    assert!(network.starts_with("bob@example.com at <ip:"), "{network}");
    assert!(
        network.contains("<ip-private:") && network.contains("<host:") && network.contains("<mac:"),
        "{network}"
    );
    assert_eq!(clean(Redactor::builder().disable("email").disable("ip"), text), text);
    assert_ne!(clean(Redactor::builder().disable("email").disable("ip").enable("email"), text), text);
    assert!(matches!(
        Redactor::builder().enable("emial").build(),
        Err(BuildError::UnknownClass { name }) if name == "emial"
    ));
}

#[test]
fn an_allowed_value_is_left_alone_and_nothing_else_is() {
    let text = "password=Tr0ub4dor to bob@example.com, support@example.com";
    let clean = clean(Redactor::builder().allow("support@example.com").allow("Tr0ub4dor"), text);
    assert!(
        clean.starts_with("password=Tr0ub4dor to <email:") && clean.ends_with(", support@example.com"),
        "{clean}"
    );
}

#[test]
fn extra_patterns_are_looked_for_by_their_name() {
    let clean = clean(Redactor::builder().pattern("ticket", r"\bOPS-\d{4}\b"), "see OPS-1234 and OPS-12345");
    assert!(clean.starts_with("see <ticket:") && clean.ends_with("> and OPS-12345"), "{clean}");
}

#[test]
fn a_pattern_too_big_or_too_many_are_refused_with_a_sentence() {
    let long = "a".repeat(LONGEST_PATTERN + 1);
    let sentence = refused(Redactor::builder().pattern("long", &long));
    assert!(sentence.starts_with("the pattern of \"long\" is too big"), "{sentence}");
    let sentence = refused(Redactor::builder().pattern("wide", r"\w{400}"));
    assert!(sentence.contains(&BIGGEST_PATTERN.to_string()), "{sentence}");
    let many =
        (0..=MOST_PATTERNS).fold(Redactor::builder(), |builder, n| builder.pattern(&format!("p{n}"), "x"));
    assert_eq!(
        many.build().unwrap_err().to_string(),
        format!("at most {MOST_PATTERNS} extra patterns are taken")
    );
    assert!(refused(Redactor::builder().pattern("open", "(")).contains("cannot be used"));
    assert!(refused(Redactor::builder().pattern("empty", "x*")).contains("empty text"));
    for name in ["", "Upper", "with space", "email", &"n".repeat(49)] {
        assert!(refused(Redactor::builder().pattern(name, "x")).contains("cannot be called"), "{name}");
    }
    assert!(
        refused(Redactor::builder().pattern("twice", "x").pattern("twice", "y")).contains("cannot be called")
    );
}

#[test]
fn a_key_that_can_be_guessed_is_refused() {
    assert!(matches!(
        Key::from_bytes(b"short"),
        Err(BuildError::ShortKey { bytes: 5, least: Key::LEAST_BYTES })
    ));
}
