//! Paging and following against a Loki in memory, which is as unhelpful as the real one is allowed to be.

#![cfg(test)]

mod clock;
mod following;
mod logql;
mod model;
mod paging;
mod parking;
mod standstill;
