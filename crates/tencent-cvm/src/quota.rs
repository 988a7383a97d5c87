//! `DescribeAccountQuota`: whose the key is, and how much may be had.

use crate::types::WireAccountQuota;
use crate::{AccountQuota, Action, Error, HttpCvm};

impl HttpCvm {
    pub(crate) async fn account_quota(&self) -> Result<AccountQuota, Error> {
        self.ask(Action::DescribeAccountQuota, &[], WireAccountQuota::quota).await
    }
}
