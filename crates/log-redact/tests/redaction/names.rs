//! Names of keys that say a secret, those that say one only with a value that looks drawn, and tokens that say so themselves.

use crate::promises::everything;

#[test]
fn names_that_everyday_logs_have_too_say_a_secret_with_a_drawn_value() {
    const NAMES: &str = "sk ak SK deepseek_key dashscopeKey LLM_KEY MODEL_KEY ADMIN_KEY SERVICE_ROLE_KEY STORAGE_KEY \
        encrypt_key aesKey EncodingAESKey mchKey api_v3_key signKey unseal_key REDIS_AUTH creds connect.sid pswd";
    for name in NAMES.split_ascii_whitespace() {
        for line in [format!("{name}=kuhgras9Zm4Qx"), format!(r#"{{"{name}":"kuhgras9Zm4Qx"}}"#)] {
            let clean = everything().redact(&line).into_owned();
            assert!(!clean.contains("kuh") && !clean.contains("4Qx"), "{line} became {clean}");
        }
    }
    for line in [
        "task=kuhgras9Zm4Qx disk: kuhgras9Zm4Qx risk\": \"kuhgras9Zm4Qx\"",
        "model_key=gpt-4o-mini-2024-07-18 llm.key: claude-3-5-sonnet-20241022",
        "storage_key=users/123/avatar.png storageKey: shop-images",
        "sk: 12 ak=on \"sk\":\"shop\" sign_key=request_id admin_key: users:list",
        "redis-auth: connecting to cache; creds: loaded, encrypt-key: rotated",
        "security_code: invalid, recovery code sent, recovery_code: missing",
    ] {
        assert_eq!(everything().redact(line), line);
    }
}

#[test]
fn a_password_is_one_the_second_time_too() {
    for (line, secret) in [
        (r#"{"password"=>"kuhgras", "password_confirmation"=>"kuhgras"}"#, "kuhgras"),
        ("password_confirmation=kuhgras&x=1", "kuhgras"),
        ("passwordConfirm: kuhgras", "kuhgras"),
        ("connect.sid=s%3Akuhgras9-Zm4Qx", "kuhgras"),
        ("security_code=481516 recovery_code: kuh9-gras", "481516"),
        ("security_code=481516 recovery_code: kuh9-gras", "gras"),
    ] {
        let clean = everything().redact(line).into_owned();
        assert!(!clean.contains(secret), "{line} became {clean}");
    }
}

#[test]
fn tokens_of_services_are_found_by_their_form() {
    let hex = "0123456789abcdef0123456789abcdef";
    let small = "0123456789abcdefghijklmnopqrstuv".repeat(2);
    for (class, token) in [
        ("langfuse-secret-key", format!("sk-lf-{}", "01234567-89ab-4def-8123-456789abcdef")),
        ("neon-api-key", format!("napi_{small}")),
        ("zoho-token", format!("1000.{hex}.{hex}")),
        ("jenkins-api-token", format!("11{hex}")),
    ] {
        let clean = everything().redact(&format!("refused: {token}, again")).into_owned();
        assert!(clean.starts_with(&format!("refused: <{class}:")) && clean.ends_with(">, again"), "{clean}");
    }
    let text =
        "napi_set_property(env) sk-lf-your-secret-key-here pk-lf-01234567-89ab-4def-8123-456789abcdef 1000.5";
    assert_eq!(everything().redact(text), text);
}

#[test]
fn versions_prompts_and_declarations_stay() {
    for line in [
        "function signature: fn(a: i32) -> bool",
        r#""http-signature": "~1.2.0", "cookie": "^0.4.0", "cookie": "0.7.2", "csrf-token": ">=1.0.2 <2.0.0","#,
        "New password: Retype new password: ",
        "Password: Confirm password: ",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
    ] {
        assert_eq!(everything().redact(line), line);
    }
    for line in ["password: Retype", "cookie: sid=0.4.0x", "tcp/52.1.0.7", "http://52.0.0.0/"] {
        assert_ne!(everything().redact(line), line);
    }
}
