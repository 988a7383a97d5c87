//! The operator's own code in simulated time: months of bad days in minutes, from one seed each.

pub mod access;
pub mod contract;
pub mod digest;
pub mod feed;
pub mod gate;
pub mod judge;
pub mod kind;
pub mod line;
pub mod nature;
pub mod process;
pub mod progress;
pub mod runner;
pub mod script;
pub mod seed;
pub mod site;
pub mod store;
pub mod trace;
pub mod truth;
pub mod weather;
pub mod world;
