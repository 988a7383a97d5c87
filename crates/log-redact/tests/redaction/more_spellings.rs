//! Where else people write secrets: markup, sentences, blocks, lists, calls, statements.

use crate::promises::everything;

/// None of the secrets is left of these, and what was redacted stays.
#[track_caller]
fn all_go(texts: &[&str]) {
    const SECRETS: [&str; 6] = ["S3cretPw9", "Oth3rPw88", "tmB7oQ9xW1rTz", "0011aabb", "481516", "UzNjcmV0"];
    for text in texts {
        let clean = everything().redact(text).into_owned();
        assert_eq!(SECRETS.iter().find(|secret| clean.contains(**secret)), None, "{text:?} became {clean:?}");
        assert_ne!(clean, *text);
        assert_eq!(everything().redact(&clean), clean, "again");
    }
}

#[track_caller]
fn all_stay(texts: &[&str]) {
    for text in texts {
        assert_eq!(everything().redact(text), *text);
    }
}

#[test]
fn a_value_between_tags_goes() {
    all_go(&[
        r#"<wsse:Password Type="x#PasswordText">S3cretPw9</wsse:Password>"#,
        r#"<password type="plain">S3cretPw9</password>"#,
        "<name>javax.jdo.option.ConnectionPassword</name><value>S3cretPw9</value>",
        "<name>javax.jdo.option.ConnectionPassword</name>\n  <value>S3cretPw9</value>\n",
        r#"<property name="password"><value>S3cretPw9</value></property>"#,
        "<key>password</key>\n<string>S3cretPw9</string>\n",
        "&quot;password&quot;:&quot;S3cretPw9&quot;,&quot;x&quot;:1",
    ]);
    all_stay(&[
        "<password type=\"plain\"/><b>x</b>",
        "<p>the password </p>",
        "<name>password</name><type>string</type>",
    ]);
}

#[test]
fn a_value_that_a_sentence_tells_goes() {
    all_go(&[
        "Your temporary password is: S3cretPw9",
        "the password was: S3cretPw9 before",
        "SET PASSWORD FOR 'bob'@'%' = 'S3cretPw9';",
        "Please use the following password to proceed to installation:\n\n0011aabbccddeeff0011aabbccddeeff\n\nThis may",
        "Password for the elastic user (reset with x):\n  tmB7oQ9xW1rTz\n",
        "PASSWORD elastic = tmB7oQ9xW1rTz",
        "The generated password for the elastic built-in superuser is : tmB7oQ9xW1rTz",
    ]);
    all_stay(&[
        "password for bob is expired",
        "Password for the elastic user:\n  starting\n",
        "password policy = strict",
        "SET PASSWORD FOR bob;",
    ]);
}

#[test]
fn a_value_in_chinese_goes_without_a_blank_before_it() {
    all_go(&[
        "验证码481516，5分钟内有效",
        "初始密码已重置为S3cretPw9",
        "密码S3cretPw9错误",
        "密碼：S3cretPw9",
        "授权码：a1S3cretPw9F6g7H8",
    ]);
    all_stay(&["密码SHA256加密", "密码8位以上", "验证码3次错误", "密码MD5错误", "密码已重置为默认"]);
}

#[test]
fn keys_of_more_names_go() {
    all_go(&[
        "OPENAI_KEY=xS3cretPw9q2LmN4vR7tY",
        "AUTH_KEY=xS3cretPw9q2LmN4vR7tY",
        "hmac_key=xS3cretPw9q2LmN4vR7tY",
        "psk=\"S3cretPw9\"",
    ]);
}

#[test]
fn every_value_of_a_list_goes() {
    all_go(&[
        "passwords:\n  - S3cretPw9\n  - Oth3rPw88\nnext: 1\n",
        "passwords:\n- 'S3cretPw9'\n- \"Oth3rPw88\"\n",
        r#"passwords: ["S3cretPw9", "Oth3rPw88"]"#,
    ]);
    let clean =
        everything().redact("passwords:\n  - S3cretPw9\n  - Oth3rPw88\nusers:\n  - web1\n").into_owned();
    assert!(clean.ends_with(">\nusers:\n  - web1\n"), "{clean}");
    all_stay(&["passwords:\n  - name: x\n", "passwords: [1, 2]", "tokens:\n  - web1\n"]);
}

