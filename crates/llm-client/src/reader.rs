//! A stream being read: bytes in, events out, until the answer or the time is at its end.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, stream};
use tokio::time::{Instant, timeout_at};

use crate::budget::SetAside;
use crate::decode::Decoder;
use crate::send::{Job, MAX_ANSWER};
use crate::{BodyStream, ChatStream, Error, Event};

/// How long what may come behind a finished answer is waited for: the count, and `[DONE]`.
const AFTER_FINISH: Duration = Duration::from_secs(2);

pub(crate) struct Reader {
    job: Arc<Job>,
    body: BodyStream,
    set_aside: Option<SetAside>,
    /// `None` once the stream has ended.
    decoder: Option<Decoder>,
    read: usize,
    /// When the endpoint said why the answer ends, or when the last of it came if that was later.
    finished: Option<Instant>,
    /// Events that were read and not yet handed out.
    ready: VecDeque<Event>,
    /// What comes after them, when they came with the piece in which the answer failed.
    failure: Option<Error>,
}

impl Reader {
    pub(crate) fn new(job: Arc<Job>, body: BodyStream, set_aside: Option<SetAside>) -> Self {
        Self {
            job,
            body,
            set_aside,
            decoder: Some(Decoder::default()),
            read: 0,
            finished: None,
            ready: VecDeque::new(),
            failure: None,
        }
    }

    /// Waits for the first event; an error before it is the call's, and one behind it the stream's.
    pub(crate) async fn open(mut self, by: Instant) -> Result<ChatStream, Error> {
        self.fill(by).await?;
        let service = Arc::clone(&self.job.call.service);
        Ok(ChatStream::new(service, stream::unfold(Some(self), Self::step)))
    }

    /// The next event, and the reader if there may be more.
    async fn step(reader: Option<Self>) -> Option<(Result<Event, Error>, Option<Self>)> {
        let mut reader = reader?;
        let until = reader.job.until;
        match reader.fill(until).await {
            Ok(()) => reader.ready.pop_front().map(|event| (Ok(event), Some(reader))),
            Err(error) => Some((Err(error), None)),
        }
    }

    /// Reads until an event is ready, or the stream has ended.
    async fn fill(&mut self, by: Instant) -> Result<(), Error> {
        while self.ready.is_empty() {
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
            if self.decoder.is_none() {
                return Ok(());
            }
            let piece = self.piece(by).await?;
            self.take(piece.as_ref())?;
        }
        Ok(())
    }

    /// The next piece; `None` at the end. Once the answer is finished nothing can fail that has to come.
    async fn piece(&mut self, by: Instant) -> Result<Option<Bytes>, Error> {
        let by_then = self.finished.map_or(by, |at| by.min(at + AFTER_FINISH));
        match timeout_at(by_then, self.body.next()).await {
            Ok(Some(Ok(piece))) => Ok(Some(piece)),
            Ok(None) => Ok(None),
            _ if self.finished.is_some() => Ok(None),
            Ok(Some(Err(source))) => Err(self.job.broken(source)),
            Err(_) => Err(self.job.late(by)),
        }
    }

    /// Adds what a piece, or the end, brings to what is ready.
    fn take(&mut self, piece: Option<&Bytes>) -> Result<(), Error> {
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        let mut deltas = Vec::new();
        let pushed = match piece {
            Some(piece) => {
                self.read += piece.len();
                if self.read > MAX_ANSWER {
                    return Err(self.job.too_large(MAX_ANSWER));
                }
                decoder.push(piece, &mut deltas)
            }
            None => Ok(()),
        };
        if decoder.is_finished() && (self.finished.is_none() || !deltas.is_empty()) {
            self.finished = Some(Instant::now());
        }
        let ended = piece.is_none() || decoder.has_ended();
        let answer = pushed.and_then(|()| {
            self.decoder.take_if(|_| ended).map(|decoder| decoder.finish(&mut deltas)).transpose()
        });
        self.ready.extend(deltas.into_iter().map(Event::Delta));
        let completed = answer.map_err(|error| self.job.failed_midway(error)).and_then(|answer| {
            answer.map(|answer| self.job.completion(answer, &mut self.set_aside)).transpose()
        });
        match completed {
            Ok(completion) => {
                self.ready.extend(completion.map(|completion| Event::Done(Box::new(completion))));
            }
            Err(error) => {
                self.decoder = None;
                self.failure = Some(error);
            }
        }
        Ok(())
    }
}
