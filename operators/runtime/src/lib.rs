//! The process around an operator, the same for every operator of this repository: telemetry, HTTP
//! endpoints, leadership, shutdown and the arguments for them.
//!
//! [`Shell::run`] puts them in order. Nothing here knows what an operator does.

pub mod args;
pub mod client;
pub mod health;
pub mod http;
pub mod leader;
pub mod shell;
pub mod shutdown;
pub mod telemetry;

pub use args::ProcessArgs;
pub use health::Health;
pub use shell::{Shell, ShellError};
