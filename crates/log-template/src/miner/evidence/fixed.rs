//! Words of which no value consists: what programs do, how things are, and what they run out of.
//!
//! `failed to create pod` and `failed to delete pod` are two statements however often a log has both, and whoever is told
//! of new templates wants to hear of the second. Values come from data, which seldom says such words; where it does,
//! there are as many templates as words, and no more.

use std::sync::LazyLock;

use crate::lex::{Kind, is_chinese_word, word_hash};
use crate::miner::keyed::Keyed;

/// In their base form, sorted. The forms in `-s`, `-d`, `-ed` and `-ing` count as well.
#[rustfmt::skip]
const DONE: &[&str] = &[
    "abort", "accept", "acquire", "activate", "add", "admit", "advertise", "allocate", "allow", "announce",
    "append", "apply", "approve", "assign", "attach", "authenticate", "authorize", "backup", "begin", "bind",
    "block", "boot", "broadcast", "cache", "calculate", "call", "cancel", "change", "check", "claim", "clean",
    "clear", "clone", "close", "collect", "commit", "compact", "compare", "compile", "complete", "compress",
    "compute", "configure", "confirm", "connect", "consume", "convert", "copy", "cordon", "create", "deactivate",
    "deallocate", "decode", "decompress", "decrypt", "delete", "deliver", "demote", "deny", "deploy", "dequeue",
    "deregister", "deserialize", "detach", "detect", "disable", "discard", "disconnect", "discover", "dispatch",
    "downgrade", "download", "drain", "drop", "dump", "eject", "elect", "emit", "enable", "encode", "encrypt",
    "end", "enqueue", "establish", "evict", "exceed", "execute", "exit", "expand", "expire", "export", "extend",
    "extract", "fail", "fence", "fetch", "find", "finish", "flush", "fork", "format", "forward", "free", "freeze",
    "fsync", "generate", "get", "grant", "halt", "handle", "hang", "heartbeat", "ignore", "import", "index",
    "initialize", "insert", "inspect", "install", "invalidate", "invoke", "join", "kill", "launch", "leave", "link",
    "list", "listen", "load", "lock", "login", "logout", "lose", "map", "mark", "merge", "migrate", "mkdir",
    "modify", "monitor", "mount", "move", "negotiate", "notify", "obtain", "open", "overflow", "overwrite", "parse",
    "patch", "pause", "perform", "ping", "poll", "post", "prepare", "probe", "process", "produce", "promote",
    "propagate", "provision", "prune", "publish", "pull", "purge", "push", "query", "quit", "read", "reassign",
    "rebalance", "reboot", "rebuild", "receive", "reclaim", "reconcile", "reconnect", "record", "recover",
    "redirect", "reduce", "refresh", "refuse", "register", "reject", "release", "reload", "remount", "remove",
    "rename", "renew", "repair", "replace", "replay", "replicate", "report", "request", "reserve", "reset",
    "resize", "resolve", "respond", "restart", "restore", "resume", "retrieve", "retry", "return", "revert",
    "revoke", "rollback", "rotate", "route", "run", "save", "scale", "scan", "schedule", "seek", "send",
    "serialize", "set", "shrink", "shutdown", "sign", "skip", "sleep", "snapshot", "spawn", "start", "stat", "step",
    "stop", "store", "submit", "subscribe", "succeed", "suspend", "swap", "switch", "sync", "synchronize",
    "terminate", "throttle", "touch", "transfer", "transition", "translate", "trigger", "truncate", "unbind",
    "unblock", "uninstall", "unlink", "unlock", "unmap", "unmount", "unregister", "unsubscribe", "unwatch",
    "update", "upgrade", "upload", "validate", "verify", "wait", "wake", "watch", "withdraw", "write",
];

