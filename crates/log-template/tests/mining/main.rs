//! From lines to events, templates and values, through the public interface only.
#![cfg(test)]

mod bounds;
mod corpus;
mod events;
mod formats;
mod garbage;
mod labelled;
mod loghub;
mod messages;
mod order;
mod property;
mod score;
mod state;
mod statements;
mod streams;
mod uncaught;
mod union;
mod values;

use labelled::Set;
use log_template::{Miner, TemplateId};

/// The id of each line's template, after all of them were read.
fn ids<'l>(miner: &mut Miner, lines: impl IntoIterator<Item = &'l [u8]>) -> Vec<TemplateId> {
    let ids: Vec<TemplateId> = lines.into_iter().map(|line| miner.observe(line).template).collect();
    ids.into_iter().map(|id| miner.resolve(id)).collect()
}

/// The text of the template that `line` belongs to.
fn template_of(miner: &mut Miner, line: &str) -> String {
    let id = miner.observe(line.as_bytes()).template;
    miner.template(id).map(ToString::to_string).unwrap_or_default()
}

/// The labelled sets, or none where they are not at hand.
fn sets() -> Vec<Set> {
    labelled::sets().expect("sets that can be read")
}

/// Logs for what must hold of any: lines made up here, and the labelled sets where they are at hand.
fn logs() -> Vec<(String, Vec<Vec<u8>>)> {
    let sets = sets().into_iter().map(|set| (set.name.clone(), set.lines().map(<[u8]>::to_vec).collect()));
    std::iter::once(("made up".to_owned(), statements::mixed(2000))).chain(sets).collect()
}
