//! What a person sets once for the whole operator, and the windows that follow from it.

use std::time::Duration;

/// Settings of one operator process.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who this cluster is: machines and SpotInstances of another are never touched.
    pub cluster_id: String,
    /// From the start of one sweep to the start of the next.
    pub sweep_interval: Duration,
    /// The longest time that a new machine may be missing from listings.
    pub visibility_window: Duration,
    /// Namespace of the operator itself, for Events about machines that have no pool.
    pub operator_namespace: String,
}

/// The bounds of the launch protocol. All follow from the visibility window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Windows {
    /// The longest lag of listings.
    pub visibility: Duration,
    /// How long after its recorded time a request may still leave.
    pub send: Duration,
    /// How long after its recorded time an unanswered attempt may be sent again.
    pub resend_after: Duration,
    /// How long after the last attempt an unanswered one may be forgotten.
    pub forget_after: Duration,
    /// How long after it was recorded a machine's absence proves that it is gone.
    pub gone_after: Duration,
}

const SEND: Duration = Duration::from_secs(20);
const LONGEST_DELAY: Duration = Duration::from_secs(30);
const SIGNATURE_LIFE: Duration = Duration::from_secs(300);
const CLOCKS: Duration = Duration::from_secs(5);

impl Windows {
    /// The windows for a visibility window; with 60 s they are 20, 120, 420 and 65 s.
    pub fn new(visibility: Duration) -> Self {
        Self {
            visibility,
            send: SEND,
            // 115 s at 60 s, and 5 s of slack
            resend_after: SEND + LONGEST_DELAY + visibility + CLOCKS + Duration::from_secs(5),
            // 365 s at 60 s, and 55 s of slack
            forget_after: SIGNATURE_LIFE + visibility + CLOCKS + Duration::from_secs(55),
            gone_after: visibility + CLOCKS,
        }
    }
}

impl Settings {
    /// The bounds that follow.
    pub fn windows(&self) -> Windows {
        Windows::new(self.visibility_window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_windows_are_the_documented_ones() {
        let windows = Windows::new(Duration::from_secs(60));
        assert_eq!(windows.send, Duration::from_secs(20));
        assert_eq!(windows.resend_after, Duration::from_secs(120));
        assert_eq!(windows.forget_after, Duration::from_secs(420));
        assert_eq!(windows.gone_after, Duration::from_secs(65));
    }
}
