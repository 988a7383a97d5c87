//! Check digits and checksums.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The check of payment cards (ISO/IEC 7812-1, annex B): every second digit from the right is doubled.
pub(crate) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit - b'0');
            match (place % 2, value) {
                (0, value) => value,
                (_, value) if value < 5 => value * 2,
                (_, value) => value * 2 - 9,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

/// GB 11643-1999: 17 digits, of which seven to fourteen are the day of birth, and a check character.
pub(crate) fn chinese_identity(text: &[u8]) -> bool {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECKS: &[u8; 11] = b"10X98765432";
    let Some((digits, check)) = text.split_at_checked(17) else { return false };
    if check.len() != 1 || !digits.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let number =
        |from: usize, to: usize| digits[from..to].iter().fold(0, |n, d| n * 10 + u32::from(d - b'0'));
    let (province, year, month, day) = (number(0, 2), number(6, 10), number(10, 12), number(12, 14));
    let sum: u32 = digits.iter().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    (11..=91).contains(&province)
        && (1850..=2100).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && CHECKS[(sum % 11) as usize] == check[0].to_ascii_uppercase()
}

/// How long the numbers of accounts are, by country, as the registry of ISO 13616 has them.
const IBAN_LENGTHS: [(usize, &str); 18] = [
    (15, "NO"),
    (16, "BE"),
    (18, "DK FI FK FO GL NL SD"),
    (19, "MK SI"),
    (20, "AT BA EE KZ LT LU MN XK"),
    (21, "CH HR LI LV"),
    (22, "BG BH CR DE GB GE IE ME RS VA"),
    (23, "AE GI IL IQ OM SO TL"),
    (24, "AD CZ ES MD PK RO SA SE SK TN VG"),
    (25, "LY PT ST"),
    (26, "IS TR"),
    (27, "BI DJ FR GR IT MC MR SM"),
    (28, "AL AZ BY CY DO GT HN HU LB NI PL SV"),
    (29, "BR EG PS QA UA"),
    (30, "JO KW MU YE"),
    (31, "MT SC"),
    (32, "LC"),
    (33, "RU"),
];

/// Whether numbers of the country are so long. Those of a country that came later may have any length.
fn is_long_enough(number: &[u8]) -> bool {
    let is_of =
        |countries: &str| countries.as_bytes().chunks(3).any(|country| number.starts_with(&country[..2]));
    IBAN_LENGTHS
        .iter()
        .find(|(_, countries)| is_of(countries))
        .is_none_or(|(length, _)| *length == number.len())
}

/// ISO 13616: the first four characters moved to the end, letters as two digits, modulo 97 leaves 1.
pub(crate) fn iban(text: &[u8]) -> bool {
    let Some((head, rest)) = text.split_at_checked(4) else { return false };
    let remainder = rest.iter().chain(head).try_fold(0_u32, |remainder, byte| {
        Some(match byte {
            b'0'..=b'9' => (remainder * 10 + u32::from(byte - b'0')) % 97,
            b'A'..=b'Z' => (remainder * 100 + u32::from(byte - b'A') + 10) % 97,
            _ => return None,
        })
    });
    remainder == Some(1) && is_long_enough(text)
}

/// Tokens that end with the CRC-32 of their random part in six base62 digits: GitHub's and npm's.
pub(crate) fn crc32_base62(token: &[u8]) -> bool {
    const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let Some(begin) = token.iter().position(|byte| *byte == b'_') else { return false };
    let Some((random, check)) = token[begin + 1..].split_last_chunk::<6>() else { return false };
    let told = check.iter().try_fold(0_u64, |number, byte| {
        BASE62.iter().position(|digit| digit == byte).map(|digit| number * 62 + digit as u64)
    });
    told == Some(u64::from(crc32fast::hash(random)))
}

/// Whether these are the base64url letters of a JSON object, as a JWT begins.
pub(crate) fn json_object_base64(text: &[u8]) -> bool {
    let whole = &text[..text.len() - text.len() % 4];
    URL_SAFE_NO_PAD.decode(whole).is_ok_and(|json| json.starts_with(b"{"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_examples_pass_and_their_neighbours_fail() {
        // The usual test numbers of the card schemes, and the examples of the standards.
        assert!(luhn(b"4111111111111111") && !luhn(b"4111111111111112"));
        assert!(luhn(b"378282246310005"));
        assert!(chinese_identity(b"11010519491231002X") && !chinese_identity(b"110105194912310021"));
        assert!(chinese_identity(b"440524188001010014"));
        assert!(!chinese_identity(b"110105194913310020"), "month 13");
        assert!(iban(b"GB82WEST12345698765432") && !iban(b"GB82WEST12345698765433"));
        assert!(iban(b"DE89370400440532013000"));
        assert!(!iban(b"GB08WEST12345698765") && iban(b"NO9386011117947"), "of the country's length");
    }

    #[test]
    fn letters_where_digits_belong_fail_without_a_panic() {
        assert!(!chinese_identity(b"1101051949123100"));
        assert!(!iban(b"GB8") && !iban("GB82WESTé2345698765432".as_bytes()));
        assert!(!crc32_base62(b"") && !crc32_base62(b"ghp_abc") && !crc32_base62(b"ghp_abcdef-bcdef"));
    }
}
