//! A stand-in for the webhooks of Feishu: custom bots, and the triggers of flows.
//!
//! It is exact about the rules around a message (signatures, keywords, rates, size, the properties of cards) and about
//! the ways in which Feishu refuses one. What it took, it draws as a page, as credulously as it can: whatever a client
//! might take for a link, a mention or markup is one there.

mod admin;
mod bot;
mod card;
mod page;
mod play;
mod rate;
mod refusal;
mod signature;
mod stand_in;

pub use bot::{Bot, Settings, Throttle};
pub use play::Play;
pub use refusal::Refusal;
pub use stand_in::SimFeishu;
