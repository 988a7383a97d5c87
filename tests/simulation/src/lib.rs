//! The operator's own code in simulated time: months of bad days in minutes, from one seed each.

pub mod contract;
pub mod store;
