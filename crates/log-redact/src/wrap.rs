//! What makes a line the rest of the one before it, when the secret that begins there could end there as well: only that
//! it is not whole without the rest, or a rest that nobody writes on a line of its own.

use crate::alphabet::Alphabet;
use crate::drawn;
use crate::rules::HOST_SUFFIXES;

/// How long a whole value is, where its issuer says so.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Length {
    /// Nobody says.
    Any,
    /// One of these, in bytes.
    Exactly(&'static [usize]),
    /// So many bytes or more: keys have this length where their issuer shows one, but nobody promises that they keep it.
    AtLeast(usize),
    /// So many letters or more after the last of this sign.
    Ending(u8, usize),
    /// Base64 with its padding: whole groups of four.
    Groups,
    /// A JWT, whose last part is a signature.
    Signed,
    /// An address whose last word is a domain that there is.
    Mail,
    /// A telephone number with the plus sign and a country whose numbers all have one length.
    Telephone,
}

/// Fewer letters may be a name with a number: `Server2`.
const SHORTEST_DRAWN: usize = 6;
/// So many letters that follow each other as in a word rarely do by chance.
const SHORTEST_NAME: usize = 4;
/// Lines of base64 have at least so many letters.
const FULL_LINE: usize = 48;

impl Length {
    /// Whether a value of this length is whole. Of what has no known length it cannot be told, and it is not.
    fn fits(self, value: &[u8]) -> bool {
        match self {
            Self::Any => false,
            Self::Exactly(lengths) => lengths.contains(&value.len()),
            Self::AtLeast(least) => value.len() >= least,
            Self::Ending(sign, least) => {
                value.iter().rev().take_while(|byte| **byte != sign).count() >= least
            }
            Self::Groups => value.len().is_multiple_of(4),
            Self::Signed => {
                // Base64 of the 32 to 512 bytes that HMAC, ECDSA, EdDSA and RSA sign with.
                const SIGNATURES: [usize; 9] = [0, 43, 64, 86, 128, 176, 342, 512, 683];
                let signature = value.iter().rev().position(|byte| *byte == b'.');
                signature.is_some_and(|length| SIGNATURES.contains(&length))
            }
            Self::Mail => {
                let domain = value.strip_suffix(b".").unwrap_or(value);
                let dot = domain.iter().rposition(|byte| *byte == b'.');
                dot.is_some_and(|dot| HOST_SUFFIXES.iter().any(|suffix| suffix.as_bytes() == &domain[dot..]))
            }
            Self::Telephone => is_telephone(value),
        }
    }

    /// Whether what follows a line break completes a value: `lines` are its parts.
    pub(crate) fn is_completed_by(self, lines: &[&[u8]]) -> bool {
        let Some((first, rest)) = lines.split_first() else { return false };
        // Of two lengths that an issuer has, the longer one, unless the rest is spelled as a name.
        if matches!(self, Self::Exactly(_)) && self.fits(first) {
            let rest = rest.concat();
            let is_drawn = rest.len() >= SHORTEST_DRAWN && named(&words(&rest)) * 2 <= rest.len();
            return is_drawn && self.fits(&lines.concat());
        }
        let is_padding = matches!(rest.concat().as_slice(), b"=" | b"==");
        is_padding
            || self.is_made_whole_by(lines)
            || rest.iter().all(|line| is_drawn(line))
            || is_column(rest)
    }

    /// Whether a value is too short without what follows a line break, and has the right length with it.
    pub(crate) fn is_made_whole_by(self, lines: &[&[u8]]) -> bool {
        let Some((first, rest)) = lines.split_first() else { return false };
        let (whole, rest) = (lines.concat(), rest.concat());
        let is_usual_with = || is_usual(&whole) && (!is_usual(first) || is_part_of_a_number(&rest));
        match self {
            Self::Exactly(_) | Self::Ending(..) => self.fits(&whole) && !self.fits(first),
            Self::AtLeast(least) => {
                // Of a value far too short nobody knows what it is, and any line is long enough for it.
                let is_most = first.len() * 2 >= least;
                first.len() < least && (whole.len() == least || whole.len() > least && is_most)
                    || is_usual_with()
            }
            Self::Groups if is_last_group(&rest) => self.fits(&whole),
            _ => {
                let is_whole = |value: &[u8]| self.fits(value) || is_usual(value);
                is_whole(&whole) && (!is_whole(first) || is_part_of_a_number(&rest))
            }
        }
    }
}