/// Sorted.
#[rustfmt::skip]
const BEING: &[&str] = &[
    "absent", "active", "alive", "available", "bad", "began", "blocked", "bound", "broke", "broken", "built",
    "busy", "chosen", "connection", "connections", "corrupt", "cpu", "critical", "dead", "degraded", "descriptors",
    "dirty", "disk", "down", "driven", "empty", "error", "exhausted", "failure", "failures", "files", "follower",
    "forbidden", "found", "frozen", "full", "gone", "good", "handles", "healthy", "heap", "held", "high", "hung",
    "idle", "inactive", "incomplete", "inconsistent", "inodes", "intact", "invalid", "kept", "late", "leader",
    "learner", "left", "live", "lost", "low", "mailboxes", "memory", "missing", "normal", "offline", "ok", "online",
    "orphan", "overdue", "overloaded", "partial", "pending", "permanent", "ports", "present", "processes", "quota",
    "ran", "reachable", "ready", "refused", "rejected", "running", "semaphores", "sent", "shut", "slots", "slow",
    "sockets", "space", "stable", "stack", "stale", "standby", "started", "stolen", "stopped", "stuck", "success",
    "successful", "successfully", "taken", "temporary", "threads", "thrown", "timeout", "took", "unable",
    "unauthorized", "unavailable", "unbound", "unhealthy", "unknown", "unreachable", "unready", "unresponsive",
    "unstable", "unsuccessful", "up", "valid", "warning", "written", "wrote",
];

/// Behind these stands a name, which may be any word: `invalid user backup`, `user=deploy`.
const NAMED: &[&[u8]] = &[
    b"user",
    b"username",
    b"login",
    b"account",
    b"group",
    b"role",
    b"host",
    b"hostname",
    b"name",
    b"named",
    b"called",
];

/// All forms by their hashes, and whether each has an ending. Every word that is learnt is looked up several times.
static FORMS: LazyLock<Keyed<u64, bool>> = LazyLock::new(forms);

/// Whether the piece at `place` is one of them, and no name. `at` tells the kind and the text of a piece.
pub(crate) fn is_fixed<'t>(place: usize, at: impl Fn(usize) -> (Kind, &'t [u8])) -> bool {
    let (kind, word) = at(place);
    if kind != Kind::Word {
        return false;
    }
    let before = |count: usize| place.checked_sub(count).map(&at);
    let is_named = || {
        let noun = match before(1) {
            Some((Kind::Mark, b"=")) => before(2),
            other => other,
        };
        noun.is_some_and(|(kind, noun)| {
            kind == Kind::Word && NAMED.iter().any(|named| noun.eq_ignore_ascii_case(named))
        })
    };
    is_known(word, is_named) || !word.is_ascii() && is_chinese_word(word)
}

/// Whether `word`, in small letters but for the first, is one of them; of names only one with an ending.
fn is_known(word: &[u8], is_name: impl FnOnce() -> bool) -> bool {
    FORMS.get(&word_hash(word)).is_some_and(|&has_ending| has_ending || !is_name())
}

fn forms() -> Keyed<u64, bool> {
    let mut forms = Keyed::default();
    let mut add = |form: &str, has_ending: bool| {
        let capital = form[..1].to_ascii_uppercase() + &form[1..];
        forms.insert(word_hash(form.as_bytes()), has_ending);
        forms.insert(word_hash(capital.as_bytes()), has_ending);
    };
    BEING.iter().chain(DONE).for_each(|word| add(word, false));
    for base in DONE {
        let (stem, last) = base.split_at(base.len() - 1);
        // `stops`, `flushes`, `opened`, `opening`; `created`, `creating`; `retries`, `retried`; `stopped`, `stopping`.
        let mut endings = vec![(*base, "s"), (base, "es"), (base, "ed"), (base, "ing")];
        match last {
            "e" => endings.extend([(stem, "ed"), (stem, "ing")]),
            "y" => endings.extend([(stem, "ies"), (stem, "ied")]),
            _ => {}
        }
        endings.iter().for_each(|(stem, ending)| add(&format!("{stem}{ending}"), true));
        ["ed", "ing"].iter().for_each(|ending| add(&format!("{base}{last}{ending}"), true));
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_and_every_form_of_a_word_is_found() {
        assert!(DONE.is_sorted() && BEING.is_sorted(), "to be read, and none twice");
        for word in [
            "create",
            "Created",
            "creating",
            "stopped",
            "retries",
            "retried",
            "flushes",
            "unhealthy",
            "memory",
        ] {
            assert!(is_known(word.as_bytes(), || false), "{word}");
        }
        for word in ["", "anna", "web", "CREATE", "create7", "créé", "s", "ed", "aaaaaaaaaaaaaaaaaaaaaaaaa"]
        {
            assert!(!is_known(word.as_bytes(), || false), "{word}");
        }
        assert!(is_known(b"created", || true), "`user created` is no name");
        assert!(!is_known(b"backup", || true));
    }
}
