//! Publishes Events beside everything else, in order, so that no pass waits for an API server that takes its time
//! with them. Whether one arrives is of no consequence: it stands in the log as well.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use crate::core::{Core, lock};
use crate::ports::Event;

/// So many may wait; then the oldest are dropped.
const WAITING: usize = 1000;
/// One takes no longer than this.
const AT_MOST: Duration = Duration::from_secs(5);

/// The Events that are to be published.
#[derive(Default)]
pub(crate) struct Press {
    waiting: Mutex<VecDeque<Event>>,
    more: Notify,
    done: Notify,
}

impl Press {
    pub(crate) fn take(&self, event: Event) {
        let mut waiting = lock(&self.waiting);
        if waiting.len() >= WAITING {
            waiting.pop_front();
        }
        waiting.push_back(event);
        drop(waiting);
        self.more.notify_one();
    }

    /// Waits until nothing is left to publish.
    pub(crate) async fn is_through(&self) {
        loop {
            let done = self.done.notified();
            if lock(&self.waiting).is_empty() {
                return;
            }
            done.await;
        }
    }
}

/// Publishes for ever.
pub(crate) async fn run(core: Arc<Core>) {
    let press = &core.press;
    loop {
        let next = lock(&press.waiting).front().cloned();
        let Some(event) = next else {
            press.done.notify_waiters();
            press.more.notified().await;
            continue;
        };
        let published = timeout(AT_MOST, core.ports.store.publish(&event)).await;
        if !matches!(published, Ok(Ok(()))) {
            tracing::debug!(reason = event.reason, "event not published");
        }
        let mut waiting = lock(&press.waiting);
        // Unless too many came in between and it was dropped.
        if waiting.front() == Some(&event) {
            waiting.pop_front();
        }
    }
}
