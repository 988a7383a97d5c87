//! `DescribeInstances`: whole listings, or an error.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::stream::{self, StreamExt, TryStreamExt};
use tokio::time::Instant;

use crate::retry::Repeat;
use crate::send::{Answered, Call};
use crate::types::{DescribeInstances, Page, WirePage, filter};
use crate::{Action, Class, Error, Filter, HttpCvm, Instance, InstanceId, Listing, ServerTime};

const ACTION: Action = Action::DescribeInstances;
/// The largest `Limit`, and the most ids in one request.
const PAGE: usize = 100;
/// Requests of one look under way at a time: half of what the cloud takes in a second.
const CONCURRENT: usize = 20;
/// 100,000 instances: more than any account holds in a region, so a total beyond it is a broken answer.
const MAX_PAGES: u64 = 1000;
/// Looks by so many different filters are remembered.
const LAST_LOOKS: usize = 16;
/// The most values of one filter.
const MAX_VALUES: usize = 5;

impl HttpCvm {
    pub(crate) async fn list(&self, filters: &[Filter]) -> Result<Listing, Error> {
        filter::check(filters, MAX_VALUES).map_err(|what| Error::Invalid { action: ACTION, what })?;
        let scan = self.scan(filters, self.last_looks.take(filters)).await?;
        self.last_looks.put(filters, scan.needed());
        Ok(scan.look.listing())
    }

    /// Asks for so many pages at once, and for those that turn out to be missing.
    async fn scan(&self, filters: &[Filter], pages: u64) -> Result<Scan, Error> {
        let deadline = Instant::now() + self.deadline;
        let mut scan = Scan::default();
        let mut offsets = scan.plan(pages);
        // The total may have grown while its pages were fetched: then there is another round.
        while !offsets.is_empty() {
            let pages: Vec<_> = stream::iter(offsets)
                .map(|offset| self.page(filters, offset, deadline))
                .buffered(CONCURRENT)
                .try_collect()
                .await?;
            for page in pages {
                scan.add(page)?;
            }
            offsets = scan.plan(scan.needed());
        }
        Ok(scan)
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
    /// Pages planned, and but for the last round fetched.
    pages: u64,
}

impl Scan {
    fn add(&mut self, page: Answered<Page>) -> Result<(), Error> {
        self.total = self.total.max(page.value.total);
        if self.needed() > MAX_PAGES {
            return Err(protocol(format!("a total of {} instances cannot be", self.total)));
        }
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

    /// The pages that the largest total asks for.
    fn needed(&self) -> u64 {
        self.total.div_ceil(PAGE as u64)
    }

    /// The offsets of so many pages, but of those that were planned before.
    fn plan(&mut self, pages: u64) -> Vec<u64> {
        let offsets = (self.pages..pages).map(|page| page * PAGE as u64).collect();
        self.pages = self.pages.max(pages);
        offsets
    }
}

/// How many pages the latest whole look with some filters had, so that the next one need not wait for its first page
/// to learn that. It is no more than a guess: too many cost a call, too few another round.
#[derive(Default)]
pub(crate) struct LastLooks(Mutex<BTreeMap<Vec<Filter>, u64>>);

impl LastLooks {
    /// At least one. Forgotten until the look has ended well: of a cloud that refuses it is enough to hear it once.
    fn take(&self, filters: &[Filter]) -> u64 {
        self.lock().remove(filters).unwrap_or(1)
    }

    fn put(&self, filters: &[Filter], pages: u64) {
        let mut looks = self.lock();
        if pages > 1 && looks.len() < LAST_LOOKS {
            looks.insert(filters.to_vec(), pages);
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Vec<Filter>, u64>> {
        // Nothing panics while it is held, and a guess is a guess.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn protocol(what: String) -> Error {
    Error::Protocol { action: ACTION, what, request_id: None }
}
