//! spotpool-operator: keeps pools of spot machines filled, whatever the cloud takes back.
//!
//! A library, so that the simulation runs the very code that the binary ships. Start at [`operator`]
//! (what runs), then [`plan`] (what is decided).

pub mod adapters;
pub mod crd;
pub mod guards;
pub mod ports;
pub mod rbac;
pub mod settings;

pub use guards::Guards;
pub use settings::{Settings, Windows};
