//! Lines that nobody has seen before, made from those of the sets.

/// The generator of random numbers: small, fast, from a seed.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(2) + 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, most: usize) -> usize {
        (self.next() % most as u64) as usize
    }
}

/// So many digits of a line tell it from every other of ten million.
const NUMBERED: u32 = 7;

/// Appends `line`, as the `number`th that is made, with other times, numbers, ids and addresses, and an end of line.
///
/// Every digit is drawn anew but the first two of a longer number, which tell a year or an epoch; the first digits that
/// are drawn are those of `number`, so that no line is made twice. In words of hexadecimal digits the letters are drawn
/// as well.
pub(crate) fn vary(line: &[u8], number: usize, random: &mut Random, out: &mut Vec<u8>) {
    let mut digits_left = NUMBERED;
    let mut rest = number;
    let mut digit = |random: &mut Random| {
        if digits_left == 0 {
            return b'0' + (random.next() >> 40) as u8 % 10;
        }
        digits_left -= 1;
        let digit = rest % 10;
        rest /= 10;
        b'0' + digit as u8
    };
    let mut at = 0;
    while at < line.len() {
        let word = line[at..].iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        if word == 0 {
            out.push(line[at]);
            at += 1;
            continue;
        }
        let run = &line[at..at + word];
        let is_hex = word >= 8
            && run.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
            && run.iter().any(u8::is_ascii_digit)
            && run.iter().any(u8::is_ascii_lowercase);
        let mut digits = 0;
        for (place, &byte) in run.iter().enumerate() {
            digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
            let is_last = !run.get(place + 1).is_some_and(u8::is_ascii_digit);
            out.push(match byte {
                b'0'..=b'9' if is_hex => digit(random),
                b'a'..=b'f' if is_hex => b'a' + (random.next() >> 40) as u8 % 6,
                // Of two digits the first stays below six, as in a clock.
                b'0'..=b'5'
                    if digits == 1
                        && run.get(place + 2).is_none_or(|next| !next.is_ascii_digit())
                        && !is_last =>
                {
                    b'0' + (random.next() >> 40) as u8 % 6
                }
                b'0'..=b'9' if digits <= 2 && !is_last => byte,
                b'0'..=b'9' => digit(random),
                other => other,
            });
        }
        at += word;
    }
    out.push(b'\n');
}
