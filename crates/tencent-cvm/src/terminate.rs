//! `TerminateInstances`: every id gets an answer of its own.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::stream::{self, StreamExt};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::retry::Repeat;
use crate::send::Call;
use crate::{Action, Class, Error, HttpCvm, InstanceId};

const ACTION: Action = Action::TerminateInstances;
/// The most ids in one request.
const CHUNK: usize = 100;
/// Requests of one call under way at a time.
const CONCURRENT: usize = 4;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TerminateInstances<'a> {
    instance_ids: &'a [InstanceId],
}

/// The answer holds its own id and nothing else.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Accepted {
    request_id: Option<String>,
}

impl HttpCvm {
    pub(crate) async fn terminate(&self, ids: &[InstanceId]) -> Vec<(InstanceId, Result<(), Error>)> {
        let deadline = Instant::now() + self.deadline;
        let mut unique = ids.to_vec();
        unique.sort();
        unique.dedup();
        let mut answers: BTreeMap<InstanceId, Result<(), Error>> = BTreeMap::new();
        let mut batches: Vec<Vec<InstanceId>> = unique.chunks(CHUNK).map(<[_]>::to_vec).collect();
        while !batches.is_empty() {
            let results: Vec<_> = stream::iter(batches)
                .map(|batch| async move {
                    let result = self.terminate_batch(&batch, deadline).await;
                    (batch, result)
                })
                .buffered(CONCURRENT)
                .collect()
                .await;
            batches = Vec::new();
            for (mut batch, result) in results {
                match result {
                    Ok(()) => answers.extend(batch.into_iter().map(|id| (id, Ok(())))),
                    Err(error) if batch.len() > 1 && concerns_members(&error) => {
                        let right = batch.split_off(batch.len() / 2);
                        batches.extend([batch, right]);
                    }
                    Err(error) if error.class() == Some(Class::Gone) => {
                        answers.extend(batch.into_iter().map(|id| (id, Ok(()))));
                    }
                    Err(error) => {
                        let errors = error.for_each_of(batch.len());
                        answers.extend(batch.into_iter().zip(errors.into_iter().map(Err)));
                    }
                }
            }
        }
        in_order(ids, answers)
    }

    async fn terminate_batch(&self, ids: &[InstanceId], deadline: Instant) -> Result<(), Error> {
        let body = serde_json::to_vec(&TerminateInstances { instance_ids: ids })
            .map_err(|error| Error::NotSent { action: ACTION, source: error.into() })?;
        let call = Call {
            action: ACTION,
            body: Bytes::from(body),
            repeat: Repeat::Idempotent,
            timestamp: None,
            send_by: deadline,
            answer_by: Some(deadline),
        };
        self.send(&call, |accepted: Accepted| match accepted.request_id {
            Some(_) => Ok(()),
            // An empty object is no promise.
            None => Err("the answer has no RequestId".into()),
        })
        .await
        .map(|_| ())
    }
}

/// Whether a batch was refused because of some of its members, so that the others deserve a try without them.
fn concerns_members(error: &Error) -> bool {
    matches!(error.class(), Some(Class::Gone | Class::Wait | Class::Forbidden))
}

/// One entry for each id asked for, also for one asked for twice.
fn unanswered() -> Error {
    Error::Protocol {
        action: Action::TerminateInstances,
        what: "this id got no answer".to_owned(),
        request_id: None,
    }
}

fn in_order(
    ids: &[InstanceId],
    mut answers: BTreeMap<InstanceId, Result<(), Error>>,
) -> Vec<(InstanceId, Result<(), Error>)> {
    let mut times: BTreeMap<&InstanceId, usize> = BTreeMap::new();
    for id in ids {
        *times.entry(id).or_default() += 1;
    }
    let mut copies: BTreeMap<&InstanceId, Vec<Result<(), Error>>> = times
        .into_iter()
        .map(|(id, n)| {
            let copies = match answers.remove(id) {
                Some(Err(error)) => error.for_each_of(n).into_iter().map(Err).collect(),
                Some(Ok(())) => (0..n).map(|_| Ok(())).collect(),
                // Every id is asked for and answered; should one ever not be, silence is no consent.
                None => (0..n).map(|_| Err(unanswered())).collect(),
            };
            (id, copies)
        })
        .collect();
    ids.iter().filter_map(|id| Some((id.clone(), copies.get_mut(id)?.pop()?))).collect()
}
