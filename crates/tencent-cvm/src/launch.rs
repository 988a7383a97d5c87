//! `RunInstances`: one request, whatever comes of it.

use tokio::time::Instant;

use crate::retry::Repeat;
use crate::send::Call;
use crate::types::Launched;
use crate::{Action, Error, HttpCvm, InstanceId, RunInstances, SendOptions};

impl HttpCvm {
    pub(crate) async fn launch(
        &self,
        request: &RunInstances,
        options: SendOptions,
    ) -> Result<Vec<InstanceId>, Error> {
        let action = Action::RunInstances;
        request.check().map_err(|what| Error::Invalid { action, what })?;
        let latest = Instant::now() + self.deadline;
        let call = Call {
            action,
            body: request.body(),
            repeat: Repeat::Never,
            timestamp: options.timestamp,
            send_by: options.not_after.map_or(latest, |not_after| latest.min(not_after)),
            // Once it is out, its answer is worth the whole timeout.
            answer_by: None,
        };
        Ok(self.send(&call, Launched::ids).await?.value)
    }
}
