//! The order of lines, and how they are cut into calls, decides nothing that matters.

use log_template::Miner;

use crate::score::rand_index;

/// Moves one line of twenty to a place up to fifty lines away.
fn shuffled(count: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    let mut state = 11_u64;
    let mut next = |most: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 33) as usize % most
    };
    for _ in 0..count / 20 {
        let from = next(count);
        let to = (from + 50).saturating_sub(next(101)).min(count - 1);
        let line = order.remove(from);
        order.insert(to, line);
    }
    order
}

#[test]
fn lines_that_overtake_each_other_are_grouped_the_same() {
    for (name, lines) in crate::logs() {
        let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
        let expected = crate::ids(&mut Miner::default(), lines.iter().copied());
        let order = shuffled(lines.len());
        let found = crate::ids(&mut Miner::default(), order.iter().map(|&line| lines[line]));
        let expected: Vec<_> = order.iter().map(|&line| expected[line]).collect();
        let index = rand_index(&found, &expected);
        assert!(index >= 0.99, "{name}: {index}");
    }
}

#[test]
fn a_line_is_grouped_the_same_with_carriage_return_and_trailing_blanks() {
    for (name, lines) in crate::logs() {
        let plain = crate::ids(&mut Miner::default(), lines.iter().map(Vec::as_slice));
        let ended: Vec<Vec<u8>> = lines.iter().map(|line| [line, &b" \r"[..]].concat()).collect();
        assert_eq!(crate::ids(&mut Miner::default(), ended.iter().map(Vec::as_slice)), plain, "{name}");
    }
}
