//! A state is saved and loaded without a trace, or refused.

use log_template::{LoadError, Miner};
use proptest::prelude::*;

use crate::statements::mixed;

#[test]
fn a_loaded_miner_goes_on_as_if_nothing_had_happened() {
    let lines = mixed(3000);
    for cut in [0, 1, 17, 300, 1024, 2999] {
        let mut whole = Miner::default();
        let mut first = Miner::default();
        for line in &lines[..cut] {
            whole.observe(line);
            first.observe(line);
        }
        let mut second = Miner::load(&first.save()).expect("its own state");
        assert_eq!(second.lines(), cut as u64);
        for line in &lines[cut..] {
            assert_eq!(whole.observe(line), second.observe(line));
            assert_eq!(whole.merges(), second.merges());
        }
        assert_eq!(whole.save(), second.save());
    }
}

#[test]
fn lines_are_grouped_the_same_across_a_restart_after_any_of_them() {
    for (name, lines) in crate::logs() {
        let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
        let mut whole = Miner::default();
        let expected = crate::ids(&mut whole, lines.iter().copied());
        for cut in (0..lines.len()).step_by(991) {
            let mut miner = Miner::default();
            let mut ids: Vec<_> = lines[..cut].iter().map(|line| miner.observe(line).template).collect();
            let mut miner = Miner::load(&miner.save()).expect("its own state");
            ids.extend(lines[cut..].iter().map(|line| miner.observe(line).template));
            let ids: Vec<_> = ids.into_iter().map(|id| miner.resolve(id)).collect();
            assert_eq!(ids, expected, "{name} cut at {cut}");
            assert_eq!(miner.save(), whole.save());
        }
    }
}

fn state() -> Vec<u8> {
    let mut miner = Miner::default();
    for line in mixed(200) {
        miner.observe(&line);
    }
    miner.save()
}

#[test]
fn a_state_of_something_else_or_of_another_format_is_refused_by_name() {
    assert_eq!(Miner::load(b"").err(), Some(LoadError::NotAState));
    assert_eq!(Miner::load(b"{\"templates\": []}").err(), Some(LoadError::NotAState));
    let mut state = state();
    state[8] ^= 0x40;
    assert!(matches!(Miner::load(&state), Err(LoadError::Format { found, expected }) if found != expected));
}

#[test]
fn a_state_that_was_cut_or_changed_anywhere_is_refused() {
    let state = state();
    for end in 0..state.len() {
        assert!(Miner::load(&state[..end]).is_err(), "cut at {end}");
    }
    let mut longer = state.clone();
    longer.push(0);
    assert_eq!(Miner::load(&longer).err(), Some(LoadError::Damaged));
    for place in (0..state.len()).step_by(7) {
        let mut changed = state.clone();
        changed[place] ^= 1;
        assert!(Miner::load(&changed).is_err(), "changed at {place}");
    }
}

/// `content` with a head that fits it, as only somebody with bad intentions would make.
fn forged(content: &[u8]) -> Vec<u8> {
    let mut bytes = state()[..12].to_vec();
    bytes.extend_from_slice(&(content.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(content).to_le_bytes());
    bytes.extend_from_slice(content);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn a_forged_state_is_refused_or_harmless(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut content = state()[24..].to_vec();
        for (place, byte) in changes {
            let place = place.index(content.len());
            content[place] = byte;
        }
        if let Ok(mut miner) = Miner::load(&forged(&content)) {
            for line in mixed(300) {
                let id = miner.observe(&line).template;
                let template = miner.template(id).map(ToString::to_string);
                prop_assert!(template.is_some() || miner.resolve(id) == id);
            }
            let mut other = Miner::default();
            other.absorb(&miner);
            miner.absorb(&other);
            prop_assert!(Miner::load(&miner.save()).is_ok());
        }
    }
}
