#![cfg(test)]
//! What the crate promises, seen from outside.

mod clean;
mod commands;
mod configured;
mod drawn;
mod escapes;
mod hostile;
mod kubernetes;
mod more_spellings;
mod names;
mod next_line;
mod promises;
mod spellings;
mod stable;
