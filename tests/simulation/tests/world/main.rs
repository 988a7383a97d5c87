//! The simulation's own promises.
#![cfg(test)]

mod judge;
mod machinery;
