#![doc = include_str!("../README.md")]

mod alphabet;
mod builder;
mod checks;
mod class;
mod classes;
mod drawn;
mod error;
mod find;
mod join;
mod key_value;
mod marks;
mod placeholder;
mod public;
mod random;
mod redactor;
mod rules;
mod runs;
mod scan;
mod seam;
mod shape;
mod stream;
mod sweep;
mod verify;
mod view;
mod words;
mod wrap;

pub use builder::{BIGGEST_PATTERN, LONGEST_PATTERN, MOST_PATTERNS, RedactorBuilder};
pub use class::{Class, Group};
pub use classes::classes;
pub use error::BuildError;
pub use find::Find;
pub use placeholder::{Id, Key};
pub use redactor::Redactor;
pub use stream::Stream;
