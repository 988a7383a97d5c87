//! `DescribeAccountQuota`: whose account a key opens, and what it may still have.

use crate::types::WireAccountQuota;
use crate::{AccountQuota, Action, Error, HttpCvm};

impl HttpCvm {
    pub(crate) async fn account_quota(&self) -> Result<AccountQuota, Error> {
        let read = |wire: WireAccountQuota| Ok(AccountQuota::from(wire));
        self.ask(Action::DescribeAccountQuota, &[], read).await
    }
}
