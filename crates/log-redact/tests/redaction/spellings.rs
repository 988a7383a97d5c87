//! Where people write secrets, and where they do not.

use crate::promises::everything;

#[test]
fn a_secret_is_found_however_it_is_written() {
    for (line, secret) in [
        ("DB_PASS=kuh3gras", "kuh3gras"),
        ("export SMTP_PASS='kuh gras'", "kuh gras"),
        (r#"{"user":"me","pass":"kuhgras"}"#, "kuhgras"),
        ("redis.pass: kuh3gras", "kuh3gras"),
        ("smtpPass=kuhgras", "kuhgras"),
        ("it is set to smtpPass: kuh3gras now", "kuh3gras"),
        ("  smtpPass: 'kuh gras'", "kuh gras"),
        ("smtpPass：kuh3gras。", "kuh3gras"),
        ("SMTPPASS=kuhgras", "kuhgras"),
        ("deploy --smtppass kuhgras --wait", "kuhgras"),
        ("refused: Bearer xVdcQPkWzTbNqRmLsHgFjDvCyAaB", "xVdcQP"),
        ("app.conf: OC4yNy4zNC40Ng==", "OC4yNy4z"),
        ("<smtpPass>kuhgras</smtpPass>", "kuhgras"),
        ("- name: smtpPass\n  value: \"kuhgras\"\n", "kuhgras"),
        ("失败，dbPass为kuh3gras；", "kuh3gras"),
        ("CREATE USER 'me'@'%' IDENTIFIED BY 'kuh gras'", "kuh gras"),
        ("ALTER USER me WITH PASSWORD 'kuh gras';", "kuh gras"),
        ("ENCRYPTION_KEY=0011aabbccddeeff0011", "0011aabb"),
        ("signing-key: 0011aabbccddeeff0011", "0011aabb"),
        ("RAILS_MASTER_KEY=0011aabbccddeeff0011", "0011aabb"),
        ("secret_id=00000000-0000-4000-8000-00aabbccddee", "00aabbccddee"),
        (r#"{"auths":{"https://docker.example":{"auth":"bWU6a3VoZ3Jhcw=="}}}"#, "bWU6a3VoZ3Jhcw"),
        ("postgres://app:kuh/3gras@db/app", "3gras"),
        ("amqp://app:ku?h#gras@mq.example:5672/", "gras@"),
        ("password=[Kuh9!gras", "Kuh9"),
        (r#""password":"<Kuh9k!2""#, "Kuh9"),
        ("Driver={PostgreSQL};PWD={kuh;gr4s!}", "gr4s"),
        ("//npm.example/:_auth=bWU6a3VoZ3Jhcw==", "bWU6a3VoZ3Jhcw"),
        ("ALTER USER me IDENTIFIED WITH caching_sha2_password BY 'kuh gras'", "kuh gras"),
        ("SET PASSWORD FOR me = PASSWORD('kuh gras')", "kuh gras"),
        ("requirepass kuhgras", "kuhgras"),
        ("uri ldap://ldap\nbindpw kuhgras", "kuhgras"),
        ("LDAP_BIND_PW=kuhgras admin_pw=x", "kuhgras"),
        (r#"{"X-Api-Key":["kuhgras1"],"Host":["shop"]}"#, "kuhgras1"),
        (r#"{"Cookie":["sid=kuhgras1"]}"#, "kuhgras1"),
        ("map[Host:[shop] X-Api-Key:[kuhgras1]]", "kuhgras1"),
        ("您的密码是：kuhgras1", "kuhgras1"),
        ("登录密码「kuh gras」", "kuh gras"),
        ("秘钥：kuhgras9abcd 私钥=kuhgras9abcd", "kuhgras9"),
        ("短信验证码为481516，5分钟内有效", "481516"),
        ("otp=481516&user=me", "481516"),
        ("Connect-VIServer -Server db -User me -Password kuhgras", "kuhgras"),
        (r#"the key's passphrase "kuhgras" is wrong"#, "kuhgras"),
        (r#"db.main: password: "alt" => "kuhgras""#, "kuhgras"),
        ("用户名 admin 密码 kuhgras9", "kuhgras9"),
        ("machine shop.example login me password kuhgras", "kuhgras"),
        ("machine shop.example\n  login me\n  password kuhgras\n", "kuhgras"),
        ("> CONFIG SET requirepass kuhgras", "kuhgras"),
        ("CONFIG SET requirepass \"kuh gras\"", "kuh gras"),
        (r#"{"key":"password","val":"kuhgras"}"#, "kuhgras"),
        (r#"{"name":"DB_PASSWORD","value":"kuhgras"}"#, "kuhgras"),
        ("EnvVar{Name:DB_PASSWORD,Value:kuhgras9,ValueFrom:nil,}", "kuhgras9"),
        ("- name: DB_PASSWORD\n  value: kuhgras\n", "kuhgras"),
        (r#"{"key":"db.password","value":{"stringValue":"kuhgras"}}"#, "kuhgras"),
        (r#"args: ["--db-password", "kuhgras", "--x"]"#, "kuhgras"),
        ("  - --requirepass\n  - kuhgras\n", "kuhgras"),
        (r#"  ~ password     = "alt" -> "kuhgras""#, "kuhgras"),
        ("the admin password has been set to kuhgras9", "kuhgras9"),
        ("A temporary password is generated for root@localhost: kuh!gras9", "kuh!gras9"),
        (r#"Credentials { password: Some("kuhgras") }"#, "kuhgras"),
        (r#"<property name="connection.password">kuhgras</property>"#, "kuhgras"),
        ("<Password><![CDATA[kuhgras9]]></Password>", "kuhgras9"),
        ("DB_PASSWORD        kuhgras9", "kuhgras9"),
        ("LDAP_BINDPASS=kuhgras postgrespass=grasmann", "grasmann"),
        ("DB_PASS=481516 redisPass=kuhgras userPwd: grasmann", "481516"),
        ("DB_PASS=481516 redisPass=kuhgras userPwd: grasmann", "grasmann"),
        ("db-pass=kuhgras db.pass=kuhgras passwd2=grasmann key-passphrase: kuhgras", "gras"),
        (r#"{"rootPw":"kuhgras","DB_PW":"grasmann"}"#, "gras"),
        ("\u{1b}[3msmtpPass\u{1b}[0m\u{1b}[2m=\u{1b}[0mkuhgras", "kuhgras"),
    ] {
        let clean = everything().redact(line);
        assert!(!clean.contains(secret), "{line} became {clean}");
    }
}

#[test]
fn what_only_looks_like_a_key_stays() {
    for line in [
        "bypass=yes compass=north",
        "pass: 3, fail: 0",
        "first pass=2 done",
        "Unexpected token 'export'",
        r#"{"auth":"none"}"#,
        r#"{"auth":"enabled","mode":"basic"}"#,
        "1st-pass: 1024 bytes",
        "token: [hello, world]",
        "password={name} token: (none) secret=[REDACTED] password: <password>",
        r#"secret: {"kind":"opaque"}"#,
        "http://host:8080/a@b/c",
        "http://shop/users?mail=me@b/c",
        "PWD=/srv/runner2/work OLDPWD=/ pwd: /srv/me",
        r#""password"=>"[FILTERED]" secret="(redacted)" pad_token='[PAD]'"#,
        "print_info: EOS token = 151645 '<|im_end|>'",
        "time per output token: 12.3ms, first_token=0.123 s",
        "synced secret=\"kube-system/web-tls2\" Secret: default/web-tls",
        "Accepted publickey for me: ED25519 SHA256:k3Jq9XvB2mZt7RwY5cLp8NdHs4GfQa6Ek3Jq9XvB2mZ",
        r#""integrity": "sha512-k3Jq9XvB2mZt7RwY5cLp8NdHs4GfQa6Ek3Jq9XvB2mZt7RwY5cLp8NdHs4GfQa6E""#,
        "https://x-access-token:***@git.example/shop.git",
        "Cloning into 'shop' from git@git.example.com:team/shop.git, ssh://git@git.example.com/team/shop.git",
        "postgres://app:xxxxx@db.example.com/app",
        "scp root@web1.example.com:/srv/a .",
        "renderPass=shadow first_pass=12ms lastPass: 2026-01-02 computePass: 3 passes=3 passwords=3",
        "pass=1 fail=0 passed: 3, --- PASS: TestCart (0.00s)",
        "usage: tool [--password PASSWORD] [--db-password DB_PASSWORD]; --password requires a value",
        "密码错误 密码长度不足 8 位 验证码：已发送 验证码错误",
        "Erlang/OTP: 26 erts otp=26 {\"otp\":\"26.2.1\"}",
        "Connect-VIServer -Password $password -Server db",
        "machine learning login password reset; login me password required",
        r#"{"name":"DB_PASSWORD","valueFrom":{"secretKeyRef":{"name":"db","key":"password"}}}"#,
        "DB_PASSWORD  <set to the key 'password' in secret 'db'>",
        "- --password\n- --user\n",
    ] {
        assert_eq!(everything().redact(line), line);
    }
}

#[test]
fn a_password_in_an_address_is_one_whatever_the_host_is_called() {
    let redactor = everything();
    let ids = ["db", "db.example.com"].map(|host| {
        let finds = redactor.find(format!("postgres://app:kuhgras@{host}:5432/app").as_bytes());
        let password = finds.iter().find(|find| find.class == "url-password").map(|find| find.id);
        assert!(finds.iter().all(|find| find.class != "email"), "{finds:?}");
        password.expect(host)
    });
    assert_eq!(ids[0], ids[1]);
}
