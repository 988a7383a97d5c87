//! The plan alone: tables of what follows from what, and properties over a small model of pool and cloud.

#![cfg(test)]

mod accounts;
mod admission;
mod adoption;
mod advertised;
mod arrears;
mod attempts;
mod candidates;
mod edited;
mod farewells;
mod given;
mod health;
mod hostile;
mod launches;
mod model;
mod observed;
mod properties;
mod scaling;
mod secrets;
mod statuses;
