//! spotpool-operator: keeps pools of spot machines filled, whatever the cloud takes back.
//!
//! A library, so that the simulation runs the very code that the binary ships. Start at [`operator`]
//! (what runs), then [`plan`] (what is decided).

mod act;
pub mod adapters;
pub mod blame;
pub mod cloud_time;
pub mod clouds;
pub mod conditions;
mod core;
pub mod crd;
mod flights;
pub mod guards;
pub mod identity;
mod keys;
mod market;
pub mod metrics;
mod observe;
pub mod operator;
mod orphans;
mod owners;
pub mod plan;
pub mod ports;
mod press;
pub mod probes;
pub mod rbac;
mod reminders;
pub mod settings;
pub mod span;
pub mod status;
pub mod sweep;
mod task;
mod tell;
mod terminations;
mod traces;
pub mod valid;
mod wake;

pub use clouds::HttpClouds;
pub use core::Ports;
pub use guards::Guards;
pub use metrics::Metrics;
pub use operator::{Next, Operator, ReconcileError};
pub use settings::{Settings, Windows};