/// Whether these are as many digits as numbers of the country have.
fn is_telephone(value: &[u8]) -> bool {
    const COUNTRIES: [(&[u8], usize); 8] = [
        (b"86", 13),
        (b"1", 11),
        (b"44", 12),
        (b"91", 12),
        (b"7", 11),
        (b"33", 11),
        (b"61", 11),
        (b"34", 11),
    ];
    let digits: Vec<u8> = value.iter().copied().filter(u8::is_ascii_digit).collect();
    value.starts_with(b"+")
        && COUNTRIES.iter().any(|(country, length)| digits.starts_with(country) && digits.len() == *length)
}

/// Whether these are as many digits and letters of one case as most keys, signatures and ids of sessions have, or a UUID.
fn is_usual(value: &[u8]) -> bool {
    const LENGTHS: [usize; 4] = [32, 40, 64, 128];
    let one_case = [Alphabet::UPPER_DIGITS, Alphabet::HEX_LOWER]
        .into_iter()
        .any(|alphabet| value.iter().all(|byte| alphabet.has(*byte)));
    let uuid = || {
        let groups = value.split(|byte| *byte == b'-').map(<[u8]>::len);
        value.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-') && groups.eq([8, 4, 4, 4, 12])
    };
    LENGTHS.contains(&value.len()) && one_case && value.iter().any(u8::is_ascii_digit) || uuid()
}

/// Whether these are so many digits and letters of a number in hex that is no commit, digest or container.
fn is_part_of_a_number(rest: &[u8]) -> bool {
    const ITS_OWN: [usize; 6] = [7, 8, 12, 32, 40, 64];
    let any = |is: fn(&u8) -> bool| rest.iter().any(is);
    !ITS_OWN.contains(&rest.len()) && any(u8::is_ascii_digit) && any(u8::is_ascii_alphabetic)
}

/// Whether these are letters and digits that look drawn, as a value has that is folded below its key: being there says
/// something already.
pub(crate) fn are_scraps(lines: &[&[u8]]) -> bool {
    lines.iter().all(|line| line.iter().all(u8::is_ascii_alphanumeric) && drawn::is_hardly_a_name(line))
}

/// Whether letters of both cases, digits and signs follow each other as nobody writes them.
fn is_drawn(line: &[u8]) -> bool {
    let is_known = line.iter().all(|byte| Alphabet::TOKEN68.has(*byte) || is_sign(byte));
    is_known && drawn::is_no_name(line)
}

/// How many letters are of words that can be spoken.
fn named(words: &[&[u8]]) -> usize {
    let is_vowel = |byte: &u8| matches!(byte.to_ascii_lowercase(), b'a' | b'e' | b'i' | b'o' | b'u' | b'y');
    let is_name = |word: &&&[u8]| {
        word.len() >= SHORTEST_NAME
            && word[1..].iter().all(u8::is_ascii_lowercase)
            && word.iter().any(is_vowel)
    };
    words.iter().filter(is_name).map(|word| word.len()).sum()
}

fn is_sign(byte: &u8) -> bool {
    matches!(byte, b'!' | b'@' | b'^' | b'*' | b'+' | b'~' | b'#' | b'$' | b'%')
}

/// The words that a name is read as: `IP`, `v`, `4`, `Addr`.
fn words(line: &[u8]) -> Vec<&[u8]> {
    let kind = |at: usize| {
        line.get(at).map(|byte| (byte.is_ascii_uppercase(), byte.is_ascii_digit(), byte.is_ascii_lowercase()))
    };
    let is_capital = |at: usize| line.get(at).is_some_and(u8::is_ascii_uppercase);
    let is_small = |at: usize| line.get(at).is_some_and(u8::is_ascii_lowercase);
    let mut words = Vec::new();
    let mut start = 0;
    for at in 1..=line.len() {
        let is_hump = is_capital(at - 1) && is_small(at) && (at - 1 == start || !is_capital(at));
        let begins = is_capital(at) && is_small(at + 1) && is_capital(at - 1);
        if begins || !is_hump && kind(at) != kind(at - 1) {
            words.push(&line[start..at]);
            start = at;
        }
    }
    words
}

/// Whether this can end base64: groups of four that are no word.
pub(crate) fn ends_base64(line: &[u8]) -> bool {
    let is_mixed = line.iter().any(u8::is_ascii_digit) || line.iter().skip(1).any(u8::is_ascii_uppercase);
    line.len().is_multiple_of(4) && (line.ends_with(b"=") || is_mixed)
}

/// Whether these are groups of base64 with its padding, and no name before an equals sign: `eDc=`, but not `Key=`.
fn is_last_group(rest: &[u8]) -> bool {
    let letters = &rest[..rest.len() - rest.iter().rev().take_while(|byte| **byte == b'=').count()];
    rest.len().is_multiple_of(4)
        && !letters.is_empty()
        && (rest.ends_with(b"==") || letters.len() < rest.len() && !drawn::is_plain(letters))
}

