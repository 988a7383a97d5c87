//! `DescribeInstances`: whole listings, or an error.

use std::collections::{BTreeMap, BTreeSet};

use futures::stream::{self, StreamExt, TryStreamExt};
use tokio::time::Instant;

use crate::retry::Repeat;
use crate::send::{Answered, Call};
use crate::types::{DescribeInstances, Page, WirePage, filter};
use crate::{Action, Class, Error, Filter, HttpCvm, Instance, InstanceId, Listing, ServerTime};

const ACTION: Action = Action::DescribeInstances;
/// The largest `Limit`, and the most ids in one request.
const PAGE: usize = 100;
/// Requests of one look under way at a time.
const CONCURRENT: usize = 10;
/// 100,000 instances: more than any account holds in a region, so a total beyond it is a broken answer.
const MAX_PAGES: u64 = 1000;
/// The most values of one filter.
const MAX_VALUES: usize = 5;

impl HttpCvm {
    pub(crate) async fn list(&self, filters: &[Filter]) -> Result<Listing, Error> {
        filter::check(filters, MAX_VALUES).map_err(|what| Error::Invalid { action: ACTION, what })?;
        let deadline = Instant::now() + self.deadline;
        let mut scan = Scan::default();
        scan.add(self.page(filters, 0, deadline).await?)?;
        // The total may have grown while its pages were fetched: then there is another round.
        loop {
            let offsets = scan.plan()?;
            if offsets.is_empty() {
                return Ok(scan.look.listing());
            }
            let pages: Vec<_> = stream::iter(offsets)
                .map(|offset| self.page(filters, offset, deadline))
                .buffered(CONCURRENT)
                .try_collect()
                .await?;
            for page in pages {
                scan.add(page)?;
            }
        }
    }

    async fn page(
        &self,
        filters: &[Filter],
        offset: u64,
        deadline: Instant,
    ) -> Result<Answered<Page>, Error> {
        let body = DescribeInstances { instance_ids: &[], filters, offset, limit: PAGE as u64 };
        self.send(&read(&body, deadline)?, |wire: WirePage| {
            let page = Page::try_from(wire)?;
            let due = page.total.saturating_sub(offset).min(PAGE as u64);
            whole(&page, due)?;
            Ok(page)
        })
        .await
    }

    pub(crate) async fn list_by_id(&self, ids: &[InstanceId]) -> Result<Listing, Error> {
        let deadline = Instant::now() + self.deadline;
        let wanted: Vec<InstanceId> = ids.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
        let mut look = Look::default();
        let mut chunks: Vec<Vec<InstanceId>> = wanted.chunks(PAGE).map(<[_]>::to_vec).collect();
        while !chunks.is_empty() {
            let answers: Vec<_> = stream::iter(chunks)
                .map(|chunk| async move {
                    let answer = self.chunk(&chunk, deadline).await;
                    (chunk, answer)
                })
                .buffered(CONCURRENT)
                .collect()
                .await;
            chunks = Vec::new();
            for (mut chunk, answer) in answers {
                match answer {
                    Ok(page) => look.add(page),
                    // One id that the cloud does not know may fail the chunk it is in.
                    Err(error) if error.class() == Some(Class::Gone) => {
                        look.calls += 1;
                        if chunk.len() > 1 {
                            let right = chunk.split_off(chunk.len() / 2);
                            chunks.extend([chunk, right]);
                        }
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(look.listing())
    }

    async fn chunk(&self, ids: &[InstanceId], deadline: Instant) -> Result<Answered<Page>, Error> {
        let body = DescribeInstances { instance_ids: ids, filters: &[], offset: 0, limit: PAGE as u64 };
        self.send(&read(&body, deadline)?, |wire: WirePage| {
            let page = Page::try_from(wire)?;
            whole(&page, page.total)?;
            // If the cloud did not look for these ids, that one of them is missing proves nothing.
            if page.instances.iter().any(|instance| ids.binary_search(&instance.id).is_err()) {
                return Err("the answer has an instance that was not asked for".into());
            }
            Ok(page)
        })
        .await
    }
}

fn read(body: &DescribeInstances<'_>, deadline: Instant) -> Result<Call, Error> {
    Ok(Call {
        action: ACTION,
        body: body.body().map_err(|error| Error::NotSent { action: ACTION, source: error.into() })?,
        repeat: Repeat::Idempotent,
        timestamp: None,
        send_by: deadline,
        answer_by: Some(deadline),
    })
}

/// Total and list are of one moment, so a list that is shorter than its own total allows was cut. An entry that is
/// there twice does not stand for a missing one.
fn whole(page: &Page, due: u64) -> Result<(), String> {
    let got = page.instances.iter().map(|instance| &instance.id).collect::<BTreeSet<_>>().len() as u64;
    if got < due { Err(format!("the listing is cut: {got} instances where {due} are due")) } else { Ok(()) }
}

/// What one look has found so far.
#[derive(Default)]
struct Look {
    instances: BTreeMap<InstanceId, Instance>,
    server_time: Option<ServerTime>,
    calls: u32,
}

impl Look {
    fn add(&mut self, page: Answered<Page>) {
        self.calls += page.tries;
        // The shorter the round trip, the closer its Date is to the truth.
        self.server_time =
            [self.server_time, page.server_time].into_iter().flatten().min_by_key(|time| time.round_trip);
        self.instances.extend(page.value.instances.into_iter().map(|seen| (seen.id.clone(), seen)));
    }

    fn listing(self) -> Listing {
        Listing {
            instances: self.instances.into_values().collect(),
            server_time: self.server_time,
            calls: self.calls,
        }
    }
}

/// A look by pages.
#[derive(Default)]
struct Scan {
    look: Look,
    /// The largest total that any page gave.
    total: u64,
    /// Pages fetched or planned.
    pages: u64,
}

impl Scan {
    fn add(&mut self, page: Answered<Page>) -> Result<(), Error> {
        self.pages = self.pages.max(1);
        self.total = self.total.max(page.value.total);
        let full = page.value.instances.len() >= PAGE;
        let known = self.look.instances.len();
        self.look.add(page);
        // Instances move between pages while machines come and go, but never a hundred at once: a full page
        // without anything new is the same page again.
        if full && self.look.instances.len() == known {
            return Err(protocol("a full page repeats what other pages had".into()));
        }
        Ok(())
    }

    /// The offsets that the largest total asks for and that were not planned before.
    fn plan(&mut self) -> Result<Vec<u64>, Error> {
        let needed = self.total.div_ceil(PAGE as u64);
        if needed > MAX_PAGES {
            return Err(protocol(format!("a total of {} instances cannot be", self.total)));
        }
        let offsets = (self.pages..needed).map(|page| page * PAGE as u64).collect();
        self.pages = self.pages.max(needed);
        Ok(offsets)
    }
}

fn protocol(what: String) -> Error {
    Error::Protocol { action: ACTION, what, request_id: None }
}
