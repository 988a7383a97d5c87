//! The table of classes. Where two classes fit the same text, the one that comes first here names it.

mod chat;
mod cloud;
mod forge;
mod generic;
mod hosting;
mod messaging;
mod model;
mod observability;
mod payment;
mod personal;
mod registry;
mod secret_store;

use crate::alphabet::Alphabet;
use crate::class::{Class, KeyName};
use crate::shape::Part;

const TABLE: [&[Class]; 12] = [
    cloud::CLASSES,
    forge::CLASSES,
    registry::CLASSES,
    chat::CLASSES,
    messaging::CLASSES,
    payment::CLASSES,
    model::CLASSES,
    hosting::CLASSES,
    observability::CLASSES,
    secret_store::CLASSES,
    generic::CLASSES,
    personal::CLASSES,
];

/// All classes that this crate knows, the more special ones first.
pub fn classes() -> impl Iterator<Item = &'static Class> {
    TABLE.into_iter().flatten()
}

pub(crate) fn by_name(name: &str) -> Option<&'static Class> {
    classes().find(|class| class.name == name)
}

const fn exactly(alphabet: Alphabet, length: u16) -> Part {
    Part::Run(alphabet, length, length)
}

const fn between(alphabet: Alphabet, least: u16, most: u16) -> Part {
    Part::Run(alphabet, least, most)
}

const fn literal(text: &'static str) -> Part {
    Part::Literal(text)
}

const fn key(suffix: &'static str) -> KeyName {
    KeyName { suffix, with: "" }
}

/// A key of this name, if it also names its owner.
const fn key_of(with: &'static str, suffix: &'static str) -> KeyName {
    KeyName { suffix, with }
}
