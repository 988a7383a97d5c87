//! How often harmless text is taken for a secret.

use log_redact::{Group, Redactor};

use super::Row;
use super::logs::Logs;

pub(crate) fn measure(redactor: &Redactor, logs: &[Logs], show: bool) -> Row {
    let (mut tokens, mut wrong, mut masks) = (0, 0, 0);
    println!("\n{:<24} {:>8} {:>8} {:>8}", "logs", "tokens", "masks", "wrong");
    for set in logs {
        let finds = redactor.find(&set.text);
        let count = set.text.split(u8::is_ascii_whitespace).filter(|token| !token.is_empty()).count();
        // Addresses and names of machines and people do stand in these logs; nothing else does.
        let alarms: Vec<_> =
            finds.iter().filter(|find| find.group != Group::Network && find.class != "email").collect();
        println!("{:<24} {count:>8} {:>8} {:>8}", set.name, finds.len(), alarms.len());
        if show {
            for alarm in &alarms {
                println!("  {}: {}", alarm.class, String::from_utf8_lossy(&set.text[alarm.range.clone()]));
            }
        }
        tokens += count;
        wrong += alarms.len();
        masks += finds.len();
    }
    let share = 100.0 * wrong as f64 / tokens as f64;
    Row {
        what: "false alarms",
        measured: format!("{share:.4}% of {tokens} tokens ({wrong} of {masks} masks wrong)"),
        wanted: "<= 0.1%",
        reached: share <= 0.1,
    }
}
