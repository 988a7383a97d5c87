//! The rules that the simulation can take away one at a time, to see that each is needed.
//!
//! All on in `main`, with no flag and no environment to change that: a constructor argument only. What
//! goes wrong without each is told in `docs/simulation.md`.

/// Which rules hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // independent switches, each named for its rule
pub struct Guards {
    /// The attempt is written before RunInstances goes out.
    pub intent: bool,
    /// Pool and SpotInstances are read again, live, before a first attempt.
    pub second_look: bool,
    /// The attempt is written with compare-and-swap.
    pub attempt_cas: bool,
    /// A request leaves within 20 s of the time that it is signed with, or not at all.
    pub send_window: bool,
    /// An unknown outcome is sent again only after a look begun `resend_after` later.
    pub resend_wait: bool,
    /// An unknown outcome is forgotten only after a look begun `forget_after` later.
    pub forget_wait: bool,
    /// A SpotInstance whose pool is gone, leaving or another never launches.
    pub pool_check: bool,
    /// A second machine of the same name is recorded and terminated.
    pub twin: bool,
    /// A machine is terminated only after name and tags were read afresh.
    pub fresh_read: bool,
    /// A listing with a cut or failed page proves nothing.
    pub complete_sweep: bool,
    /// The finalizer goes only when the machine is proven gone.
    pub confirm_gone: bool,
}

impl Guards {
    /// Every rule holds.
    pub const ALL: Self = Self {
        intent: true,
        second_look: true,
        attempt_cas: true,
        send_window: true,
        resend_wait: true,
        forget_wait: true,
        pool_check: true,
        twin: true,
        fresh_read: true,
        complete_sweep: true,
        confirm_gone: true,
    };

    /// The names of the rules, as `cargo xtask simulate --without` takes them.
    pub const NAMES: [&'static str; 11] = [
        "intent",
        "second-look",
        "attempt-cas",
        "send-window",
        "resend-wait",
        "forget-wait",
        "pool-check",
        "twin",
        "fresh-read",
        "complete-sweep",
        "confirm-gone",
    ];

    /// Every rule but the named one; `None` when there is none of this name.
    pub fn without(name: &str) -> Option<Self> {
        let mut guards = Self::ALL;
        let switch = match name {
            "intent" => &mut guards.intent,
            "second-look" => &mut guards.second_look,
            "attempt-cas" => &mut guards.attempt_cas,
            "send-window" => &mut guards.send_window,
            "resend-wait" => &mut guards.resend_wait,
            "forget-wait" => &mut guards.forget_wait,
            "pool-check" => &mut guards.pool_check,
            "twin" => &mut guards.twin,
            "fresh-read" => &mut guards.fresh_read,
            "complete-sweep" => &mut guards.complete_sweep,
            "confirm-gone" => &mut guards.confirm_gone,
            _ => return None,
        };
        *switch = false;
        Some(guards)
    }
}

impl Default for Guards {
    fn default() -> Self {
        Self::ALL
    }
}
