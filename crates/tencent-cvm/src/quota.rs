//! `DescribeAccountQuota`: whose account a key opens, and what it may still have.

use bytes::Bytes;
use tokio::time::Instant;

use crate::retry::Repeat;
use crate::send::Call;
use crate::types::WireAccountQuota;
use crate::{AccountQuota, Action, Error, HttpCvm};

const ACTION: Action = Action::DescribeAccountQuota;

impl HttpCvm {
    pub(crate) async fn account_quota(&self) -> Result<AccountQuota, Error> {
        let deadline = Instant::now() + self.deadline;
        let call = Call {
            action: ACTION,
            body: Bytes::from_static(b"{}"),
            repeat: Repeat::Idempotent,
            timestamp: None,
            send_by: deadline,
            answer_by: Some(deadline),
        };
        let answer = self.send(&call, |wire: WireAccountQuota| Ok(AccountQuota::from(wire))).await?;
        Ok(answer.value)
    }
}
