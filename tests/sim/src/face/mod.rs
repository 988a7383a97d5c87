//! What the HTTP faces of all stand-ins have in common: the server, how an answer may go wrong on the wire, the
//! script of what comes next, the record of what was asked, and the manners of the admin API under `/_sim/`.

pub mod admin;
mod record;
mod reply;
mod script;
mod server;

pub use record::{Record, Records};
pub use reply::{End, Piece, Reply};
pub use script::{Rule, Script};
pub use server::{StandIn, serve};