#[test]
fn a_value_behind_a_tag_an_anchor_or_a_mark_goes() {
    all_go(&[
        "password: !vault S3cretPw9",
        "password: !!str S3cretPw9",
        "password: &pw S3cretPw9",
        "password: !vault |\n  0011aabb\n  0011aabb\n",
        "db_password = <<EOT\nS3cretPw9\nEOT\n",
        "db_password = <<-EOT\n  S3cretPw9\n  EOT\n",
        "array(1) {\n  [\"password\"]=>\n  string(9) \"S3cretPw9\"\n}",
    ]);
    let clean = everything().redact("password: !vault S3cretPw9\n").into_owned();
    assert!(clean.starts_with("password: !vault <password:"), "{clean}");
    all_stay(&["password: !Ref DbPassword", "password: !secret db_password"]);
}

#[test]
fn a_value_in_a_block_a_call_or_a_form_goes() {
    all_go(&[
        r#"{"password":{"value":"S3cretPw9"}}"#,
        r#"output "db_password" { value = "S3cretPw9" }"#,
        "variable \"db_password\" {\n  default = \"S3cretPw9\"\n}",
        "variable \"db_password\" {\n  type    = string\n  default = \"S3cretPw9\"\n}",
        r#"{"ParameterKey":"DBPassword","ParameterValue":"S3cretPw9"}"#,
        "ParameterKey=DBPassword,ParameterValue=S3cretPw9",
        r#"config.setPassword("S3cretPw9");"#,
        r#"builder.user("me").password("S3cretPw9").build()"#,
        "Content-Disposition: form-data; name=\"password\"\n\nS3cretPw9\n--x",
        "Content-Disposition: form-data; name=\"password\"\r\n\r\nS3cretPw9\r\n--x",
    ]);
    all_stay(&[
        "variable \"db_password\" {\n  type = string\n}",
        "setPassword(value) and getPassword()",
        "form-data; name=\"password\"\n\n",
    ]);
}

#[test]
fn the_value_of_a_column_goes() {
    all_go(&[
        "INSERT INTO users (name, password) VALUES ('bob', 'S3cretPw9')",
        "insert into users (password, name) values ('S3cretPw9', 'bob');",
        "INSERT INTO app.users (id, `password`, name) VALUES (42, 'S3cretPw9', 'bob')",
    ]);
    all_stay(&[
        "INSERT INTO users (name, password) VALUES (?, ?)",
        "CREATE TABLE users (name text, password text)",
        "INSERT INTO users (name, password) SELECT name, pw FROM old",
    ]);
}

#[test]
fn whatever_a_secret_of_kubernetes_has_goes_and_its_name_stays() {
    let head = "apiVersion: v1\n";
    let data = "data:\n  db.txt: UzNjcmV0UHc5IQ==\n  b: S3cretPw9\n";
    let kind = "kind: Secret\nmetadata:\n  name: web\n";
    for text in [
        format!("{head}{kind}{data}"),
        format!("{head}{data}{kind}"),
        format!("a: 1\n---\n{kind}{}", data.replacen("data", "stringData", 1)),
    ] {
        let clean = everything().redact(&text).into_owned();
        assert!(!clean.contains("S3cret") && clean.contains("  name: web\n"), "{clean}");
    }
    let other = format!("kind: ConfigMap\n{}---\n{kind}", "data:\n  a: web1\n");
    assert_eq!(everything().redact(&other), other);
}

#[test]
fn passwords_of_redis_and_of_pgpass_go() {
    all_go(&[
        "REDISCLI_AUTH=S3cretPw9 redis-cli ping",
        "user default on >S3cretPw9 ~* +@all",
        "127.0.0.1:6379> ACL SETUSER bob on >S3cretPw9",
        "db.example.com:5432:app:bob:S3cretPw9",
        "# host\nlocalhost:5432:app:bob:S3cretPw9\n",
    ]);
    all_stay(&["it goes on >here", "web1:5432:app", "connect to web1:5432: refused"]);
}
