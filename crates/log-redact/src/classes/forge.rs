//! Code forges and tools around code.

use super::{Alphabet, Class, between, exactly, literal};
use crate::checks;
use crate::class::{Group, Rule};
use crate::shape::Shape;

const fn class(name: &'static str, title: &'static str, source: &'static str, rule: Rule) -> Class {
    Class::new(name, Group::Forge, title, source, rule)
}

pub(super) const CLASSES: &[Class] = &[
    class(
        "github-token",
        "Token of GitHub: classic, OAuth, of an app, refresh",
        "https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/",
        Rule::Shapes(&[
            Shape::new(&["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], &[between(Alphabet::ALNUM, 36, 36)])
                .ends(checks::crc32_base62),
            Shape::new(&["ghr_"], &[between(Alphabet::ALNUM, 37, 251)]),
        ]),
    ),
    class(
        "github-fine-grained-token",
        "Fine-grained personal access token of GitHub",
        "https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github#githubs-token-formats",
        Rule::Shapes(&[Shape::new(
            &["github_pat_"],
            &[exactly(Alphabet::ALNUM, 22), literal("_"), exactly(Alphabet::ALNUM, 59)],
        )]),
    ),
];
