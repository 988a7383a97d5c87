//! Registries of packages and images.

use super::{Alphabet, Class, between, exactly};
use crate::checks;
use crate::class::{Group, Rule};
use crate::shape::Shape;
use crate::wrap::Length;

const fn class(name: &'static str, title: &'static str, source: &'static str, rule: Rule) -> Class {
    Class::new(name, Group::Registry, title, source, rule)
}

pub(super) const CLASSES: &[Class] = &[
    class(
        "npm-token",
        "Access token of npm",
        "https://docs.npmjs.com/about-access-tokens",
        Rule::Shapes(&[Shape::new(&["npm_"], &[exactly(Alphabet::ALNUM, 36)]).ends(checks::crc32_base62)]),
    ),
    class(
        "pypi-token",
        "API token of PyPI",
        "https://pypi.org/help/#apitoken",
        Rule::Shapes(&[Shape::new(
            &["pypi-AgEIcHlwaS5vcmc", "pypi-AgENdGVzdC5weXBpLm9yZw"],
            &[between(Alphabet::URL64, 50, 1024)],
        )]),
    ),
    class(
        "rubygems-token",
        "API key of RubyGems",
        "https://guides.rubygems.org/api-key-scopes/",
        Rule::Shapes(&[Shape::new(&["rubygems_"], &[exactly(Alphabet::HEX_LOWER, 48)])]),
    ),
    class(
        "docker-token",
        "Access token of Docker Hub",
        "https://docs.docker.com/security/for-developers/access-tokens/",
        Rule::Shapes(&[
            Shape::new(&["dckr_pat_"], &[between(Alphabet::URL64, 27, 64)]),
            Shape::new(&["dckr_oat_"], &[between(Alphabet::URL64, 32, 64)]),
        ]),
    )
    .length(Length::Exactly(&[36])),
    class(
        "nuget-api-key",
        "API key of NuGet",
        "https://learn.microsoft.com/nuget/nuget-org/publish-a-package#create-an-api-key",
        Rule::Shapes(&[Shape::new(&["oy2"], &[exactly(Alphabet::LOWER_DIGITS, 43)])]),
    ),
    class(
        "crates-io-token",
        "API token of crates.io",
        "https://doc.rust-lang.org/cargo/reference/publishing.html",
        Rule::Shapes(&[Shape::new(&["cio"], &[exactly(Alphabet::ALNUM, 32)])]),
    ),
    class(
        "artifactory-token",
        "API key or reference token of Artifactory",
        "https://jfrog.com/help/r/jfrog-platform-administration-documentation/access-tokens",
        Rule::Shapes(&[
            Shape::new(&["AKCp"], &[between(Alphabet::ALNUM, 60, 80)]),
            Shape::new(&["cmVmdGtuO"], &[between(Alphabet::STD64_PADDED, 40, 80)]),
        ]),
    )
    .length(Length::Exactly(&[73])),
    class(
        "clojars-token",
        "Deploy token of Clojars",
        "https://github.com/clojars/clojars-web/wiki/Deploy-Tokens",
        Rule::Shapes(&[Shape::new(&["CLOJARS_"], &[exactly(Alphabet::HEX_LOWER, 60)])]),
    ),
    class(
        "artifactory-reference-token",
        "Reference token of Artifactory",
        "https://jfrog.com/help/r/jfrog-platform-administration-documentation/reference-tokens",
        Rule::Shapes(&[Shape::new(&["cmVmd"], &[exactly(Alphabet::ALNUM, 59)])]),
    ),
];
