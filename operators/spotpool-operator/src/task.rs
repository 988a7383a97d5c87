//! How the parts of one operator start work beside the reconciles and wake pools.
//!
//! Nothing is spawned onto the runtime: every future goes to [`crate::Operator::run`], which polls it
//! itself. Dropping that one future therefore stops everything at once, as a crash does.

use std::future::Future;

use futures::future::{BoxFuture, FutureExt};
use tokio::sync::mpsc;

use crate::ports::PoolKey;

/// A handle to start tasks and to wake pools.
#[derive(Clone)]
pub(crate) struct Tasks {
    start: mpsc::UnboundedSender<BoxFuture<'static, ()>>,
    wake: mpsc::UnboundedSender<PoolKey>,
}

/// The receiving ends, for the one who runs the operator.
pub(crate) struct Inbox {
    pub(crate) started: mpsc::UnboundedReceiver<BoxFuture<'static, ()>>,
    pub(crate) woken: mpsc::UnboundedReceiver<PoolKey>,
}

pub(crate) fn tasks() -> (Tasks, Inbox) {
    let (start, started) = mpsc::unbounded_channel();
    let (wake, woken) = mpsc::unbounded_channel();
    (Tasks { start, wake }, Inbox { started, woken })
}

impl Tasks {
    /// Starts a task. Lost when the operator is already gone.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let _ = self.start.send(task.boxed());
    }

    /// Asks for a pass over a pool, soon.
    pub(crate) fn wake(&self, pool: PoolKey) {
        let _ = self.wake.send(pool);
    }
}