/// Whether the first of these are full lines of one length, as base64 is wrapped, and the last is no longer.
fn is_column(lines: &[&[u8]]) -> bool {
    let Some((last, full)) = lines.split_last() else { return false };
    let width = full.first().map_or(0, |line| line.len());
    width >= FULL_LINE
        && full.iter().all(|line| line.len() == width && is_drawn(line))
        && last.len() <= width
        && (is_drawn(last) || ends_base64(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completes(length: Length, lines: &[&str]) -> bool {
        length.is_completed_by(&lines.iter().map(|line| line.as_bytes()).collect::<Vec<_>>())
    }

    #[test]
    fn a_rest_belongs_if_it_is_drawn() {
        for rest in ["x7Qk9vB2mZt7", "Rw!5cLp8^d", "k3Jq9XvB"] {
            assert!(completes(Length::Any, &["abcDEF123456", rest]), "{rest}");
        }
        for line in [
            "foo",
            "200",
            "exit1",
            "node-a1b2",
            "BuildOk",
            "Utf8Decoder2",
            "IPv4Addr",
            "K8sNode1",
            "src/main.rs:12:5",
            "3f2a9c1d4e5b",
        ] {
            assert!(!completes(Length::Any, &["abcDEF123456", line]), "{line}");
        }
        assert!(!completes(Length::Any, &["abcDEF123456", "x7Qk9vB2mZt7", "foo"]));
        assert!(completes(Length::Any, &["abcDEF123456", "McwMLt9mvwFqgtqf"]));
        assert!(!completes(Length::Any, &["abcDEF123456", "HttpURLConnectionPoolV2Impl"]));
    }

    #[test]
    fn below_its_key_a_scrap_belongs() {
        for rest in ["7cJbe", "Ksxnw43vy", "MPrjK"] {
            assert!(are_scraps(&[rest.as_bytes()]), "{rest}");
        }
        for line in ["BuildOk", "Host1", "web1", "node-a1b2", "3f2a9c1d4e5b", "StartingWorkers", "200", "ls"]
        {
            assert!(!are_scraps(&[line.as_bytes()]), "{line}");
        }
    }

    #[test]
    fn a_rest_belongs_if_it_makes_the_value_whole() {
        let forty = Length::Exactly(&[40]);
        let first = "a".repeat(37);
        assert!(completes(forty, &[&first, "foo"]));
        assert!(!completes(forty, &[&first, "done"]));
        assert!(!completes(forty, &[&"a".repeat(40), "k3Jq9XvB2m"]), "it is whole");
        let least = Length::AtLeast(40);
        assert!(completes(least, &[&first, "foo"]) && completes(least, &[&first, "done"]));
        assert!(!completes(least, &[&"a".repeat(40), "foo"]), "it may be whole");
        assert!(!completes(least, &["abc", &"done ".repeat(10)]), "it is no such key");
        assert!(completes(least, &["abc", &"d".repeat(37)]), "it is as long as such keys are");
        let ending = Length::Ending(b'/', 24);
        assert!(completes(ending, &["T0/B0/abcdefghijklmnopqrstuvw", "x"]));
        assert!(!completes(ending, &["T0/B0/abcdefghijklmnopqrstuvwx", "done"]), "it is whole");
        for (rest, belongs) in
            [("eDc=", true), ("Ng==", true), ("Key=", false), ("HOMEDIR=", false), ("done", false)]
        {
            assert_eq!(completes(Length::Groups, &["abcdefgh", rest]), belongs, "{rest}");
        }
        assert!(
            completes(Length::Groups, &["abcde", "fg="]) && !completes(Length::Groups, &["abcd", "done"])
        );
        assert!(completes(Length::Any, &["0123456789abcdef0123456789", "abcdef"]));
        assert!(completes(Length::Any, &[&"0a".repeat(20), "0123456789abcdef01234567"]), "64, and not 40");
        assert!(
            !completes(Length::Any, &[&"0a".repeat(16), "01234567"]),
            "32, and the beginning of a commit"
        );
        assert!(completes(Length::Any, &["00112233-4455-6677-8899", "-aabbccddeeff"]));
    }

    #[test]
    fn the_last_of_wrapped_lines_may_be_short() {
        let line = "k3Jq9XvB2mZt7RwY".repeat(4);
        assert!(completes(Length::Any, &["abcd", &line, &line, "Zm9="]));
        assert!(!completes(Length::Any, &["abcd", &line, &line, "done"]));
    }
}
