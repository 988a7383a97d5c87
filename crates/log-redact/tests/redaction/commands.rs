//! Passwords that only a program's flag, or its place behind a word, gives away.

use crate::promises::everything;

#[test]
fn what_a_programs_flag_says_is_a_password_goes() {
    for (line, secret) in [
        ("mysql -uroot -pkuhgras shop", "kuhgras"),
        ("exec: mysqldump -u root -pkuhgras --all-databases > dump.sql", "kuhgras"),
        ("/usr/bin/mysqladmin -u root -p'kuh gras' ping", "kuh gras"),
        ("mariadb-dump -uroot -p\"kuhgras9\" shop", "kuhgras9"),
        ("curl -u admin:kuhgras http://shop/health", "kuhgras"),
        ("curl -sSu 'admin:kuh gras' http://shop", "kuh gras"),
        ("curl -k -X POST -uadmin:kuhgras http://shop", "kuhgras"),
        ("curl -s --user admin:kuhgras --proxy-user me:grasmann http://shop", "kuhgras"),
        ("curl -s --user admin:kuhgras --proxy-user me:grasmann http://shop", "grasmann"),
        ("curl -H 'Host: a' \\\n  -u admin:kuhgras http://shop", "kuhgras"),
        ("sshpass -p kuhgras ssh root@db", "kuhgras"),
        ("sshpass -p'kuhgras' scp a b:c", "kuhgras"),
        ("redis-cli -h redis -a kuhgras ping", "kuhgras"),
        ("redis-cli --pass kuhgras ping", "kuhgras"),
        ("Readiness probe failed: command \"redis-cli -a kuhgras ping\" timed out", "kuhgras"),
        (r#"["redis-cli","-a","kuhgras","ping"]"#, "kuhgras"),
        (r#"{"cmd":"[\"redis-cli\",\"-a\",\"kuhgras\"]"}"#, "kuhgras"),
        ("Command '['mysqldump', '-u', 'root', '-pkuhgras', 'shop']' returned 2", "kuhgras"),
        ("docker login -u me -p kuhgras registry.example", "kuhgras"),
        ("helm registry login -u me -p kuhgras registry.example", "kuhgras"),
        ("az login --service-principal -u app -p kuhgras9 --tenant t", "kuhgras9"),
        ("mongodump --host db -u me -p kuhgras --authenticationDatabase admin", "kuhgras"),
        ("ldapsearch -x -D cn=admin,dc=shop -w kuhgras -b dc=shop", "kuhgras"),
        ("sqlcmd -S db -U sa -P kuhgras", "kuhgras"),
        ("openssl rsa -in a -passin pass:kuhgras", "kuhgras"),
        ("etcdctl --user root:kuhgras get x", "kuhgras"),
        ("keytool -list -storepass kuhgras -keypass grasmann", "grasmann"),
        ("rabbitmqctl -n mq add_user me kuhgras", "kuhgras"),
        ("sqlplus me/kuhgras@db", "kuhgras"),
        ("smbclient -U me%kuhgras //srv/share", "kuhgras"),
        ("ConvertTo-SecureString 'kuhgras9' -AsPlainText -Force", "kuhgras9"),
        ("docker exec db sh -c \"mysql -pkuhgras\" && curl -u me:grasmann x", "grasmann"),
        ("http -a bob:kuhgras GET http://shop", "kuhgras"),
        ("ipmitool -H bmc -U me -P kuhgras power status", "kuhgras"),
        ("mosquitto_pub -h mq -u me -P kuhgras -t a -m b", "kuhgras"),
        ("7z a -pkuhgras a.7z b", "kuhgras"),
        ("lftp -u bob,kuhgras sftp://srv", "kuhgras"),
        ("mc alias set l http://m admin kuhgras", "kuhgras"),
        ("gh secret set DB_PASSWORD --body kuhgras", "kuhgras"),
        ("AUTH kuhgras9", "kuhgras9"),
        ("AUTH default kuhgras9", "kuhgras9"),
        (r#"1767322800.123 [0 10.0.0.1:5000] "AUTH" "default" "kuhgras""#, "kuhgras"),
        ("C: AUTH PLAIN AGttZQBrdWhncmFzOQ==", "AGttZQ"),
    ] {
        let clean = everything().redact(line);
        assert!(!clean.contains(secret), "{line} became {clean}");
        assert_eq!(everything().redact(&clean), clean, "again");
    }
}

#[test]
fn what_stands_before_the_secret_stays() {
    let clean =
        everything().redact("curl -u admin:kuhgras http://shop && mysql -uroot -pgrasmann").into_owned();
    let (before, rest) = clean.split_once("<password:").expect("found");
    assert_eq!(before, "curl -u admin:");
    assert!(rest.contains("> http://shop && mysql -uroot -p<password:"), "{clean}");
}

#[test]
fn flags_of_other_programs_and_commands_without_a_password_stay() {
    for line in [
        "curl -u user http://shop",
        "curl -u \"$USER:$PASS\" -u ${USER}:${PASS} -u me:%PASS% -u me:$pass http://shop",
        "mysql -p shop -P 3306",
        "mysqld_safe -p/x",
        "docker run -p 8080:80 -u 1000:1000 nginx",
        "docker login -u me -p $PASS registry.example",
        "docker login -u me --password-stdin",
        "ssh -p 2222 web1 && mkdir -p /srv/mysql && psql -p 5432 -U me",
        "redis-cli -p 6379 -n 0 ping",
        "redis-cli -a $REDIS_PASSWORD ping; redis-cli -a \"$(cat /run/secrets/pw)\" ping",
        "sshpass -f /run/secrets/pw ssh web1; sshpass: command not found",
        "ldapsearch -x -W -D cn=admin,dc=shop -b dc=shop",
        "openssl rsa -in a -passin env:PW",
        "rabbitmqctl add_user me",
        "http -v GET http://shop; https -h; ipmitool -H bmc power status; lftp -u bob srv",
        "7z a a.7z b && mc alias list l && gh secret set NAME < file",
        "AUTH failed",
        "AUTH required, see RFC2554bis",
        "250-AUTH PLAIN LOGIN CRAM-MD5 XOAUTH2",
        "ERR Client sent AUTH, but no password is set",
    ] {
        assert_eq!(everything().redact(line), line);
    }
}
