//! Face one: the cloud over HTTP in real time, with an admin API beside it and the machines' model
//! servers on loopback addresses of their own.

mod admin;
mod machines;

pub use machines::serve_machines;

use std::convert::Infallible;

use bytes::Bytes;
use http::{Request, Response};
use tokio::net::TcpListener;

use crate::cvm::Fate;
use crate::face::{self, Reply, StandIn};
use crate::shared::SimCloud;

/// Answers on this listener for ever: `/_sim/…` is the admin API, everything else the cloud's.
pub async fn serve(listener: TcpListener, cloud: SimCloud) -> Infallible {
    face::serve(listener, cloud).await
}

impl StandIn for SimCloud {
    async fn answer(&self, request: Request<Bytes>) -> Reply {
        match self.call(request).await {
            Fate::Deliver(response) => Reply::Whole(response),
            Fate::Cut { response, keep } => Reply::cut(response, keep),
            Fate::Reset | Fate::Refused => Reply::Reset,
            Fate::Silence => Reply::Silence,
        }
    }

    fn admin(&self, request: &Request<Bytes>) -> Response<Bytes> {
        admin::answer(self, request)
    }
}
