//! The simulation's own promises.
#![cfg(test)]

mod canary;
mod command;
mod judge;
mod machinery;
mod stage;
mod troubles;
