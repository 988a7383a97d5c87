//! Words of which no value consists: what programs do, how things are, and what they run out of.
//!
//! `failed to create pod` and `failed to delete pod` are two statements however often a log has both, and whoever is told
//! of new templates wants to hear of the second. Values come from data, which seldom says such words; where it does,
//! there are as many templates as words, and no more.

use crate::lex::{Kind, is_chinese_word};

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

/// No word of them is longer, with its ending.
const LONGEST: usize = 20;

/// Whether the piece at `place` is one of them, and no name. `at` tells the kind and the text of a piece.
pub(crate) fn is_fixed<'t>(place: usize, at: impl Fn(usize) -> (Kind, &'t [u8])) -> bool {
    let (kind, word) = at(place);
    if kind != Kind::Word {
        return false;
    }
    let before = |count: usize| place.checked_sub(count).map(&at);
    let noun = match before(1) {
        Some((Kind::Mark, b"=")) => before(2),
        other => other,
    };
    let is_named = noun.is_some_and(|(kind, noun)| {
        kind == Kind::Word && NAMED.iter().any(|named| noun.eq_ignore_ascii_case(named))
    });
    is_known(word, is_named) || is_chinese_word(word)
}

/// Whether `word`, in small letters but for the first, is one of them; of names only one with an ending.
fn is_known(word: &[u8], is_name: bool) -> bool {
    let mut letters = [0; LONGEST];
    let Some(lower) = letters.get_mut(..word.len()) else { return false };
    lower.copy_from_slice(word);
    let Some((first, rest)) = lower.split_first_mut() else { return false };
    first.make_ascii_lowercase();
    if !first.is_ascii_lowercase() || !rest.iter().all(u8::is_ascii_lowercase) {
        return false;
    }
    str::from_utf8(lower).is_ok_and(|word| {
        let is_bare = || DONE.binary_search(&word).is_ok() || BEING.binary_search(&word).is_ok();
        !is_name && is_bare() || has_ending(word)
    })
}

/// Whether `word` is one of [`DONE`] with an ending.
fn has_ending(word: &str) -> bool {
    let is_base = |base: &str| DONE.binary_search(&base).is_ok();
    let ending =
        |ending: &str, is_form: &dyn Fn(&str) -> bool| word.strip_suffix(ending).is_some_and(is_form);
    // `create`, `created`, `creating`; `stop`, `stopped`, `stopping`; `retry`, `retries`, `retried`.
    let doubled = |stem: &str| {
        let once = &stem[..stem.len().saturating_sub(1)];
        once.as_bytes().last() == stem.as_bytes().last() && is_base(once)
    };
    let with_e = |stem: &str| is_base(stem) || is_base(&format!("{stem}e")) || doubled(stem);
    let with_y = |stem: &str| is_base(&format!("{stem}y"));
    ending("s", &is_base)
        || ending("es", &is_base)
        || ending("ies", &with_y)
        || ending("ied", &with_y)
        || ending("ed", &with_e)
        || ending("ing", &with_e)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_sorted_and_every_form_of_a_word_is_found() {
        assert!(DONE.is_sorted() && BEING.is_sorted());
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
            assert!(is_known(word.as_bytes(), false), "{word}");
        }
        for word in ["", "anna", "web", "CREATE", "create7", "créé", "s", "ed", "aaaaaaaaaaaaaaaaaaaaaaaaa"]
        {
            assert!(!is_known(word.as_bytes(), false), "{word}");
        }
        assert!(is_known(b"created", true), "`user created` is no name");
        assert!(!is_known(b"backup", true));
    }
}
