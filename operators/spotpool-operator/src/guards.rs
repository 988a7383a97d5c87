//! The rules that the simulation can take away one at a time, to see that each is needed.
//!
//! All on in `main`, with no flag and no environment to change that: a constructor argument only. What
//! goes wrong without each is told in `docs/simulation.md`.

/// One line per rule: the struct, its names and the switch by name are made from the same list.
macro_rules! guards {
    ($($(#[doc = $doc:literal])+ $field:ident = $name:literal,)+) => {
        /// Which rules hold.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(clippy::struct_excessive_bools)] // independent switches, each named for its rule
        pub struct Guards {
            $($(#[doc = $doc])+ pub $field: bool,)+
        }

        impl Guards {
            /// Every rule holds.
            pub const ALL: Self = Self { $($field: true,)+ };

            /// The names of the rules, as `cargo xtask simulate --without` takes them.
            pub const NAMES: &'static [&'static str] = &[$($name,)+];

            /// Every rule but the named one; `None` when there is none of this name.
            pub fn without(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self { $field: false, ..Self::ALL }),)+
                    _ => None,
                }
            }
        }
    };
}

guards! {
    /// The attempt is written before RunInstances goes out.
    intent = "intent",
    /// Pool and SpotInstances are read again, live, before a first attempt.
    second_look = "second-look",
    /// The attempt is written with compare-and-swap.
    attempt_cas = "attempt-cas",
    /// A request leaves within 20 s of the time that it is signed with, or not at all.
    send_window = "send-window",
    /// An unknown outcome is sent again only after a look begun `resend_after` later.
    resend_wait = "resend-wait",
    /// An unknown outcome is forgotten only after a look begun `forget_after` later.
    forget_wait = "forget-wait",
    /// A SpotInstance whose pool is gone, leaving or another never launches.
    pool_check = "pool-check",
    /// A second machine of the same name is recorded and terminated.
    twin = "twin",
    /// A machine is terminated only after name and tags were read afresh.
    fresh_read = "fresh-read",
    /// A listing with a cut or failed page proves nothing.
    complete_sweep = "complete-sweep",
    /// The finalizer goes only when the machine is proven gone.
    confirm_gone = "confirm-gone",
    /// Looks at one account say nothing about machines that were asked for in another.
    own_account = "own-account",
    /// Nothing is launched or terminated for a paused pool.
    pause = "pause",
    /// A pool that is to keep its machines takes none with it.
    keep_machines = "keep-machines",
    /// Only a machine that nobody answers for is taken over.
    adopt_unclaimed = "adopt-unclaimed",
    /// A machine that stands still until somebody pays is not lost.
    arrears = "arrears",
    /// The Secret of a pool's key is held while a SpotInstance needs it.
    hold_secret = "hold-secret",
    /// What was refused is not asked for again at once.
    back_off = "back-off",
    /// What the cloud advertises counts until a refusal shows that it is not so.
    probe_once = "probe-once",
    /// A machine that does not answer goes only when another one has answered since.
    evidence = "evidence",
    /// Machines that do not answer go one at a time.
    one_at_a_time = "one-at-a-time",
    /// Machines that never answer are replaced so often and no more.
    boot_breaker = "boot-breaker",
    /// The one that is started beside silent machines keeps its place until somebody answers.
    beside = "beside",
    /// What is too many goes in an order: what does not serve before what does, the youngest first.
    victim_order = "victim-order",
    /// Nothing is asked for from a spec that the pool has no more.
    outdated = "outdated",
    /// Nothing is launched in a namespace that is being deleted.
    leaving_namespace = "leaving-namespace",
    /// A machine that serves and is deleted by hand goes only when enough others serve.
    replacement_first = "replacement-first",
}

impl Default for Guards {
    fn default() -> Self {
        Self::ALL
    }
}
