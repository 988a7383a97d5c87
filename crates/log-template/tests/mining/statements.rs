//! Lines of programs made up here: what is one statement, and what is not.

use log_template::Miner;

use crate::template_of;

/// `count` lines of made-up statements, always the same.
pub(crate) fn mixed(count: usize) -> Vec<Vec<u8>> {
    const NAMES: [&str; 12] =
        ["anna", "bela", "carlo", "dora", "emil", "fatima", "georg", "hana", "ivan", "jana", "karl", "lena"];
    let mut state = 7_u64;
    let mut next = |most: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % most
    };
    let mut line = || {
        let (number, name, other) = (next(100_000), NAMES[next(12)], NAMES[next(12)]);
        match next(9) {
            0 => format!("2026-01-02 03:04:05 INFO a.B: took {number} ms"),
            1 => format!("user {name} logged in from 10.0.0.{number}"),
            2 => format!("session of {name} was handed over to {other} without loss"),
            3 => format!("job {number} started"),
            4 => format!("job {number} stopped"),
            5 => format!("{{\"level\":\"info\",\"msg\":\"cache miss for {name}\",\"size\":{number}}}"),
            6 => format!("list {}", vec!["7"; number % 9].join(", ")),
            7 => format!("任务{number}执行成功"),
            _ => format!("word{number} \u{fffd} {name}=\"{other}\""),
        }
        .into_bytes()
    };
    (0..count).map(|_| line()).collect()
}

fn groups(lines: &[&str]) -> usize {
    let mut miner = Miner::default();
    let mut ids = crate::ids(&mut miner, lines.iter().map(|line| line.as_bytes()));
    ids.sort_unstable();
    ids.dedup();
    ids.len()
}

