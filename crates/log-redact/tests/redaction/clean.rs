//! Lines of programs of many kinds, made up after their formats, with nothing in them that has to go.

use log_redact::Redactor;

use crate::promises::everything;

const LINES: &str = r#"
2026-01-02 03:04:05 status half-installed librtmp1:amd64 2.4+20151223.gitfa8646d.1-2+b2
Jan  2 03:04:05 web1 systemd[1]: session-42.scope: Deactivated successfully. Consumed 1h 2min 3.456s CPU time.
I0102 03:04:05.123456   12345 reflector.go:351] Caches populated for *v1.Secret from k8s.io/client-go/informers/factory.go:160
{"level":"info","ts":"2026-01-02T03:04:05.123Z","caller":"etcdserver/server.go:2144","msg":"published","local-member-id":"8e9e05c52164694d"}
2026-01-02 03:04:05.123 UTC [1234] LOG:  checkpoint complete: wrote 42 buffers (0.3%); write=1.234 s, sync=0.001 s
2026-01-02T03:04:05.123456Z 0 [System] [MY-010931] [Server] mysqld: ready for connections. Version: '8.0.36'  port: 3306
1:M 02 Jan 2026 03:04:05.123 * 10000 changes in 60 seconds. Saving...
[2026-01-02 03:04:05,123] INFO [GroupCoordinator 1]: Stabilized group shop generation 42 (__consumer_offsets-17)
pulled sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 in 1.2s, 20260102030405 bytes
commit 3f786850e387550fdab836ed7e6dc881de23001b of refs/heads/main, parent 89e6c98d92887913cadf06b2adb97f26cde4849b
trace 4bf92f3577b34da6a3ce929d0e0e4736 span 00f067aa0ba902b7 took 1767322800123 ns, until 1767322800123456
Failed password for invalid user admin from port 4711 ssh2
token expired, password incorrect, secret not found, api key missing, session closed
the pods secret-reader-7d4b9c6f5-x2x9z and token-cleaner-5bc8 are running; secret default/tls has 3 keys
reading 5 secrets from namespace kube-system, tokens used: 1523, max_tokens=4096, prompt_tokens: 812
usage: app --password-file /run/secrets/db --token-ttl 3600 --secret-name web
password=${DB_PASSWORD} token: <redacted> secret=******** api_key=None
Bearer authentication is required; basic auth is disabled; cookie banner shown
std::collections::HashMap<K, V>::insert at /rustc/59807616e1fa2540724bfbac14d7976d7e4a3860/library/std/src/map.rs:42:7
0x7f3c9a0012ab kernel: BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable, 16384-16400 of 4294967296
order 4711 of 2026-01-02 was shipped as 00340434161094042557, 3 parcels, 12-34-56, version 1.2.3-4+deb12u1
"#;

#[test]
fn lines_with_nothing_to_hide_stay_as_they_are() {
    let redactor = Redactor::new().unwrap();
    for line in LINES.lines() {
        assert_eq!(redactor.redact(line), line);
    }
    assert_eq!(redactor.redact(LINES), LINES, "together");
}

/// Lines of systemd, of databases, of tools and of single words that once were taken for something else.
const KEPT: &str = include_str!("../harmless/lines.txt");

#[test]
fn what_was_once_a_false_alarm_stays_as_it_is() {
    let redactor = Redactor::new().unwrap();
    let changed: Vec<_> = KEPT.lines().filter(|line| redactor.redact(line) != *line).collect();
    let shown: Vec<_> = changed.iter().map(|line| redactor.redact(line)).collect();
    assert!(shown.is_empty(), "{shown:#?}");
    assert_eq!(redactor.redact(KEPT), KEPT, "together");
}

/// Texts of two and three lines, with `%%` between them: lines of other programs below a secret, below a key without a
/// value, below a count. Where a line says `SECRET`, one of [`SECRETS`] stands.
const TEXTS: &str = include_str!("../harmless/texts.txt");

const SECRETS: [&str; 9] = [
    "DB_PASSWORD=S3cretPw9x",
    "password: S3cretPw9x",
    "export TOKEN=abcDEF123456",
    "api_key: abcDEF123456xyzXYZ",
    "signature=0123456789abcdef0123456789abcdef",
    "cannot use AKLTEXAMPLEexample1234",
    "Authorization: Bearer abcDEF0123456789abcDEF",
    "Cookie: sid=abcDEF123456",
    "mail of bob@example.com",
];

#[test]
fn lines_are_redacted_together_as_they_are_alone() {
    for redactor in [Redactor::new().unwrap(), everything()] {
        let mut changed = Vec::new();
        for text in TEXTS.split("\n%%\n") {
            let secrets = if text.starts_with("SECRET") { &SECRETS[..] } else { &[""] };
            for text in secrets.iter().map(|secret| text.trim_end().replacen("SECRET", secret, 1)) {
                let alone: Vec<_> = text.lines().map(|line| redactor.redact(line)).collect();
                for line_break in ["\n", "\r\n", "\n    "] {
                    let text = text.replace('\n', line_break) + line_break;
                    let alone = alone.join(line_break) + line_break;
                    let together = redactor.redact(&text);
                    if together != alone {
                        changed.push(format!("{text:?} became {together:?}"));
                    }
                }
            }
        }
        assert!(changed.is_empty(), "{changed:#?}");
    }
}
