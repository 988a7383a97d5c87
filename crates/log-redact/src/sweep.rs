//! One pass over the bytes of a text that finds what has no word to watch for: long runs, numbers, addresses.
//!
//! Comes in: a text. Goes out: calls of the code that looks closer, at the few places where that is worth while.
//! What is asked of 64 bytes at once is a necessary condition only.

use std::ops::Range;

use crate::marks::{Marks, WIDTH, places};
use crate::runs::{SHORTEST_GROUP, SHORTEST_RUN};
use crate::scan::Scan;
use crate::verify::{address, mail};

impl Scan<'_> {
    /// Looks at all that begins in `accept`.
    pub(crate) fn sweep(&mut self, accept: &Range<usize>) {
        let rules = self.rules;
        let mut next = Marks::at(self.text, accept.start);
        // What goes on from before the range begins with the range.
        let mut last = Marks::default();
        let mut from = accept.start;
        while from < accept.end {
            let here = next;
            next = Marks::at(self.text, from + WIDTH);
            let within = within(accept.end - from);
            let look = |bits: fn(&Marks) -> u64| Bits {
                here: u128::from(bits(&next)) << WIDTH | u128::from(bits(&here)),
                last: bits(&last) >> (WIDTH - 1) == 1,
            };

            let base64 = look(|marks| marks.base64);
            for place in places(base64.runs(SHORTEST_RUN) & within) {
                self.long_run(from + place, base64.run_length(place), accept.end);
            }
            let digits = look(|marks| marks.digits);
            if rules.numbers {
                for place in places(digits.runs(SHORTEST_GROUP) & within) {
                    self.digits(from + place, digits.run_length(place));
                }
            }
            let colons = look(|marks| marks.colons);
            if rules.addresses {
                let dots = look(|marks| marks.dots);
                places(dotted_quads(&dots, &digits) & within).for_each(|at| address::ipv4(self, from + at));
                places(colon_groups(&colons) & within).for_each(|at| address::ipv6(self, from + at));
            }
            if rules.macs {
                let pairs = pairs_of_six(&colons) | pairs_of_six(&look(|marks| marks.dashes));
                places(pairs & within).for_each(|at| address::mac(self, from + at));
            }
            if rules.mails {
                places(here.ats & within).for_each(|at| mail::look(self, from + at));
            }
            last = here;
            from += WIDTH;
        }
    }
}

/// The bits of as many bytes as are left.
pub(crate) fn within(left: usize) -> u64 {
    if left < WIDTH { (1 << left) - 1 } else { u64::MAX }
}

/// Which of [`WIDTH`] bytes and as many after them are of one kind.
struct Bits {
    here: u128,
    /// The byte before them is of the kind.
    last: bool,
}

impl Bits {
    /// Where runs of at least so many bytes begin.
    fn runs(&self, least: usize) -> u64 {
        let mut bits = self.here;
        let mut known = 1;
        while known < least {
            let more = known.min(least - known);
            bits &= bits >> more;
            known += more;
        }
        bits as u64 & !(self.after() as u64)
    }

    /// How long the run is that begins at `place`, if it ends here.
    fn run_length(&self, place: usize) -> Option<usize> {
        let length = (self.here >> place).trailing_ones() as usize;
        (place + length < 2 * WIDTH).then_some(length)
    }

    /// The bytes after which each of them stands.
    fn after(&self) -> u128 {
        self.here << 1 | u128::from(self.last)
    }
}

/// The first dot of what may be `1.2.3.4`.
fn dotted_quads(dots: &Bits, digits: &Bits) -> u64 {
    let inner = dots.here & digits.after() & digits.here >> 1;
    let soon = |bits: u128| bits >> 2 | bits >> 3 | bits >> 4;
    if inner as u64 == 0 {
        return 0;
    }
    let second = inner & soon(inner);
    (inner & soon(second)) as u64
}

/// `::`, and the first colon of what may be the eight groups of an address of version 6.
fn colon_groups(colons: &Bits) -> u64 {
    const COLONS: usize = 7;
    let all = colons.here;
    let soon = |bits: u128| bits >> 2 | bits >> 3 | bits >> 4 | bits >> 5;
    let mut chain = all;
    for _ in 1..COLONS {
        // Times have two.
        if chain as u64 == 0 {
            break;
        }
        chain = all & soon(chain);
    }
    (all & all >> 1 | chain) as u64
}

/// The first separator of what may be the six pairs of digits of a hardware address.
fn pairs_of_six(separators: &Bits) -> u64 {
    const STEP: u32 = 3;
    let all = separators.here;
    if all as u64 == 0 {
        return 0;
    }
    (all & all >> STEP & all >> (2 * STEP) & all >> (3 * STEP) & all >> (4 * STEP)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(text: &str, is: fn(char) -> bool) -> Bits {
        let here = text.chars().enumerate().map(|(place, letter)| u128::from(is(letter)) << place).sum();
        Bits { here, last: false }
    }

    #[test]
    fn a_run_is_met_where_it_begins_if_it_is_long_enough() {
        let letters = bits("abc.abcd.....abcdefgh", |letter| letter != '.');
        assert_eq!(letters.runs(4), 1 << 4 | 1 << 13);
        assert_eq!(letters.runs(8), 1 << 13);
        assert_eq!(letters.runs(9), 0);
        assert_eq!([0, 4, 13].map(|place| letters.run_length(place)), [Some(3), Some(4), Some(8)]);
        let goes_on = Bits { last: true, ..letters };
        assert_eq!(goes_on.runs(3), 1 << 4 | 1 << 13, "the first goes on from before");
        assert_eq!(Bits { here: !0 << 60, last: false }.run_length(60), None);
    }

    #[test]
    fn addresses_are_met_and_times_are_not() {
        let quads = |text| dotted_quads(&bits(text, |l| l == '.'), &bits(text, |l| l.is_ascii_digit()));
        assert_eq!(quads("at 10.250.19.102:54106"), 1 << 5);
        assert_eq!(quads("1.2.3.4.5"), 1 << 1 | 1 << 3);
        assert_eq!(quads("v1.2.3 and 5.6.7.a"), 0);
        let groups = |text| colon_groups(&bits(text, |letter| letter == ':'));
        assert_eq!(groups("15:16:01 2001:db8::1"), 1 << 17);
        assert_eq!(groups("2001:db8:0:1:22:333:4444:5"), 1 << 4);
        assert_eq!(groups("15:16:01:02 a: b: c: d"), 0);
        let pairs = |text| pairs_of_six(&bits(text, |letter| letter == '-'));
        assert_eq!(pairs("00-1B-44-11-3A-B7"), 1 << 2);
        assert_eq!(pairs("2005-06-03-15.42.50"), 0);
    }
}