#[test]
fn values_are_told_by_their_looks() {
    let table = [
        ("connected to 10.0.0.1:80 in 35ms", "connected to <*> in <*>"),
        ("connected to [2001:db8::1]:80", "connected to [<*>]:<*>"),
        ("wrote 1301 bytes (1.27 KB) to /var/lib/x.db", "wrote <*> to <*>"),
        ("id 7f3c9a00-12ab-4cde-8f00-0123456789ab is taken", "id <*> is taken"),
        ("mac 0a:1b:2c:3d:4e:5f seen", "mac <*> seen"),
        ("mail to ann@mail.example.com was sent", "mail to <*> was sent"),
        ("GET https://shop.example.com/cart?id=7 failed", "GET <*> failed"),
        ("cached=true retries=3 took 1.5 s", "cached=<*> retries=<*> took <*>"),
        ("until 2026-01-02T03:04:05Z at most", "until <*> at most"),
        (r"opened C:\Users\ann\notes.txt twice", "opened <*> twice"),
        ("state 0xdeadbeef, mask 0xff", "state <*>, mask <*>"),
        ("scaled web-7d4b9c6f5-x2x9z to 3", "scaled <*> to <*>"),
        ("deleted web-zmsgnwjdp-qszcm and prod/web-zmsgnwjdp-qszcm", "deleted <*> and <*>"),
        ("deleted web-backend-nginx", "deleted web-backend-nginx"),
        ("pulled docker.io/library/web:latest, not ghcr.io/acme/web:1.27", "pulled <*>, not <*>"),
        (r#"pulled \"docker.io/library/web:latest\""#, r#"pulled \"<*>\""#),
    ];
    for (line, template) in table {
        assert_eq!(template_of(&mut Miner::default(), line), template, "{line}");
    }
}

#[test]
fn what_reaches_beyond_eight_kib_is_one_value() {
    for long in
        ["a".repeat(10_000), "é".repeat(5000), "你".repeat(4000), "1,".repeat(5000), "/a".repeat(5000)]
    {
        let shown = template_of(&mut Miner::default(), &format!("got {long}"));
        assert_eq!(shown, "got <*>", "{}", &long[..6]);
        let shown = template_of(&mut Miner::default(), &format!("got {long} and more"));
        assert_eq!(shown, "got <*>", "{}", &long[..6]);
    }
}

#[test]
fn the_digits_in_a_chinese_sentence_do_not_hide_the_sentence() {
    assert_eq!(template_of(&mut Miner::default(), "任务123执行成功"), "任务<*>执行成功");
    assert_eq!(groups(&["任务1执行成功", "任务22执行成功", "订单3创建失败", "用户7登录，来自10.0.0.1"]), 3);
}

#[test]
fn a_name_within_a_chinese_sentence_is_a_value() {
    let names: Vec<String> = "赵钱孙李周吴郑王冯陈"
        .chars()
        .flat_map(|first| {
            ["伟", "芳", "娜娜", "秀英", "敏", "静怡", "强", "磊", "洋", "艳红"]
                .map(|last| format!("{first}{last}"))
        })
        .collect();
    let lines =
        |sentence: &str| -> Vec<String> { names.iter().map(|name| sentence.replace('_', name)).collect() };
    let all =
        [lines("用户_登录成功"), lines("用户_登录失败，原因：密码错误"), lines("正在同步_的订单")].concat();
    assert_eq!(groups(&all.iter().map(String::as_str).collect::<Vec<_>>()), 3);
    let states = ["创建", "删除", "更新", "查询", "同步", "取消", "提交", "恢复"]
        .map(|done| format!("订单{done}失败"));
    assert_eq!(groups(&states.each_ref().map(String::as_str)), 8);
    let mut miner = Miner::default();
    names.iter().for_each(|name| drop(template_of(&mut miner, &format!("用户{name}登录成功"))));
    assert_eq!(template_of(&mut miner, "用户欧阳登录成功"), "用户<*>登录成功");
}

#[test]
fn lists_of_any_length_are_one_statement() {
    let lists = ["acks 1, 2, 3, 4", "acks 1, 2, 3, 4, 5", "acks 7, 7, 7, 7, 7, 7, 7, 7, 7"];
    assert_eq!(groups(&lists), 1);
    let numbers = |count: usize| (1..=count).map(|number| number.to_string()).collect::<Vec<_>>().join(", ");
    let names = |count: usize| (1..=count).map(|number| format!("t-{number}")).collect::<Vec<_>>().join(", ");
    let acks: Vec<String> = (1..40).map(|count| format!("acks {}", numbers(count))).collect();
    assert_eq!(groups(&acks.iter().map(String::as_str).collect::<Vec<_>>()), 1);
    let assigned: Vec<String> = (0..40).map(|count| format!("assigned [{}] at last", names(count))).collect();
    assert_eq!(groups(&assigned.iter().map(String::as_str).collect::<Vec<_>>()), 1);
    assert_eq!(groups(&["moved 1, 2 and 3", "moved 1, 2 or 3"]), 2, "what is no list is a statement");
}

#[test]
fn the_values_of_an_object_behind_a_message_are_values() {
    let mut lines = Vec::new();
    for pool in ["a", "b", "c", "default"] {
        lines.extend(
            (0..5)
                .map(|number| format!("setup\tstarting manager\t{{\"pool\": \"{pool}\", \"n\": {number}}}")),
        );
    }
    assert_eq!(groups(&lines.iter().map(String::as_str).collect::<Vec<_>>()), 1);
    let shown = template_of(&mut Miner::default(), "starting {\"pool\":\"a\",\"why\":\"no more\"}");
    assert_eq!(shown, "starting {\"pool\":\"<*>\",\"why\":\"no more\"}");
    // Of an object without a message the values may be all that tells statements apart.
    assert_eq!(groups(&["{\"action\": \"login\", \"n\": 1}", "{\"action\": \"logout\", \"n\": 2}"]), 2);
    assert_eq!(template_of(&mut Miner::default(), "he said: \"no\" at 7"), "he said: \"no\" at <*>");
}

#[test]
fn a_name_becomes_a_value_when_enough_names_were_seen_and_the_id_stays() {
    let mut miner = Miner::default();
    let names = ["anna", "bela", "carlo", "dora", "emil", "fatima", "georg", "hana"];
    let first = miner.observe(b"session closed for user anna").template;
    for name in names {
        miner.observe(format!("session closed for user {name}").as_bytes());
    }
    let last = miner.observe(b"session closed for user zoe");
    assert_eq!(last.template, first);
    assert!(!last.is_new);
    assert_eq!(
        miner.template(first).map(ToString::to_string).as_deref(),
        Some("session closed for user <*>")
    );
}

#[test]
fn states_of_a_thing_are_statements_of_their_own() {
    let lines =
        ["server is starting up", "server is stopping up", "server is LEADING up", "server is LOOKING up"];
    assert_eq!(groups(&lines), 4);
}

#[test]
fn two_names_that_always_change_together_are_values() {
    let lines: Vec<String> = ('a'..='z')
        .zip(('a'..='z').rev())
        .map(|(a, b)| format!("handed the shard over from {a}{a}{a} to {b}{b}{b} without loss"))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    assert_eq!(groups(&lines), 1);
}

#[test]
fn two_names_are_values_also_when_one_of_them_was_found_before() {
    let line = |a: &str, b: &str| format!("handed the shard over from {a} to {b} without loss");
    let mut lines: Vec<String> = ["bela", "carlo", "dora", "emil"].map(|name| line("anna", name)).into();
    lines.extend(
        ('a'..='z').zip(('a'..='z').rev()).map(|(a, b)| line(&format!("{a}{a}{a}"), &format!("{b}{b}{b}"))),
    );
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    assert_eq!(groups(&lines), 1);
}

#[test]
fn a_word_and_a_number_at_one_place_are_values_whichever_came_first() {
    let lines = ["handed it to anna without loss", "handed it to 17 without loss"];
    assert_eq!(groups(&lines), 1);
    assert_eq!(groups(&[lines[1], lines[0]]), 1);
}

#[test]
fn a_merge_is_told_once_by_the_call_that_made_it() {
    let mut miner = Miner::default();
    let mut told = 0;
    for name in ["ann", "bob", "cid", "dan", "eve", "fay", "gus", "hal", "ian"] {
        miner.observe(format!("session closed for user {name}").as_bytes());
        told += miner.merges().len();
        for merge in miner.merges() {
            assert!(merge.into < merge.from, "the older id stays");
            assert_eq!(miner.resolve(merge.from), merge.into);
        }
    }
    assert!(told > 0);
    miner.observe(b"session closed for user ann");
    assert_eq!(miner.merges(), []);
}

/// The templates of lines that say `sentence` with each of `words` for its `_`, and other numbers.
fn templates_with(sentence: &str, words: &[&str]) -> usize {
    let number = |index: usize| (index * 7 + 1).to_string();
    let lines: Vec<String> = (0..words.len() * 3)
        .map(|index| sentence.replace('_', words[index % words.len()]).replace('#', &number(index)))
        .collect();
    groups(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn what_was_done_and_what_state_a_thing_is_in_are_never_values() {
    let states = ["healthy", "unhealthy", "unknown", "degraded", "draining", "ready"];
    for (sentence, words) in [
        ("failed to _ pod #", &["create", "delete", "update", "patch", "evict", "restart"]),
        ("health check of backend api: _", &states),
        ("backend api is _ since #", &states),
        ("out of _ on this machine", &["memory", "disk", "inodes", "threads", "sockets", "space"]),
        (
            "Failed to _ the lock file of the database",
            &["open", "read", "write", "close", "stat", "truncate"],
        ),
        (
            "the pod was _ by the controller at #",
            &["created", "deleted", "patched", "evicted", "stopped", "scaled"],
        ),
        (
            "worker #: _ the queue of the shop",
            &["Draining", "Opening", "Closing", "Flushing", "Retrying", "Stopping"],
        ),
    ] {
        assert_eq!(templates_with(sentence, words), words.len(), "{sentence}");
    }
}

#[test]
fn a_name_is_a_value_also_when_it_is_a_verb() {
    let users = ["backup", "monitor", "deploy", "anna", "bela", "test"];
    assert_eq!(templates_with("invalid user _ from 10.0.0.#", &users), 1);
    assert_eq!(templates_with("login refused user=_ from 10.0.0.#", &users), 1);
}

#[test]
fn statements_that_differ_in_two_names_and_in_what_was_done_stay_apart() {
    let mut lines = Vec::new();
    for (index, done) in ["create", "delete"].into_iter().cycle().take(120).enumerate() {
        let (first, second) = (format!("x{}", letters(index)), format!("y{}", letters(index * 7 + 3)));
        lines.push(format!("could not {done} the link from {first} to {second} in the map"));
    }
    assert_eq!(groups(&lines.iter().map(String::as_str).collect::<Vec<_>>()), 2);
}

/// A word for a number.
fn letters(number: usize) -> String {
    number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect()
}

#[test]
fn requests_for_the_root_or_with_a_query_are_as_any_other() {
    let line = |request: &str| format!("10.0.0.1 - - [02/Jan/2026:03:04:05 +0000] \"{request}\" 200 12");
    let mut lines: Vec<String> =
        ["/", "/a", "/a?page=2", "/?page", "/a,b;c?page=2", "/users/:id?page=2", "/wiki/A_(b)?x", "/你好?x"]
            .map(|target| line(&format!("GET {target} HTTP/1.1")))
            .into();
    lines.push(line("GET /a HTTP/1.1").replace(" 200 12", " 304 -"));
    assert_eq!(groups(&lines.iter().map(String::as_str).collect::<Vec<_>>()), 1);
    assert_eq!(template_of(&mut Miner::default(), "GET /a: failed"), "GET <*>: failed");
    assert_eq!(template_of(&mut Miner::default(), "read / write - no"), "read / write - no");
}
