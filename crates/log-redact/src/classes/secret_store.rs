//! Stores of secrets and configuration.

use super::{Alphabet, Class, between, exactly, key_of, literal};
use crate::class::{Group, Rule};
use crate::shape::Shape;
use crate::wrap::Length;

const fn class(name: &'static str, title: &'static str, source: &'static str, rule: Rule) -> Class {
    Class::new(name, Group::SecretStore, title, source, rule)
}

pub(super) const CLASSES: &[Class] = &[
    class(
        "vault-token",
        "Token of HashiCorp Vault",
        "https://developer.hashicorp.com/vault/docs/concepts/tokens#token-prefixes",
        Rule::ShapesAndKeys(
            &[Shape::new(&["hvs.", "hvb.", "hvr."], &[between(Alphabet::URL64, 24, 400)])],
            &[key_of("vault", "token")],
        ),
    ),
    class(
        "doppler-token",
        "Token of Doppler",
        "https://docs.doppler.com/reference/auth-token-formats",
        Rule::Shapes(&[
            Shape::new(
                &["dp.pt.", "dp.ct.", "dp.sa.", "dp.scim.", "dp.audit.", "dp.said."],
                &[between(Alphabet::ALNUM, 40, 44)],
            ),
            Shape::new(&["dp.st."], &[between(Alphabet::URL64_DOT, 40, 90)]),
        ]),
    )
    .length(Length::Exactly(&[49])),
    class(
        "onepassword-token",
        "Service account token of 1Password",
        "https://developer.1password.com/docs/service-accounts/security/",
        Rule::Shapes(&[Shape::new(&["ops_eyJ"], &[between(Alphabet::STD64_PADDED, 200, 2000)])]),
    ),
    class(
        "onepassword-secret-key",
        "Secret key of 1Password",
        "https://support.1password.com/secret-key-security/",
        Rule::Shapes(&[
            Shape::new(
                &["A3-"],
                &[
                    exactly(Alphabet::UPPER_DIGITS, 6),
                    literal("-"),
                    between(Alphabet::UPPER_DIGITS, 5, 6),
                    literal("-"),
                    between(Alphabet::UPPER_DIGITS, 5, 6),
                    literal("-"),
                    exactly(Alphabet::UPPER_DIGITS, 5),
                    literal("-"),
                    exactly(Alphabet::UPPER_DIGITS, 5),
                    literal("-"),
                    exactly(Alphabet::UPPER_DIGITS, 5),
                ],
            ),
            Shape::new(
                &["A3-"],
                &[
                    exactly(Alphabet::UPPER_DIGITS, 6),
                    literal("-"),
                    exactly(Alphabet::UPPER_DIGITS, 11),
                    literal("-"),
                    exactly(Alphabet::UPPER_DIGITS, 5),
                    literal("-"),
                    exactly(Alphabet::UPPER_DIGITS, 5),
                    literal("-"),
                    exactly(Alphabet::UPPER_DIGITS, 5),
                ],
            ),
        ]),
    ),
    class(
        "age-secret-key",
        "Secret key of age",
        "https://age-encryption.org/v1",
        Rule::Shapes(&[Shape::new(&["AGE-SECRET-KEY-1"], &[exactly(Alphabet::UPPER_DIGITS, 58)])]),
    ),
    class(
        "infisical-token",
        "Service token of Infisical",
        "https://infisical.com/docs/documentation/platform/token",
        Rule::Shapes(&[Shape::new(
            &["st."],
            &[
                exactly(Alphabet::HEX_LOWER, 24),
                literal("."),
                exactly(Alphabet::HEX_LOWER, 32),
                literal("."),
                exactly(Alphabet::HEX_LOWER, 32),
            ],
        )]),
    ),
];
