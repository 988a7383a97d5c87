//! `DescribeZoneInstanceConfigInfos`: what is sold where.

use crate::types::{WireOffers, filter};
use crate::{Action, Error, Filter, HttpCvm, Offer};

const ACTION: Action = Action::DescribeZoneInstanceConfigInfos;
/// The most values of one filter.
const MAX_VALUES: usize = 100;

impl HttpCvm {
    pub(crate) async fn offers(&self, filters: &[Filter]) -> Result<Vec<Offer>, Error> {
        filter::check(filters, MAX_VALUES).map_err(|what| Error::Invalid { action: ACTION, what })?;
        self.ask(ACTION, filters, WireOffers::offers).await
    }
}
